"""What SageMaker refuses of a job before it runs: requests, quotas, names, networks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.pipelines.conftest import ACCOUNT, BUCKET, MACHINE, TRUST, Account

pytestmark = pytest.mark.slow

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize(
    ("kind", "usage", "changes"),
    [
        ("processing", "processing job usage", {}),
        ("training", "training job usage", {}),
        ("training", "spot training job usage", {"EnableManagedSpotTraining": True}),
    ],
)
def test_a_quota_of_no_instances_refuses_a_job(
    account: Account, refused: Any, kind: str, usage: str, changes: dict[str, Any]
) -> None:
    """ResourceLimitExceeded of CreateTrainingJob and CreateProcessingJob. Spot instances have quotas of their own."""
    if changes:
        changes["StoppingCondition"] = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    account.sandbox.set_quota(f"ml.m5.large for {usage}", 0)
    request = getattr(account, kind)("", **changes)
    code, message = refused(getattr(account.sagemaker, f"create_{kind}_job"), **request)
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        f"The account-level service limit 'ml.m5.large for {usage}' is 0 Instances, with current utilization of 0 "
        "Instances and a request delta of 1 Instances."
    )


def test_instances_are_in_use_until_their_job_ends(account: Account, refused: Any) -> None:
    account.sandbox.set_quota("Number of instances across all processing jobs", 1)
    account.sagemaker.create_processing_job(**account.processing(SLEEP))
    code, message = refused(account.sagemaker.create_processing_job, **account.processing(""))
    assert (code, "current utilization of 1 Instances" in message) == ("ResourceLimitExceeded", True)
    account.sagemaker.stop_processing_job(ProcessingJobName="job-1")
    account.sandbox.wait_until_quiet()
    assert account.run(account.processing(""))["ProcessingJobStatus"] == "Completed"


def test_what_has_ended_cannot_be_stopped(account: Account, refused: Any) -> None:
    account.run(account.processing(""))
    assert refused(account.sagemaker.stop_processing_job, ProcessingJobName="job-1") == (
        "ValidationException",
        "The request was rejected because the processing job is in status Completed.",
    )
    assert refused(account.sagemaker.stop_training_job, TrainingJobName="none")[1] == "Requested resource not found."


def _with(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parts, last = path.split(".")
    part = request
    for name in parts:
        part[name] = dict(part.get(name, {}))
        part = part[name]
    part[last] = value
    return request


NVME = {"InstanceCount": 1, "InstanceType": "ml.g5.xlarge", "VolumeSizeInGB": 1, "VolumeKmsKeyId": "alias/own"}


ONE_TAG = {"Key": "a", "Value": "1"}


@pytest.mark.parametrize(
    ("path", "value", "code", "message"),
    [
        ("RoleArn", "arn:aws:iam::123456789012:role/none", "ValidationException", "Could not assume role arn:aws:iam::"),
        ("RoleArn", "arn:aws:iam::999999999999:role/x", "ValidationException", "RoleArn: Cross-account pass role is not"),
        ("RoleArn", "distrusted", "ValidationException", "Could not assume role arn:aws:iam::123456789012:role/distrust"),
        ("RoleArn", "pinned", "ValidationException", "Could not assume role arn:aws:iam::123456789012:role/pinned"),
        ("AppSpecification.ImageUri", "image", "ValidationException", "Invalid image URI image. Please provide a valid"),
        ("ProcessingResources.ClusterConfig", NVME, "ValidationException", "VolumeKmsKeyId cannot be used with ml.g5.x"),
        ("ProcessingResources.ClusterConfig", MACHINE | {"VolumeKmsKeyId": "alias/none"}, "ValidationException", "Invalid KMS"),
        ("ProcessingResources.ClusterConfig", MACHINE | {"InstanceType": "ml.none"}, "ValidationException", "1 validation e"),
        ("ProcessingResources.ClusterConfig", MACHINE | {"InstanceCount": 2}, "NotImplementedInSandbox", "sandbox/ has no"),
        ("ProcessingResources.ClusterConfig", {"VolumeSizeInGB": 1}, "ValidationException", "1 validation error detected: "),
        ("ProcessingOutputConfig.KmsKeyId", "alias/none", "ValidationException", "Invalid KMS key: alias/none does not"),
        ("Tags", [ONE_TAG, ONE_TAG], "ValidationException", "Duplicate tag keys found."),
        ("Tags", [{"Key": "aws:x", "Value": "1"}], "ValidationException", "aws: prefixed tag key names"),
        ("Tags", [{"Key": "a", "Value": "1,2"}], "ValidationException", "1 validation error detected: "),
        ("Environment", {f"V{n}": "" for n in range(101)}, "ValidationException", "1 validation error detected: "),
        ("ProcessingJobName", "no_underscore", "ValidationException", "1 validation error detected: "),
        ("StoppingCondition.MaxRuntimeInSeconds", 0, "ValidationException", "1 validation error detected: "),
    ],
)  # fmt: skip
def test_what_is_refused(account: Account, refused: Any, path: str, value: Any, code: str, message: str) -> None:
    if value in ("distrusted", "pinned"):
        trust: dict[str, Any] = json.loads(json.dumps(TRUST))
        if value == "pinned":  # to jobs of another account
            trust["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"] = "999999999999"
        else:
            trust["Statement"][0]["Principal"]["Service"] = "lambda.amazonaws.com"
        account.iam.create_role(RoleName=value, AssumeRolePolicyDocument=json.dumps(trust))
        value = f"arn:aws:iam::{ACCOUNT}:role/{value}"
    got = refused(account.sagemaker.create_processing_job, **_with(account.processing(""), path, value))
    assert (got[0], got[1][: len(message)]) == (code, message)
    assert account.sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []


@pytest.mark.parametrize("path", ["/tmp/in", "/opt/ml/processing/../x", "/opt/ml/processingx"])  # noqa: S108
def test_local_paths_lie_below_opt_ml_processing(account: Account, refused: Any, path: str) -> None:
    request = account.processing("", inputs={"data": f"s3://{BUCKET}/x"})
    request["ProcessingInputs"][1]["S3Input"]["LocalPath"] = path
    assert f"LocalPath '{path}' must be" in refused(account.sagemaker.create_processing_job, **request)[1]


def test_two_inputs_of_one_name_are_refused(account: Account, refused: Any) -> None:
    request = account.processing("")
    request["ProcessingInputs"] *= 2
    assert refused(account.sagemaker.create_processing_job, **request)[1] == "Duplicate input name: code"


def test_a_name_is_used_once(account: Account, refused: Any) -> None:
    request = account.processing("")
    arn = account.run(request)["ProcessingJobArn"]
    assert refused(account.sagemaker.create_processing_job, **request) == (
        "ResourceInUse",
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    )


@pytest.mark.slow
def test_a_network_must_be_there(account: Account, refused: Any) -> None:
    ec2 = account.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"]
    network = {"Subnets": [subnet["SubnetId"]], "SecurityGroupIds": [groups[0]["GroupId"]]}
    job = account.run(account.processing("", NetworkConfig={"VpcConfig": network}))
    assert job["ProcessingJobStatus"] == "Completed"
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_security_group(GroupName="x", Description="x", VpcId=other)["GroupId"]
    for change, message in (
        ({"Subnets": ["subnet-1"]}, "The subnet ID 'subnet-1' does not exist"),
        ({"SecurityGroupIds": ["sg-1"]}, "The security group ID 'sg-1' does not exist"),
        ({"SecurityGroupIds": [foreign]}, "The subnets and security groups of a VpcConfig must belong to the same VPC"),
    ):
        request = account.processing("", NetworkConfig={"VpcConfig": network | change})
        assert refused(account.sagemaker.create_processing_job, **request)[1] == message
