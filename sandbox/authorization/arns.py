"""From a template of sandbox/authorization/operations.py and a call's parameters to ARNs.

A parameter that is missing, or that AWS itself fills in later, becomes `*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.authorization import moto_state
from sandbox.authorization.operations import PREFIX
from sandbox.calls import Call

_PARAMETER = re.compile(r"\{(\w+)\}")


def arns(call: Call, template: str) -> list[str]:
    """The resources that one template names for this call; several where the parameter is a list."""
    if template == "*":
        return ["*"]
    names = _PARAMETER.findall(template)
    many = next((name for name in names if isinstance(call.params.get(name), list)), None)
    values = call.params[many] if many else [None]
    return [_arn(call, template, {many: value} if many else {}) for value in values or ["*"]]


def _arn(call: Call, template: str, chosen: dict[str, Any]) -> str:
    own = _OF_SERVICE.get(call.service)
    filled = template
    for name in _PARAMETER.findall(template):
        value = str(chosen.get(name) or call.params.get(name) or "*")
        if own is not None:
            return own(call, name, value)
        if value.startswith("arn:"):
            return value
        filled = filled.replace(f"{{{name}}}", value)
    service = PREFIX.get(call.service, call.service)
    account = call.params.get("registryId") or call.caller.account
    return f"arn:{call.partition}:{service}:{call.region}:{account}:{filled}"


def _function(call: Call, name: str, value: str) -> str:
    """A function by name, partial ARN or ARN, each with or without a version or alias (Lambda API Reference)."""
    if value.startswith("arn:"):
        return value
    plain = value.rpartition("function:")[2]
    qualifier = call.params.get("Qualifier")
    return call.arn("lambda", f"function:{plain}" + (f":{qualifier}" if qualifier else ""))


def _rule(call: Call, name: str, value: str) -> str:
    """A rule of the default event bus is named without it (Service Authorization Reference, EventBridge)."""
    if value.startswith("arn:"):
        return value
    rule = call.params.get("Name") if call.operation not in ("PutTargets", "RemoveTargets", "ListTargetsByRule") else ""
    if "EventBus" in call.operation:
        return call.arn("events", f"event-bus/{call.params.get('Name', 'default')}")
    bus = str(call.params.get("EventBusName") or "default").rpartition("/")[2]
    path = "" if bus == "default" else f"{bus}/"
    return call.arn("events", f"rule/{path}{rule or call.params.get('Rule')}")


def _parameter(call: Call, name: str, value: str) -> str:
    """A parameter's ARN has one slash before its name, whether the name begins with one or not; a version or label
    behind the name is no part of it. GetParametersByPath is on the path as it is given (Systems Manager User Guide,
    "Restricting access to parameters")."""
    if value.startswith("arn:"):
        return value
    plain = value.partition(":")[0] if name in ("Name", "Names") else value
    return call.arn("ssm", f"parameter/{plain.lstrip('/')}")


def _queue(call: Call, name: str, value: str) -> str:
    return call.arn("sqs", value.rpartition("/")[2])


def _key(call: Call, name: str, value: str) -> str:
    if name == "AliasName":
        return call.arn("kms", value)
    return key_arn(call, value)


def key_arn(call: Call, key: str) -> str:
    """The key behind an id, an alias or an ARN of either: IAM is asked about keys, never about the alias in a request
    (KMS Developer Guide, "Specifying KMS keys in IAM policy statements")."""
    if key.startswith("arn:") and ":key/" in key:
        return key
    if "alias/" in key:
        alias = "alias/" + key.partition("alias/")[2]
        kms = moto_state.backend("kms", call)
        keys = kms.keys.values() if kms else []
        return next((str(known.arn) for known in keys if alias in known.aliases), call.arn("kms", "key/*"))
    return call.arn("kms", f"key/{key}")


def _iam(call: Call, name: str, value: str) -> str:
    """Entities with their path, which their name alone does not say."""
    if value.startswith("arn:"):
        return value
    params = call.params
    path = str(params.get("Path") or "/")
    if name == "Url":
        return iam_arn(call, f"oidc-provider/{value.partition('://')[2] or value}")
    if name == "PolicyName":
        return iam_arn(call, f"policy{path}{value}")
    if name == "UserName" and value == "*":
        return call.caller.arn
    kind, known = (
        ("role", moto_state.role(call, value)) if name == "RoleName" else ("user", moto_state.user(call, value))
    )
    created = call.operation.startswith("Create") and known is None
    return str(known.arn) if known else iam_arn(call, f"{kind}{path if created else '/'}{value}")


def iam_arn(call: Call, resource: str) -> str:
    return f"arn:{call.partition}:iam::{call.caller.account}:{resource}"


_OF_SERVICE: dict[str, Callable[[Call, str, str], str]] = {
    "lambda": _function,
    "events": _rule,
    "ssm": _parameter,
    "sqs": _queue,
    "kms": _key,
    "iam": _iam,
}


def each(value: Any) -> Iterator[Any]:
    """The items of a list, the value alone, or nothing."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
