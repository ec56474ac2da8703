"""Where a comment stands: a file that differs between two commits, and a line of it.

Source: API Reference, "Location", and the words of PostCommentForPullRequest's exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.contents import bare_path, tree_entries
from sandbox.codecommit.rules import fault
from sandbox.codecommit.store import Repository


def located_blobs(
    call: Call, repository: Repository, before: str, after: str, location: Mapping[str, Any]
) -> dict[str, str]:
    """The blobs of the file at a location, by `beforeBlobId` and `afterBlobId`; where the file is not there, none.

    Raises PathRequiredException, InvalidPathException, PathDoesNotExistException; InvalidFileLocationException for a
    folder and for a file without a difference; InvalidRelativeFileVersionEnumException for a version that the file
    does not have, and where a line is named and no version; InvalidFilePositionException for a line that is not there.
    """
    path = bare_path(call, location.get("filePath") or "")
    if not path:
        raise fault(call, "PathRequiredException")
    found = {
        version: entry
        for version, commit in (("BEFORE", before), ("AFTER", after))
        for entry in tree_entries(repository, commit, path)
    }
    if not found:
        raise fault(call, "PathDoesNotExistException")
    same = len({(entry.mode, entry.id) for entry in found.values()}) == 1 and len(found) == 2
    if same or any(entry.kind != "blob" for entry in found.values()):
        raise fault(call, "InvalidFileLocationException")
    version, position = location.get("relativeFileVersion"), location.get("filePosition")
    if (version is None and position is not None) or (version is not None and version not in found):
        raise fault(call, "InvalidRelativeFileVersionEnumException")
    if position is not None:
        text = repository.git("cat-file", "blob", found[str(version)].id)
        if not 1 <= position <= text.removesuffix(b"\n").count(b"\n") + bool(text):
            raise fault(call, "InvalidFilePositionException")
    return {f"{version.lower()}BlobId": entry.id for version, entry in found.items()}
