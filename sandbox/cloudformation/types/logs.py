"""AWS::Logs::LogGroup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_map, tag_changes
from sandbox.cloudformation.work import Work


class LogGroup(Handler):
    type = "AWS::Logs::LogGroup"
    name = "LogGroupName"
    attributes = ("Arn",)
    handled = dict.fromkeys(["KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        logs, name = work.client("logs"), wanted.get("LogGroupName") or work.generated_name(512)
        key = {"kmsKeyId": wanted["KmsKeyId"]} if "KmsKeyId" in wanted else {}
        tags = {"tags": as_map(wanted["Tags"])} if wanted.get("Tags") else {}
        work.once(lambda: logs.create_log_group(logGroupName=name, **key, **tags), "ResourceAlreadyExistsException")
        work.made(name, Arn=work.arn("logs", f"log-group:{name}:*"))
        if "RetentionInDays" in wanted:
            self._retention(logs, name, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        logs, name = work.client("logs"), work.physical_id
        if old.get("RetentionInDays") != new.get("RetentionInDays"):
            self._retention(logs, name, new)
        if old.get("KmsKeyId") != new.get("KmsKeyId"):
            if "KmsKeyId" in new:
                logs.associate_kms_key(logGroupName=name, kmsKeyId=new["KmsKeyId"])
            else:
                logs.disassociate_kms_key(logGroupName=name)
        added, removed = tag_changes(old, new)
        arn = work.arn("logs", f"log-group:{name}")
        if added:
            logs.tag_resource(resourceArn=arn, tags=added)
        if removed:
            logs.untag_resource(resourceArn=arn, tagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("logs").delete_log_group(logGroupName=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        found = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return any(group["logGroupName"] == name for group in found)

    def _retention(self, logs: Any, name: str, wanted: Properties) -> None:
        if "RetentionInDays" in wanted:
            logs.put_retention_policy(logGroupName=name, retentionInDays=wanted["RetentionInDays"])
        else:
            logs.delete_retention_policy(logGroupName=name)
