"""The files that stand in the way of a merge, and why.

Source: API Reference, "ConflictMetadata" and the shapes of its members; `conflictDetailLevel` of GetMergeConflicts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.codecommit.contents import MODES, Entry, tree_entries
from sandbox.codecommit.merged_tree import changes
from sandbox.codecommit.store import GitFailed, Repository

_TYPES = {"120000": "SYMBOLIC_LINK", "160000": "GIT_LINK", "040000": "DIRECTORY"}
_LOOKED_AT = 8000  # bytes; git's own rule for binary files: one of the first is zero (buffer_is_binary in xdiff)
_MOST_COUNTED = 127  # git-merge-file(1): the exit code counts the conflicts, up to this


def conflicts(repository: Repository, base: str, destination: str, source: str, by_lines: bool) -> list[dict[str, Any]]:
    """The ConflictMetadata of each file, by path. by_lines: whether files that merge by lines are none."""
    here, there = changes(repository, base, destination), changes(repository, base, source)
    paths = {path for path in here.keys() & there.keys() if here[path] != there[path]}
    for some, others in ((here, there), (there, here)):
        paths |= {path for path in some if any(other.startswith(path + b"/") for other in others)}
    commits = {"base": base, "destination": destination, "source": source}
    found = [_conflict(repository, commits, path.decode("utf-8", "replace"), by_lines) for path in sorted(paths)]
    return [conflict for conflict in found if conflict is not None]


def _conflict(repository: Repository, commits: Mapping[str, str], path: str, by_lines: bool) -> dict[str, Any] | None:
    """None for a file or folder that is merged."""
    entries = {side: entry for side, commit in commits.items() for entry in tree_entries(repository, commit, path)}
    base, destination, source = (entries.get(side) for side in commits)
    types = {side: _TYPES.get(entry.mode, "FILE") for side, entry in entries.items()}
    both = destination is not None and source is not None
    of_types = both and types["destination"] != types["source"]
    if not of_types and "DIRECTORY" in (types.get("destination"), types.get("source")):
        return None
    texts = {side: _text(repository, entry) for side, entry in entries.items()}
    of_modes = bool(
        destination
        and source
        and not of_types
        and destination.mode != source.mode
        and (base is None or base.mode not in (destination.mode, source.mode))
    )
    hunks = 0 if of_types else _hunks(repository, texts, both and by_lines and set(types.values()) == {"FILE"})
    number = hunks + of_modes + of_types
    if by_lines and not number:
        return None
    operations = {side: _operation(base, entries.get(side)) for side in ("source", "destination")}
    return {
        "filePath": path,
        "fileSizes": {side: len(text) for side, text in texts.items() if text is not None},
        "fileModes": {side: MODES[entry.mode] for side, entry in entries.items() if entry.mode in MODES},
        "objectTypes": types,
        "numberOfConflicts": max(number, 1),
        "isBinaryFile": {side: b"\0" in text[:_LOOKED_AT] for side, text in texts.items() if text is not None},
        "contentConflict": hunks > 0,
        "fileModeConflict": of_modes,
        "objectTypeConflict": of_types,
        "mergeOperations": operations,
    }


def _hunks(repository: Repository, texts: Mapping[str, bytes | None], by_lines: bool) -> int:
    """How many conflicts the contents have: one, or as many as git counts where they are merged by lines."""
    destination, source = texts.get("destination"), texts.get("source")
    if destination == source:
        return 0
    if not by_lines:
        return 1
    with tempfile.TemporaryDirectory(dir=repository.path) as folder:
        names = ("destination", "base", "source")
        for name in names:
            (Path(folder) / name).write_bytes(texts.get(name) or b"")
        try:
            repository.git("merge-file", "-p", *(str(Path(folder) / name) for name in names))
        except GitFailed as error:
            return error.status if error.status <= _MOST_COUNTED else 1  # above: binary files
    return 0


def _text(repository: Repository, entry: Entry) -> bytes | None:
    return repository.git("cat-file", "blob", entry.id) if entry.kind == "blob" else None


def _operation(base: Entry | None, entry: Entry | None) -> str:
    if entry is None:
        return "D"
    return "A" if base is None else "M"
