"""Bucket policies that deny: the ones that keep what is not encrypted, or not encrypted as wanted, out of a bucket.

What a policy may say here is what the sandbox evaluates; any other is refused when it is put, so that none is kept and
ignored. Sources: Amazon S3 User Guide, "Policies and permissions in Amazon S3", "Amazon S3 condition key examples"; IAM
User Guide, "IAM JSON policy elements: Condition operators" (a negated operator holds where the key is absent).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.policy_documents import Malformed, Statement, like, parse_policy

_SSE = "s3:x-amz-server-side-encryption"
_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_CUSTOMER = "s3:x-amz-server-side-encryption-customer-algorithm"
# Condition keys of the encryption headers, and the members of PutObject that hold them.
_HEADERS = {_SSE: "ServerSideEncryption", _KEY: "SSEKMSKeyId", _CUSTOMER: "SSECustomerAlgorithm"}
_SECURE = "aws:securetransport"
_TLS = "s3:tlsversion"
_KEYS = (*_HEADERS, _SECURE, _TLS)
# Requests to the sandbox come by http, and count as secure.
_TRANSPORT = {_SECURE: "true", _TLS: "1.3"}
_NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotEquals": "ArnEquals"}
_POSITIVE = ("StringEquals", "StringLike", "ArnEquals")
_LARGEST = 20 * 1024


def check_bucket_policy(call: Call, bucket: Any) -> list[Statement]:
    """Raises MalformedPolicy, AccessDenied (a public policy where the bucket blocks them) and
    NotImplementedInSandbox."""
    text = call.params["Policy"]
    if len(text.encode()) > _LARGEST:
        raise AwsError("MalformedPolicy", "Policy exceeds the maximum allowed document size.")
    try:
        statements = parse_policy(text)
    except Malformed as error:
        raise AwsError("MalformedPolicy", str(error)) from error
    for statement in statements:
        _check_scope(call, bucket, statement)
        if statement.effect == "Allow":
            _refuse_allow(call, bucket, statement)
        _check_evaluated(statement)
    return statements


def require_not_denied(call: Call, statements: list[Statement], action: str, bucket: Any) -> None:
    """Raises AccessDenied for a request that a statement denies."""
    key = call.params.get("Key")
    resource = f"{bucket.arn}/{key}" if key else bucket.arn
    context = dict(_TRANSPORT)
    for name, member in _HEADERS.items():
        if call.params.get(member):
            context[name] = call.params[member]
    for statement in statements:
        if (
            statement.names_action(action)
            and any(like(resource, pattern) for pattern in statement.resources)
            and _holds(statement, context)
        ):
            raise AwsError(
                "AccessDenied",
                f'User: {call.caller.arn} is not authorized to perform: {action} on resource: "{resource}" with an '
                "explicit deny in a resource-based policy",
                403,
            )


def _check_scope(call: Call, bucket: Any, statement: Statement) -> None:
    if any(action != "*" and not action.lower().startswith("s3:") for action in statement.actions):
        raise AwsError("MalformedPolicy", "Policy has invalid action")
    for resource in statement.resources:
        if resource != bucket.arn and not resource.startswith(f"{bucket.arn}/"):
            raise AwsError("MalformedPolicy", "Policy has invalid resource")


def _refuse_allow(call: Call, bucket: Any, statement: Statement) -> None:
    blocked = bucket.public_access_block
    if "*" in statement.principals.get("AWS", ()) and blocked is not None and blocked.block_public_policy:
        raise AwsError(
            "AccessDenied",
            f'User: {call.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "{bucket.arn}" '
            "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            403,
        )
    raise _not_evaluated("Allow")


def _check_evaluated(statement: Statement) -> None:
    """A Deny to everyone, with conditions that are understood: of any action by the transport, of s3:PutObject by its
    encryption headers."""
    if statement.negated:
        raise _not_evaluated("NotPrincipal, NotAction and NotResource")
    if statement.principals != {"AWS": ["*"]}:
        raise _not_evaluated("a Deny to some principals")
    if not statement.condition:
        raise _not_evaluated("a Deny without Condition")
    keys = {key.lower() for named in statement.condition.values() for key in named}
    if keys - set(_KEYS):
        raise _not_evaluated(f"the condition keys {', '.join(sorted(keys - set(_KEYS)))}")
    for operator, named in statement.condition.items():
        _check_operator(operator, {key.lower() for key in named})
    if keys - set(_TRANSPORT):
        if {action.lower() for action in statement.actions} != {"s3:putobject"}:
            raise _not_evaluated("encryption headers of other actions than s3:PutObject")
    elif _holds(statement, _TRANSPORT):
        raise _not_evaluated("a Deny of secure transport")


def _check_operator(operator: str, keys: set[str]) -> None:
    kinds = {"Bool": {_SECURE}, "NumericLessThan": {_TLS}, "Null": set(_KEYS)}
    allowed = kinds.get(operator)
    if allowed is None and operator.removesuffix("IfExists") in (*_NEGATED, *_POSITIVE):
        allowed = set(_HEADERS)
    if allowed is None or keys - allowed:
        raise _not_evaluated(f"the condition operator {operator} on {', '.join(sorted(keys))}")


def _holds(statement: Statement, context: Mapping[str, str]) -> bool:
    return all(
        _key_holds(operator, context.get(key.lower()), wanted)
        for operator, keys in statement.condition.items()
        for key, wanted in keys.items()
    )


def _key_holds(operator: str, value: str | None, wanted: list[str]) -> bool:
    """Null: "true" where the key is absent. IfExists: holds where it is absent; so does a negated operator anyway."""
    if operator == "Null":
        return str(value is None).lower() in wanted
    base = operator.removesuffix("IfExists")
    if value is None:
        return operator.endswith("IfExists") or base in _NEGATED
    if base in _NEGATED:
        return not _key_holds(_NEGATED[base], value, wanted)
    if base in ("StringEquals", "Bool"):
        return value in wanted
    if base == "NumericLessThan":
        return any(float(value) < float(number) for number in wanted)
    return any(like(value, pattern) for pattern in wanted)


def _not_evaluated(what: str) -> NotImplementedInSandbox:
    return NotImplementedInSandbox("s3", "PutBucketPolicy", f"{what} in a bucket policy would not be evaluated")
