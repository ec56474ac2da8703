"""Whether a resource's own policy lets an AWS service act on it: a queue's, a topic's, a function's.

Source: IAM User Guide, "Policy evaluation logic" and "Resource-based policies". For a service principal nothing but the
resource's policy counts: there are no permissions of an identity beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from sandbox.role_trust import UnreadableTrust, holds, many


def allows(
    policy: str | Mapping[str, Any] | None, principal: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether a statement allows, and none denies, `principal` (`events.amazonaws.com`) the action on the resource.

    policy: None or an empty text is none. context: condition keys, e.g. `aws:SourceArn`. Raises UnreadableTrust.
    """
    document = json.loads(policy or "{}") if isinstance(policy, str) or policy is None else policy
    allowed = False
    for statement in many(document.get("Statement", [])):
        if unknown := {"NotPrincipal", "NotAction", "NotResource"} & set(statement):
            raise UnreadableTrust(f"{sorted(unknown)[0]} in a resource policy")
        if not (
            _names(statement.get("Principal"), principal)
            and any(_like(action.lower(), wanted.lower()) for wanted in many(statement.get("Action", [])))
            and any(_like(resource, wanted) for wanted in many(statement.get("Resource", resource)))
            and holds(statement.get("Condition", {}), context)
        ):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = True
    return allowed


def _names(principals: Any, principal: str) -> bool:
    if principals == "*":
        return True
    if not isinstance(principals, Mapping):
        return False
    return principal in many(principals.get("Service", [])) or "*" in many(principals.get("AWS", []))


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern.replace("[", "[[]"))
