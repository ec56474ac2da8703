"""What S3 refuses in a lifecycle configuration.

Sources: API Reference, PutBucketLifecycleConfiguration; Amazon S3 User Guide, "Lifecycle configuration elements" and
"Transitioning objects using Amazon S3 Lifecycle" (STANDARD_IA and ONEZONE_IA after 30 days).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sandbox.errors import AwsError

_MOST_RULES = 1000
_LONGEST_ID = 255
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
_DAYS_BEFORE_INFREQUENT = 30
_FILTERS = ("Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And")
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)


def checked_rules(configuration: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The rules as S3 keeps them: one without ID gets one. Raises MalformedXML, InvalidArgument, InvalidRequest."""
    rules = [dict(rule) for rule in (configuration or {}).get("Rules") or []]
    if not 1 <= len(rules) <= _MOST_RULES:
        raise _malformed()
    for rule in rules:
        rule["ID"] = rule.get("ID") or str(uuid4())
        _check(rule)
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise _invalid("Rule ID must be unique. Found same ID for more than one rule")
    return rules


def _check(rule: Mapping[str, Any]) -> None:
    if len(rule["ID"]) > _LONGEST_ID:
        raise _invalid("ID length should not exceed allowed limit of 255")
    if rule.get("Status") not in ("Enabled", "Disabled"):
        raise _malformed()
    by_tag_or_size = _check_filter(rule)
    if not any(rule.get(action) for action in _ACTIONS):
        raise AwsError("InvalidRequest", "At least one action needs to be specified in a rule")
    expiration = rule.get("Expiration")
    if expiration:
        _check_expiration(expiration, by_tag_or_size)
    for transition in rule.get("Transitions") or []:
        _check_transition(transition, expiration)
    _check_noncurrent(rule)
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is not None:
        if by_tag_or_size:
            raise AwsError("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags or sizes")
        _positive(abort.get("DaysAfterInitiation"), "DaysAfterInitiation", "AbortIncompleteMultipartUpload")


def _check_filter(rule: Mapping[str, Any]) -> bool:
    """Filter, or the older Prefix beside it, and not both; one condition, or two and more in And. Returns whether it
    looks at tags or sizes."""
    if ("Filter" in rule) == ("Prefix" in rule):
        raise _malformed()
    given = {name: value for name, value in (rule.get("Filter") or {}).items() if value is not None}
    if len(given) > 1 or set(given) - set(_FILTERS):
        raise _malformed()
    both = given.get("And")
    if both is not None:
        tags = both.get("Tags") or []
        if len(tags) + sum(name in both for name in _FILTERS) < 2 or len({tag["Key"] for tag in tags}) != len(tags):
            raise _malformed()
        given = dict(both)
    return bool(set(given) - {"Prefix"})


def _check_expiration(expiration: Mapping[str, Any], by_tag_or_size: bool) -> None:
    given = [name for name in ("Date", "Days", "ExpiredObjectDeleteMarker") if expiration.get(name) is not None]
    if len(given) != 1:
        raise _malformed()
    if given == ["Days"]:
        _positive(expiration["Days"], "Days", "Expiration")
    if given == ["Date"]:
        _check_midnight(expiration["Date"])
    if given == ["ExpiredObjectDeleteMarker"] and by_tag_or_size:
        raise AwsError("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags or sizes")


def _check_transition(transition: Mapping[str, Any], expiration: Mapping[str, Any] | None) -> None:
    days, date, storage = (transition.get(name) for name in ("Days", "Date", "StorageClass"))
    if (days is None) == (date is None) or not storage:
        raise _malformed()
    if days is None:
        _check_midnight(date)
    elif days < 0:
        raise _invalid("'Days' for Transition action must be nonnegative")
    elif storage in _INFREQUENT and days < _DAYS_BEFORE_INFREQUENT:
        least = f"greater than or equal to {_DAYS_BEFORE_INFREQUENT} for storageClass '{storage}'"
        raise _invalid(f"'Days' in Transition action must be {least}")
    if expiration is None or expiration.get("ExpiredObjectDeleteMarker") is not None:
        return
    if (days is None) != (expiration.get("Days") is None):
        raise AwsError(
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule",
        )
    if days is not None and expiration["Days"] <= days:
        raise _invalid("'Days' in the Expiration action must be greater than 'Days' in the Transition action")


def _check_noncurrent(rule: Mapping[str, Any]) -> None:
    expiration = rule.get("NoncurrentVersionExpiration")
    if expiration is not None:
        _positive(expiration.get("NoncurrentDays"), "NoncurrentDays", "NoncurrentVersionExpiration")
    for transition in rule.get("NoncurrentVersionTransitions") or []:
        days, storage = transition.get("NoncurrentDays"), transition.get("StorageClass")
        if days is None or not storage:
            raise _malformed()
        if storage in _INFREQUENT and days < _DAYS_BEFORE_INFREQUENT:
            least = f"greater than or equal to {_DAYS_BEFORE_INFREQUENT} for storageClass '{storage}'"
            raise _invalid(f"'NoncurrentDays' in NoncurrentVersionTransition action must be {least}")
        if expiration is not None and expiration["NoncurrentDays"] <= days:
            raise _invalid("'NoncurrentDays' in the expiration must be greater than in the transition")


def _positive(days: int | None, name: str, action: str) -> None:
    if days is None:
        raise _malformed()
    if days <= 0:
        raise _invalid(f"'{name}' for {action} action must be a positive integer")


def _check_midnight(date: Any) -> None:
    if "T00:00:00" not in (date if isinstance(date, str) else date.isoformat()):
        raise _invalid("'Date' must be at midnight GMT")


def _malformed() -> AwsError:
    return AwsError(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgument", message)
