"""All authorizations of one call, as the call log holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.authorization.arns import arns
from sandbox.authorization.check import Check
from sandbox.authorization.conditions import service_context
from sandbox.authorization.operations import PREFIX, RENAMED, UNCHECKED, templates
from sandbox.authorization.others import special_checks
from sandbox.authorization.passed_roles import passed_roles
from sandbox.authorization.request_context import request_context
from sandbox.authorization.sagemaker import grants
from sandbox.authorization.tags import request_tag_context, resource_tag_context, tagging_at_creation
from sandbox.calls import Call

_TEMPLATES = templates()
TagsOf = Callable[[Call, str], Mapping[str, str] | None]


def authorizations(call: Call, tags_of: TagsOf) -> list[dict[str, Any]] | None:
    """What AWS would ask IAM before this call takes effect; to be called before it does.

    tags_of: the tags of a resource that the sandbox's own services keep, or None for those of moto. Returns an empty
    list where nothing is asked, and None for an operation that is not known here.
    """
    if (call.service, call.operation) in UNCHECKED:
        return []
    main = _main_checks(call)
    if main is None:
        return None
    everywhere = {**request_context(call, call.service), **call.caller.context}
    return [_as_entry(call, check, everywhere, tags_of) for check in _all(call, main)]


def _main_checks(call: Call) -> list[Check] | None:
    """The call's own action on its resources."""
    special = special_checks(call)
    if special is not None:
        checks = list(special)
    else:
        found = _TEMPLATES.get((call.service, call.operation))
        if found is None:
            return None
        action = RENAMED.get((call.service, call.operation), call.operation)
        name = f"{PREFIX.get(call.service, call.service)}:{action}"
        context = service_context(call)
        checks = [Check(name, arn, context) for template in found for arn in arns(call, template)]
    tags = request_tag_context(call)
    return [Check(check.action, check.resource, {**check.context, **tags}) for check in checks]


def _all(call: Call, main: list[Check]) -> Iterator[Check]:
    yield from main
    resource = main[0].resource if main else "*"
    if call.service == "kms" and call.operation == "CreateKey":
        # Its id is not known yet; its policy is set with it (Service Authorization Reference, CreateKey).
        resource = call.arn("kms", "key/*")
        if call.params.get("Policy"):
            yield Check("kms:PutKeyPolicy", resource, {"kms:CallerAccount": call.caller.account})
    yield from tagging_at_creation(call, resource)
    yield from passed_roles(call, resource)
    if call.service == "sagemaker":
        yield from grants(call)


def _as_entry(call: Call, check: Check, everywhere: Mapping[str, Any], tags_of: TagsOf) -> dict[str, Any]:
    owner = check.resource.split(":")[4] if check.resource.startswith("arn:") else ""
    resource = {
        "aws:ResourceAccount": owner or call.caller.account,
        **resource_tag_context(call, check.resource, tags_of(call, check.resource)),
    }
    return {
        "action": check.action,
        "resource": check.resource,
        "context": {**everywhere, **resource, **check.context},
    }
