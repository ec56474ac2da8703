"""The files of a merge. Rules: API Reference, `conflictDetailLevel` of the merges."""

from __future__ import annotations

from sandbox.calls import Call
from sandbox.codecommit.rules import fault
from sandbox.codecommit.store import GitFailed, Repository


class NotMergeable(Exception):
    """Two commits conflict, or have nothing in common."""


def merged_tree(call: Call, repository: Repository, destination: str, source: str) -> str:
    """The tree of two commits merged as a call asks for. Raises ManualMergeRequiredException."""
    try:
        return try_merge(repository, destination, source, call.params.get("conflictDetailLevel") == "LINE_LEVEL")
    except NotMergeable as error:
        raise fault(call, "ManualMergeRequiredException") from error


def try_merge(repository: Repository, destination: str, source: str, by_lines: bool) -> str:
    """The tree of two commits merged. Raises NotMergeable.

    by_lines: LINE_LEVEL, which merges lines; FILE_LEVEL, the default, "returns a not-mergeable result if the same file
    has differences in both branches". git would let an edit follow a rename; nothing says that CodeCommit does.
    """
    base = repository.merge_base(destination, source)
    if base is None:
        raise NotMergeable("nothing in common")
    here, there = changes(repository, base, destination), changes(repository, base, source)
    both = [(here[path], there[path]) for path in here.keys() & there.keys() if here[path] != there[path]]
    if both and not (by_lines and all(_is_there(one) and _is_there(other) for one, other in both)):
        raise NotMergeable("the same file was changed")
    merge_tree = ("-c", "merge.directoryRenames=false", "merge-tree", "--write-tree", "--no-messages")
    try:
        return repository.git(*merge_tree, destination, source).decode().strip()
    except GitFailed as error:
        if error.status != 1:  # git-merge-tree(1): 1 means conflicts
            raise
        raise NotMergeable("conflicts") from error


def changes(repository: Repository, base: str, commit: str) -> dict[bytes, tuple[bytes, bytes]]:
    """The files that a commit has otherwise than base: their modes and blobs by path."""
    raw = repository.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", base, commit).split(b"\0")
    found = {}
    for facts, path in zip(raw[::2], raw[1::2], strict=False):
        _, mode, _, blob, _ = facts.split(b" ")
        found[path] = (mode, blob)
    return found


def _is_there(change: tuple[bytes, bytes]) -> bool:
    """Whether the file is not deleted by the change."""
    return change[0] != b"000000"
