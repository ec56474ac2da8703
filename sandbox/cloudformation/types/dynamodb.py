"""AWS::DynamoDB::Table.

An update changes one thing at a time, as DynamoDB asks for (API Reference, UpdateTable); indexes are made with the
table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.errors import Failed
from sandbox.cloudformation.types.handler import Handler, Properties, as_list, changed, picked, tag_changes
from sandbox.cloudformation.work import Work, not_updatable

_CREATE = [
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "TableClass",
]
_FIXED = ("AttributeDefinitions", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes")
_BESIDE = ("PointInTimeRecoverySpecification", "TimeToLiveSpecification")
_PATIENCE = 60  # seconds


class Table(Handler):
    type = "AWS::DynamoDB::Table"
    name = "TableName"
    attributes = ("Arn", "StreamArn")
    handled = dict.fromkeys([*_CREATE, *_BESIDE, "SSESpecification", "StreamSpecification", "TableName", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        dynamodb, name = work.client("dynamodb"), wanted.get("TableName") or work.generated_name(255)
        given = picked(wanted, *_CREATE)
        if "SSESpecification" in wanted:
            given["SSESpecification"] = _encryption(wanted["SSESpecification"])
        if "StreamSpecification" in wanted:
            given["StreamSpecification"] = _stream(wanted)
        if wanted.get("Tags"):
            given["Tags"] = as_list(wanted["Tags"])
        work.once(lambda: dynamodb.create_table(TableName=name, **given), "ResourceInUseException")
        found = dynamodb.describe_table(TableName=name)["Table"]
        stream = {"StreamArn": found["LatestStreamArn"]} if "LatestStreamArn" in found else {}
        work.made(name, Arn=found["TableArn"], **stream)
        _wait(dynamodb, name)
        self._beside(dynamodb, name, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        dynamodb, name, differing = work.client("dynamodb"), work.physical_id, changed(old, new)
        fixed = [key for key in differing if key in _FIXED]
        if fixed:
            raise not_updatable(f"sandbox/ does not change {fixed[0]} of a table")
        for given in _steps(differing, new):
            dynamodb.update_table(TableName=name, **given)
            _wait(dynamodb, name)
        self._beside(dynamodb, name, old, new)
        added, removed = tag_changes(old, new)
        arn = work.resource.attributes["Arn"]
        if added:
            dynamodb.tag_resource(ResourceArn=arn, Tags=as_list(added))
        if removed:
            dynamodb.untag_resource(ResourceArn=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("dynamodb").delete_table(TableName=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("dynamodb").describe_table(TableName=name)
        return True

    def _beside(self, dynamodb: Any, name: str, old: Properties, new: Properties) -> None:
        """What CreateTable and UpdateTable do not take."""
        differing = changed(old, new)
        if "PointInTimeRecoverySpecification" in differing:
            wanted = new.get("PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": False})
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=wanted)
        if "TimeToLiveSpecification" in differing:
            wanted = new.get("TimeToLiveSpecification") or {**old["TimeToLiveSpecification"], "Enabled": False}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)


def _steps(differing: list[str], new: Properties) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if {"BillingMode", "ProvisionedThroughput"} & set(differing):
        steps.append({"BillingMode": new.get("BillingMode", "PROVISIONED"), **picked(new, "ProvisionedThroughput")})
    if "DeletionProtectionEnabled" in differing:
        steps.append({"DeletionProtectionEnabled": new.get("DeletionProtectionEnabled", False)})
    if "SSESpecification" in differing:
        steps.append({"SSESpecification": _encryption(new.get("SSESpecification", {"SSEEnabled": False}))})
    if "StreamSpecification" in differing:
        steps.append({"StreamSpecification": _stream(new)})
    if "TableClass" in differing:
        steps.append({"TableClass": new.get("TableClass", "STANDARD")})
    return steps


def _encryption(wanted: dict[str, Any]) -> dict[str, Any]:
    names = {"SSEEnabled": "Enabled"}
    return {names.get(key, key): value for key, value in wanted.items()}


def _stream(wanted: Properties) -> dict[str, Any]:
    given = wanted.get("StreamSpecification")
    return {"StreamEnabled": True, **given} if given else {"StreamEnabled": False}


def _wait(dynamodb: Any, name: str) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE":
            return
        time.sleep(0.05)
    raise Failed(f"Table {name} is not ACTIVE after {_PATIENCE} seconds")
