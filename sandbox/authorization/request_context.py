"""The global condition keys of a call: who calls, where, and how.

Source: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from typing import Any

from sandbox.authorization import moto_state
from sandbox.authorization.moto_state import Place

# These have one endpoint in the world, whose region is the partition's first.
_GLOBAL = {"iam": {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}}


def request_context(call: Place, service: str) -> dict[str, Any]:
    """aws:SecureTransport is true, as the sandbox's http stands for AWS's https."""
    region = _GLOBAL.get(service, {}).get(call.partition, call.region)
    return {
        "aws:PrincipalAccount": call.caller.account,
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        **_principal(call),
    }


def _principal(call: Place) -> dict[str, Any]:
    """A session stands for its role: aws:PrincipalArn is the role's, path and all, and its tags are the principal's."""
    kind, _, name = call.caller.arn.rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        role = moto_state.role(call, name.partition("/")[0])
        arn = role.arn if role else f"arn:{call.partition}:iam::{call.caller.account}:role/{name.partition('/')[0]}"
        tags = {tag["Key"]: tag["Value"] for tag in _as_list(role.tags)} if role else {}
        return {"aws:PrincipalArn": arn, "aws:PrincipalType": "AssumedRole", **_named(tags)}
    if kind == "user":
        user_name = name.rpartition("/")[2]
        iam = moto_state.backend("iam", call)
        tags = iam.tagger.get_tag_dict_for_resource(call.caller.arn) if iam else {}
        principal = {"aws:PrincipalArn": call.caller.arn, "aws:PrincipalType": "User", "aws:username": user_name}
        return {**principal, **_named(tags)}
    if call.caller.arn and ":" not in call.caller.arn:  # a service that acts with no role, e.g. events.amazonaws.com
        return {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": call.caller.arn}
    return {}


def _as_list(tags: Any) -> list[dict[str, str]]:
    return list(tags.values()) if isinstance(tags, dict) else list(tags or [])


def _named(tags: dict[str, str]) -> dict[str, str]:
    return {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}
