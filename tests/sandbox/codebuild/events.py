"""All that builds tell EventBridge, caught in a queue."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.eventbridge.conftest import ACCOUNT, policy_for_events


def rule_to_queue(client: Any) -> None:
    """client: the fixture shared_client."""
    arn = f"arn:aws:sqs:{ACCOUNT}:seen"
    client("sqs").create_queue(QueueName="seen", Attributes={"Policy": json.dumps(policy_for_events(arn))})
    client("events").put_rule(Name="builds", EventPattern=json.dumps({"source": ["aws.codebuild"]}))
    client("events").put_targets(Rule="builds", Targets=[{"Id": "1", "Arn": arn}])


def received(client: Any) -> list[dict[str, Any]]:
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found
