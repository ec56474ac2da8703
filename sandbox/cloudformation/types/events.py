"""AWS::Events::Rule, with its targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.errors import Failed
from sandbox.cloudformation.types.handler import Handler, Properties, as_list, picked, tag_changes
from sandbox.cloudformation.work import Work


class Rule(Handler):
    """On the default event bus. A target is written as PutTargets takes it, member for member."""

    type = "AWS::Events::Rule"
    name = "Name"
    attributes = ("Arn",)
    handled = {  # noqa: RUF012
        **dict.fromkeys(["Description", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Tags"]),
        "Targets": dict.fromkeys(
            [
                "Arn",
                "DeadLetterConfig",
                "Id",
                "Input",
                "InputPath",
                "InputTransformer",
                "RetryPolicy",
                "RoleArn",
                "SageMakerPipelineParameters",
                "SqsParameters",
            ]
        ),
    }

    def create(self, work: Work, wanted: Properties) -> None:
        name = wanted.get("Name") or work.generated_name(64)
        # PutRule would quietly change the rule that is there.
        self.refuse_taken(work, name)
        self._put(work, name, wanted, tags=wanted.get("Tags"))
        work.made(name, Arn=work.arn("events", f"rule/{name}"))
        self._targets(work, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._put(work, work.physical_id, new, tags=None)
        self._targets(work, old, new)
        added, removed = tag_changes(old, new)
        events, arn = work.client("events"), work.arn("events", f"rule/{work.physical_id}")
        if added:
            events.tag_resource(ResourceARN=arn, Tags=as_list(added))
        if removed:
            events.untag_resource(ResourceARN=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        self._targets(work, held, {})
        work.client("events").delete_rule(Name=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("events").describe_rule(Name=name)
        return True

    def _put(self, work: Work, name: str, wanted: Properties, tags: Any) -> None:
        given = picked(wanted, "Description", "RoleArn", "ScheduleExpression", "State")
        pattern = wanted.get("EventPattern")
        if pattern is not None:
            given["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
        work.client("events").put_rule(Name=name, **given, **({"Tags": as_list(tags)} if tags else {}))

    def _targets(self, work: Work, old: Properties, new: Properties) -> None:
        events, name = work.client("events"), work.physical_id
        before = {target["Id"]: target for target in old.get("Targets", [])}
        after = {target["Id"]: target for target in new.get("Targets", [])}
        gone = sorted(set(before) - set(after))
        if gone:
            _whole(events.remove_targets(Rule=name, Ids=gone))
        put = [target for identity, target in after.items() if before.get(identity) != target]
        if put:
            _whole(events.put_targets(Rule=name, Targets=put))


def _whole(answer: dict[str, Any]) -> None:
    """PutTargets and RemoveTargets answer success with the entries that failed inside."""
    failed = answer.get("FailedEntries", [])
    if failed:
        raise Failed(f"{failed[0].get('ErrorCode')}: {failed[0].get('ErrorMessage')}")
