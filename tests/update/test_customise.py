"""docs/customise.md: a company forks the template, adds to it, takes a release of ours, and its repositories get both."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TEMPLATE, Repository
from tests.test_readme import commands
from tests.update.template_source import PROJECT, TemplateSource, generate, git

FORK, ADD_QUESTION, ADD_STEP, ADD_POLICY, RELEASE, TAKE, BRING = commands(TEMPLATE / "docs" / "customise.md")
ADDRESS = "https://git.example.com/acme/acme-mlops.git"
GENERATE = [sys.executable, "-m", "cookiecutter", ADDRESS, "--no-input", "--default-config"]
BRANCH = "template-update/1.4.0+acme.2"
DRIFT = '  "drift": "never",\n  "__drift_ok": "<< cookiecutter | check(\'drift\') >>",\n'
QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))


def run(block: str, folder: Path) -> str:
    """Run a block as somebody would who pastes it into a shell there, and return what it printed."""
    done = subprocess.run(
        ["sh", "-eu", "-c", block], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def upstream(template: TemplateSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TemplateSource:
    """Our template where the page says that it is, and an empty repository for the fork where it says so."""
    template.git("switch", "--quiet", "--force-create", "main")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "acme.git")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = Paula Platform\nemail = paula@example.org\n"
        f'[url "{template.path}"]\ninsteadOf = https://git.example.com/mlops/cookiecutter-sagemaker-mlops.git\n'
        f'[url "{tmp_path / "acme.git"}"]\ninsteadOf = {ADDRESS}\n'
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    return template


def release_upstream(upstream: TemplateSource) -> None:
    """Publish what the page calls v1.4.0: with a question at the place of new ones, a setting and a changed pipeline."""

    def behind(last: str, added: str) -> None:
        upstream.edit("cookiecutter.json", last, f"{last}{added}")

    behind('  "__aws_setup_ok": "<< cookiecutter | check(\'aws_setup\') >>",\n', DRIFT)
    behind(f'"aws_setup": {json.dumps(QUESTIONS["_choices"]["aws_setup"])}', ',\n    "drift": ["never", "weekly"]')
    behind(f'"aws_setup": {json.dumps(QUESTIONS["__prompts__"]["aws_setup"])}', ',\n    "drift": "Watch for drift?"')
    version = QUESTIONS["_version"]
    upstream.edit("cookiecutter.json", f'"_version": "{version}"', '"_version": "1.4.0"')
    upstream.edit("CHANGELOG.md", f"\n## {version}", f"\n## 1.4.0 - 2031-01-01\n\n- Drift.\n\n## {version}")
    pipeline, settings = upstream.in_project("mlops/pipeline.py"), upstream.in_project("mlops/settings.py")
    upstream.edit(pipeline, "Fit the model, and pack it with the code that serves it.", "Fit the model well.")
    upstream.edit(pipeline, "    result.append(train)\n", "    result.append(train)  # the new model\n")
    upstream.edit(
        settings, "    scenario: Literal", '    drift: Literal["never", "weekly"] = "never"\n    scenario: Literal'
    )
    upstream.edit(
        upstream.in_project("mlops.yaml"), "\ndata_check:\n", "\ndrift: << cookiecutter.drift >>\n\ndata_check:\n"
    )
    upstream.commit("Release 1.4.0")
    upstream.git("tag", "v1.4.0")


@pytest.mark.slow
@pytest.mark.skipif(
    bool(QUESTIONS["_company_version"]), reason="this is such a fork; ours is not where the page changes it"
)
def test_a_fork_adds_takes_our_release_and_brings_both(upstream: TemplateSource, tmp_path: Path) -> None:
    clones, fork = tmp_path / "clones", tmp_path / "acme-mlops"
    from_us = generate(upstream.path, clones, project_name="From Us")  # before there was a fork
    run(FORK, tmp_path)
    for block in (ADD_QUESTION, ADD_STEP, ADD_POLICY, RELEASE):
        run(block, fork)
    made = generated(clones)
    the_question_is_asked(made, clones)
    the_step_stops_undeclared_data_about_people(made, tmp_path / "table")
    the_policy_holds(made)
    (made.path / "model" / "payload.py").write_text("# The team's own edit\n")
    git(made.path, "commit", "--quiet", "--all", "--message", "Edit")

    release_upstream(upstream)
    run(TAKE, fork)
    run(RELEASE.replace("acme.1", "acme.2").replace("0.3.0", "1.4.0"), fork)
    added = git(fork, "diff", "--name-only", "--diff-filter=A", "HEAD", "acme.1~1", "-R").split("\n")
    assert {f"{PROJECT}/mlops/company.py", f"{PROJECT}/model/steps.py"} < set(added)
    kept = [name for name in added if name != "CHANGELOG.company.md"]
    assert git(fork, "diff", "acme.1", "acme.2", "--", *kept) == ""

    assert update(made, "--check").returncode == 1
    told = run(BRING, clones)
    assert told.index("- The question `data_class`.") < told.index("- Drift.")  # the notes of both
    for repository in (made, from_us):
        both_are_there(repository)
    the_step_is_in_the_pipeline(made)
    assert (made.path / "model" / "payload.py").read_text("utf-8") == "# The team's own edit\n"
    git(made.path, "switch", "--quiet", "dev")
    git(made.path, "merge", "--quiet", "--squash", BRANCH)
    git(made.path, "commit", "--quiet", "--message", "Update")
    assert update(made, "--check").returncode == 0


def generated(folder: Path) -> Repository:
    """Generate a repository from the fork's address, as people do."""
    subprocess.run(GENERATE, cwd=folder, check=True, capture_output=True)
    made = Repository(folder / "tumor-diagnosis")
    program = made.path / ".venv" / "bin" / "mlops"  # where `make install` puts it
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{made.path}" exec "{sys.executable}" -m mlops "$@"\n')
    program.chmod(0o755)
    return made


def update(repository: Repository, *options: str) -> subprocess.CompletedProcess[str]:
    return repository.run(".venv/bin/mlops", "update", *options, check=False)


def record_of(repository: Repository) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((repository.path / ".template.json").read_text("utf-8"))
    return record


def the_question_is_asked(made: Repository, folder: Path) -> None:
    refused = subprocess.run([*GENERATE, "data_class=no"], cwd=folder, capture_output=True, text=True)
    assert refused.stdout == "data_class 'no' is not a choice; choose internal or personal\n"
    assert (record_of(made)["source"], record_of(made)["version"]) == (ADDRESS, f"{QUESTIONS['_version']}+acme.1")
    assert made.settings()["company"] == {"data_class": "internal"}


def the_step_is_in_the_pipeline(made: Repository) -> None:
    """Build the definition, and look: the fork's step, and ours as our release changed it."""
    program = (
        "import json\nfrom mlops.definition.build import definition\nfrom mlops.settings import load_settings\n"
        "print(json.dumps(definition(load_settings()).content['Steps']))"
    )
    steps = {step["Name"]: step for step in json.loads(made.run(sys.executable, "-c", program).stdout)}
    assert steps["PersonalData"]["Arguments"]["AppSpecification"]["ContainerArguments"][-1] == "internal"
    assert "PersonalData" in steps["Train"]["DependsOn"]
    assert steps["Train"]["Description"].startswith("Fit the model well.")


def the_step_stops_undeclared_data_about_people(made: Repository, folder: Path) -> None:
    folder.mkdir()
    (folder / "people.csv").write_text("email,age\na@b.c,7\n")
    script = [sys.executable, "mlops/jobs/personal_data.py", str(folder)]
    made.run(*script, "personal")
    assert made.run(*script, "internal", check=False).stderr.startswith("email: about people; set company.data_class")


def the_policy_holds(made: Repository) -> None:
    file = made.path / "mlops.yaml"
    settings = file.read_text("utf-8")
    file.write_text(settings.replace("data_class: internal", "data_class: personal"), "utf-8")
    refused = made.mlops("setup", "--yes", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("data about people stay in the EU, and the region is us-east-1; choose")
    file.write_text(settings, "utf-8")


def both_are_there(repository: Repository) -> None:
    """The fork's additions and our release, in the branch of the update."""
    git(repository.path, "switch", "--quiet", BRANCH)
    assert "To decide:" not in git(repository.path, "log", "-1", "--format=%B")
    assert (record_of(repository)["source"], record_of(repository)["version"]) == (ADDRESS, "1.4.0+acme.2")
    answers = record_of(repository)["answers"]
    assert (answers["data_class"], answers["drift"]) == ("internal", "never")
    settings = repository.settings()
    assert (settings["company"], settings["drift"]) == ({"data_class": "internal"}, "never")
    for file in ("mlops/company.py", "mlops/jobs/personal_data.py", "model/steps.py"):
        assert (repository.path / file).exists(), file
    assert "Fit the model well." in (repository.path / "mlops" / "pipeline.py").read_text("utf-8")
