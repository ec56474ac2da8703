"""A repository whose pipeline has run once, and copies of it to break."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter

from tests.conftest import TEMPLATE, Repository
from tests.definitions import shared_definitions

Again = Callable[[], Repository]
KEPT = ("runs", "store", "cache", "definitions", "versions")


@pytest.fixture(scope="session")
def once(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The defaults, after their first run. Not to be changed: `again` gives a copy."""
    folder = tmp_path_factory.mktemp("once")
    cookiecutter(str(TEMPLATE), no_input=True, default_config=True, output_dir=str(folder))
    repository = Repository(folder / "tumor-diagnosis", {"PYTHONDONTWRITEBYTECODE": ""})
    with shared_definitions(repository.path):
        repository.mlops("run")
    return repository


@pytest.fixture
def again(once: Repository, tmp_path: Path) -> Again:
    """Return a copy of the repository that has run once."""

    def copy() -> Repository:
        folder = tmp_path / "tumor-diagnosis"
        shutil.copytree(once.path, folder, symlinks=True)
        return Repository(folder, once.environment)

    return copy


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
