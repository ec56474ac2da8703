"""Events that are delivered, or not, and to whom. Each docstring names the source of the rule."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from time import monotonic, sleep

import pytest

from sandbox.inside import Event
from tests.sandbox.eventbridge.conftest import ACCOUNT, policy_for_events
from tests.sandbox.lambda_functions import make_function

pytestmark = pytest.mark.slow

FUNCTION = """
import json, boto3
def handler(event, context):
    boto3.client("dynamodb").put_item(TableName="ledger", Item={"key": {"S": event["detail"]["key"]}})
"""


@pytest.fixture
def ledger(client):
    client("dynamodb").create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return lambda: sorted(item["key"]["S"] for item in client("dynamodb").scan(TableName="ledger")["Items"])


def failures(sandbox):
    return [call for call in sandbox.calls if call["operation"] == "Delivery"]


def test_the_delivered_event(rule, put, messages):
    """User Guide, "Events": version 0, whole seconds in UTC, and the members in this order."""
    rule()
    entry = put(
        {"n": 1.0, "deep": {"a": [None, True]}}, Resources=["arn:aws:x"], Time=datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
    )
    (event,) = messages("seen")
    assert list(event) == ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]
    assert event == {
        "version": "0",
        "id": entry["EventId"],
        "detail-type": "Something",
        "source": "own.app",
        "account": "123456789012",
        "time": "2026-01-02T03:04:05Z",
        "region": "us-east-1",
        "resources": ["arn:aws:x"],
        "detail": {"n": 1.0, "deep": {"a": [None, True]}},
    }


def test_only_what_matches_and_only_while_enabled(events, rule, put, messages):
    rule(pattern={"source": ["own.app"], "detail": {"n": [{"numeric": [">", 1]}]}})
    put({"n": 1})
    put({"n": 2})
    put({"n": 3}, source="other")
    events.disable_rule(Name="demo")
    put({"n": 4})
    assert [event["detail"]["n"] for event in messages("seen")] == [2]


def test_buses_are_apart(events, queue, put, messages):
    events.create_event_bus(Name="own")
    events.put_rule(Name="demo", EventPattern='{"source": ["own.app"]}', EventBusName="own")
    events.put_targets(Rule="demo", EventBusName="own", Targets=[{"Id": "1", "Arn": queue("seen")}])
    put({"on": "default"})
    put({"on": "own"}, EventBusName="own")
    assert [event["detail"] for event in messages("seen")] == [{"on": "own"}]


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ({"Source": None}, "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."),
        ({"DetailType": None}, "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."),
        ({"Detail": None}, "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException", "Not authorized for the source."),
        ({"Detail": "{no"}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": "[1]"}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"n": 9223372036854775808}'}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"n": NaN}'}, "MalformedDetail", "Detail is malformed."),
        ({"EventBusName": "none"}, "ResourceNotFoundException", "Event bus none does not exist."),
    ],
)  # fmt: skip
def test_entries_that_are_refused(events, rule, messages, entry, code, message):
    """API Reference, PutEvents and PutEventsResultEntry; one bad entry does not stop the others."""
    rule()
    good = {"Source": "own.app", "DetailType": "x", "Detail": "{}"}
    bad = {name: value for name, value in {**good, **entry}.items() if value is not None}
    answer = events.put_events(Entries=[bad, good])
    assert (answer["FailedEntryCount"], "EventId" in answer["Entries"][1]) == (1, True)
    assert answer["Entries"][0] == {"ErrorCode": code, "ErrorMessage": message}
    assert len(messages("seen")) == 1


def test_the_size_of_a_request(events, refused):
    """API Reference, PutEvents: 1 MB in all, ten entries."""
    entry = {"Source": "a", "DetailType": "b", "Detail": json.dumps({"x": "y" * 600_000})}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert refused(events.put_events, Entries=[entry, entry]) == (
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
    )
    small = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    assert refused(events.put_events, Entries=[small] * 11)[0] == "ValidationException"


def test_a_function_runs_with_the_event(sandbox, client, ledger, rule, put):
    """User Guide, "Using resource-based policies": Lambda needs a permission for the rule."""
    function = make_function(client, FUNCTION)
    rule_arn = rule(target=function)
    put({"key": "refused"})
    sandbox.wait_until_quiet()
    (failure,) = failures(sandbox)
    assert (failure["error"], failure["resource"], failure["status"]) == ("NO_PERMISSIONS", function, None)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": rule_arn}
    client("lambda").add_permission(FunctionName="demo", StatementId="s", **permission)
    put({"key": "written"})
    sandbox.wait_until_quiet()
    assert ledger() == ["written"]
    written = next(call for call in sandbox.calls if call["operation"] == "PutItem")
    assert written["role"] == "arn:aws:sts::123456789012:assumed-role/function-role/demo"


def test_events_of_services_go_to_the_default_bus(sandbox, rule, messages):
    """User Guide, "Events from AWS services": inside.emit is EventBridge's, and returns at once."""
    rule(pattern={"source": ["aws.sagemaker"], "detail": {"ModelApprovalStatus": ["Approved"]}})
    for status in ("Rejected", "Approved"):
        detail = {"ModelApprovalStatus": status}
        event = Event("aws.sagemaker", "State Change", detail, ("arn:aws:x",), "123456789012", "us-east-1")
        sandbox.inside.emit(event)
    (seen,) = messages("seen")
    assert (seen["detail-type"], seen["resources"], seen["source"]) == ("State Change", ["arn:aws:x"], "aws.sagemaker")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen["time"])


@pytest.mark.parametrize(
    "source", [None, f"arn:aws:events:{ACCOUNT}:rule/demo", f"arn:aws:events:{ACCOUNT}:rule/other"]
)
def test_the_policy_of_a_queue_is_asked(sandbox, queue, rule, put, messages, source):
    target = f"arn:aws:sqs:{ACCOUNT}:guarded"
    queue("guarded", policy_for_events(target, source=source))
    rule(target=target)
    put()
    delivered = len(messages("guarded"))
    assert delivered == (0 if source and source.endswith("other") else 1)
    assert [failure["error"] for failure in failures(sandbox)] == ["NO_PERMISSIONS"] * (1 - delivered)


def test_a_topic_with_its_policy(sandbox, client, queue, rule, put, messages):
    """User Guide, "Amazon SNS permissions": the default policy of a topic does not let EventBridge in."""
    sns = client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    open_queue = queue(
        "from-topic", {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    )
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=open_queue, Attributes={"RawMessageDelivery": "true"})
    rule(target=topic)
    put({"n": 1})
    sandbox.wait_until_quiet()
    assert [failure["error"] for failure in failures(sandbox)] == ["NO_PERMISSIONS"]
    policy = json.dumps(policy_for_events(topic, "sns:Publish"))
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    put({"n": 2})
    assert [event["detail"]["n"] for event in messages("from-topic")] == [2]


def test_a_log_group_with_a_resource_policy(sandbox, client, rule, put):
    """User Guide, "CloudWatch Logs permissions"."""
    logs = client("logs")
    logs.create_log_group(logGroupName="/aws/events/all")
    target = f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/all"
    rule(target=target)
    put({"n": 1})
    sandbox.wait_until_quiet()
    assert [failure["error"] for failure in failures(sandbox)] == ["NO_PERMISSIONS"]
    policy = policy_for_events(f"{target}:*", "logs:*")
    logs.put_resource_policy(policyName="events", policyDocument=json.dumps(policy))
    put({"n": 2})
    sandbox.wait_until_quiet()
    (stream,) = logs.describe_log_streams(logGroupName="/aws/events/all")["logStreams"]
    (entry,) = logs.get_log_events(logGroupName="/aws/events/all", logStreamName=stream["logStreamName"])["events"]
    assert json.loads(entry["message"])["detail"] == {"n": 2}


def test_a_dead_letter_says_why(sandbox, queue, rule, put, messages):
    """User Guide, "Using dead-letter queues to process undelivered events"."""
    letters = queue("letters")
    lost = f"arn:aws:sqs:{ACCOUNT}:lost"
    arn = rule(target=lost, DeadLetterConfig={"Arn": letters})
    put({"n": 1})
    (message,) = messages("letters", whole=True)
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    values = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert values.pop("ERROR_MESSAGE") == f"The queue {lost} does not exist."
    assert values == {"RULE_ARN": arn, "TARGET_ARN": lost, "ERROR_CODE": "NO_RESOURCE"}
    assert [failure["error"] for failure in failures(sandbox)] == ["NO_RESOURCE"]


def test_a_dead_letter_queue_needs_a_policy_too(sandbox, queue, rule, put):
    letters = queue("letters", None)
    rule(target=f"arn:aws:sqs:{ACCOUNT}:lost", DeadLetterConfig={"Arn": letters})
    put()
    sandbox.wait_until_quiet()
    assert [(entry["error"], entry["resource"][-7:]) for entry in failures(sandbox)] == [
        ("NO_RESOURCE", "12:lost"),
        ("NO_PERMISSIONS", "letters"),
    ]


@pytest.mark.parametrize(("failing", "delivered"), [(1, 1), (3, 0)])
def test_momentary_failures_are_tried_again(sandbox, queue, rule, put, messages, failing, delivered):
    """API Reference, RetryPolicy; User Guide, "How EventBridge retries delivering events"."""
    letters = queue("letters")
    rule(RetryPolicy={"MaximumRetryAttempts": 2}, DeadLetterConfig={"Arn": letters})
    # botocore's own three attempts are one attempt of EventBridge's; the dead letter comes after them.
    fault = {"service": "sqs", "operation": "SendMessage", "fault": "server-error", "times": 3 * failing}
    sandbox.set_faults([fault])
    put({"n": 1})
    sandbox.wait_until_quiet(60)
    sandbox.set_faults([])
    assert len(messages("seen")) == delivered
    found = messages("letters", whole=True)
    assert len(found) == 1 - delivered
    for message in found:
        values = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert (values["EXHAUSTED_RETRY_CONDITION"], values["RETRY_ATTEMPTS"]) == ("MaximumRetryAttempts", "2")


def test_at_least_once_in_any_order(sandbox, rule, put, messages):
    """User Guide: EventBridge delivers at least once, in no order."""
    rule()
    sandbox.events.at_least_once(copies=2, spread=0.2)
    sent = [put({"n": number})["EventId"] for number in range(5)]
    got = [event["id"] for event in messages("seen")]
    assert sorted(got) == sorted(sent * 2)
    assert list(dict.fromkeys(got)) != sent


def test_a_scheduled_rule_runs_when_the_test_says_so(sandbox, events, queue, messages):
    """User Guide, "Scheduled events"."""
    arn = events.put_rule(Name="reconcile", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule="reconcile", Targets=[{"Id": "1", "Arn": queue("seen")}])
    sandbox.events.tick("reconcile")
    (event,) = messages("seen")
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == [arn]
    events.disable_rule(Name="reconcile")
    with pytest.raises(ValueError, match="reconcile has no schedule, or is disabled"):
        sandbox.events.tick("reconcile")
    with pytest.raises(KeyError):
        sandbox.events.tick("none")


def test_scheduled_rules_run_in_real_time_where_somebody_keeps_it(sandbox, events, queue, messages, monkeypatch):
    """`python -m sandbox serve` does: each minute the rules that are due."""
    events.put_rule(Name="reconcile", ScheduleExpression="rate(5 minutes)")
    events.put_rule(Name="rare", ScheduleExpression="rate(7 minutes)")
    for name in ("reconcile", "rare"):
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue("seen")}])
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    minutes = iter([start, start + timedelta(minutes=5)])
    monkeypatch.setattr("sandbox.eventbridge.service._this_minute", lambda: next(minutes, start + timedelta(minutes=5)))
    stop = Signal()
    thread = sandbox.events.keep_time(stop)
    got: list[str] = []
    deadline = monotonic() + 5
    while not got and monotonic() < deadline:
        got += [event["resources"][0] for event in messages("seen")]
        sleep(0.05)
    stop.set()
    thread.join(5)
    assert got == [f"arn:aws:events:{ACCOUNT}:rule/reconcile"]
