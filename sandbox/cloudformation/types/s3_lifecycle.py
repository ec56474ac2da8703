"""The rules of a bucket's life cycle, which CloudFormation and S3 write differently.

Source: Template Reference, AWS::S3::Bucket Rule; S3 API Reference, LifecycleRule.
"""

from __future__ import annotations

from typing import Any


def lifecycle(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """CloudFormation's rules as S3's."""
    return [_rule(rule) for rule in rules]


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"Status": rule["Status"], "Filter": _filter(rule)}
    if "Id" in rule:
        done["ID"] = rule["Id"]
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            done[name] = rule[name]
    names = {
        "ExpirationDate": "Date",
        "ExpirationInDays": "Days",
        "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    }
    expiration = {theirs: rule[ours] for ours, theirs in names.items() if ours in rule}
    if expiration:
        done["Expiration"] = expiration
    if "Transitions" in rule:
        done["Transitions"] = [
            _renamed(item, TransitionInDays="Days", TransitionDate="Date") for item in rule["Transitions"]
        ]
    if "NoncurrentVersionTransitions" in rule:
        items = rule["NoncurrentVersionTransitions"]
        done["NoncurrentVersionTransitions"] = [_renamed(item, TransitionInDays="NoncurrentDays") for item in items]
    return done


def _renamed(item: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in item.items()}


def _filter(rule: dict[str, Any]) -> dict[str, Any]:
    """One condition stands alone, several stand in `And`; an empty prefix is every object."""
    conditions: dict[str, Any] = {}
    if rule.get("Prefix"):
        conditions["Prefix"] = rule["Prefix"]
    conditions |= {name: int(rule[name]) for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in rule}
    tags = rule.get("TagFilters", [])
    if not conditions and len(tags) == 1:
        return {"Tag": tags[0]}
    if tags or len(conditions) > 1:
        return {"And": conditions | ({"Tags": tags} if tags else {})}
    return conditions or {"Prefix": ""}
