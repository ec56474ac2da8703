"""Policy documents: what IAM refuses to keep, beyond what moto refuses already.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "IAM JSON policy elements reference", "IAM and AWS
STS quotas" (sizes are counted without white space). The messages are AWS's own where public sources quote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.errors import AwsError
from sandbox.role_trust import many

MANAGED_SIZE = 6_144
INLINE_SIZE = 10_240
TRUST_SIZE = 2_048

_SID = re.compile(r"[0-9A-Za-z]*")
_TRUST_ACTIONS = {
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
}
_PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_SERVICE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.amazonaws\.com(\.cn)?")
_ACCOUNT = re.compile(r"(\d{12}|arn:aws[a-z-]*:iam::\d{12}:root)")
_ENTITY = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:(role|user|assumed-role|federated-user)/\S+")

# Whether a user or role of this ARN is there; True for other accounts, which cannot be looked into.
Exists = Callable[[str], bool]


def malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message, 400)


def size(document: str) -> int:
    """Characters that count against IAM's quotas."""
    return len(re.sub(r"\s", "", document))


def check_identity_policy(document: str) -> None:
    """A managed or an inline policy. Raises MalformedPolicyDocument."""
    for statement in _statements(document):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise malformed("Policy document should not specify a principal.")
        _check_sid(statement)


def check_trust_policy(document: str, exists: Exists) -> None:
    """A role's trust policy. Raises MalformedPolicyDocument, LimitExceeded.

    An empty list of statements is let through, which trusts nobody (see LENIENCIES.md).
    """
    statements = list(_statements(document))
    if size(document) > TRUST_SIZE:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}", 409)
    for statement in statements:
        _check_sid(statement)
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise malformed("Syntax errors in policy.")
        for prohibited in ("Resource", "NotResource"):
            if prohibited in statement:
                raise malformed(f"Has prohibited field {prohibited}")
        actions = many(statement.get("Action", []))
        if not actions:
            raise malformed("Policy statement must contain actions.")
        if any(str(action) not in _TRUST_ACTIONS for action in actions):
            raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")
        _check_principal(statement, exists)


def _statements(document: str) -> Iterator[Mapping[str, Any]]:
    try:
        policy = json.loads(document)
    except ValueError as error:
        raise malformed("This policy contains invalid Json") from error
    if not isinstance(policy, dict) or "Statement" not in policy or set(policy) - {"Version", "Id", "Statement"}:
        raise malformed("Syntax errors in policy.")
    if policy.get("Version", "2008-10-17") not in ("2012-10-17", "2008-10-17"):
        raise malformed("Syntax errors in policy.")
    for statement in many(policy["Statement"]):
        if not isinstance(statement, dict):
            raise malformed("Syntax errors in policy.")
        yield statement


def _check_sid(statement: Mapping[str, Any]) -> None:
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        raise malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )


def _check_principal(statement: Mapping[str, Any], exists: Exists) -> None:
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal == "*":
        return
    if not principal:
        raise malformed("Missing required field Principal")
    if not isinstance(principal, dict) or set(principal) - _PRINCIPAL_KINDS:
        raise malformed(f"Invalid principal in policy: {json.dumps(principal)}")
    for kind, names in principal.items():
        for name in many(names):
            if not _is_principal(kind, str(name), exists):
                raise malformed(f'Invalid principal in policy: "{kind.upper()}":"{name}"')


def _is_principal(kind: str, name: str, exists: Exists) -> bool:
    """IAM resolves the users and roles of a trust policy when it is saved (IAM User Guide, "AWS JSON policy elements:
    Principal": an ARN becomes the entity's id)."""
    if kind == "Service":
        return _SERVICE.fullmatch(name) is not None
    if kind == "AWS":
        return name == "*" or _ACCOUNT.fullmatch(name) is not None or (bool(_ENTITY.fullmatch(name)) and exists(name))
    return bool(name)
