"""The front refuses what breaks AWS's own model, with AWS's codes and words."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"ModelPackageGroupName": "-x"},
            "1 validation error detected: Value '-x' at 'modelPackageGroupName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"ModelPackageGroupName": "x\n"},
            "1 validation error detected: Value 'x\n' at 'modelPackageGroupName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"ModelPackageGroupName": "x", "ModelPackageGroupDescription": "d" * 1025},
            f"1 validation error detected: Value '{'d' * 1025}' at 'modelPackageGroupDescription' failed to satisfy constraint: "
            "Member must have length less than or equal to 1024",
        ),
        (
            {"ModelPackageGroupName": "x", "Tags": [{"Key": "ok", "Value": "no, commas"}]},
            "1 validation error detected: Value 'no, commas' at 'tags.1.member.value' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
        ),
        (
            {},
            "1 validation error detected: Value null at 'modelPackageGroupName' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_sagemaker_answers_a_validation_exception(sagemaker, refused, params, message):
    assert refused(sagemaker.create_model_package_group, **params) == ("ValidationException", message)


def test_members_of_maps_and_lists_are_named_with_the_whole(sagemaker, refused):
    """The wording of AWS's front ends for scalars in a collection: "Map value must satisfy constraint: [...]"."""
    sagemaker.create_model_package_group(ModelPackageGroupName="g")
    code, message = refused(
        sagemaker.create_model_package, ModelPackageGroupName="g", CustomerMetadataProperties={"layers": "[50, 100]"}
    )
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value '{layers=[50, 100]}' at 'customerMetadataProperties' failed to satisfy constraint: "
        "Map value must satisfy constraint: [Member must have length less than or equal to 256, "
        "Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "
    )


def test_all_violations_are_counted(sagemaker, refused):
    code, message = refused(sagemaker.list_model_package_groups, MaxResults=101, SortBy="Colour", NameContains="a b")
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: Value ")
    assert (
        "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"
        in message
    )
    assert (
        "Value 'Colour' at 'sortBy' failed to satisfy constraint: Member must satisfy enum value set: [Name, CreationTime]"
        in message
    )


def test_letters_of_every_alphabet_are_letters(sagemaker):
    r"""\p{L} in SageMaker's tag pattern."""
    tags = [{"Key": "Größe", "Value": "大きい x"}]
    arn = sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=tags)["ModelPackageGroupArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_an_unknown_member_is_refused_in_json(raw_call):
    answer = raw_call("sagemaker", "SageMaker.CreateModelPackageGroup", {"ModelPackageGroupName": "g", "Colour": "red"})
    assert answer.status == 400
    assert answer.body["__type"] == "ValidationException"
    assert answer.body["message"].startswith('Unknown parameter: "Colour", must be one of: ModelPackageGroupName, ')


def test_an_unknown_member_deep_inside_is_refused(raw_call):
    body = {"ModelPackageGroupName": "g", "Tags": [{"Key": "k", "Value": "v", "Colour": "red"}]}
    answer = raw_call("sagemaker", "SageMaker.CreateModelPackageGroup", body)
    assert (answer.status, answer.body["__type"]) == (400, "ValidationException")
    assert "tags.1" in answer.body["message"]


@pytest.mark.parametrize(
    "body", [{"ModelPackageGroupName": 7}, {"ModelPackageGroupName": ["g"]}, {"Tags": {"a": "b"}}, ["g"], b"{"]
)
def test_a_value_of_another_type_or_no_json_is_a_serialization_exception(raw_call, body):
    answer = raw_call("sagemaker", "SageMaker.CreateModelPackageGroup", body)
    assert (answer.status, answer.body["__type"]) == (400, "SerializationException")


def test_nothing_that_was_refused_took_effect(sagemaker, refused):
    refused(sagemaker.create_model_package_group, ModelPackageGroupName="g", Tags=[{"Key": "k,", "Value": "v"}])
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_query_services_answer_a_validation_error(client, refused):
    code, message = refused(client("iam").create_role, RoleName="no spaces", AssumeRolePolicyDocument="{}")
    assert code == "ValidationError"
    assert "at 'roleName' failed to satisfy constraint" in message


def test_an_unknown_parameter_is_refused_in_query_services(sandbox, client, refused):
    iam = client("iam")
    iam.meta.events.register("before-call.iam.ListRoles", lambda params, **_: params["body"].update(Colour="red"))
    code, message = refused(iam.list_roles)
    assert (code, message) == ("ValidationError", 'Unknown parameter: "Colour"')


def test_services_with_exceptions_of_their_own_answer_those(client, refused):
    """The errors lists of botocore's models: CloudWatch Logs InvalidParameterException, CodeBuild
    InvalidInputException."""
    assert refused(client("logs").create_log_group, logGroupName="a b")[0] == "InvalidParameterException"
    assert refused(client("codebuild").start_build, projectName="")[0] == "InvalidInputException"


def test_rest_json_services_are_checked_too(client, refused):
    code, message = refused(client("lambda").get_function, FunctionName="a b")
    assert code == "ValidationException"
    assert "at 'functionName'" in message


def test_s3_objects_pass_unchanged(client):
    """Keys that need escaping, bodies in chunks with checksums, metadata, an empty object."""
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    for key, body in (("a b/ü+%2F?#.txt", b"x" * 100_000), ("empty", b""), ("//double/", b"1")):
        s3.put_object(Bucket="bucket", Key=key, Body=body, Metadata={"my_key": "v"})
        got = s3.get_object(Bucket="bucket", Key=key)
        assert (got["Body"].read(), got["Metadata"]) == (body, {"my_key": "v"})
    assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 3
    assert refused_enum(s3) == "InvalidArgument"


def refused_enum(s3):
    from botocore.exceptions import ClientError

    try:
        s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Perhaps"})
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
