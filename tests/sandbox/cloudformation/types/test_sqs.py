"""Queues, made, changed and removed, as SQS's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.types.resources import ACCOUNT, gone, policy, resource, tagged

pytestmark = pytest.mark.slow


def test_queue(stacks, client):
    sqs = client("sqs")
    template = {
        "D": resource("SQS::Queue"),
        "Q": resource(
            "SQS::Queue",
            QueueName="q",
            MessageRetentionPeriod=1209600,
            VisibilityTimeout=60,
            SqsManagedSseEnabled=True,
            RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["D", "Arn"]}, "maxReceiveCount": 3},
            Tags=tagged(team="ml"),
        ),
        "P": resource(
            "SQS::QueuePolicy",
            Queues=[{"Ref": "Q"}],
            PolicyDocument=policy("sqs:SendMessage", Principal={"Service": "events.amazonaws.com"}),
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    url = stacks.physical("Q")

    def attributes():
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    found = attributes()
    assert (found["MessageRetentionPeriod"], found["VisibilityTimeout"]) == ("1209600", "60")
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"].startswith(
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:demo-D-"
    )
    assert json.loads(found["Policy"]) == policy("sqs:SendMessage", Principal={"Service": "events.amazonaws.com"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "ml"}
    template["Q"]["Properties"] = {"QueueName": "q", "DelaySeconds": 5}
    del template["P"]
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = attributes()
    assert (found["MessageRetentionPeriod"], found["VisibilityTimeout"], found["DelaySeconds"]) == ("345600", "30", "5")
    assert ("Policy" in found and bool(found["Policy"]), "RedrivePolicy" in found and bool(found["RedrivePolicy"])) == (
        False,
        False,
    )
    assert sqs.list_queue_tags(QueueUrl=url).get("Tags", {}) == {}
    stacks.delete()
    gone(sqs.get_queue_url, QueueName="q")
    sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "5"})
    assert stacks.create(template)["StackStatus"] == "ROLLBACK_COMPLETE", "a queue that is there is not taken over"
    sqs.get_queue_url(QueueName="q")
