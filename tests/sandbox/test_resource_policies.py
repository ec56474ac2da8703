"""Resource policies. Source: IAM User Guide, "Policy evaluation logic", "AWS JSON policy elements: Principal"."""

from __future__ import annotations

import pytest

from sandbox.resource_policies import allows
from sandbox.role_trust import UnreadableTrust

QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
CONTEXT = {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/demo", "aws:SourceAccount": "123456789012"}
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}


def asked(*statements):
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return allows(policy, "events.amazonaws.com", "sqs:SendMessage", QUEUE, CONTEXT)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]}},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Action": ["sqs:ReceiveMessage", "SQS:Send*"]},
        {"Action": "*"},
        {"Resource": "arn:aws:sqs:*:123456789012:q*"},
        {"Condition": {"ArnEquals": {"AWS:SourceArn": CONTEXT["aws:SourceArn"]}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}},
    ],
)
def test_allowed(change):
    assert asked({**ALLOW, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": QUEUE + "-other"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": CONTEXT["aws:SourceArn"] + "-other"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Effect": "Deny"},
    ],
)
def test_not_allowed(change):
    assert not asked({**ALLOW, **change})


def test_a_deny_is_stronger():
    assert not asked(ALLOW, {**ALLOW, "Effect": "Deny", "Resource": "*"})
    assert not asked({**ALLOW, "Effect": "Deny", "Resource": "*"}, ALLOW)


@pytest.mark.parametrize("policy", [None, "", "{}", {"Statement": []}])
def test_no_policy_allows_nothing(policy):
    assert not allows(policy, "events.amazonaws.com", "sqs:SendMessage", QUEUE, CONTEXT)


def test_what_is_not_understood_is_no_answer():
    with pytest.raises(UnreadableTrust, match="NotAction"):
        asked({**ALLOW, "NotAction": "x"})
    with pytest.raises(UnreadableTrust, match="IpAddress"):
        asked({**ALLOW, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}})
