"""The files of a merge. Rules: API Reference, `conflictDetailLevel` of the merges."""

from __future__ import annotations

from sandbox.calls import Call
from sandbox.codecommit.rules import fault
from sandbox.codecommit.store import GitFailed, Repository


def merged_tree(call: Call, repository: Repository, destination: str, source: str) -> str:
    """The tree of two commits merged. Raises ManualMergeRequiredException.

    conflictDetailLevel: FILE_LEVEL, the default, "returns a not-mergeable result if the same file has differences in
    both branches"; LINE_LEVEL merges lines. git would let an edit follow a rename; nothing says that CodeCommit does.
    """
    base = repository.merge_base(destination, source)
    if base is None:
        raise fault(call, "ManualMergeRequiredException")
    here, there = _changes(repository, base, destination), _changes(repository, base, source)
    both = [(here[path], there[path]) for path in here.keys() & there.keys() if here[path] != there[path]]
    by_lines = call.params.get("conflictDetailLevel") == "LINE_LEVEL"
    if both and not (by_lines and all(_is_there(one) and _is_there(other) for one, other in both)):
        raise fault(call, "ManualMergeRequiredException")
    merge_tree = ("-c", "merge.directoryRenames=false", "merge-tree", "--write-tree", "--no-messages")
    try:
        return repository.git(*merge_tree, destination, source).decode().strip()
    except GitFailed as error:
        if error.status != 1:  # git-merge-tree(1): 1 means conflicts
            raise
        raise fault(call, "ManualMergeRequiredException") from error


def _changes(repository: Repository, base: str, commit: str) -> dict[bytes, tuple[bytes, bytes]]:
    """The files that a commit has otherwise than base: their modes and blobs by path."""
    raw = repository.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", base, commit).split(b"\0")
    changes = {}
    for facts, path in zip(raw[::2], raw[1::2], strict=False):
        _, mode, _, blob, _ = facts.split(b" ")
        changes[path] = (mode, blob)
    return changes


def _is_there(change: tuple[bytes, bytes]) -> bool:
    """Whether the file is not deleted by the change."""
    return change[0] != b"000000"
