"""An approval rule of a pull request: how many approvals it needs, and from whom.

Sources: API Reference, "ApprovalRule", and CreatePullRequestApprovalRule, approvalRuleContent; User Guide, "Create an
approval rule for a pull request" (the document, who counts as a member of a pool) and "Quotas".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

VERSION = "2018-11-08"
MOST_MEMBERS = 50
MOST_APPROVALS = 200
_MEMBER = re.compile(r"CodeCommitApprovers:[0-9]{12}:.+|arn:[\w-]+:(iam|sts)::[0-9]{12}:.+")


class IllegalRule(ValueError):
    """The content of a rule is no rule."""


@dataclass(frozen=True)
class Condition:
    """needed: how many must approve. pool: who counts, or None for everybody."""

    needed: int
    pool: tuple[str, ...] | None

    def is_met(self, approvals: Iterable[str]) -> bool:
        """approvals: ARNs of those who approved, each once."""
        pool = self.pool
        return sum(pool is None or any(is_member(arn, of) for of in pool) for arn in approvals) >= self.needed


@dataclass(eq=False)
class ApprovalRule:
    """content: as it was given. by: ARN of who changed it last."""

    name: str
    content: str
    by: str
    id: str = field(default_factory=lambda: str(uuid4()))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.modified = self.created

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()

    def replace(self, content: str, by: str) -> None:
        self.content, self.by, self.modified = content, by, datetime.now(UTC)

    def is_met(self, approvals: Iterable[str]) -> bool:
        return condition(self.content).is_met(approvals)

    def shown(self) -> dict[str, Any]:
        """As the API shows it. No rule comes from a template here."""
        return {
            "approvalRuleId": self.id,
            "approvalRuleName": self.name,
            "approvalRuleContent": self.content,
            "ruleContentSha256": self.sha256,
            "lastModifiedDate": self.modified,
            "creationDate": self.created,
            "lastModifiedUser": self.by,
        }

    def told(self) -> dict[str, str]:
        """What events of the rule have of it."""
        return {
            "approvalRuleContentSha256": self.sha256,
            "approvalRuleId": self.id,
            "approvalRuleName": self.name,
        }


def condition(content: str) -> Condition:
    """What the content of a rule says: a version and one statement. Raises IllegalRule."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IllegalRule(str(error)) from error
    if not isinstance(document, dict) or document.keys() != {"Version", "Statements"}:
        raise IllegalRule("a rule has Version and Statements")
    statements = document["Statements"]
    if document["Version"] != VERSION or not isinstance(statements, list) or len(statements) != 1:
        raise IllegalRule(f"a rule has the version {VERSION} and one statement")
    (statement,) = statements
    if not isinstance(statement, dict) or statement.get("Type") != "Approvers":
        raise IllegalRule("a statement is of the type Approvers")
    if not {"Type", "NumberOfApprovalsNeeded"} <= statement.keys() <= {*_STATEMENT}:
        raise IllegalRule(f"a statement has {', '.join(_STATEMENT)}")
    needed, pool = statement["NumberOfApprovalsNeeded"], statement.get("ApprovalPoolMembers")
    if type(needed) is not int or not 1 <= needed <= MOST_APPROVALS:
        raise IllegalRule(f"1 to {MOST_APPROVALS} approvals may be needed")
    if pool is None and "ApprovalPoolMembers" not in statement:
        return Condition(needed, None)
    if not isinstance(pool, list) or not 1 <= len(pool) <= MOST_MEMBERS:
        raise IllegalRule(f"a pool has 1 to {MOST_MEMBERS} members")
    if not all(isinstance(member, str) and _MEMBER.fullmatch(member) for member in pool):
        raise IllegalRule("a member is an ARN of IAM or STS, or CodeCommitApprovers, an account and a name")
    return Condition(needed, tuple(pool))


_STATEMENT = ("Type", "NumberOfApprovalsNeeded", "ApprovalPoolMembers")


def is_member(arn: str, member: str) -> bool:
    """Whether somebody is a member of a pool, in which * stands for any characters.

    `CodeCommitApprovers:123456789012:Mary_Major` is a user or a federated user of that name; a session of a role is
    `CodeCommitReview/Mary_Major`. An ARN of STS may name a role without a session.
    """
    _, _, service, _, account, resource = arn.split(":", 5)
    kind, _, name = resource.partition("/")
    if member.startswith("CodeCommitApprovers:"):
        _, of_account, wanted = member.split(":", 2)
        names = [resource, name if kind == "assumed-role" else name.rpartition("/")[2] or resource]
        return account == of_account and any(_matches(wanted, each) for each in names)
    is_session = service == "sts" and kind == "assumed-role"
    return _matches(member, arn) or (is_session and _matches(member, arn.rpartition("/")[0]))


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text) is not None
