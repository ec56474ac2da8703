"""Whether a role's trust policy lets somebody take it: an AWS service, or whoever asks STS.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "The confused deputy problem"
(aws:SourceArn, aws:SourceAccount).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

_EQUAL = ("StringEquals", "ArnEquals")
_LIKE = ("StringLike", "ArnLike")


class UnreadableTrust(Exception):
    """The policy holds what is not understood here: better no answer than a wrong one."""


def trusts(policy: str | Mapping[str, Any], principal: str, context: Mapping[str, str]) -> bool:
    """Whether a trust policy allows sts:AssumeRole to a service principal, e.g. `lambda.amazonaws.com`.

    context: condition keys of the call, e.g. `aws:SourceAccount`. Raises UnreadableTrust.
    """
    return _allows(policy, "Service", {principal}, context)


def trusts_principal(policy: str | Mapping[str, Any], names: Collection[str], context: Mapping[str, str]) -> bool:
    """Whether a trust policy allows sts:AssumeRole to a user, a role or a session.

    names: all by which a statement may mean the caller: its ARN, the ARN of its role, its account. Raises
    UnreadableTrust.
    """
    return _allows(policy, "AWS", {*names, "*"}, context)


def _allows(policy: str | Mapping[str, Any], kind: str, names: set[str], context: Mapping[str, str]) -> bool:
    """kind: of principal, as a policy calls it; a principal that is no mapping is "*", everybody but services."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    allowed = False
    for statement in many(document["Statement"]):
        if "NotPrincipal" in statement:
            raise UnreadableTrust("NotPrincipal in a trust policy")
        principal = statement.get("Principal", {})
        everybody = [] if kind == "Service" else [principal]
        named = many(principal.get(kind, [])) if isinstance(principal, Mapping) else everybody
        if names.isdisjoint(named) or "sts:AssumeRole" not in many(statement.get("Action", [])):
            continue
        if not holds(statement.get("Condition", {}), context):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = True
    return allowed


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    values = {key.lower(): value for key, value in context.items()}  # condition keys are not case-sensitive
    for operator, wanted in conditions.items():
        if operator not in _EQUAL + _LIKE:
            raise UnreadableTrust(f"the condition operator {operator} of a trust policy")
        for key, patterns in wanted.items():
            value = values.get(key.lower())
            if value is None or not any(_matches(operator, value, str(pattern)) for pattern in many(patterns)):
                return False
    return True


def _matches(operator: str, value: str, pattern: str) -> bool:
    # ArnEquals and ArnLike behave identically (IAM User Guide, "Amazon Resource Name (ARN) condition operators").
    if operator == "StringEquals":
        return value == pattern
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
