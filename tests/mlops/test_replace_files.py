"""Several files are written as one: all of them, or none."""

import os
import signal
from pathlib import Path

import pytest

from mlops.own_data.replace_files import replace_files
from mlops.problem import Problem


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old").write_text("before")
    (tmp_path / "kept").write_text("kept")
    return tmp_path


def wanted(folder: Path, source: Path) -> dict[Path, bytes | Path]:
    return {folder / "new" / "copy": source, folder / "old": b"after", folder / "last": b"last"}


def test_all_are_written_and_nothing_else_is_left(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("elsewhere") / "source"
    source.write_text("copied")
    (folder / "old").chmod(0o640)
    replace_files(wanted(folder, source), "again")
    assert content(folder) == {"kept": "kept", "old": "after", "new/copy": "copied", "last": "last"}
    assert (folder / "old").stat().st_mode & 0o777 == 0o640
    assert source.read_text() == "copied"


@pytest.mark.parametrize("call", range(1, 6))  # two are written, three are put in place
def test_whichever_write_fails_every_file_is_as_it_was(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    source = tmp_path_factory.mktemp("elsewhere") / "source"
    source.write_text("copied")
    calls = 0
    write_bytes, replace = Path.write_bytes, os.replace

    def count() -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise OSError(28, "No space left on device")

    def failing_write(path: Path, data: bytes) -> int:
        count()
        return write_bytes(path, data)

    def failing_replace(old: Path, new: Path) -> None:
        count()
        replace(old, new)

    monkeypatch.setattr(Path, "write_bytes", failing_write)
    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(Problem) as problem:
        replace_files(wanted(folder, source), "mlops data use x")
    assert "cannot be written: No space left on device; nothing was left behind" in str(problem.value)
    assert str(problem.value).endswith("Next: mlops data use x")
    assert content(folder) == {"kept": "kept", "old": "before"}


def test_an_interrupted_run_leaves_everything_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def interrupted(old: Path, new: Path) -> None:
        replace(old, new)
        if Path(new).name == "old":
            monkeypatch.setattr(os, "replace", replace)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(Problem, match="interrupted; nothing was left behind"):
        replace_files({folder / "old": b"after", folder / "last": b"last"}, "again")
    assert content(folder) == {"kept": "kept", "old": "before"}


def test_what_a_killed_run_left_does_not_come_back(folder: Path) -> None:
    (folder / ".old.before").write_text("long ago")
    (folder / ".old.new").write_text("half")
    replace_files({folder / "old": b"after"}, "again")
    assert content(folder) == {"kept": "kept", "old": "after"}


def test_a_disk_without_links_will_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    (folder / "last").mkdir()  # cannot be replaced by a file
    with pytest.raises(Problem, match="last cannot be written"):
        replace_files({folder / "old": b"after", folder / "last": b"last"}, "again")
    assert content(folder) == {"kept": "kept", "old": "before"}
