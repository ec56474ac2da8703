"""The trial from call to verdict: what a role calls in the sandbox, against the policies that the sandbox holds."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sandbox import Sandbox
from tests.permissions.engine import Engine
from tests.permissions.guardrails import GUARDRAILS, only_in
from tests.permissions.trial import Deployed, assert_all_allowed, denied

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0f3ebefd-970d-43a0-9632-21694ce81fc4"
SELF = f"arn:aws:iam::{ACCOUNT}:role/mlops/job"
TRUST = {
    "Effect": "Allow",
    "Principal": {"AWS": ACCOUNT, "Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
RUN_JOBS: list[dict[str, Any]] = [
    {
        "Effect": "Allow",
        "Action": ["sagemaker:CreateTrainingJob", "sagemaker:AddTags"],
        "Resource": f"arn:aws:sagemaker:*:{ACCOUNT}:training-job/*",
    },
    {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": SELF,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    },
    {
        "Effect": "Allow",
        "Action": "kms:CreateGrant",
        "Resource": KEY,
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    },
]
JOB: dict[str, Any] = {
    "AlgorithmSpecification": {
        "TrainingImage": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/a:1",
        "TrainingInputMode": "File",
    },
    "RoleArn": SELF,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
NETWORK = {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
VOLUME = {"ResourceConfig": {**RESOURCES, "VolumeKmsKeyId": KEY}}
OUTPUT = {"OutputDataConfig": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": KEY}}
TAGS = {"Tags": [{"Key": "CostCenter", "Value": "4711"}]}
COMPLETE = {**NETWORK, **VOLUME, **OUTPUT, **TAGS}


class Account:
    """A sandbox with one role, of which policies can be set and as which can be called."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.iam = self._client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        self.iam.create_role(RoleName="job", Path="/mlops/", AssumeRolePolicyDocument=document)

    def allow(self, *statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.iam.put_role_policy(RoleName="job", PolicyName="p", PolicyDocument=document)

    def train(self, **job: Any) -> list[dict[str, Any]]:
        """Start a training job as the role; returns the entries of the log."""
        session = self._client("sts").assume_role(RoleArn=SELF, RoleSessionName="run")["Credentials"]
        keys = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
        before = len(self.sandbox.calls)
        given = {"ResourceConfig": RESOURCES, "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"}, **JOB, **job}
        client = self._client("sagemaker", *keys)
        with suppress(client.exceptions.ClientError):  # whether the job can really start is not the question here
            client.create_training_job(TrainingJobName=f"pipelines-{before}-Train-x", **given)
        return self.sandbox.calls[before:]

    def _client(self, service: str, key: str = "", secret: str = "", token: str | None = None) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.sandbox.url,
            region_name="us-east-1",
            aws_access_key_id=key or self.sandbox.endpoint.access_key,
            aws_secret_access_key=secret or self.sandbox.endpoint.secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )


@pytest.fixture
def account(aws: Sandbox) -> Account:
    return Account(aws)


def test_a_run_that_the_policies_allow_passes(account: Account, engine: Engine):
    account.allow(*RUN_JOBS)
    assert_all_allowed(account.train(**COMPLETE), engine, Deployed(account.sandbox))


@pytest.mark.parametrize("missing", range(len(RUN_JOBS)))
def test_a_permission_that_is_missing_is_named(account: Account, engine: Engine, missing: int):
    account.allow(*(statement for number, statement in enumerate(RUN_JOBS) if number != missing))
    calls = account.train(**COMPLETE)
    with pytest.raises(AssertionError) as caught:
        assert_all_allowed(calls, engine, Deployed(account.sandbox))
    action = RUN_JOBS[missing]["Action"]
    for name in [action] if isinstance(action, str) else action:
        assert f"may not {name} on arn:aws:" in str(caught.value)
    assert "no policy allows it" in str(caught.value)


def test_a_boundary_counts(account: Account, engine: Engine):
    account.allow(*RUN_JOBS)
    boundary = json.dumps({"Version": "2012-10-17", "Statement": RUN_JOBS[:1]})
    arn = account.iam.create_policy(PolicyName="boundary", PolicyDocument=boundary)["Policy"]["Arn"]
    account.iam.put_role_permissions_boundary(RoleName="job", PermissionsBoundary=arn)
    refused = denied(account.train(**COMPLETE), engine, Deployed(account.sandbox))
    assert {item.request.action for item in refused} == {"iam:PassRole", "kms:CreateGrant"}
    assert {item.reason for item in refused} == {"allowed, but not by: pb"}


def test_a_call_that_the_sandbox_cannot_judge_fails(account: Account, engine: Engine):
    entry = {"service": "scheduler", "operation": "CreateSchedule", "role": SELF, "authorization": None}
    with pytest.raises(AssertionError, match="scheduler CreateSchedule: add it to sandbox/authorization/"):
        assert_all_allowed([entry], engine, Deployed(account.sandbox))


@pytest.mark.parametrize(
    ("lacking", "names"),
    [
        ("VpcConfig", {"subnets#JobsInOurSubnets", "security-groups#JobsInOurSecurityGroups"}),
        ("ResourceConfig", {"volumes#VolumesWithOurKey"}),
        ("OutputDataConfig", {"output#OutputWithOurKey"}),
        ("Tags", {"cost-center#EverythingHasACostCenter"}),
    ],
)
def test_an_organisation_denies_a_job_that_lacks_network_key_or_tags(
    account: Account, engine: Engine, lacking: str, names: set[str]
):
    account.allow(*RUN_JOBS)
    deployed = Deployed(account.sandbox, service_control=GUARDRAILS)
    assert_all_allowed(account.train(**COMPLETE), engine, deployed)
    without = {name: value for name, value in COMPLETE.items() if name != lacking}
    (refused,) = denied(account.train(**without), engine, deployed)
    assert refused.request.action == "sagemaker:CreateTrainingJob"
    assert set(refused.reason.removeprefix("denied by ").split(", ")) == names


def test_an_organisation_denies_other_subnets(account: Account, engine: Engine):
    account.allow(*RUN_JOBS)
    calls = account.train(**COMPLETE)
    ours = Deployed(account.sandbox, service_control={"network": only_in(["subnet-1", "subnet-2"])})
    others = Deployed(account.sandbox, service_control={"network": only_in(["subnet-2"])})
    assert_all_allowed(calls, engine, ours)
    assert [item.reason for item in denied(calls, engine, others)] == ["denied by network#NoOtherSubnets"]
