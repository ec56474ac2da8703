"""Makes room: old runs go, and with them every result that nothing refers to any more."""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops.laptop import store, versions
from mlops.laptop.runs import runs
from mlops.problem import Problem

TREE = re.compile(r"\b[0-9a-f]{32}\b")
DEFINITIONS = 5  # the newest are kept: going back to other settings is then quick


@dataclass(frozen=True)
class Pruned:
    """What goes, and how many bytes that frees."""

    runs: list[int]
    folders: list[Path]
    size: int


def plan(keep: int) -> Pruned:
    """Find what can go: all but the newest `keep` runs, and those of the current version and the one before it.

    Raises:
        Problem: a run is going on.
    """
    known = runs()
    busy = next((run for run in known if run.verdict.word == "running"), None)
    if busy:
        raise Problem(f"run {busy.number} is going on; wait until it has ended")
    current = versions.current()
    wanted = {run.number for run in known[max(0, len(known) - keep) :]}
    wanted |= {version.run for version in versions.versions() if current and version.number in _last_two(current)}
    kept = [run for run in known if run.number in wanted]
    entries = {version.number: version.run for version in versions.versions()}
    files = [file for run in kept for file in run.folder.glob("*.json")]
    files += [versions.FOLDER / f"{number}.json" for number, run in entries.items() if run in wanted]
    trees = _trees([*files, store.HOME / "added.json"])
    built = sorted((store.HOME / "definitions").glob("*"), key=lambda path: path.stat().st_mtime)
    gone = [
        *(run.folder for run in known if run not in kept),
        *(versions.FOLDER / f"{number}.json" for number, run in entries.items() if run not in wanted),
        *(file for file in (store.HOME / "cache").glob("*.json") if not _trees([file]) <= trees),
        *(path for path in store.STORE.glob("*") if path.name not in trees),
        *built[:-DEFINITIONS],
        *(store.HOME / "unpacked").glob("*"),
    ]
    return Pruned([run.number for run in known if run not in kept], gone, sum(_size(path) for path in gone))


def _last_two(current: versions.Version) -> set[int | None]:
    return {current.number, current.compared_with}


def carry_out(pruned: Pruned) -> None:
    """Remove what was found."""
    for path in pruned.folders:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _trees(files: Iterable[Path]) -> set[str]:
    return {tree for file in files if file.is_file() for tree in TREE.findall(file.read_text("utf-8"))}


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if not file.is_dir())
