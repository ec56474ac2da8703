# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations on approvals of pull requests. Each docstring's rule is from the operation's page in the API
Reference and the words of its exceptions; User Guide, "Review a pull request" and "Override approval rules"."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.approval_rule import MOST_APPROVALS
from sandbox.codecommit.approval_rules import ApprovalRuleOperations, check_open
from sandbox.codecommit.pull_request import PullRequest
from sandbox.codecommit.pull_request_events import APPROVAL_CHANGED, OVERRIDDEN
from sandbox.codecommit.review import Review
from sandbox.codecommit.rules import fault


class ApprovalOperations(ApprovalRuleOperations):
    def UpdatePullRequestApprovalState(self, call: Call) -> None:
        """ "You cannot approve a pull request that you created." A revocation is not stored."""
        repository, pull_request = self.pull_request(call)
        approver, state = call.caller.arn, call.params["approvalState"]
        with repository.lock:
            review = _current(call, pull_request)
            check_open(call, pull_request)
            if state == "APPROVE" and approver == pull_request.author:
                raise fault(call, "PullRequestCannotBeApprovedByAuthorException")
            if (state == "APPROVE") == (approver in review.approvals):
                return
            if state == "REVOKE":
                review.approvals.remove(approver)
            elif len(review.approvals) >= MOST_APPROVALS:
                raise fault(call, "MaximumNumberOfApprovalsExceededException")
            else:
                review.approvals.append(approver)
            pull_request.touch()
            self.repositories.tell(repository, pull_request, APPROVAL_CHANGED, approver, {"approvalStatus": state})

    def GetPullRequestApprovalStates(self, call: Call) -> dict[str, Any]:
        """Of any revision that there was."""
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            approvals = list(_review(call, pull_request).approvals)
        return {"approvals": [{"userArn": arn, "approvalState": "APPROVE"} for arn in approvals]}

    def EvaluatePullRequestApprovalRules(self, call: Call) -> dict[str, Any]:
        """Of the current revision."""
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            overridden = _current(call, pull_request).overrider is not None
            unmet = pull_request.unmet_rules()
            names = [rule.name for rule in pull_request.rules]
        return {
            "evaluation": {
                "approved": overridden or not unmet,
                "overridden": overridden,
                "approvalRulesSatisfied": [name for name in names if name not in unmet],
                "approvalRulesNotSatisfied": unmet,
            }
        }

    def OverridePullRequestApprovalRules(self, call: Call) -> None:
        """ "You cannot override approval rules for anything but the most recent revision." A revocation is not
        stored."""
        repository, pull_request = self.pull_request(call)
        status = call.params["overrideStatus"]
        with repository.lock:
            review = _current(call, pull_request)
            check_open(call, pull_request)
            if status == "OVERRIDE" and review.overrider:
                raise fault(call, "OverrideAlreadySetException")
            if status == "REVOKE" and not review.overrider:
                return
            review.overrider = call.caller.arn if status == "OVERRIDE" else None
            pull_request.touch()
            self.repositories.tell(repository, pull_request, OVERRIDDEN, call.caller.arn, {"overrideStatus": status})

    def GetPullRequestOverrideState(self, call: Call) -> dict[str, Any]:
        """Of any revision that there was."""
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            overrider = _review(call, pull_request).overrider
        return {"overridden": overrider is not None, "overrider": overrider}


def _review(call: Call, pull_request: PullRequest) -> Review:
    """Of the revision that a call names. Raises RevisionIdRequiredException; InvalidRevisionIdException for one that
    the pull request never had."""
    revision = call.params["revisionId"]
    if not revision:
        raise fault(call, "RevisionIdRequiredException")
    found = next((review for review in pull_request.reviews if review.revision == revision), None)
    if found is None:
        raise fault(call, "InvalidRevisionIdException")
    return found


def _current(call: Call, pull_request: PullRequest) -> Review:
    """Raises RevisionNotCurrentException besides."""
    review = _review(call, pull_request)
    if review is not pull_request.review:
        raise fault(call, "RevisionNotCurrentException")
    return review
