# ruff: noqa: N802 - methods are named as AWS names its operations
"""Merging pull requests. Rules: the operations' pages in the API Reference; User Guide, "Merge a pull request"."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.pull_request import Merge, PullRequest
from sandbox.codecommit.pull_requests import PullRequestOperations, shown
from sandbox.codecommit.reference_events import HEADS, Move
from sandbox.codecommit.rules import fault, is_full_id
from sandbox.codecommit.store import GitFailed, Repository
from sandbox.errors import NotImplementedInSandbox

# User Guide, "Quotas": user names, email addresses ("not validated") and metadata of commits.
LONGEST_NAME = 1024
LONGEST_EMAIL = 256
LARGEST_METADATA = 20 * 1024 * 1024


class MergeOperations(PullRequestOperations):
    def MergePullRequestByFastForward(self, call: Call) -> dict[str, Any]:
        """ "No merge commit will be created": the destination moves to the source, if it is behind it."""
        repository, pull_request = self.pull_request_of_repository(call)
        with repository.lock:
            source, destination = _tips(call, repository, pull_request)
            if repository.merge_base(destination, source) != destination:
                raise fault(call, "ManualMergeRequiredException")
            merge = Merge(call.caller.arn, "FAST_FORWARD_MERGE")
            return self._merged(call, repository, pull_request, source, merge)

    def MergePullRequestBySquash(self, call: Call) -> dict[str, Any]:
        """One commit on the destination with all that the source changed."""
        _check_squash(call)
        repository, pull_request = self.pull_request_of_repository(call)
        with repository.lock:
            source, destination = _tips(call, repository, pull_request)
            tree = _merged_tree(call, repository, destination, source)
            commit = _commit(call, repository, tree, destination, source)
            merge = Merge(call.caller.arn, "SQUASH_MERGE", commit)
            return self._merged(call, repository, pull_request, commit, merge)

    def _merged(
        self, call: Call, repository: Repository, pull_request: PullRequest, commit: str, merge: Merge
    ) -> dict[str, Any]:
        """Move the destination to `commit`. Raises ConcurrentReferenceUpdateException if a push was faster."""
        reference, before = HEADS + pull_request.destination, pull_request.destination_commit
        try:
            repository.git("update-ref", reference, commit, before)
        except GitFailed as error:
            raise fault(call, "ConcurrentReferenceUpdateException") from error
        pull_request.close(merge)
        moved = Move(reference, before, commit, _told(call, pull_request, merge))
        self.repositories.moved(repository, [moved], call.caller.arn, pull_request)
        return {"pullRequest": shown(repository, pull_request)}


def _told(call: Call, pull_request: PullRequest, merge: Merge) -> dict[str, str]:
    """What the event of the destination has because it was moved by a merge."""
    source, destination = pull_request.source_commit, pull_request.destination_commit
    told = {"baseCommitId": pull_request.merge_base or "", "sourceCommitId": source, "destinationCommitId": destination}
    told["mergeOption"] = merge.option
    if merge.commit:
        told["conflictDetailsLevel"] = call.params.get("conflictDetailLevel", "FILE_LEVEL")
        told["conflictResolutionStrategy"] = call.params.get("conflictResolutionStrategy", "NONE")
    return told


def _tips(call: Call, repository: Repository, pull_request: PullRequest) -> tuple[str, str]:
    """Source and destination of an open pull request, now. Raises PullRequestAlreadyClosedException,
    InvalidCommitIdException, TipOfSourceReferenceIsDifferentException."""
    if not pull_request.is_open:
        raise fault(call, "PullRequestAlreadyClosedException")
    expected = call.params.get("sourceCommitId")
    if expected is not None and not is_full_id(expected):
        raise fault(call, "InvalidCommitIdException")
    if expected not in (None, pull_request.source_commit):
        raise fault(call, "TipOfSourceReferenceIsDifferentException")
    return pull_request.source_commit, pull_request.destination_commit


def _check_squash(call: Call) -> None:
    """Raises NameLengthExceededException, InvalidEmailException, CommitMessageLengthExceededException,
    InvalidConflictResolutionException; NotImplementedInSandbox for resolving conflicts."""
    params = call.params
    if len(params.get("authorName", "")) > LONGEST_NAME:
        raise fault(call, "NameLengthExceededException")
    email = params.get("email", "")
    if len(email) > LONGEST_EMAIL or any(character in email for character in "<>\n"):
        raise fault(call, "InvalidEmailException")
    if len(params.get("commitMessage", "").encode()) > LARGEST_METADATA:
        raise fault(call, "CommitMessageLengthExceededException")
    strategy = params.get("conflictResolutionStrategy", "NONE")
    if strategy != "AUTOMERGE" and params.get("conflictResolution"):
        raise fault(call, "InvalidConflictResolutionException")
    for asked, what in ((strategy != "NONE", strategy), (params.get("keepEmptyFolders"), "keepEmptyFolders")):
        if asked:
            raise NotImplementedInSandbox("codecommit", call.operation, what)


def _merged_tree(call: Call, repository: Repository, destination: str, source: str) -> str:
    """The merge of two commits. Raises ManualMergeRequiredException.

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


def _commit(call: Call, repository: Repository, tree: str, destination: str, source: str) -> str:
    """The squash commit. "By default, the commit message for that squash commit contains all the commit messages of the
    changes in the source branch." The name "is used as both the author and committer"."""
    name = call.params.get("authorName") or call.caller.arn.rsplit("/", 1)[-1]
    email = call.params.get("email", "")
    message = call.params.get("commitMessage") or repository.git(
        "log", "--reverse", "--format=%B", f"{destination}..{source}"
    ).decode("utf-8", "replace")
    env = {"TZ": "UTC"}
    for role in ("AUTHOR", "COMMITTER"):
        env.update({f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email})
    commit = repository.git("commit-tree", tree, "-p", destination, "-F", "-", stdin=message.encode(), env=env)
    return commit.decode().strip()
