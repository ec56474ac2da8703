"""From every earlier release to the template as it is now: an untouched repository becomes what a new one would be."""

import re
from pathlib import Path

import pytest

from mlops.update.git_template import GitTemplate
from tests.conftest import TEMPLATE
from tests.sweeps import nightly
from tests.template.test_combinations import answers_of
from tests.update.conftest import Update
from tests.update.template_source import TemplateSource, generate, tree

NAMED = (
    "the defaults",
    "nightly scores of a regression",
    "challenged trees on GitHub",
    "a regression endpoint on GitHub",
    "batch trees, challenged",
)
RELEASES = GitTemplate(str(TEMPLATE), TEMPLATE).versions()  # of the history: tags do not always travel
# The other releases are between them; these combinations hold every choice.
EACH_DAY = {
    (RELEASES[0], "nightly scores of a regression"),
    (RELEASES[0], "challenged trees on GitHub"),
    (RELEASES[-1], "the defaults"),
    (RELEASES[-1], "batch trees, challenged"),
}


def test_the_releases_are_in_the_history_each_with_its_notes() -> None:
    """A clone without them would leave the tests below with nothing to do."""
    noted = re.findall(r"^## (\S+) - ", (TEMPLATE / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert RELEASES[-2:] == ["0.2.0", "0.1.0"]
    ours = [version for version in RELEASES if "+" not in version]  # a company's fork has others between them
    assert noted[-len(ours) :] == ours


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "name"),
    [
        pytest.param(version, name, marks=[] if (version, name) in EACH_DAY else nightly)
        for version in RELEASES
        for name in NAMED
    ],
)
def test_an_untouched_repository_becomes_what_a_new_one_would_be(
    template_now: TemplateSource, version: str, name: str, update: Update, tmp_path: Path
) -> None:
    release = GitTemplate(str(template_now.path), template_now.path).find(version)
    then = template_now.checked_out(str(release.commit), tmp_path / "then")
    answers = {"project_name": "House Prices", **answers_of(name)}
    repository, new_one = (
        generate(then, tmp_path / "old", **answers),
        template_now.generate(tmp_path / "new", **answers),
    )
    done = update(repository, template_now)
    assert not done.result.conflicts
    assert not done.result.kept
    found, wanted = tree(repository, done.branch), tree(new_one, "main")
    del found[".template.json"], wanted[".template.json"]  # these name another place
    assert found == wanted
