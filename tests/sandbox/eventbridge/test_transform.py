"""What a target is sent. The templates and outputs are those of the User Guide, "Input transformation"; the ones about
missing paths, lists and objects in quotes are what AWS was seen to answer."""

from __future__ import annotations

import json

import pytest

from sandbox.eventbridge.transform import CannotTransform, payload

EVENT = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2015-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {
        "instance-id": "i-0123456789",
        "state": "RUNNING",
        "list": ["A", "B"],
        "object": {"a": "b"},
        "yes": True,
    },
}
RULE = "arn:aws:events:us-east-1:123456789012:rule/example"
PATHS = {
    "instance": "$.detail.instance-id",
    "state": "$.detail.state",
    "list": "$.detail.list",
    "first": "$.detail.list[0]",
    "object": "$.detail.object",
    "yes": "$.detail.yes",
    "lost": "$.detail.lost.deeper",
}


def sent(target):
    return payload(target, json.dumps(EVENT), "example", RULE, "2015-11-11T21:29:55.000Z")


def filled(template):
    return sent({"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": template}})


def test_all_a_part_or_something_else():
    assert json.loads(sent({})) == EVENT
    assert sent({"InputPath": "$.detail.object"}) == '{"a":"b"}'
    assert sent({"InputPath": "$.detail.state"}) == '"RUNNING"'
    assert sent({"Input": '{"constant": 1}'}) == '{"constant": 1}'


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
        ('"instance \\"<instance>\\" is in <state>"', '"instance \\"i-0123456789\\" is in RUNNING"'),
        ('"<list> and <object> and <yes> and <lost>."', '"[A,B] and {a:b} and true and ."'),
        ('"<aws.events.rule-name> triggered"', '"example triggered"'),
        ('"<aws.events.event.ingestion-time>"', '"2015-11-11T21:29:55.000Z"'),
        ('"<first>"\n"<state>"', '"A"\n"RUNNING"'),
    ],
)  # fmt: skip
def test_texts(template, output):
    assert filled(template) == output


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ('{"instance" : <instance>, "state": <state>}', {"instance": "i-0123456789", "state": "RUNNING"}),
        (
            '{"instance": <instance>, "state": "<state>", "status": "instance \\"<instance>\\" is in <state>"}',
            {"instance": "i-0123456789", "state": "RUNNING", "status": 'instance "i-0123456789" is in RUNNING'},
        ),
        ('{"state": [9, <state>, true], "Transformed": "Yes"}', {"state": [9, "RUNNING", True], "Transformed": "Yes"}),
        ('{"list": <list>, "object": <object>, "yes": <yes>}', {"list": ["A", "B"], "object": {"a": "b"}, "yes": True}),
        ('{"lost": <lost>, "quoted": "x<lost>"}', {"lost": "", "quoted": "x"}),
        ('{"arn": <aws.events.rule-arn>}', {"arn": RULE}),
        ('{"whole": <aws.events.event.json>}', {"whole": EVENT}),
        (
            '{"without": <aws.events.event>}',
            {
                "without": {
                    **{key: value for key, value in EVENT.items() if key not in ("detail", "detail-type")},
                    "detailType": EVENT["detail-type"],
                }
            },
        ),
    ],
)  # fmt: skip
def test_objects(template, output):
    assert json.loads(filled(template)) == output


def test_an_object_in_the_quotes_of_an_object_breaks_it():
    with pytest.raises(CannotTransform):
        filled('{"payload": "<object>"}')
