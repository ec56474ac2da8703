"""The three ways of a merge: what commit the destination gets.

Rules: the pages of the merges in the API Reference; User Guide, "Merge a pull request" (what each strategy makes) and
"Quotas".
"""

from __future__ import annotations

from enum import StrEnum

from sandbox.calls import Call
from sandbox.codecommit.merged_tree import merged_tree
from sandbox.codecommit.rules import fault
from sandbox.codecommit.store import Repository
from sandbox.errors import NotImplementedInSandbox

# User names, email addresses ("not validated") and metadata of commits; lengths in characters, metadata in bytes.
LONGEST_NAME = 1024
LONGEST_EMAIL = 256
LARGEST_METADATA = 20 * 1024 * 1024


class Strategy(StrEnum):
    """By the names of API Reference, MergeMetadata, mergeOption."""

    FAST_FORWARD = "FAST_FORWARD_MERGE"
    SQUASH = "SQUASH_MERGE"
    THREE_WAY = "THREE_WAY_MERGE"


def check_merge(call: Call, strategy: Strategy) -> None:
    """What a merge that makes a commit is asked for. Raises NameLengthExceededException, InvalidEmailException,
    CommitMessageLengthExceededException, InvalidConflictResolutionException; NotImplementedInSandbox for resolving
    conflicts."""
    if strategy is Strategy.FAST_FORWARD:
        return
    params = call.params
    if len(params.get("authorName", "")) > LONGEST_NAME:
        raise fault(call, "NameLengthExceededException")
    email = params.get("email", "")
    if len(email) > LONGEST_EMAIL or any(character in email for character in "<>\n"):
        raise fault(call, "InvalidEmailException")
    if len(params.get("commitMessage", "").encode()) > LARGEST_METADATA:
        raise fault(call, "CommitMessageLengthExceededException")
    resolution = params.get("conflictResolutionStrategy", "NONE")
    if resolution != "AUTOMERGE" and params.get("conflictResolution"):
        raise fault(call, "InvalidConflictResolutionException")
    for asked, what in ((resolution != "NONE", resolution), (params.get("keepEmptyFolders"), "keepEmptyFolders")):
        if asked:
            raise NotImplementedInSandbox("codecommit", call.operation, what)


def merged_commit(call: Call, repository: Repository, strategy: Strategy, destination: str, source: str) -> str:
    """The commit that the destination gets, which moves nothing yet. Raises ManualMergeRequiredException.

    A fast-forward makes no commit: "The tip of the source branch is fast-forwarded"; a squash makes one commit on the
    destination; a three-way merge makes one with both sides as its parents, also where it could fast-forward.
    """
    if strategy is Strategy.FAST_FORWARD:
        if repository.merge_base(destination, source) != destination:
            raise fault(call, "ManualMergeRequiredException")
        return source
    tree = merged_tree(call, repository, destination, source)
    if strategy is Strategy.SQUASH:
        messages = repository.git("log", "--reverse", "--format=%B", f"{destination}..{source}")
        return _commit(call, repository, tree, [destination], messages.decode("utf-8", "replace"))
    return _commit(call, repository, tree, [destination, source], f"Merge commit '{source}'\n")


def told_of_merge(call: Call, strategy: Strategy, base: str | None, source: str, destination: str) -> dict[str, str]:
    """What the event of a reference has because a merge moved it (User Guide, "referenceUpdated event"). base: the
    merge base; source, destination: the commits before."""
    told = {"baseCommitId": base or "", "sourceCommitId": source, "destinationCommitId": destination}
    told["mergeOption"] = strategy.value
    if strategy is not Strategy.FAST_FORWARD:
        told["conflictDetailsLevel"] = call.params.get("conflictDetailLevel", "FILE_LEVEL")
        told["conflictResolutionStrategy"] = call.params.get("conflictResolutionStrategy", "NONE")
    return told


def _commit(call: Call, repository: Repository, tree: str, parents: list[str], message: str) -> str:
    """message: where the request has none; of a squash, "By default, the commit message for that squash commit contains
    all the commit messages of the changes in the source branch". The name "is used as both the author and
    committer"."""
    name = call.params.get("authorName") or call.caller.arn.rsplit("/", 1)[-1]
    email = call.params.get("email", "")
    env = {"TZ": "UTC"}
    for role in ("AUTHOR", "COMMITTER"):
        env.update({f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email})
    of_parents = [word for parent in parents for word in ("-p", parent)]
    text = (call.params.get("commitMessage") or message).encode()
    return repository.git("commit-tree", tree, *of_parents, "-F", "-", stdin=text, env=env).decode().strip()
