"""AWS::CloudWatch::Alarm, of one metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, picked, tag_changes
from sandbox.cloudformation.work import Work, already_exists

# Named alike by PutMetricAlarm, which replaces an alarm as a whole.
_SETTINGS = [
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
    "Unit",
]


class Alarm(Handler):
    type = "AWS::CloudWatch::Alarm"
    name = "AlarmName"
    attributes = ("Arn",)
    handled = dict.fromkeys([*_SETTINGS, "AlarmName", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        name = wanted.get("AlarmName") or work.generated_name(255)
        # PutMetricAlarm would quietly change the alarm that is there.
        if self.exists(work.client, name):
            raise already_exists(self.type, name)
        self._put(work, name, wanted, {"Tags": as_list(wanted["Tags"])} if wanted.get("Tags") else {})
        work.made(name, Arn=work.arn("cloudwatch", f"alarm:{name}"))

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._put(work, work.physical_id, new, {})
        cloudwatch, arn = work.client("cloudwatch"), work.resource.attributes["Arn"]
        added, removed = tag_changes(old, new)
        if added:
            cloudwatch.tag_resource(ResourceARN=arn, Tags=as_list(added))
        if removed:
            cloudwatch.untag_resource(ResourceARN=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("cloudwatch").delete_alarms(AlarmNames=[work.physical_id])

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        return bool(client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"])

    def _put(self, work: Work, name: str, wanted: Properties, tags: dict[str, Any]) -> None:
        work.client("cloudwatch").put_metric_alarm(AlarmName=name, **picked(wanted, *_SETTINGS), **tags)
