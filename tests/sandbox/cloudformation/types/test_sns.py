"""Topics and subscriptions, made, changed and removed, as SNS's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.types.resources import ACCOUNT, gone, policy, resource, tagged

pytestmark = pytest.mark.slow


def test_topic_its_policy_and_subscription(stacks, client):
    sns, arn = client("sns"), f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
    template = {
        "T": resource(
            "SNS::Topic", TopicName="t", DisplayName="one", KmsMasterKeyId="alias/aws/sns", Tags=tagged(team="ml")
        ),
        "P": resource(
            "SNS::TopicPolicy", Topics=[{"Ref": "T"}], PolicyDocument=policy("sns:Publish", arn, Principal="*")
        ),
        "S": resource(
            "SNS::Subscription",
            TopicArn={"Ref": "T"},
            Protocol="sqs",
            Endpoint={"Fn::GetAtt": ["Q", "Arn"]},
            RawMessageDelivery=True,
            FilterPolicy={"a": ["b"]},
        ),
        "Q": resource("SQS::Queue"),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (found["DisplayName"], found["KmsMasterKeyId"], json.loads(found["Policy"])) == (
        "one",
        "alias/aws/sns",
        policy("sns:Publish", arn, Principal="*"),
    )
    subscription = stacks.physical("S")
    said = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert (said["RawMessageDelivery"], json.loads(said["FilterPolicy"])) == ("true", {"a": ["b"]})
    template["T"]["Properties"] |= {"DisplayName": "two", "Tags": tagged(cost="1")}
    template["S"]["Properties"] |= {"RawMessageDelivery": False}
    del template["P"]
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (found["DisplayName"], json.loads(found["Policy"])["Id"]) == ("two", "__default_policy_ID")
    assert sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["RawMessageDelivery"] == "false"
    keys = {tag["Key"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert ("team" in keys, "cost" in keys) == (False, True)
    stacks.delete()
    gone(sns.get_topic_attributes, TopicArn=arn)
    sns.create_topic(Name="t")
    assert stacks.create({"T": resource("SNS::Topic", TopicName="t")})["StackStatus"] == "ROLLBACK_COMPLETE"
    sns.get_topic_attributes(TopicArn=arn)
