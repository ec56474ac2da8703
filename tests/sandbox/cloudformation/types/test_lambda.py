"""Functions, made, changed and removed, as Lambda's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile

import pytest

from sandbox.cloudformation.types.lambda_function import archive_of
from tests.sandbox.cloudformation.types.resources import ACCOUNT, gone, resource, tagged, trust

pytestmark = pytest.mark.slow


def function(**more):
    return resource(
        "Lambda::Function",
        **{
            "FunctionName": "f",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["R", "Arn"]},
            "Code": {"ZipFile": "def handler(event, context): return 1"},
        }
        | more,
    )


def test_function_and_permission(stacks, client):
    lambda_, role = client("lambda"), resource("IAM::Role", AssumeRolePolicyDocument=trust())
    template = {
        "R": role,
        "F": function(
            Timeout="30",
            MemorySize=256,
            Environment={"Variables": {"AB": "1"}},
            Description="one",
            ReservedConcurrentExecutions=2,
            Tags=tagged(team="ml"),
        ),
        "P": resource(
            "Lambda::Permission",
            FunctionName={"Ref": "F"},
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r",
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = lambda_.get_function(FunctionName="f")
    settings = found["Configuration"]
    assert (
        settings["Timeout"],
        settings["MemorySize"],
        settings["Environment"]["Variables"],
        settings["Description"],
    ) == (30, 256, {"AB": "1"}, "one")
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 2
    assert found["Tags"]["team"] == "ml"
    statement = json.loads(lambda_.get_policy(FunctionName="f")["Policy"])["Statement"][0]
    assert (statement["Sid"], statement["Principal"]) == (stacks.physical("P"), {"Service": "events.amazonaws.com"})
    first = settings["CodeSha256"]
    template["F"] = function(
        Code={"ZipFile": "def handler(event, context): return 2"}, Timeout=60, Tags=tagged(cost="1")
    )
    template["P"]["Properties"]["SourceArn"] += "2"
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = lambda_.get_function(FunctionName="f")
    settings = found["Configuration"]
    assert (
        settings["Timeout"],
        settings["MemorySize"],
        settings["Description"],
        settings.get("Environment", {}).get("Variables", {}),
    ) == (60, 128, "", {})
    assert ("Concurrency" in found, settings["CodeSha256"] != first) == (False, True)
    assert ("team" in found["Tags"], found["Tags"]["cost"]) == (False, "1")
    statements = json.loads(lambda_.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert [item["Condition"]["ArnLike"]["AWS:SourceArn"][-2:] for item in statements] == ["r2"]
    stacks.update({"R": role})
    gone(lambda_.get_function, FunctionName="f")


def test_code_comes_inline_or_from_s3(stacks, client):
    lambda_, s3 = client("lambda"), client("s3")
    role = resource("IAM::Role", AssumeRolePolicyDocument=trust())
    inline = function()
    assert stacks.create({"R": role, "F": inline})["StackStatus"] == "CREATE_COMPLETE"
    text = inline["Properties"]["Code"]["ZipFile"]
    for entry, runtime in (("index.py", "python3.13"), ("index.js", "nodejs22.x")):
        archive = archive_of({"Runtime": runtime, "Code": {"ZipFile": text}})["ZipFile"]
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert (opened.namelist(), opened.read(entry).decode()) == ([entry], text)
    digest = hashlib.sha256(archive_of(inline["Properties"])["ZipFile"]).digest()
    assert lambda_.get_function_configuration(FunctionName="f")["CodeSha256"] == base64.b64encode(digest).decode()
    assert json.loads(lambda_.invoke(FunctionName="f")["Payload"].read()) == 1
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="k.zip", Body=packed.getvalue())
    assert (
        stacks.update({"R": role, "F": function(Code={"S3Bucket": "code", "S3Key": "k.zip"}, Handler="main.handler")})[
            "StackStatus"
        ]
        == "UPDATE_COMPLETE"
    )
    assert lambda_.get_function_configuration(FunctionName="f")["Handler"] == "main.handler"
    assert json.loads(lambda_.invoke(FunctionName="f")["Payload"].read()) == 3
    assert stacks.update({"R": role, "F": function(Runtime="java21")})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "ZipFile can only be used when Runtime is set to either of nodejs or python" in stacks.reason(
        "F", "UPDATE_FAILED"
    )


def test_where_a_function_logs_and_where_its_failures_go(stacks, client):
    lambda_, role = client("lambda"), resource("IAM::Role", AssumeRolePolicyDocument=trust())
    template = {
        "R": role,
        "Q": resource("SQS::Queue"),
        "F": function(
            DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}},
            LoggingConfig={"LogGroup": "/g", "LogFormat": "Text"},
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = lambda_.get_function_configuration(FunctionName="f")
    assert found["DeadLetterConfig"]["TargetArn"].rsplit(":", 1)[1].startswith("demo-Q-")
    assert found["LoggingConfig"] == {"LogGroup": "/g", "LogFormat": "Text"}
    template["F"] = function()
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = lambda_.get_function_configuration(FunctionName="f")
    assert "DeadLetterConfig" not in found
    assert found["LoggingConfig"] == {"LogGroup": "/aws/lambda/f", "LogFormat": "Text"}
    template["F"] = function(DeadLetterConfig={"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:none"})
    assert stacks.update(template)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", "a queue that is not there"


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "UpdateFunctionConfiguration"])
def test_a_change_of_a_function_whose_answer_is_lost_is_made(stacks, client, operation):
    """Lambda refuses a further change while one is under way: CloudFormation waits for its own."""
    template = {"R": resource("IAM::Role", AssumeRolePolicyDocument=trust()), "F": function()}
    stacks.create(template)
    stacks.sandbox.set_faults([{"service": "lambda", "operation": operation, "fault": "no-answer"}])
    template["F"] = function(Code={"ZipFile": "def handler(event, context): return 2"}, Timeout=9)
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert client("lambda").get_function_configuration(FunctionName="f")["Timeout"] == 9
    assert json.loads(client("lambda").invoke(FunctionName="f")["Payload"].read()) == 2


def test_how_often_a_function_is_tried(stacks, client):
    lambda_ = client("lambda")
    template = {
        "R": resource("IAM::Role", AssumeRolePolicyDocument=trust()),
        "F": function(),
        "E": resource(
            "Lambda::EventInvokeConfig", FunctionName={"Ref": "F"}, Qualifier="$LATEST", MaximumRetryAttempts=1
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE", stacks.events()
    assert lambda_.get_function_event_invoke_config(FunctionName="f", Qualifier="$LATEST")["MaximumRetryAttempts"] == 1
    template["E"]["Properties"]["MaximumRetryAttempts"] = 2
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert lambda_.get_function_event_invoke_config(FunctionName="f", Qualifier="$LATEST")["MaximumRetryAttempts"] == 2
    del template["E"]
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    gone(lambda_.get_function_event_invoke_config, FunctionName="f", Qualifier="$LATEST")
