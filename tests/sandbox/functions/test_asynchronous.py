"""Asynchronous invocations: retries, destinations, dead letters. Each docstring names the source of the rule."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.lambda_functions import make_function

pytestmark = pytest.mark.slow

COUNTING = """
import os, boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody=context.aws_request_id)
    if event.get("fail"):
        raise ValueError("no luck")
    return {"ok": True}
"""


@pytest.fixture
def start(sandbox, functions, client, queue):
    """start(fail=True) -> the event that is now queued for the function `demo`."""
    queue("attempts")
    url = client("sqs").get_queue_url(QueueName="attempts")["QueueUrl"]

    def call(**event):
        payload = {"url": url, **event}
        answer = functions.invoke(FunctionName="demo", InvocationType="Event", Payload=json.dumps(payload))
        assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
        return payload

    return call


def attempts(messages):
    return [message["Body"] for message in messages("attempts")]


def test_a_success_runs_once(function, start, messages):
    function(COUNTING)
    start()
    assert len(attempts(messages)) == 1


def test_two_retries_with_the_same_request_id_then_a_record_and_a_dead_letter(
    sandbox, function, functions, start, messages, queue
):
    """Developer Guide, "Error handling for asynchronous invocation": two retries; "Capturing records": the record, and
    the attributes of a dead letter."""
    dead = queue("dead")
    failed = queue("failed")
    arn = function(COUNTING, DeadLetterConfig={"TargetArn": dead})
    functions.put_function_event_invoke_config(
        FunctionName="demo", DestinationConfig={"OnFailure": {"Destination": failed}}
    )
    event = start(fail=True)
    (request_id,) = set(attempts(messages))
    (record,) = messages("failed")
    body = json.loads(record["Body"])
    assert body["requestContext"] == {
        "requestId": request_id,
        "functionArn": f"{arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert (body["version"], body["requestPayload"]) == ("1.0", event)
    assert body["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert body["responsePayload"]["errorMessage"] == "no luck"
    (letter,) = messages("dead")
    assert json.loads(letter["Body"]) == event
    values = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert values == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no luck"}
    senders = {call["role"] for call in sandbox.calls if call["operation"] == "SendMessage"}
    assert senders == {"arn:aws:sts::123456789012:assumed-role/function-role/demo"}


def test_no_retry_when_asked_for_none(function, functions, start, messages):
    function(COUNTING)
    functions.put_function_event_invoke_config(FunctionName="demo", MaximumRetryAttempts=0)
    start(fail=True)
    assert len(attempts(messages)) == 1


def test_an_event_ages_as_on_aws_though_the_waits_are_short(function, functions, start, messages, queue):
    """API Reference, PutFunctionEventInvokeConfig, MaximumEventAgeInSeconds: the first retry comes after a minute."""
    function(COUNTING)
    functions.put_function_event_invoke_config(
        FunctionName="demo",
        MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": queue("failed")}},
    )
    start(fail=True)
    (record,) = messages("failed")
    context = json.loads(record["Body"])["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 1)


def test_without_concurrency_events_go_straight_to_the_destination(function, functions, start, messages, queue):
    """Developer Guide, "Configuring reserved concurrency": with 0, without any retry."""
    function(COUNTING)
    functions.put_function_concurrency(FunctionName="demo", ReservedConcurrentExecutions=0)
    functions.put_function_event_invoke_config(
        FunctionName="demo", DestinationConfig={"OnFailure": {"Destination": queue("failed")}}
    )
    start()
    (record,) = messages("failed")
    body = json.loads(record["Body"])
    assert (body["requestContext"]["condition"], "responsePayload" in body) == ("ZeroReservedConcurrency", False)
    assert attempts(messages) == []


def test_a_throttled_event_waits_in_the_queue(function, functions, start, messages):
    """Developer Guide, "Error handling for asynchronous invocation": throttles are no attempts."""
    function(COUNTING)
    functions.put_function_concurrency(FunctionName="demo", ReservedConcurrentExecutions=1)
    for _ in range(3):
        start()
    assert len(attempts(messages)) == 3


def test_success_goes_to_a_function_and_to_a_bus(client, function, functions, start, messages, queue):
    """Developer Guide, "Adding a destination"; User Guide of EventBridge: source `lambda`."""
    arn = function(COUNTING)
    next_arn = make_function(
        client,
        """
        import boto3
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=event["requestPayload"]["url"], MessageBody="next")
        """,
        name="next",
    )
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
            }
        ]
    }
    seen = queue("seen", policy)
    events = client("events")
    events.put_rule(Name="results", EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule="results", Targets=[{"Id": "1", "Arn": seen}])
    bus = events.describe_event_bus()["Arn"]
    functions.put_function_event_invoke_config(
        FunctionName="demo",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": next_arn}, "OnFailure": {"Destination": bus}},
    )
    start()
    assert "next" in attempts(messages)
    start(fail=True)
    (message,) = messages("seen")
    event = json.loads(message["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Failure"
    assert event["resources"] == [bus, f"{arn}:$LATEST"]
    assert event["detail"]["responsePayload"]["errorMessage"] == "no luck"


def test_event_configurations(functions, function, queue, refused):
    """API Reference, PutFunctionEventInvokeConfig and UpdateFunctionEventInvokeConfig."""
    arn = function(COUNTING)
    put = functions.put_function_event_invoke_config
    assert (
        "doesn't have an EventInvokeConfig"
        in refused(functions.get_function_event_invoke_config, FunctionName="demo")[1]
    )
    assert "at least one of" in refused(put, FunctionName="demo")[1]
    assert refused(put, FunctionName="none", MaximumRetryAttempts=1)[1] == "The function doesn't exist."
    assert refused(put, FunctionName="demo", MaximumRetryAttempts=3)[0] == "ValidationException"
    itself = {"OnFailure": {"Destination": arn}}
    assert "as a destination for itself" in refused(put, FunctionName="demo", DestinationConfig=itself)[1]
    nowhere = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:none"}}
    assert "is invalid" in refused(put, FunctionName="demo", DestinationConfig=nowhere)[1]
    bucket = {"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}
    assert refused(put, FunctionName="demo", DestinationConfig=bucket)[0] == "NotImplementedInSandbox"
    put(FunctionName="demo", MaximumRetryAttempts=1)
    functions.update_function_event_invoke_config(FunctionName="demo", MaximumEventAgeInSeconds=60)
    config = functions.get_function_event_invoke_config(FunctionName="demo")
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (1, 60)
    assert config["FunctionArn"] == f"{arn}:$LATEST"
    put(FunctionName="demo", MaximumEventAgeInSeconds=70)
    assert "MaximumRetryAttempts" not in functions.get_function_event_invoke_config(FunctionName="demo")
    functions.delete_function_event_invoke_config(FunctionName="demo")
    assert functions.list_function_event_invoke_configs(FunctionName="demo")["FunctionEventInvokeConfigs"] == []
