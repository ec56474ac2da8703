"""The call log holds what an audit of calls, of faults and of permissions needs."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:user/developer"


def entry(call):
    """Without its time, and without what tests/sandbox/test_authorization.py looks at."""
    return {name: value for name, value in call.items() if name not in ("at", "authorization")}


def test_an_entry_says_what_was_called_by_whom_on_what_and_when(sandbox, sagemaker):
    sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=[{"Key": "mlops:project", "Value": "demo"}])
    (call,) = sandbox.calls
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", call["at"])
    assert entry(call) == {
        "service": "sagemaker",
        "operation": "CreateModelPackageGroup",
        "status": 200,
        "role": ROLE,
        "resource": "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g",
        "context": {"aws:RequestTag/mlops:project": "demo", "aws:TagKeys": ["mlops:project"]},
    }


def test_a_new_version_names_its_group_and_the_arn_it_will_have(sandbox, sagemaker):
    sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=[{"Key": "a", "Value": "1"}])
    made = sagemaker.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    assert sandbox.calls[-1]["resource"] == ["arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g", made]
    assert sandbox.calls[-1]["context"] == {"aws:ResourceTag/a": "1"}


def test_a_refused_call_carries_its_error(sandbox, sagemaker, refused, client):
    refused(sagemaker.describe_model_package_group, ModelPackageGroupName="g")
    refused(sagemaker.list_projects)
    refused(client("s3").get_object, Bucket="none", Key="k")
    refused(client("sts", key="AKIANOBODYNOBODYNOBO", secret="x").get_caller_identity)
    assert [(call["operation"], call["status"], call["error"], call["role"]) for call in sandbox.calls] == [
        ("DescribeModelPackageGroup", 400, "ValidationException", ROLE),
        ("ListProjects", 501, "NotImplementedInSandbox", ROLE),
        ("GetObject", 404, "NoSuchBucket", ROLE),
        ("GetCallerIdentity", 403, "InvalidClientTokenId", None),
    ]


@pytest.mark.slow
def test_resources_of_services_that_moto_answers_are_named(sandbox, client):
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="a/b", Body=b"")
    client("ssm").put_parameter(Name="/mlops/account/bucket", Value="x", Type="String")
    client("iam").create_role(
        RoleName="r", Path="/mlops/", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}'
    )
    client("logs").create_log_group(logGroupName="/aws/x")
    with pytest.raises(ClientError):  # what is refused is logged as well
        client("sagemaker").create_model(ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/x")
    assert [call["resource"] for call in sandbox.calls] == [
        "arn:aws:s3:::bucket",
        "arn:aws:s3:::bucket/a/b",
        "arn:aws:ssm:us-east-1:123456789012:parameter/mlops/account/bucket",
        "arn:aws:iam::123456789012:role/mlops/r",
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/x",
        ["arn:aws:sagemaker:us-east-1:123456789012:model/m", "arn:aws:iam::123456789012:role/x"],
    ]
    assert sandbox.calls[0]["service"] == "s3"


def test_a_push_and_a_fetch_are_one_entry_each_with_the_references(sandbox, codecommit, clone):
    work = clone()
    work.commit()
    sandbox._log.clear()
    work.git("push", "origin", "main", "main:dev")
    work.git("push", "origin", "--delete", "dev")
    clone(folder="other").git("fetch")
    git = [entry(call) for call in sandbox.calls if call["operation"].startswith("Git")]
    base = {
        "service": "codecommit",
        "status": 200,
        "role": ROLE,
        "resource": "arn:aws:codecommit:us-east-1:123456789012:demo",
    }
    assert git == [
        {**base, "operation": "GitPush", "context": {"codecommit:References": ["refs/heads/main", "refs/heads/dev"]}},
        {**base, "operation": "GitPush", "context": {"codecommit:References": ["refs/heads/dev"]}},
        {**base, "operation": "GitPull", "context": {}},
    ]


def test_a_rejected_push_is_marked(sandbox, clone):
    work = clone()
    work.commit()
    work.git("push", "origin", "main")
    work.git("push", "origin", "--delete", "main", check=False)
    assert sandbox.calls[-1]["error"] == "PushRejected"
    (asked,) = sandbox.calls[-1]["authorization"]
    assert (asked["action"], asked["resource"]) == ("codecommit:GitPush", sandbox.calls[-1]["resource"])
    assert asked["context"]["codecommit:References"] == ["refs/heads/main"]


def test_branch_calls_carry_the_reference_for_conditions(sandbox, codecommit, refused):
    """Service Authorization Reference, CodeCommit: codecommit:References applies to CreateBranch and DeleteBranch."""
    codecommit.create_repository(repositoryName="demo")
    refused(codecommit.create_branch, repositoryName="demo", branchName="main", commitId="1" * 40)
    assert sandbox.calls[-1]["context"] == {"codecommit:References": ["refs/heads/main"]}
