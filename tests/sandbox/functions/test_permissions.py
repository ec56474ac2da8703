"""The resource policy of a function, and that it counts when a service invokes. Docstrings name the sources."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

RULE = "arn:aws:events:us-east-1:123456789012:rule/deploy"
ACTION = "lambda:InvokeFunction"


@pytest.fixture
def demo(function):
    return function("def handler(e, c): return e")


def as_events(sandbox, arn, source=RULE, principal="events.amazonaws.com"):
    """'ok' or the error code of what a service gets that invokes the function."""
    try:
        sandbox.inside.invoke_as_service(arn, principal, source, b"{}")
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({}, "ok"),
        ({"SourceArn": RULE}, "ok"),
        ({"SourceArn": "arn:aws:events:us-east-1:123456789012:rule/*"}, "ok"),
        ({"SourceAccount": "123456789012"}, "ok"),
        ({"Action": "lambda:*"}, "ok"),
        ({"Principal": "*"}, "ok"),
        ({"SourceArn": RULE + "-other"}, "AccessDeniedException"),
        ({"SourceAccount": "210987654321"}, "AccessDeniedException"),
        ({"Principal": "s3.amazonaws.com"}, "AccessDeniedException"),
        ({"Principal": "123456789012"}, "AccessDeniedException"),
        ({"Action": "lambda:GetFunction"}, "AccessDeniedException"),
    ],
)  # fmt: skip
def test_who_may_invoke(sandbox, functions, demo, permission, expected):
    """Developer Guide, "Using resource-based policies in Lambda": a service needs a statement that names it, and its
    source where the statement has one."""
    given = {"StatementId": "s", "Action": ACTION, "Principal": "events.amazonaws.com", **permission}
    functions.add_permission(FunctionName="demo", **given)
    assert as_events(sandbox, demo) == expected


def test_without_a_policy_no_service_may(sandbox, functions, demo):
    assert as_events(sandbox, demo) == "AccessDeniedException"
    entry = sandbox.calls[-1]
    assert (entry["operation"], entry["status"], entry["role"]) == ("Invoke", 403, "events.amazonaws.com")
    assert entry["context"] == {"aws:SourceArn": RULE, "aws:SourceAccount": "123456789012"}
    assert functions.invoke(FunctionName="demo")["StatusCode"] == 200


def test_the_policy_as_aws_writes_it(functions, demo, refused):
    """API Reference, AddPermission, GetPolicy and RemovePermission."""
    assert refused(functions.get_policy, FunctionName="demo")[0] == "ResourceNotFoundException"
    given = {"Action": ACTION, "Principal": "events.amazonaws.com", "SourceArn": RULE, "SourceAccount": "123456789012"}
    said = functions.add_permission(FunctionName="demo", StatementId="s", **given)
    expected = {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ACTION,
        "Resource": demo,
        "Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}, "ArnLike": {"AWS:SourceArn": RULE}},
    }
    assert json.loads(said["Statement"]) == expected
    policy = functions.get_policy(FunctionName="demo")
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}
    twice = refused(functions.add_permission, FunctionName="demo", StatementId="s", **given)
    assert twice[0] == "ResourceConflictException"
    functions.add_permission(FunctionName="demo", StatementId="account", Action=ACTION, Principal="123456789012")
    stale = refused(functions.remove_permission, FunctionName="demo", StatementId="s", RevisionId=policy["RevisionId"])
    assert stale[0] == "PreconditionFailedException"
    functions.remove_permission(FunctionName="demo", StatementId="s")
    (left,) = json.loads(functions.get_policy(FunctionName="demo")["Policy"])["Statement"]
    assert left["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    gone = refused(functions.remove_permission, FunctionName="demo", StatementId="s")
    assert gone == ("ResourceNotFoundException", "Statement s is not found in resource policy.")


def test_what_is_refused(functions, demo, refused):
    given = {"FunctionName": "demo", "StatementId": "s", "Action": ACTION}
    assert "principal was invalid" in refused(functions.add_permission, **given, Principal="nobody")[1]
    latest = refused(functions.add_permission, **given, Principal="*", Qualifier="$LATEST")
    assert latest[1] == "We currently do not support adding policies for $LATEST."
    url = refused(functions.add_permission, **given, Principal="*", FunctionUrlAuthType="NONE")
    assert url[0] == "NotImplementedInSandbox"
    assert (
        refused(functions.add_permission, **{**given, "Action": "s3:GetObject"}, Principal="*")[0]
        == "ValidationException"
    )
