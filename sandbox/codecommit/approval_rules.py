# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations on approval rules of pull requests. Each docstring's rule is from the operation's page in the
API Reference and the words of its exceptions."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.approval_rule import ApprovalRule, IllegalRule, condition
from sandbox.codecommit.pull_request import PullRequest
from sandbox.codecommit.pull_request_events import RULE_CREATED, RULE_DELETED, RULE_UPDATED
from sandbox.codecommit.pull_requests import PullRequestOperations
from sandbox.codecommit.rules import fault
from sandbox.codecommit.store import Repository
from sandbox.patterns import matches

# User Guide, "Quotas": names of approval rules, and rules on a pull request.
NAME_CHARACTERS = r"[\p{L}\p{N}. _\-]+"
MOST_RULES = 30


class ApprovalRuleOperations(PullRequestOperations):
    def CreatePullRequestApprovalRule(self, call: Call) -> dict[str, Any]:
        """ "Approval rule names must be unique within the scope of a pull request." """
        name, content = call.params["approvalRuleName"], call.params["approvalRuleContent"]
        _check_name(call, name)
        _check_content(call, content)
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            check_open(call, pull_request)
            if _named(pull_request, name):
                raise fault(call, "ApprovalRuleNameAlreadyExistsException")
            if len(pull_request.rules) >= MOST_RULES:
                raise fault(call, "NumberOfRulesExceededException")
            rule = ApprovalRule(name, content, call.caller.arn)
            pull_request.rules.append(rule)
            self._changed(call, repository, pull_request, rule, RULE_CREATED)
            return {"approvalRule": rule.shown()}

    def UpdatePullRequestApprovalRuleContent(self, call: Call) -> dict[str, Any]:
        """existingRuleContentSha256, if it is given, is of the content that is there."""
        name, content = call.params["approvalRuleName"], call.params["newRuleContent"]
        _check_name(call, name)
        _check_content(call, content)
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            check_open(call, pull_request)
            rule = _named(pull_request, name)
            if rule is None:
                raise fault(call, "ApprovalRuleDoesNotExistException")
            if call.params.get("existingRuleContentSha256") not in (None, rule.sha256):
                raise fault(call, "InvalidRuleContentSha256Exception")
            rule.replace(content, call.caller.arn)
            self._changed(call, repository, pull_request, rule, RULE_UPDATED)
            return {"approvalRule": rule.shown()}

    def DeletePullRequestApprovalRule(self, call: Call) -> dict[str, Any]:
        """ "If the approval rule was deleted in an earlier API call, the response is 200 OK without content." """
        _check_name(call, call.params["approvalRuleName"])
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            check_open(call, pull_request)
            rule = _named(pull_request, call.params["approvalRuleName"])
            if rule is None:
                return {}
            pull_request.rules.remove(rule)
            self._changed(call, repository, pull_request, rule, RULE_DELETED)
            return {"approvalRuleId": rule.id}

    def _changed(
        self, call: Call, repository: Repository, pull_request: PullRequest, rule: ApprovalRule, name: str
    ) -> None:
        pull_request.touch()
        self.repositories.tell(repository, pull_request, name, call.caller.arn, rule.told())


def check_open(call: Call, pull_request: PullRequest) -> None:
    """Raises PullRequestAlreadyClosedException."""
    if not pull_request.is_open:
        raise fault(call, "PullRequestAlreadyClosedException")


def _named(pull_request: PullRequest, name: str) -> ApprovalRule | None:
    return next((rule for rule in pull_request.rules if rule.name == name), None)


def _check_name(call: Call, name: str) -> None:
    if name.endswith(".git") or not matches(NAME_CHARACTERS, name):
        raise fault(call, "InvalidApprovalRuleNameException")


def _check_content(call: Call, content: str) -> None:
    """Raises InvalidApprovalRuleContentException, which says what is wrong."""
    try:
        condition(content)
    except IllegalRule as error:
        raise fault(call, "InvalidApprovalRuleContentException", f"Invalid approval rule content: {error}") from error
