"""The definition's place on disk, where somebody else builds as well."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlops.definition import build
from mlops.definition.parameters import Structure
from mlops.laptop import store


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
