"""Buses, rules and targets: what AWS refuses. Each docstring names the source of the rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.eventbridge.conftest import ACCOUNT
from tests.sandbox.lambda_functions import make_role

QUEUE = f"arn:aws:sqs:{ACCOUNT}:seen"
PATTERN = json.dumps({"source": ["own.app"]})


def test_a_rule_from_its_creation_to_its_end(events, refused):
    """API Reference, PutRule (replaces, and keeps targets), DeleteRule (first the targets), DisableRule."""
    arn = events.put_rule(Name="demo", EventPattern=PATTERN, Description="x", Tags=[{"Key": "a", "Value": "1"}])[
        "RuleArn"
    ]
    assert arn == f"arn:aws:events:{ACCOUNT}:rule/demo"
    shown = events.describe_rule(Name="demo")
    assert (shown["State"], shown["EventPattern"], shown["EventBusName"]) == ("ENABLED", PATTERN, "default")
    assert events.put_targets(Rule="demo", Targets=[{"Id": "1", "Arn": QUEUE}])["FailedEntryCount"] == 0
    events.put_rule(Name="demo", EventPattern=PATTERN, State="DISABLED", Tags=[{"Key": "b", "Value": "2"}])
    assert "Description" not in events.describe_rule(Name="demo")
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    assert [target["Arn"] for target in events.list_targets_by_rule(Rule="demo")["Targets"]] == [QUEUE]
    assert events.list_rule_names_by_target(TargetArn=QUEUE)["RuleNames"] == ["demo"]
    events.enable_rule(Name="demo")
    assert events.list_rules(NamePrefix="de")["Rules"][0]["State"] == "ENABLED"
    assert refused(events.delete_rule, Name="demo")[1] == "Rule can't be deleted since it has targets."
    failed = events.remove_targets(Rule="demo", Ids=["1", "2"])
    assert [entry["TargetId"] for entry in failed["FailedEntries"]] == ["2"]
    events.delete_rule(Name="demo")
    events.delete_rule(Name="demo")
    said = refused(events.describe_rule, Name="demo")
    assert said == ("ResourceNotFoundException", "Rule demo does not exist on EventBus default.")


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({}, "ValidationException", "EventPattern or ScheduleExpression must be specified"),
        ({"EventPattern": "{"}, "InvalidEventPatternException", "Event pattern is not valid. Reason: Filter is not valid JSON"),
        ({"EventPattern": '{"source": "x"}'}, "InvalidEventPatternException", 'Event pattern is not valid. Reason: "source" must be an object or an array'),
        ({"EventPattern": PATTERN, "Name": "no space"}, "ValidationException", "regular expression"),
        ({"EventPattern": PATTERN, "State": "ON"}, "ValidationException", "enum value set"),
        ({"EventPattern": PATTERN, "EventBusName": "none"}, "ResourceNotFoundException", "Event bus none does not exist."),
        ({"EventPattern": PATTERN, "RoleArn": "arn:aws:iam::123456789012:role/none"}, "ValidationException", "cannot be assumed by principal 'events.amazonaws.com'"),
        ({"ScheduleExpression": "rate(1 minutes)"}, "ValidationException", "Parameter ScheduleExpression is not valid."),
        ({"ScheduleExpression": "cron(* * * * * *)"}, "ValidationException", "Parameter ScheduleExpression is not valid."),
        ({"ScheduleExpression": "rate(5 minutes)", "EventBusName": "own"}, "ValidationException", "only on the default event bus"),
        ({"EventPattern": PATTERN, "Unheard": "of"}, "ValidationException", "Unknown parameter"),
    ],
)  # fmt: skip
def test_rules_that_are_refused(events, raw_call, params, code, words):
    """API Reference, PutRule; User Guide, "Creating a rule that runs on a schedule"."""
    events.create_event_bus(Name="own")
    answer = raw_call("events", "AWSEvents.PutRule", {"Name": "demo", **params})
    assert (answer.status, answer.body["__type"]) == (400, code)
    assert words in answer.body["message"]


def transform(template, **paths):
    return {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ({"Arn": "nonsense"}, "ValidationException", "Provided Arn is not in correct format"),
        ({"Arn": f"arn:aws:kinesis:{ACCOUNT}:stream/x"}, "NotImplementedInSandbox", "delivery to kinesis"),
        ({"Arn": "arn:aws:sqs:eu-west-1:123456789012:seen"}, "ValidationException", "in the region of its rule"),
        ({"Arn": "arn:aws:sqs:us-east-1:210987654321:seen"}, "NotImplementedInSandbox", "of another account"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/x"}, "NotImplementedInSandbox", "RoleArn"),
        ({"Input": "{}", "InputPath": "$.detail"}, "ValidationException", "Only one of Input, InputPath, or InputTransformer must be provided for target 1."),
        ({"Input": "{no"}, "ValidationException", "JSON syntax error in input for target 1"),
        ({"InputPath": "$['detail']"}, "ValidationException", "Invalid InputPath for target 1."),
        (transform('"<lost>"'), "ValidationException", "InputTemplate for target 1 contains invalid placeholder lost."),
        (transform("not quoted"), "ValidationException", "Invalid InputTemplate for target 1"),
        (transform('{"a": <a>, <a>: 1}', a="$.id"), "ValidationException", "Invalid InputTemplate for target 1"),
        (transform('"<a>"', a="detail"), "ValidationException", "Invalid InputPathsMap"),
        ({"Arn": QUEUE + ".fifo"}, "ValidationException", "SqsParameters must be specified"),
        ({"SqsParameters": {"MessageGroupId": "x"}}, "ValidationException", "SqsParameters not valid"),
        ({"DeadLetterConfig": {"Arn": QUEUE.replace("sqs", "sns")}}, "ValidationException", "Invalid DeadLetterConfig"),
        ({"RetryPolicy": {"MaximumRetryAttempts": 186}}, "ValidationException", "less than or equal to 185"),
        ({"Unheard": "of"}, "ValidationException", "Unknown parameter"),
    ],
)  # fmt: skip
def test_targets_that_are_refused(events, raw_call, target, code, words):
    """API Reference, PutTargets, Target and InputTransformer."""
    events.put_rule(Name="demo", EventPattern=PATTERN)
    body = {"Rule": "demo", "Targets": [{"Id": "1", "Arn": QUEUE, **target}]}
    answer = raw_call("events", "AWSEvents.PutTargets", body)
    assert (answer.body["__type"], words in answer.body["message"]) == (code, True), answer.body
    assert events.list_targets_by_rule(Rule="demo")["Targets"] == []


def test_five_targets_and_ten_entries(events, refused):
    """API Reference, PutTargets: five targets a rule, ten entries a request."""
    events.put_rule(Name="demo", EventPattern=PATTERN)
    targets = [{"Id": str(number), "Arn": QUEUE} for number in range(11)]
    assert refused(events.put_targets, Rule="demo", Targets=targets)[0] == "ValidationException"
    assert refused(events.put_targets, Rule="demo", Targets=targets[:6])[0] == "LimitExceededException"
    events.put_targets(Rule="demo", Targets=targets[:5])
    events.put_targets(Rule="demo", Targets=targets[:5])


def test_buses(events, refused):
    """API Reference, CreateEventBus, DeleteEventBus."""
    arn = events.create_event_bus(Name="own", Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    assert arn == f"arn:aws:events:{ACCOUNT}:event-bus/own"
    assert refused(events.create_event_bus, Name="own")[0] == "ResourceAlreadyExistsException"
    assert refused(events.create_event_bus, Name="a/b")[0] == "ValidationException"
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default", "own"]
    made = events.put_rule(Name="demo", EventPattern=PATTERN, EventBusName=arn)["RuleArn"]
    assert made == f"arn:aws:events:{ACCOUNT}:rule/own/demo"
    assert refused(events.delete_event_bus, Name="own")[0] == "ValidationException"
    events.delete_rule(Name="demo", EventBusName="own")
    events.delete_event_bus(Name="own")
    assert refused(events.describe_event_bus, Name="own")[1] == "Event bus own does not exist."
    assert refused(events.delete_event_bus, Name="default")[1] == "Cannot delete event bus default."


def test_the_event_pattern_is_tested(events, refused):
    """API Reference, TestEventPattern: the event must be whole."""
    event: dict[str, Any] = {
        "id": "1",
        "account": "1",
        "source": "own.app",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
    }
    event = {**event, "resources": [], "detail-type": "x"}
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is True
    other = json.dumps({**event, "source": "other"})
    assert events.test_event_pattern(EventPattern=PATTERN, Event=other)["Result"] is False
    del event["time"]
    assert "time is a required" in refused(events.test_event_pattern, EventPattern=PATTERN, Event=json.dumps(event))[1]


def test_a_role_of_a_rule_must_trust_eventbridge(client, events):
    role = make_role(client("iam"), "for-events", "events.amazonaws.com")
    events.put_rule(Name="demo", EventPattern=PATTERN, RoleArn=role)
    assert events.describe_rule(Name="demo")["RoleArn"] == role


def test_the_call_log_names_rule_bus_and_source(sandbox, events):
    """Service Authorization Reference, "Amazon EventBridge"."""
    events.put_rule(Name="demo", EventPattern=PATTERN, Tags=[{"Key": "a", "Value": "1"}])
    assert sandbox.calls[-1]["resource"] == f"arn:aws:events:{ACCOUNT}:rule/demo"
    assert sandbox.calls[-1]["context"]["aws:RequestTag/a"] == "1"
    events.put_targets(Rule="demo", Targets=[{"Id": "1", "Arn": QUEUE}])
    assert sandbox.calls[-1]["context"] == {"events:TargetArn": [QUEUE], "aws:ResourceTag/a": "1"}
    events.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}])
    assert sandbox.calls[-1]["resource"] == f"arn:aws:events:{ACCOUNT}:event-bus/default"
    assert sandbox.calls[-1]["context"] == {"events:source": ["a"], "events:detail-type": ["b"]}
