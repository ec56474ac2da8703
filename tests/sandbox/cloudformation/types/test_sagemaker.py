"""Model package groups, made, changed and removed, as SageMaker's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.types.resources import ACCOUNT, resource, tagged

pytestmark = pytest.mark.slow


def test_model_package_group(stacks, client):
    sagemaker = client("sagemaker")
    template = {
        "G": resource(
            "SageMaker::ModelPackageGroup",
            ModelPackageGroupName="demo-prod",
            ModelPackageGroupDescription="d",
            Tags=tagged(team="ml"),
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    arn = stacks.physical("G")
    assert sagemaker.describe_model_package_group(ModelPackageGroupName="demo-prod")["ModelPackageGroupArn"] == arn
    template["G"]["Properties"]["Tags"] = tagged(cost="1")
    stacks.update(template)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tagged(cost="1")
    image = {
        "Containers": [{"Image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/i:1", "ModelDataUrl": "s3://b/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    version = sagemaker.create_model_package(ModelPackageGroupName="demo-prod", InferenceSpecification=image)[
        "ModelPackageArn"
    ]
    assert stacks.delete()["StackStatus"] == "DELETE_FAILED", "a group that holds versions"
    sagemaker.delete_model_package(ModelPackageName=version)
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
