"""What builds tell EventBridge (User Guide, "Build notifications input format reference")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.eventbridge.conftest import ACCOUNT, policy_for_events

pytestmark = pytest.mark.slow


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


def test_events_of_a_build(sandbox, shared_client, project, finished):
    rule_to_queue(shared_client)
    project("version: 0.2\nphases:\n  build:\n    commands: ['false']\n")
    build = finished()
    events = received(shared_client)
    assert {event["source"] for event in events} == {"aws.codebuild"}
    assert all(event["resources"] == [build["arn"]] == [event["detail"]["build-id"]] for event in events)
    states = [each["detail"] for each in events if each["detail-type"] == "CodeBuild Build State Change"]
    assert {detail["build-status"] for detail in states} == {"IN_PROGRESS", "FAILED"}
    (last,) = (detail for detail in states if detail["build-status"] == "FAILED")
    assert (last["current-phase"], last["project-name"], last["version"]) == ("COMPLETED", "demo", "1")
    told = last["additional-information"]
    assert (told["build-complete"], told["build-number"], told["initiator"]) == (True, 1, "developer")
    assert told["logs"]["stream-name"] == build["logs"]["streamName"]
    assert told["build-start-time"].startswith(f"{build['startTime']:%b} {build['startTime'].day}, ")
    why = "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1"
    (failed,) = (phase for phase in told["phases"] if phase["phase-type"] == "BUILD")
    assert (failed["phase-status"], failed["phase-context"]) == ("FAILED", [why])
    changes = [each["detail"] for each in events if each["detail-type"] == "CodeBuild Build Phase Change"]
    ended = {detail["completed-phase"]: detail for detail in changes}
    assert set(ended) == {phase["phaseType"] for phase in build["phases"]} - {"COMPLETED"}
    assert (ended["BUILD"]["completed-phase-status"], ended["BUILD"]["completed-phase-context"]) == (
        "FAILED",
        f"[{why}]",
    )
    assert ended["INSTALL"]["completed-phase-context"] == "[: ]"
    assert ended["SUBMITTED"]["completed-phase-context"] == "[]"
