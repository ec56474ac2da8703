"""Alarms, made, changed and removed, as CloudWatch's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.types.resources import resource

pytestmark = pytest.mark.slow


def test_alarm(stacks, client):
    cloudwatch = client("cloudwatch")
    settings = {
        "AlarmName": "a",
        "Namespace": "AWS/SageMaker",
        "MetricName": "ModelLatency",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": "5",
        "ComparisonOperator": "GreaterThanThreshold",
    }
    template = {
        "A": resource(
            "CloudWatch::Alarm",
            **settings,
            Dimensions=[{"Name": "EndpointName", "Value": "e"}],
            TreatMissingData="notBreaching",
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]
    assert (found["Threshold"], found["TreatMissingData"], found["Dimensions"][0]["Value"]) == (
        5.0,
        "notBreaching",
        "e",
    )
    template["A"] = resource("CloudWatch::Alarm", **settings | {"Threshold": 7})
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]
    assert (found["Threshold"], found["Dimensions"]) == (7.0, [])
    stacks.delete()
    assert cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"] == []
