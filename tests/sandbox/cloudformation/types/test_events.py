"""Rules, made, changed and removed, as EventBridge's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.types.resources import ACCOUNT, gone, resource, tagged

pytestmark = pytest.mark.slow


def test_rule(stacks, client):
    events, queue = client("events"), f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    template = {
        "R": resource(
            "Events::Rule",
            Name="r",
            EventPattern={"source": ["aws.sagemaker"]},
            Targets=[{"Id": "a", "Arn": queue}, {"Id": "b", "Arn": queue, "Input": "{}"}],
            Tags=tagged(team="ml"),
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    rule = events.describe_rule(Name="r")
    assert (json.loads(rule["EventPattern"]), rule["State"]) == ({"source": ["aws.sagemaker"]}, "ENABLED")
    assert [target["Id"] for target in events.list_targets_by_rule(Rule="r")["Targets"]] == ["a", "b"]
    template["R"]["Properties"] = {
        "Name": "r",
        "ScheduleExpression": "rate(5 minutes)",
        "State": "DISABLED",
        "Description": "d",
        "Targets": [{"Id": "b", "Arn": queue, "Input": "[]"}],
    }
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    rule = events.describe_rule(Name="r")
    assert (rule.get("EventPattern"), rule["ScheduleExpression"], rule["State"], rule["Description"]) == (
        None,
        "rate(5 minutes)",
        "DISABLED",
        "d",
    )
    assert [(target["Id"], target["Input"]) for target in events.list_targets_by_rule(Rule="r")["Targets"]] == [
        ("b", "[]")
    ]
    assert "team" not in {tag["Key"] for tag in events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]}
    stacks.delete()
    gone(events.describe_rule, Name="r")
    events.put_rule(Name="r", ScheduleExpression="rate(1 day)")
    assert stacks.create(template)["StackStatus"] == "ROLLBACK_COMPLETE", "a rule that is there is not taken over"
    assert events.describe_rule(Name="r")["ScheduleExpression"] == "rate(1 day)"
