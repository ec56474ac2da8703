"""Repositories whose pipeline has run once, twice and three times, and copies of them to break."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter

from tests.conftest import TEMPLATE, Repository
from tests.definitions import shared_definitions

Again = Callable[..., Repository]


@pytest.fixture(scope="session")
def once(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The defaults, after their first run. Not to be changed: `again` gives a copy."""
    folder = tmp_path_factory.mktemp("once")
    cookiecutter(str(TEMPLATE), no_input=True, default_config=True, output_dir=str(folder))
    repository = Repository(folder / "tumor-diagnosis", {"PYTHONDONTWRITEBYTECODE": ""})
    with shared_definitions(repository.path):
        repository.mlops("run")
    return repository


@pytest.fixture(scope="session")
def edited(once: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """It, after a second run: of an edit that is in no commit, on a branch with an odd name. Not to be changed either."""
    repository = copy(once, tmp_path_factory.mktemp("edited"))
    repository.git("switch", "--quiet", "-c", "feature/a#b")
    edit(
        repository,
        "model/train.py",
        "    model = build_model(args)\n",
        "    args.max_iter += 1\n    model = build_model(args)\n",
    )
    repository.mlops("run")
    return repository


@pytest.fixture(scope="session")
def overridden(edited: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """That, after a third run, with other settings than those of mlops.yaml. Not to be changed either."""
    repository = copy(edited, tmp_path_factory.mktemp("overridden"))
    repository.mlops("run", "--set", "max_iter=20", "--set", "evaluation.comparison.tolerance=1")
    return repository


def copy(repository: Repository, folder: Path) -> Repository:
    """Copy a repository, with what git and mlops keep of it, into a folder."""
    shutil.copytree(repository.path, folder / repository.path.name, symlinks=True)
    return Repository(folder / repository.path.name, repository.environment)


@pytest.fixture
def again(once: Repository, tmp_path: Path) -> Again:
    """Return a copy of the repository that has run once, or of the one that is named."""

    def copy_of(repository: Repository = once) -> Repository:
        return copy(repository, tmp_path)

    return copy_of


def record(repository: Repository, number: int) -> dict[str, Any]:
    """What is remembered of a run."""
    content: dict[str, Any] = json.loads((repository.path / f".mlops/runs/{number}/run.json").read_text("utf-8"))
    return content


def ran(repository: Repository, number: int) -> set[str]:
    """The jobs that really ran: those that were not reused."""
    steps = record(repository, number)["steps"]
    return {step["name"] for step in steps if step["type"] in {"Processing", "Training"} and not step["cached"]}


def versions(repository: Repository) -> list[int]:
    """The numbers of the versions that are registered."""
    return sorted(int(file.stem) for file in (repository.path / ".mlops/versions").glob("*.json"))


def edit(repository: Repository, name: str, old: str, new: str) -> None:
    """Replace a text that stands in a file, once."""
    file = repository.path / name
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new), "utf-8")
