# ruff: noqa: N802 - methods are named as AWS names its operations
"""Merging pull requests. Rules: the operations' pages in the API Reference; User Guide, "Merge a pull request"."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.merge_strategies import Strategy, check_merge, merged_commit, told_of_merge
from sandbox.codecommit.pull_request import Merge, PullRequest
from sandbox.codecommit.pull_requests import PullRequestOperations, shown
from sandbox.codecommit.reference_events import HEADS, Move
from sandbox.codecommit.rules import fault, is_full_id
from sandbox.codecommit.store import GitFailed, Repository


class MergeOperations(PullRequestOperations):
    def MergePullRequestByFastForward(self, call: Call) -> dict[str, Any]:
        """ "No merge commit will be created": the destination moves to the source, if it is behind it."""
        return self._merge(call, Strategy.FAST_FORWARD)

    def MergePullRequestBySquash(self, call: Call) -> dict[str, Any]:
        """One commit on the destination with all that the source changed."""
        return self._merge(call, Strategy.SQUASH)

    def MergePullRequestByThreeWay(self, call: Call) -> dict[str, Any]:
        """A merge commit, which "retains the individual commits made in the source branch as part of the history of the
        destination branch"."""
        return self._merge(call, Strategy.THREE_WAY)

    def _merge(self, call: Call, strategy: Strategy) -> dict[str, Any]:
        """ "If the merge is successful, it closes the pull request." """
        check_merge(call, strategy)
        repository, pull_request = self.pull_request_of_repository(call)
        with repository.lock:
            source, destination = _tips(call, repository, pull_request)
            commit = merged_commit(call, repository, strategy, destination, source)
            told = told_of_merge(call, strategy, pull_request.merge_base, source, destination)
            move = move_branch(call, repository, pull_request.destination, destination, commit, told)
            made = None if strategy is Strategy.FAST_FORWARD else commit
            pull_request.close(Merge(call.caller.arn, strategy.value, made))
            self.repositories.moved(repository, [move], call.caller.arn, pull_request)
            return {"pullRequest": shown(repository, pull_request)}


def move_branch(call: Call, repository: Repository, branch: str, before: str, after: str, told: dict[str, str]) -> Move:
    """told: what the event of the move has because of the merge. Raises ConcurrentReferenceUpdateException where the
    branch is no longer at `before`: a push was faster."""
    try:
        repository.git("update-ref", HEADS + branch, after, before)
    except GitFailed as error:
        raise fault(call, "ConcurrentReferenceUpdateException") from error
    return Move(HEADS + branch, before, after, told)


def _tips(call: Call, repository: Repository, pull_request: PullRequest) -> tuple[str, str]:
    """Source and destination of an open pull request, now. Raises PullRequestAlreadyClosedException,
    InvalidCommitIdException, TipOfSourceReferenceIsDifferentException; PullRequestApprovalRulesNotSatisfiedException
    unless the rules are overridden."""
    if not pull_request.is_open:
        raise fault(call, "PullRequestAlreadyClosedException")
    expected = call.params.get("sourceCommitId")
    if expected is not None and not is_full_id(expected):
        raise fault(call, "InvalidCommitIdException")
    if expected not in (None, pull_request.source_commit):
        raise fault(call, "TipOfSourceReferenceIsDifferentException")
    if pull_request.unmet_rules() and not pull_request.review.overrider:
        raise fault(call, "PullRequestApprovalRulesNotSatisfiedException")
    return pull_request.source_commit, pull_request.destination_commit
