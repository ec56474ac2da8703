"""Models, and the events of versions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.pipelines.conftest import BUCKET, IMAGE, Account

CONTAINER = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}


@pytest.fixture
def request_of(account: Account) -> dict[str, Any]:
    account.put("model.tar.gz", b"x")
    return {"ModelName": "m", "ExecutionRoleArn": account.role, "PrimaryContainer": CONTAINER}


@pytest.mark.slow
def test_models_are_kept(account: Account, refused: Any, request_of: dict[str, Any]) -> None:
    sagemaker = account.sagemaker
    arn = sagemaker.create_model(**request_of, Tags=[{"Key": "a", "Value": "1"}])["ModelArn"]
    found = sagemaker.describe_model(ModelName="m")
    assert (found["ModelArn"], found["PrimaryContainer"]) == (arn, CONTAINER)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    assert account.calls("HeadObject")[0]["role"] == "arn:aws:sts::123456789012:assumed-role/job/SageMaker"
    assert refused(sagemaker.create_model, **request_of) == (
        "ValidationException",
        f'Cannot create already existing model "{arn}".',
    )
    sagemaker.create_model(**request_of | {"ModelName": "n"})
    assert [model["ModelName"] for model in sagemaker.list_models()["Models"]] == ["n", "m"]
    sagemaker.delete_model(ModelName="m")
    assert refused(sagemaker.describe_model, ModelName="m")[1] == f'Could not find model "{arn}".'
    assert refused(sagemaker.delete_model, ModelName="m")[1] == f'Could not find model "{arn}".'
    assert refused(sagemaker.list_tags, ResourceArn=arn)[0] == "ValidationException"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ExecutionRoleArn": "arn:aws:iam::123456789012:role/none"}, "The execution role ARN"),
        ({"PrimaryContainer": CONTAINER | {"ModelDataUrl": f"s3://{BUCKET}/no"}}, "Could not access model data at s3:"),
        ({"PrimaryContainer": CONTAINER | {"Image": "x"}}, "Invalid image URI x."),
        ({"PrimaryContainer": {"ModelDataUrl": f"s3://{BUCKET}/no"}}, "Specify one of either Image and Model Data URL"),
        ({"Containers": [CONTAINER]}, "Exactly one of PrimaryContainer and Containers"),
        ({"ModelName": "a_b"}, "1 validation error detected: "),
    ],
)
def test_what_is_refused(
    account: Account, refused: Any, request_of: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    code, got = refused(account.sagemaker.create_model, **request_of | change)
    assert (code, got[: len(message)]) == ("ValidationException", message)
    assert account.sagemaker.list_models()["Models"] == []


def test_versions_tell_what_was_updated(account: Account) -> None:
    sagemaker = account.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="group",
        InferenceSpecification={
            "Containers": [CONTAINER],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ClientToken="t",
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "1"})
    sagemaker.update_model_package(ModelPackageArn=arn, SourceUri=f"s3://{BUCKET}/x")
    created, approved, edited, sourced = account.told("SageMaker Model Package State Change")
    assert {name: created[name] for name in ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn")} == {
        "ModelPackageGroupName": "group",
        "ModelPackageVersion": 1,
        "ModelPackageArn": arn,
    }
    assert (created["ModelPackageStatus"], created["ModelApprovalStatus"]) == ("Completed", "PendingManualApproval")
    assert created["InferenceSpecification"]["Containers"] == [CONTAINER]
    assert "UpdatedModelPackageFields" not in created
    assert approved["UpdatedModelPackageFields"] == ["ModelApprovalStatus", "ApprovalDescription"]
    assert (edited["ModelApprovalStatus"], edited["UpdatedModelPackageFields"]) == (
        "Approved",
        ["CustomerMetadataProperties"],
    )
    assert sourced["UpdatedModelPackageFields"] == ["sourceUri"]
    assert account.events[-1].resources == (arn,)
    json.dumps([dict(event.detail) for event in account.events])


def test_a_token_that_is_used_again_tells_nothing(account: Account) -> None:
    account.sagemaker.create_model_package_group(ModelPackageGroupName="group")
    for _ in range(2):
        account.sagemaker.create_model_package(ModelPackageGroupName="group", ClientToken="t")
    assert len(account.told("SageMaker Model Package State Change")) == 1
