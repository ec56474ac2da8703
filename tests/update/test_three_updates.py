"""A repository of the previous release, edited for a year, takes three updates, each squashed, and keeps every edit."""

import json
import sys
from pathlib import Path

import pytest

from mlops.update.git_template import GitTemplate
from tests.conftest import TEMPLATE, Repository
from tests.definitions import shared_definitions
from tests.sweeps import nightly
from tests.template.test_combinations import answers_of
from tests.update import team_edits
from tests.update.conftest import Update
from tests.update.template_source import TemplateSource, generate, git
from tests.update.test_every_release import NAMED, RELEASES

PREVIOUS = RELEASES[1] if GitTemplate(str(TEMPLATE), TEMPLATE).newest().ahead == 0 else RELEASES[0]


def repository_of(name: str, template: TemplateSource, tmp_path: Path) -> Repository:
    """Return an edited repository of the previous release."""
    release = GitTemplate(str(template.path), template.path).find(PREVIOUS)
    then = template.checked_out(str(release.commit), tmp_path / "then")
    repository = generate(then, tmp_path / "made", project_name="House Prices", **answers_of(name))
    team_edits.work_for_a_year(repository)
    return repository


@pytest.mark.slow
@pytest.mark.parametrize("name", [NAMED[0], *(pytest.param(name, marks=nightly) for name in NAMED[1:])])
def test_three_updates_keep_every_edit_and_the_repository_passes_its_tests(
    name: str, template: TemplateSource, update: Update, tmp_path: Path
) -> None:
    repository = repository_of(name, template, tmp_path)
    first = update(repository, template)
    assert not first.result.conflicts
    team_edits.squash_merge(repository, first.branch)
    team_edits.still_there(repository)

    # The template's next release: machinery changed and moved, a setting, a question, a step of CI, the sample's text.
    template.edit(template.in_project("mlops/tags.py"), '"""The tags that', '"""All the tags that')
    template.write(template.in_project("mlops/brand_new.py"), '"""New machinery."""\n')
    template.git("mv", template.in_project("mlops/undo.py"), template.in_project("mlops/take_back.py"))
    for file in (template.path / template.project / "mlops").rglob("*.py"):
        text = file.read_text("utf-8")
        file.write_text(text.replace("mlops.undo import", "mlops.take_back import"), "utf-8")
    template.edit(
        template.in_project("mlops.yaml"), "  seed: 42\n", "  seed: 42\n  rows_without_target: refuse  # or drop\n"
    )
    template.edit(
        template.in_project("README.md"), "runs the pipeline on this machine,", "runs the whole pipeline here,"
    )
    template.questions(watch="off")
    template.release("9.1.0", "- A question and a setting.")
    team_edits.tidy_history(repository)
    second = update(repository, template)
    assert not second.result.conflicts
    team_edits.squash_merge(repository, second.branch)
    team_edits.still_there(repository)
    assert (repository.path / "mlops/take_back.py").exists()
    assert (repository.path / "mlops/brand_new.py").exists()
    assert not (repository.path / "mlops/undo.py").exists()
    assert repository.settings()["data"]["rows_without_target"] == "refuse"
    assert "runs the whole pipeline here," in (repository.path / "README.md").read_text("utf-8")
    assert json.loads((repository.path / ".template.json").read_text("utf-8"))["answers"]["watch"] == "off"

    # And the one after that: what the team renamed and removed is changed, and one line that the team changed as well.
    baseline = (template.path / template.in_project("model/baseline.py")).read_text("utf-8")
    template.write(template.in_project("model/baseline.py"), baseline + "\n# The end of the baseline.\n")
    for sample in (template.path / template.project / "data").glob("*.csv*"):
        sample.write_text(sample.read_text("utf-8").replace("\n", "\n\n", 1), "utf-8")
    for train in (template.path / template.project / "model").glob("*train.py*"):
        lines = train.read_text("utf-8").splitlines(keepends=True)
        train.write_text("".join(['"""Train the very best model.\n', *lines[1:]]), "utf-8")
    template.release("9.2.0", "- The very best.")
    third = update(repository, template)
    assert [left.path for left in third.result.conflicts] == ["model/train.py"]
    team_edits.squash_merge(repository, third.branch)
    assert team_edits.markers(repository.path / "model/train.py") == [
        '"""Train our model.',
        '"""Train the very best model.',
    ]
    _decide_for_ours(repository.path / "model/train.py")
    repository.git("add", "--all")
    git(repository.path, "commit", "--quiet", "--message", "Ours is better")
    team_edits.still_there(repository)
    renamed = (repository.path / "model/reference_statistics.py").read_text("utf-8")
    assert renamed.endswith("# The end of the baseline.\n")

    # What was decided once is not asked again.
    template.write(template.in_project("mlops/brand_new.py"), '"""New machinery, better."""\n')
    template.release("9.3.0", "- Better.")
    fourth = update(repository, template)
    assert not fourth.result.conflicts
    assert sorted(fourth.result.changed) == [".template.json", "mlops/brand_new.py"]
    team_edits.squash_merge(repository, fourth.branch)
    team_edits.still_there(repository)

    with shared_definitions(repository.path):
        tested = repository.run(sys.executable, "-m", "pytest")
    assert " passed" in tested.stdout
    assert " failed" not in tested.stdout


def _decide_for_ours(file: Path) -> None:
    lines, ours = [], True
    for line in file.read_text("utf-8").splitlines(keepends=True):
        if line.startswith(("<<<<<<<", ">>>>>>>")):
            ours = True
        elif line.startswith("======="):
            ours = False
        elif ours:
            lines.append(line)
    file.write_text("".join(lines), "utf-8")
