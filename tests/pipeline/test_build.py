"""A definition is built for a folder that everybody finds: the same bytes by whomever, and by two at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter

from mlops.definition import build
from mlops.definition.parameters import Structure
from mlops.laptop import store
from tests.conftest import TEMPLATE, Repository

BUILD = """
from mlops.definition.build import definition
from mlops.settings import load_settings
definition(load_settings())
"""


@pytest.mark.slow
def test_it_is_the_same_bytes_in_two_clean_folders(clean_machine: None, tmp_path: Path) -> None:
    """Whoever builds it, wherever: it is found again by its hash, and an update of the pipeline shows real changes."""
    here, elsewhere = tmp_path / "here", tmp_path / "some/where else"
    cookiecutter(str(TEMPLATE), no_input=True, default_config=True, output_dir=str(here))
    shutil.copytree(here, elsewhere, symlinks=True)
    found = []
    for folder, user in ((here, "ann"), (elsewhere, "ben")):
        repository = Repository(
            folder / "tumor-diagnosis", {"HOME": str(folder), "USER": user, "PYTHONHASHSEED": "random"}
        )
        repository.run(sys.executable, "-c", BUILD, AWS_ACCESS_KEY_ID=user, AWS_PROFILE=user, AWS_REGION="eu-west-1")
        built = repository.path / ".mlops" / "definitions"
        found.append({name: file.read_bytes() for name, file in store.files_in(built).items()})
    assert found[0] == found[1]
    names = {name.partition("/")[2] for name in found[0]}
    assert {"definition.json", "training_driver/sourcecode.json", "training_driver/sm_train.sh"} <= names


def test_who_builds_at_the_same_moment_is_a_moment_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    structure = Structure("us-east-1", "t", "f", None, None, "m", False, False, {}, 0, 0, {}, [], [])
    target, rename = tmp_path / "definitions" / "one", os.rename

    def built(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        Path(command[-1], "definition.json").write_text("mine")
        return subprocess.CompletedProcess(command, 0, "", "")

    def rename_too_late(source: Path, name: Path) -> None:
        name.mkdir(parents=True)
        (name / "definition.json").write_text("theirs")
        rename(source, name)

    monkeypatch.setattr(store, "HOME", tmp_path)
    monkeypatch.setattr(build, "FOLDER", target.parent)
    monkeypatch.setattr(subprocess, "run", built)
    monkeypatch.setattr(os, "rename", rename_too_late)
    build._build(structure, target)
    assert (target / "definition.json").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target.parent]
