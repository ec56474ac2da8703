"""What the tests of EventBridge share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT = "us-east-1:123456789012"
ANY = {"source": [{"prefix": ""}]}


def policy_for_events(resource: str, action: str = "sqs:SendMessage", source: str | None = None) -> dict[str, Any]:
    """A resource policy that lets EventBridge in, for one rule or for all."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": action,
        "Resource": resource,
    }
    if source:
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": source}}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def events(client) -> Any:
    return client("events")


@pytest.fixture
def queue(client) -> Callable[..., str]:
    """queue("name") -> the ARN of a queue that EventBridge may use; policy=None for one that it may not."""

    def make(name: str, policy: Any = "events", **attributes: str) -> str:
        arn = f"arn:aws:sqs:{ACCOUNT}:{name}"
        document = policy_for_events(arn) if policy == "events" else policy
        given = {**attributes, **({"Policy": json.dumps(document)} if document else {})}
        client("sqs").create_queue(QueueName=name, Attributes=given)
        return arn

    return make


@pytest.fixture
def messages(sandbox, client) -> Callable[[str], list[Any]]:
    """messages("name") -> the bodies in the queue once the sandbox is quiet."""

    def receive(name: str, whole: bool = False) -> list[Any]:
        sandbox.wait_until_quiet()
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        found = answer.get("Messages", [])
        return found if whole else [json.loads(message["Body"]) for message in found]

    return receive


@pytest.fixture
def rule(events, queue) -> Callable[..., str]:
    """rule(target={...}) -> the ARN of a rule that sends every event to the queue `seen`, or to what target says."""

    def make(name: str = "demo", pattern: Any = ANY, target: Any = None, **target_settings: Any) -> str:
        arn = target or queue("seen")
        made = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, **target_settings}])
        return str(made)

    return make


@pytest.fixture
def put(events) -> Callable[..., Any]:
    """put({...detail}, source="own.app", **entry) -> the answer's entry."""

    def send(detail: Any = None, source: str = "own.app", **entry: Any) -> Any:
        given = {"Source": source, "DetailType": "Something", "Detail": json.dumps(detail or {}), **entry}
        return events.put_events(Entries=[given])["Entries"][0]

    return send
