"""Creating and changing functions: what AWS refuses. Each docstring names the source of the rule."""

from __future__ import annotations

import pytest

from tests.sandbox.lambda_functions import make_role, zipped

CODE = "def handler(event, context): return event"


@pytest.fixture
def create(functions, role):
    def make(**settings):
        given = {"FunctionName": "demo", "Role": role, "Runtime": "python3.13", "Handler": "main.handler"}
        wanted = {**given, "Code": {"ZipFile": zipped(CODE)}, **settings}
        return functions.create_function(**{name: value for name, value in wanted.items() if value is not None})

    return make


def test_defaults_and_states(functions, create):
    """API Reference, CreateFunction; Developer Guide, "Lambda function states"."""
    made = create(Tags={"a": "1"})
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in made
    shown = functions.get_function(FunctionName=made["FunctionArn"])
    config = shown["Configuration"]
    assert (config["State"], config["LastUpdateStatus"]) == ("Active", "Successful")
    assert (config["Timeout"], config["MemorySize"], config["Version"]) == (3, 128, "$LATEST")
    assert config["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/demo"}
    assert shown["Tags"] == {"a": "1"}
    assert [item["FunctionName"] for item in functions.list_functions()["Functions"]] == ["demo"]


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"Timeout": 0}, "ValidationException", "greater than or equal to 1"),
        ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
        ({"MemorySize": 10241}, "ValidationException", "less than or equal to 10240"),
        ({"Runtime": "python3.9"}, "InvalidParameterValueException", "python3.9 is no longer supported"),
        ({"Runtime": "nodejs18.x"}, "InvalidParameterValueException", "nodejs18.x is no longer supported"),
        ({"Runtime": "nodejs24.x"}, "NotImplementedInSandbox", "only Python runs here"),
        ({"Runtime": None}, "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        ({"Role": "arn:aws:iam::123456789012:role/none"}, "InvalidParameterValueException", "cannot be assumed by Lambda"),
        ({"Code": {"ZipFile": b"no archive"}}, "InvalidParameterValueException", "Could not unzip uploaded file"),
        ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code"),
        ({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "x"}}, "InvalidParameterValueException", "S3 Error Code: NoSuchBucket"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"AA": "x" * 4096}}}, "InvalidParameterValueException", "exceeded the 4KB limit"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}}, "NotImplementedInSandbox", "VpcConfig"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]}, "NotImplementedInSandbox", "Layers"),
        ({"Publish": True}, "NotImplementedInSandbox", "Publish"),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, "NotImplementedInSandbox", "logs in JSON"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:none"}}, "InvalidParameterValueException", "no queue"),
    ],
)  # fmt: skip
def test_what_is_refused(create, refused, settings, code, words):
    """Developer Guide, "Lambda quotas", "Lambda runtimes", "Environment variables"; FunctionCode."""
    said = refused(create, **settings)
    assert (said[0], words in said[1]) == (code, True), said


def test_a_role_must_trust_lambda(client, create, refused):
    """Developer Guide, "Defining Lambda function permissions with an execution role"."""
    role = make_role(client("iam"), "for-sagemaker", "sagemaker.amazonaws.com")
    assert refused(create, Role=role) == (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )


def test_an_update_waits_for_the_one_before(functions, create, refused):
    """Developer Guide, "Lambda function states": an update while another is in progress is refused (409)."""
    create()
    code, message = refused(functions.update_function_configuration, FunctionName="demo", Timeout=5)
    assert (code, "Pending" in message) == ("ResourceConflictException", True)
    assert refused(functions.invoke, FunctionName="demo")[0] == "ResourceConflictException"
    functions.get_waiter("function_active_v2").wait(FunctionName="demo")
    changed = functions.update_function_code(FunctionName="demo", ZipFile=zipped("def handler(e, c): return 2"))
    assert changed["LastUpdateStatus"] == "InProgress"
    code, message = refused(functions.update_function_configuration, FunctionName="demo", Timeout=5)
    assert (code, "An update is in progress" in message) == ("ResourceConflictException", True)
    functions.get_waiter("function_updated_v2").wait(FunctionName="demo")
    assert functions.update_function_configuration(FunctionName="demo", Timeout=5)["Timeout"] == 5


def test_an_update_keeps_what_it_does_not_name(functions, function):
    function(CODE, Environment={"Variables": {"AA": "1"}}, Description="x")
    functions.update_function_configuration(FunctionName="demo", MemorySize=256)
    config = functions.get_function_configuration(FunctionName="demo")
    assert (config["MemorySize"], config["Description"], config["Environment"]) == (
        256,
        "x",
        {"Variables": {"AA": "1"}},
    )
    functions.update_function_configuration(FunctionName="demo", Environment={"Variables": {}})
    assert "Environment" not in functions.get_function_configuration(FunctionName="demo")


def test_another_revision_is_refused(functions, function, refused):
    """API Reference, UpdateFunctionConfiguration, RevisionId."""
    function(CODE)
    code, _ = refused(functions.update_function_configuration, FunctionName="demo", Timeout=5, RevisionId="0" * 36)
    assert code == "PreconditionFailedException"


def test_code_comes_from_s3_as_the_caller(sandbox, client, create, invoke, functions):
    client("s3").create_bucket(Bucket="code-bucket")
    client("s3").put_object(Bucket="code-bucket", Key="a.zip", Body=zipped("def handler(e, c): return 'from S3'"))
    create(Code={"S3Bucket": "code-bucket", "S3Key": "a.zip"})
    (read,) = [call for call in sandbox.calls if call["operation"] == "GetObject"]
    assert (read["role"], read["resource"]) == (
        "arn:aws:iam::123456789012:user/developer",
        "arn:aws:s3:::code-bucket/a.zip",
    )
    functions.get_function(FunctionName="demo")
    assert invoke() == ("from S3", None)


def test_the_call_log_has_function_role_and_tags(sandbox, functions, create, role):
    """Service Authorization Reference, AWS Lambda: the function; IAM: iam:PassRole on its role."""
    create(Tags={"mlops:project": "p"})
    functions.get_function(FunctionName="demo")
    created = next(call for call in sandbox.calls if call["operation"] == "CreateFunction")
    assert created["resource"] == ["arn:aws:lambda:us-east-1:123456789012:function:demo", role]
    assert created["context"]["aws:RequestTag/mlops:project"] == "p"
    assert sandbox.calls[-1]["context"] == {"aws:ResourceTag/mlops:project": "p"}


def test_deletion_and_names(functions, function, refused):
    arn = function(CODE)
    assert refused(functions.get_function, FunctionName="demo", Qualifier="1")[1] == f"Function not found: {arn}:1"
    assert functions.get_function(FunctionName="123456789012:function:demo")
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    assert "not reachable in this region" in refused(functions.get_function, FunctionName=elsewhere)[1]
    functions.delete_function(FunctionName=arn)
    assert refused(functions.delete_function, FunctionName="demo")[0] == "ResourceNotFoundException"


def test_tags(functions, function, refused):
    arn = function(CODE)
    functions.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    functions.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    assert refused(functions.tag_resource, Resource=arn, Tags={"aws:x": "1"})[0] == "InvalidParameterValueException"
