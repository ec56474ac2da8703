"""Several files written as one: all of them, or none."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops.problem import Problem
from mlops.undo import Undo, all_or_nothing


def replace_files(contents: Mapping[Path, bytes | Path], again: str) -> None:
    """Write files: bytes, or the content of another file. If that fails, every file is as it was.

    Args:
        again: the command that tries once more, for the message.

    Raises:
        Problem: a file cannot be written, or somebody interrupted.
    """
    with all_or_nothing(again) as undo:
        staged = {target: _stage(target, content, undo) for target, content in contents.items()}
        backups = [_put(new, target, undo) for target, new in staged.items()]
    for backup in backups:
        with suppress(OSError):  # all is written: a backup that stays is no failure
            backup.unlink(missing_ok=True)


def _stage(target: Path, content: bytes | Path, undo: Undo) -> Path:
    """Write the content beside its target, on the same disk: what can fail, fails here."""
    new = target.with_name(f".{target.name}.new")
    with _in_one_line(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        undo.add(str(new), lambda: new.unlink(missing_ok=True))
        if isinstance(content, Path):
            shutil.copyfile(content, new)
        else:
            new.write_bytes(content)
        if target.exists():
            shutil.copymode(target, new)
    return new


def _put(new: Path, target: Path, undo: Undo) -> Path:
    backup = target.with_name(f".{target.name}.before")
    backup.unlink(missing_ok=True)

    def restore() -> None:
        if backup.exists():
            os.replace(backup, target)
            backup.unlink(missing_ok=True)  # renaming a file to itself leaves both names
        elif not new.exists():  # it was put in place, and nothing was there before
            target.unlink(missing_ok=True)

    undo.add(str(target), restore)
    with _in_one_line(target):
        if target.exists():
            try:
                os.link(target, backup)
            except OSError:  # some disks know no links
                shutil.copy2(target, backup)
        os.replace(new, target)
    return backup


@contextmanager
def _in_one_line(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(f"{target.name} cannot be written: {error.strerror}") from None
