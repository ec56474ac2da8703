"""Histories of runs, and the scripts of the model as modules."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import SOURCE
from tests.report.history import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A machine on which nothing ran yet."""
    return History(tmp_path / ".mlops")


def load(task: str) -> ModuleType:
    """Import evaluate.py of a task."""
    file = SOURCE / "model" / f"<% if cookiecutter.task == '{task}' %>evaluate.py<% endif %>"
    loader = SourceFileLoader(f"evaluate_{task}", str(file))  # its name does not end as that of a module
    module = ModuleType(loader.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(file.parent))
        loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def classification() -> ModuleType:
    """evaluate.py for classes."""
    return load("classification")


@pytest.fixture(scope="session")
def regression() -> ModuleType:
    """evaluate.py for quantities."""
    return load("regression")
