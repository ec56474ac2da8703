"""Key policies: what KMS refuses when one is given, and whether one lets a service in.

Source: KMS API Reference, CreateKey and PutKeyPolicy (Policy, BypassPolicyLockoutSafetyCheck); KMS Developer Guide,
"Key policies in AWS KMS".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.policy_documents import Malformed, Statement, like, parse_policy


def check_key_policy(call: Call) -> None:
    """Raises MalformedPolicyDocumentException."""
    text = call.params.get("Policy")
    if text is None:
        return
    try:
        statements = parse_policy(text)
    except Malformed as error:
        raise _malformed(str(error)) from error
    for statement in statements:
        if not _principals_exist(call, statement):
            raise _malformed("Policy contains a statement with one or more invalid principals.")
        if any(action != "*" and not action.lower().startswith("kms:") for action in statement.actions):
            raise _malformed("Policy contains an action that is not one of KMS")
    if not call.params.get("BypassPolicyLockoutSafetyCheck") and not _can_still_be_changed(call, statements):
        raise _malformed("The new key policy will not allow you to update the key policy in the future.")


def lets_service_in(text: str, service: str, actions: Iterable[str], context: Mapping[str, str]) -> bool:
    """Whether a key policy allows `actions` to a service principal for a request with these condition keys.

    Conditions are understood as far as CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key
    Management Service", uses them (ArnEquals, ArnLike, StringEquals, StringLike): a statement with another operator
    allows nothing here.
    """
    statements = [item for item in parse_policy(text) if service in item.principals.get("Service", ())]
    if any(item.negated or item.effect == "Deny" for item in statements):
        return False
    return all(any(item.names_action(action) and _holds(item, context) for item in statements) for action in actions)


def _holds(statement: Statement, context: Mapping[str, str]) -> bool:
    values = {key.lower(): value for key, value in context.items()}
    for operator, keys in statement.condition.items():
        exact = operator == "StringEquals"
        if operator not in ("StringEquals", "StringLike", "ArnEquals", "ArnLike"):
            return False
        for key, patterns in keys.items():
            value = values.get(key.lower(), "")
            if not any(value == pattern if exact else like(value, pattern) for pattern in patterns):
                return False
    return True


def _principals_exist(call: Call, statement: Statement) -> bool:
    """IAM principals of this account must exist; those of other accounts are believed."""
    own = call.caller.account
    known = {"*", own, f"arn:{call.partition}:iam::{own}:root", *_identities(call)}
    return all(
        name in known or (":" in name and name.split(":")[4:5] != [own]) or (name.isdigit() and len(name) == 12)
        for name in statement.principals.get("AWS", ())
    ) and all(".amazonaws.com" in name for name in statement.principals.get("Service", ()))


def _identities(call: Call) -> set[str]:
    from moto.iam.models import iam_backends

    iam: Any = iam_backends[call.caller.account][call.partition]
    return {item.arn for item in (*iam.roles.values(), *iam.users.values())}


def _can_still_be_changed(call: Call, statements: list[Statement]) -> bool:
    """Some statement lets the caller, or the account and so its administrators, call PutKeyPolicy without a
    condition."""
    own = call.caller.account
    who = {"*", own, f"arn:{call.partition}:iam::{own}:root", call.caller.arn, *_role_of(call)}
    return any(
        item.effect == "Allow"
        and not item.negated
        and not item.condition
        and item.names_action("kms:PutKeyPolicy")
        and who & set(item.principals.get("AWS", ()))
        for item in statements
    )


def _role_of(call: Call) -> set[str]:
    """The role behind an assumed role's ARN, which has no path."""
    resource = call.caller.arn.split(":")[-1].split("/")
    if resource[0] != "assumed-role":
        return set()
    return {arn for arn in _identities(call) if ":role/" in arn and arn.rsplit("/", 1)[-1] == resource[1]}


def _malformed(why: str) -> AwsError:
    return AwsError("MalformedPolicyDocumentException", why)
