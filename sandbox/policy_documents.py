"""The grammar of a resource's policy, before any service's own rules.

Source: IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

_VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT = {"Version", "Id", "Statement"}
_STATEMENT = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}


class Malformed(Exception):
    """What is wrong with a policy, in one line. Each service has a code of its own for it."""


@dataclass(frozen=True)
class Statement:
    """One statement. principals: by kind; `{"AWS": ["*"]}` is everyone. condition: operator -> key -> values."""

    effect: str
    principals: Mapping[str, list[str]]
    actions: list[str]
    resources: list[str]
    condition: Mapping[str, Mapping[str, list[str]]]
    negated: bool

    def names_action(self, action: str) -> bool:
        """Actions are not case-sensitive, and may hold `*` and `?`."""
        return any(like(action.lower(), pattern.lower()) for pattern in self.actions)


def parse_policy(text: str) -> list[Statement]:
    """The statements of a resource's policy. Raises Malformed."""
    if not text.startswith("{"):
        raise Malformed("Policies must be valid JSON and the first byte must be '{'")
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        raise Malformed("This policy contains invalid Json") from error
    _only(document, _DOCUMENT)
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise Malformed(f"The policy must contain a valid version string, not {document['Version']!r}")
    found = many(document.get("Statement", []))
    if not found:
        raise Malformed("Could not parse the policy: Statement is empty!")
    sids = [str(item["Sid"]) for item in found if isinstance(item, dict) and item.get("Sid")]
    if len(sids) != len(set(sids)):
        raise Malformed("Statement IDs (SID) in a single policy must be unique.")
    return [_statement(item) for item in found]


def many(value: Any) -> list[Any]:
    """What may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def like(text: str, pattern: str) -> bool:
    """`*` and `?` of a policy; fnmatch's brackets are no wildcard there."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _statement(item: Any) -> Statement:
    if not isinstance(item, dict):
        raise Malformed("A statement of the policy is no object")
    _only(item, _STATEMENT)
    if item.get("Effect") not in ("Allow", "Deny"):
        raise Malformed(
            "Missing required field Effect" if "Effect" not in item else f"Invalid effect: {item['Effect']}"
        )
    return Statement(
        item["Effect"],
        _principals(_one_of(item, "Principal")),
        list(_texts(_one_of(item, "Action"), "action")),
        list(_texts(_one_of(item, "Resource"), "resource")),
        _condition(item.get("Condition", {})),
        negated=any(name in item for name in ("NotPrincipal", "NotAction", "NotResource")),
    )


def _one_of(item: Mapping[str, Any], name: str) -> Any:
    given = [key for key in (name, f"Not{name}") if key in item]
    if len(given) != 1:
        raise Malformed(f"Missing required field {name}" if not given else f"{name} and Not{name} exclude each other")
    return item[given[0]]


def _principals(value: Any) -> dict[str, list[str]]:
    if value == "*":
        return {"AWS": ["*"]}
    if not isinstance(value, dict) or not value or set(value) - _PRINCIPAL_KINDS:
        raise Malformed("Invalid principal in policy")
    return {kind: list(_texts(names, "principal")) for kind, names in value.items()}


def _texts(value: Any, what: str) -> Iterator[str]:
    for text in many(value):
        if not isinstance(text, str) or not text:
            raise Malformed(f"Policy has invalid {what}")
        yield text
    if not many(value):
        raise Malformed(f"Policy has invalid {what}")


def _condition(value: Any) -> dict[str, dict[str, list[str]]]:
    if not isinstance(value, dict) or not all(isinstance(keys, dict) and keys for keys in value.values()):
        raise Malformed("Policy has an invalid condition")
    return {
        operator: {key: [_scalar(item) for item in many(items)] for key, items in keys.items()}
        for operator, keys in value.items()
    }


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise Malformed("Policy has an invalid condition value")
    return str(value)


def _only(item: Any, allowed: set[str]) -> None:
    unknown = sorted(set(item) - allowed)
    if unknown:
        raise Malformed(f"Unknown field {unknown[0]}")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
