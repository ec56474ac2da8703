"""Whether a trust policy lets a user, a role or a session take a role: what STS asks. For services it is
sandbox/role_trust.py."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sandbox.role_trust import UnreadableTrust, holds, many


def trusts_principal(policy: str | Mapping[str, Any], names: Collection[str], context: Mapping[str, str]) -> bool:
    """names: all by which a statement may mean the caller: its ARN, the ARN of its role, its account (IAM User Guide,
    "AWS JSON policy elements: Principal"). context: condition keys of the call. Raises UnreadableTrust."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    allowed = False
    for statement in many(document["Statement"]):
        if "NotPrincipal" in statement:
            raise UnreadableTrust("NotPrincipal in a trust policy")
        principal = statement.get("Principal", {})
        named = many(principal.get("AWS", [])) if isinstance(principal, Mapping) else [principal]
        if {*names, "*"}.isdisjoint(named) or "sts:AssumeRole" not in many(statement.get("Action", [])):
            continue
        if not holds(statement.get("Condition", {}), context):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = True
    return allowed
