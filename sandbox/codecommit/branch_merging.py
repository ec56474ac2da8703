# ruff: noqa: N802 - methods are named as AWS names its operations
"""Merging branches without a pull request. Rules: the operations' pages in the API Reference and the words of their
exceptions; User Guide, "Compare and merge branches"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.contents import ContentOperations, resolve
from sandbox.codecommit.merge_strategies import Strategy, check_merge, merged_commit, told_of_merge
from sandbox.codecommit.merging import move_branch
from sandbox.codecommit.reference_events import HEADS, TAGS
from sandbox.codecommit.rules import fault, is_branch_name, is_full_id
from sandbox.codecommit.store import Repository

SIDES = ("source", "destination")


class BranchMergeOperations(ContentOperations):
    def MergeBranchesByFastForward(self, call: Call) -> dict[str, Any]:
        """The branch moves to the source, if it is behind it."""
        return self._merge_branches(call, Strategy.FAST_FORWARD)

    def MergeBranchesBySquash(self, call: Call) -> dict[str, Any]:
        """One commit on the branch with all that the source changed."""
        return self._merge_branches(call, Strategy.SQUASH)

    def MergeBranchesByThreeWay(self, call: Call) -> dict[str, Any]:
        """A merge commit on the branch."""
        return self._merge_branches(call, Strategy.THREE_WAY)

    def _merge_branches(self, call: Call, strategy: Strategy) -> dict[str, Any]:
        """targetBranch is "the branch where the merge is applied"; without it, that is the destination. It is at the
        destination's commit, or it "has been modified" (ConcurrentReferenceUpdateException)."""
        check_merge(call, strategy)
        repository = self.repository(call)
        with repository.lock:
            source, destination = (commit_of(call, repository, f"{side}CommitSpecifier") for side in SIDES)
            branch = _target(call, repository)
            commit = merged_commit(call, repository, strategy, destination, source)
            base = repository.merge_base(destination, source)
            told = told_of_merge(call, strategy, base, source, destination)
            move = move_branch(call, repository, branch, destination, commit, told)
            if commit != destination:
                self.repositories.moved(repository, [move], call.caller.arn)
        tree = repository.git("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()
        return {"commitId": commit, "treeId": tree}


def target_branch(params: Mapping[str, Any], repository: Repository) -> str | None:
    """The branch that a merge of branches would move: the target, or the destination where that is a branch."""
    if params.get("targetBranch"):
        return str(params["targetBranch"])
    specifier = str(params["destinationCommitSpecifier"])
    if specifier == "HEAD":
        return repository.default_branch
    if is_full_id(specifier) or (specifier.startswith("refs/") and not specifier.startswith(HEADS)):
        return None
    return specifier.removeprefix(HEADS)


def _target(call: Call, repository: Repository) -> str:
    """Raises InvalidTargetBranchException, BranchNameIsTagNameException, BranchDoesNotExistException;
    BranchNameRequiredException where a commit alone is the destination."""
    named = call.params.get("targetBranch")
    if named is not None and not is_branch_name(named):
        raise fault(call, "InvalidTargetBranchException")
    branch = target_branch(call.params, repository)
    tag = call.params["destinationCommitSpecifier"] if branch is None else TAGS + branch
    if branch is not None and repository.tip(branch):
        return branch
    if tag.startswith(TAGS) and repository.commit(tag):
        raise fault(call, "BranchNameIsTagNameException")
    raise fault(call, "BranchNameRequiredException" if branch is None else "BranchDoesNotExistException")


def commit_of(call: Call, repository: Repository, member: str) -> str:
    """Raises CommitRequiredException, InvalidCommitException, CommitDoesNotExistException."""
    if not call.params[member]:
        raise fault(call, "CommitRequiredException")
    return resolve(repository, call, call.params[member])
