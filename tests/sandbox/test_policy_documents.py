"""The grammar of a resource's policy. Source: IAM User Guide, "Grammar of the IAM JSON policy language"."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.policy_documents import Malformed, like, parse_policy

STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
WORDS = [
    "Version",
    "Statement",
    "Sid",
    "Effect",
    "Allow",
    "Principal",
    "AWS",
    "Action",
    "Resource",
    "Condition",
    "2012-10-17",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


def document(**changes):
    return json.dumps({"Version": "2012-10-17", "Statement": [{**STATEMENT, **changes}]})


@given(st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=3), VALUES)
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_policy_or_malformed(whole, statement):
    for text in (
        json.dumps(whole),
        json.dumps({"Statement": statement}),
        json.dumps({"Statement": [STATEMENT, statement]}),
    ):
        try:
            assert parse_policy(text)
        except Malformed as error:
            assert str(error)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"Statement": [',
        '{"Statement": []}',
        json.dumps({"Version": "2026-01-01", "Statement": [STATEMENT]}),
        json.dumps({"Statement": [STATEMENT], "Statements": []}),
        json.dumps({"Statement": [{**STATEMENT, "Sid": "a"}, {**STATEMENT, "Sid": "a"}]}),
        '{"Statement": {"Effect": "Allow", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}',
        document(NotAction="s3:*"),
        document(Action=[]),
        document(Action=""),
        document(Principal={}),
        document(Principal="arn:aws:iam::123456789012:root"),
        document(Condition={"StringEquals": "x"}),
        document(Condition={"StringEquals": {}}),
    ],
)
def test_what_is_no_policy(text):
    with pytest.raises(Malformed):
        parse_policy(text)


def test_one_may_stand_without_its_list():
    """ "Grammar": `<action_block>`, `<resource_block>` and statements may be one or a list."""
    alone = json.dumps({"Statement": STATEMENT})
    (one,) = parse_policy(alone)
    assert (one.principals, one.actions, one.resources) == ({"AWS": ["*"]}, ["s3:*"], ["*"])
    assert parse_policy(document(Action=["s3:*"], Resource=["*"])) == [one]


def test_actions_have_wildcards_and_no_case():
    (one,) = parse_policy(document(Action=["s3:Get*", "s3:PutObjec?"]))
    assert one.names_action("S3:getobject")
    assert one.names_action("s3:PutObject")
    assert not one.names_action("s3:DeleteObject")
    assert not like("a[b]", "a[a-z]")
