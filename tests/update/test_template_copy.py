"""A template at a URL is fetched into a copy that all repositories of a person share."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlops.problem import Problem
from mlops.update.source import open_template
from tests.conftest import Repository
from tests.update.conftest import Update
from tests.update.template_source import TemplateSource

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the copies lie."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/mlops/templates"


@pytest.mark.parametrize("damage", ["refs/heads/main.lock", "refs/heads/main", "HEAD"])
def test_a_damaged_copy_is_made_anew(
    small: TemplateSource, repository: Repository, update: Update, cache: Path, damage: str
) -> None:
    """A full disk or a killed git must not stop updates for ever, with words about the network."""
    url = small.path.as_uri()
    update(repository, url)
    [copy] = cache.glob("*.git")
    (copy / damage).write_text("")
    small.release("1.1.0")
    assert update(repository, url).branch == "template-update/1.1.0"
    with pytest.raises(Problem, match="cannot be fetched"):
        update(repository, f"{url}-is-gone")
    assert {path.suffix for path in cache.iterdir()} == {".git", ".lock"}


def test_updates_of_several_repositories_at_once_share_the_copy(
    small: TemplateSource, repository: Repository, cache: Path
) -> None:
    for number in range(60):
        small.git("branch", f"work-{number}")
    for _ in range(2):
        small.commit()
        with ThreadPoolExecutor(6) as at_once:
            found = [at_once.submit(open_template, small.path.as_uri(), repository.path) for _ in range(6)]
            assert {one.result().newest().commit for one in found} == {small.git("rev-parse", "HEAD")}
        for number in range(60):
            small.git("branch", "--force", f"work-{number}")


def test_an_address_is_no_option_of_git(repository: Repository, update: Update, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be fetched"):
        update(repository, f"--upload-pack=touch {tmp_path / 'ran'};:")
    assert not (tmp_path / "ran").exists()
