"""What is refused when a pipeline is created, and how pipelines are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.pipelines.conftest import BUCKET, Account
from tests.sandbox.pipelines.steps import condition, create, definition, fail, get, output, processing, register, run

pytestmark = pytest.mark.slow

PREFIX = "Unable to parse pipeline definition. "


@pytest.fixture
def wrong(account: Account, refused: Any) -> Callable[..., str]:
    """wrong(text) -> why CreatePipeline refuses it."""

    def why(text: str, expected: str = "ValidationException") -> str:
        request = {"PipelineName": "p", "PipelineDefinition": text, "RoleArn": account.role}
        code, message = refused(account.sagemaker.create_pipeline, **request)
        assert code == expected
        assert account.sagemaker.list_pipelines()["PipelineSummaries"] == []
        return str(message).removeprefix(PREFIX)

    return why


GATE = condition("Gate", 1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "It is no JSON: "),
        ("[]", "It must be an object with a list of Steps"),
        (definition(), "It must be an object with a list of Steps"),
        (definition(GATE, Extra=1), "Unknown field: Extra"),
        (definition(GATE, Version="2019-01-01"), "Version must be 2020-12-01, not '2019-01-01'"),
        (definition({"Name": "X", "Type": "Dance", "Arguments": {}}), "Unknown step type 'Dance' of step X"),
        (definition({"Name": "X", "Arguments": {}}), "Each step must have a Name and a Type"),
        (definition(GATE, GATE), "two steps are called 'Gate'"),
        (definition(condition("A", get("Parameters.No"), 1)), "step A uses Parameters.No, which is no parameter"),
        (definition(condition("A", get("Steps.No.Outcome"), 1)), "step A waits for 'No', which is no step"),
        (definition(condition("A", get("Execution.No"), 1)), "step A uses Execution.No, which there is not here"),
        (definition(GATE | {"DependsOn": ["Gate"]}), "these steps wait for each other: Gate"),
        (definition({**fail("A", "x"), "DependsOn": ["B"]}, {**fail("B", "x"), "DependsOn": ["A"]}), "these steps wait"),
        (definition(GATE, parameters=[{"Name": "N", "Type": "Number"}]), "Parameter N has the type 'Number'"),
        (definition(GATE, parameters=[{"Name": "N", "Type": "String"}] * 2), "Parameter names must be unique texts: 'N'"),
        (definition(GATE, parameters=[{"Name": "N", "Type": "Integer", "DefaultValue": "1"}]), "Parameter N of type Integer"),
        (definition(GATE, parameters=[{"Name": "N", "Type": "String", "DefaultValue": "a", "EnumValues": ["b"]}]), "Parameter N has a default"),
        (definition(register("R", "s3://b/m") | {"RetryPolicies": [{"ExceptionType": ["Step.NO"]}]}), "Step R has a retry policy with the exc"),
        (definition(register("R", "s3://b/m") | {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}]}), "Step R has a retry policy with MaxAttempts 21; at most 20"),
        (definition(register("R", "s3://b/m") | {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 1, "ExpireAfterMin": 1}]}), "Step R has a retry policy with MaxAttempts and ExpireAfterMin"),
        (definition(register("R", "s3://b/m") | {"CacheConfig": {"Enabled": True, "ExpireAfter": "soon"}}), "step R is cached for 'soon'"),
    ],
)  # fmt: skip
def test_wrong_definitions(wrong: Callable[..., str], text: str, message: str) -> None:
    assert wrong(text)[: len(message)] == message


def test_arguments_must_be_those_of_the_api(account: Account, wrong: Callable[..., str]) -> None:
    """Whatever an expression stands for is left to the call itself."""

    def why(**arguments: Any) -> str:
        step = processing(account, "One", arguments=arguments)
        return wrong(definition(step, parameters=[{"Name": "P", "Type": "String"}]))

    assert why(Image="x").startswith('Model Validation failed: step One: Unknown parameter: "Image"')
    assert "Value 'FastFile' at 'processingInputs.1.member.s3Input.s3InputMode' failed to satisfy" in why(
        ProcessingInputs=[
            {
                "InputName": "a",
                "S3Input": {"S3Uri": get("Parameters.P"), "S3DataType": "S3Prefix", "S3InputMode": "FastFile"},
            }
        ]
    )
    assert "'appSpecification.imageUri' failed" in why(AppSpecification={})
    assert "NUMBER_VALUE can not be converted to String" in why(Environment={"A": 1})
    assert "must have length less than or equal to 1024" in why(
        ProcessingInputs=[
            {
                "InputName": "a",
                "S3Input": {"S3Uri": "s3://b/" + "x" * 1024, "S3DataType": "S3Prefix", "S3InputMode": "File"},
            }
        ]
    )
    step = processing(account, "One")
    step["Arguments"]["RoleArn"] = get("Parameters.P")
    step["Arguments"]["ProcessingResources"]["ClusterConfig"] = {
        "InstanceCount": 1,
        "VolumeSizeInGB": 1,
        "InstanceType": get("Parameters.P"),
    }
    create(account, step, parameters=[{"Name": "P", "Type": "String"}])


def test_properties_must_be_those_that_describe_answers(account: Account, wrong: Callable[..., str]) -> None:
    one = processing(account, "One")
    assert wrong(definition(one, condition("Gate", get("Steps.One.ModelArtifacts.S3ModelArtifacts"), 1))) == (
        "Step Gate reads Steps.One.ModelArtifacts.S3ModelArtifacts, "
        "but a Processing step has no property 'ModelArtifacts'"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Type": "Tuning"},
        {"Type": "Lambda"},
        {"DependsOn": [{"Step": "Gate", "Trigger": "OnFailure"}]},
        {"Arguments": {"ProcessingJobName": "mine"}},
        {"Arguments": {"ProcessingResources": {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}}},
    ],
)  # fmt: skip
def test_what_the_runner_has_not_is_refused_loudly(
    account: Account, wrong: Callable[..., str], change: dict[str, Any]
) -> None:
    step = processing(account, "One", arguments=change.get("Arguments", {}))
    step |= {name: value for name, value in change.items() if name != "Arguments"}
    assert "Call it on a real account" in wrong(definition(GATE, step), "NotImplementedInSandbox")


def test_pipelines_are_kept(account: Account, refused: Any) -> None:
    sagemaker = account.sagemaker
    arn = create(account, GATE, Tags=[{"Key": "mlops:project", "Value": "x"}], PipelineDisplayName="Shown")
    text = definition(GATE)
    found = sagemaker.describe_pipeline(PipelineName="p")
    assert (found["PipelineArn"], found["PipelineDefinition"], found["PipelineStatus"]) == (arn, text, "Active")
    assert found["PipelineDisplayName"] == "Shown"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "mlops:project", "Value": "x"}]
    request = {"PipelineName": "p", "PipelineDefinition": text, "RoleArn": account.role}
    code, message = refused(sagemaker.create_pipeline, **request)
    assert code == "ValidationException"
    assert message.startswith("Pipeline names must be unique within an AWS account and region.")
    run(account)
    assert sagemaker.describe_pipeline(PipelineName=arn)["LastRunTime"]
    assert account.sandbox.calls[-1]["context"]["aws:ResourceTag/mlops:project"] == "x"
    sagemaker.delete_pipeline(PipelineName="p")
    assert refused(sagemaker.describe_pipeline, PipelineName="p") == (
        "ResourceNotFound",
        f"Pipeline '{arn}' does not exist.",
    )
    for call in (sagemaker.start_pipeline_execution, sagemaker.delete_pipeline, sagemaker.update_pipeline):
        assert refused(call, PipelineName="p")[0] == "ResourceNotFound"


def test_a_token_creates_one_pipeline(account: Account, refused: Any) -> None:
    request = {"PipelineName": "p", "PipelineDefinition": definition(GATE), "RoleArn": account.role}
    arn = account.sagemaker.create_pipeline(**request, ClientRequestToken="t" * 32)["PipelineArn"]
    assert account.sagemaker.create_pipeline(**request, ClientRequestToken="t" * 32)["PipelineArn"] == arn
    other = request | {"PipelineDescription": "x", "ClientRequestToken": "t" * 32}
    assert refused(account.sagemaker.create_pipeline, **other)[0] == "ConflictException"
    assert refused(account.sagemaker.create_pipeline, **request, ClientRequestToken="t" * 129)[0] == (
        "ValidationException"
    )


def test_a_definition_may_lie_in_s3(account: Account, refused: Any) -> None:
    account.put("definition.json", definition(GATE))
    place = {"Bucket": BUCKET, "ObjectKey": "definition.json"}
    request = {"PipelineName": "p", "RoleArn": account.role}
    account.sagemaker.create_pipeline(**request, PipelineDefinitionS3Location=place)
    found = account.sagemaker.describe_pipeline(PipelineName="p")["PipelineDefinition"]
    assert json.loads(found)["Steps"][0]["Name"] == "Gate"
    request["PipelineName"] = "q"
    both = {"PipelineDefinition": "{}", "PipelineDefinitionS3Location": place}
    assert "shouldn't be present" in refused(account.sagemaker.create_pipeline, **request, **both)[1]
    assert "should be provided" in refused(account.sagemaker.create_pipeline, **request)[1]
    nowhere = {"Bucket": BUCKET, "ObjectKey": "no.json"}
    got = refused(account.sagemaker.create_pipeline, **request, PipelineDefinitionS3Location=nowhere)
    assert got[1].startswith("Unable to read pipeline definition from s3://artifacts/no.json")


def test_a_role_that_sagemaker_cannot_take_is_refused(account: Account, refused: Any) -> None:
    role = "arn:aws:iam::123456789012:role/none"
    code, message = refused(
        account.sagemaker.create_pipeline, PipelineName="p", PipelineDefinition=definition(GATE), RoleArn=role
    )
    assert (code, message.split(".")[0]) == ("ValidationException", f"Could not assume role {role}")


def test_pipelines_are_listed_newest_first_and_in_pages(account: Account) -> None:
    for name in ("a-1", "a-2", "b-1"):
        create(account, GATE, name=name)
    page = account.sagemaker.list_pipelines(MaxResults=2)
    assert [found["PipelineName"] for found in page["PipelineSummaries"]] == ["b-1", "a-2"]
    rest = account.sagemaker.list_pipelines(MaxResults=2, NextToken=page["NextToken"])["PipelineSummaries"]
    assert [found["PipelineName"] for found in rest] == ["a-1"]
    named = account.sagemaker.list_pipelines(PipelineNamePrefix="a", SortBy="Name", SortOrder="Ascending")
    assert [found["PipelineName"] for found in named["PipelineSummaries"]] == ["a-1", "a-2"]


def test_outputs_of_a_step_reach_the_next(account: Account) -> None:
    write = "open('output/out/a', 'w').write('7')"
    read = "assert open('input/one/a').read() == '7'"
    create(account, processing(account, "One", write, outputs=["out"]),
           processing(account, "Two", read, inputs={"one": output("One")}))  # fmt: skip
    assert run(account)["PipelineExecutionStatus"] == "Succeeded"
