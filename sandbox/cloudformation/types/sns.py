"""AWS::SNS::Topic, AWS::SNS::TopicPolicy and AWS::SNS::Subscription."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, changed, tag_changes
from sandbox.cloudformation.types.policies import document
from sandbox.cloudformation.work import Work, already_exists, is_not_found

_TOPIC = ("DisplayName", "KmsMasterKeyId")
_SUBSCRIPTION = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")


class Topic(Handler):
    """Subscriptions are resources of their own here. Fn::GetAtt: TopicArn, TopicName."""

    type = "AWS::SNS::Topic"
    name = "TopicName"
    attributes = ("TopicArn", "TopicName")
    handled = dict.fromkeys([*_TOPIC, "Tags", "TopicName"])

    def create(self, work: Work, wanted: Properties) -> None:
        name = wanted.get("TopicName") or work.generated_name(256)
        # CreateTopic answers success where a topic of that name is there.
        if self._is_there(work, work.arn("sns", name)):
            raise already_exists(self.type, work.arn("sns", name))
        attributes = {key: str(wanted[key]) for key in _TOPIC if key in wanted}
        tags = {"Tags": as_list(wanted["Tags"])} if wanted.get("Tags") else {}
        arn = work.client("sns").create_topic(Name=name, Attributes=attributes, **tags)["TopicArn"]
        work.made(arn, TopicArn=arn, TopicName=name)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        sns, arn = work.client("sns"), work.physical_id
        for key in changed(old, new):
            if key in _TOPIC:
                sns.set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=str(new.get(key, "")))
        added, removed = tag_changes(old, new)
        if added:
            sns.tag_resource(ResourceArn=arn, Tags=as_list(added))
        if removed:
            sns.untag_resource(ResourceArn=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("sns").delete_topic(TopicArn=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        topics = client("sns").get_paginator("list_topics").paginate()
        return any(topic["TopicArn"].endswith(f":{name}") for page in topics for topic in page["Topics"])

    def _is_there(self, work: Work, arn: str) -> bool:
        try:
            work.client("sns").get_topic_attributes(TopicArn=arn)
        except ClientError as error:
            if not is_not_found(error):
                raise
            return False
        return True


class TopicPolicy(Handler):
    type = "AWS::SNS::TopicPolicy"
    handled = {"PolicyDocument": None, "Topics": None}  # noqa: RUF012

    def create(self, work: Work, wanted: Properties) -> None:
        work.made(work.generated_name(80))
        self.update(work, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        for arn in new["Topics"]:
            self._set(work, arn, document(new["PolicyDocument"]))
        for arn in old.get("Topics", []):
            if arn not in new["Topics"]:
                self._set(work, arn, _default_policy(work, arn))

    def delete(self, work: Work, held: Properties) -> None:
        for arn in held["Topics"]:
            self._set(work, arn, _default_policy(work, arn))

    def _set(self, work: Work, arn: str, policy: str) -> None:
        work.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _default_policy(work: Work, arn: str) -> str:
    """A topic always has a policy: without one of the template's, the one that SNS gives it (API Reference)."""
    actions = [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    ]
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": work.stack.account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


class Subscription(Handler):
    type = "AWS::SNS::Subscription"
    attributes = ("Arn",)
    handled = dict.fromkeys(["Endpoint", "Protocol", "TopicArn", *_SUBSCRIPTION])

    def create(self, work: Work, wanted: Properties) -> None:
        given = {"TopicArn": wanted["TopicArn"], "Protocol": wanted["Protocol"], "Endpoint": wanted.get("Endpoint", "")}
        attributes = {key: _text(wanted[key]) for key in _SUBSCRIPTION if key in wanted}
        made = work.client("sns").subscribe(**given, Attributes=attributes, ReturnSubscriptionArn=True)
        work.made(made["SubscriptionArn"], Arn=made["SubscriptionArn"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        for key in changed(old, new):
            value = (
                _text(new[key]) if key in new else {"FilterPolicy": "{}", "RawMessageDelivery": "false"}.get(key, "")
            )
            work.client("sns").set_subscription_attributes(
                SubscriptionArn=work.physical_id, AttributeName=key, AttributeValue=value
            )

    def delete(self, work: Work, held: Properties) -> None:
        work.client("sns").unsubscribe(SubscriptionArn=work.physical_id)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
