"""Whoever deploys a stack needs the permissions that AWS's schemas name for its types, and no other."""

from __future__ import annotations

import json

import pytest

from sandbox.cloudformation.schemas import schema_of
from sandbox.cloudformation.types import HANDLERS
from tests.sandbox.cloudformation.types.resources import ROOT, policy, resource, trust
from tests.sandbox.cloudformation.types.test_lambda import function
from tests.sandbox.cloudformation.types.test_s3 import BUCKET, only_by_tls

# IAM's names of S3's actions are not those of its operations (Service Authorization Reference, Amazon S3).
S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
TEMPLATE = {
    "Bucket": resource("S3::Bucket", **BUCKET),
    "BucketPolicy": resource("S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=only_by_tls()),
    "Key": resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT), EnableKeyRotation=True),
    "Alias": resource("KMS::Alias", AliasName="alias/a", TargetKeyId={"Ref": "Key"}),
    "R": resource(
        "IAM::Role",
        AssumeRolePolicyDocument=trust(),
        PermissionsBoundary={"Ref": "Managed"},
        ManagedPolicyArns=[{"Ref": "Managed"}],
    ),
    "Managed": resource("IAM::ManagedPolicy", PolicyDocument=policy()),
    "Inline": resource("IAM::Policy", PolicyName="p", PolicyDocument=policy(), Roles=[{"Ref": "R"}]),
    "Function": function(ReservedConcurrentExecutions=1),
    "Permission": resource(
        "Lambda::Permission",
        FunctionName={"Ref": "Function"},
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    ),
    "Logs": resource("Logs::LogGroup", RetentionInDays=7),
    "Parameter": resource("SSM::Parameter", Type="String", Value="v"),
    "Rule": resource(
        "Events::Rule",
        ScheduleExpression="rate(1 day)",
        Targets=[{"Id": "f", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
    ),
    "Queue": resource("SQS::Queue"),
}


@pytest.mark.slow
def test_a_deployer_needs_what_the_schemas_name(stacks, client):
    client("iam").create_role(
        RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust("cloudformation.amazonaws.com"))
    )
    made = stacks.create(
        TEMPLATE, RoleARN="arn:aws:iam::123456789012:role/deployer", Tags=[{"Key": "team", "Value": "ml"}]
    )
    assert made["StackStatus"] == "CREATE_COMPLETE"
    changed = stacks.update(TEMPLATE, Tags=[{"Key": "team", "Value": "other"}])
    assert changed["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    acting = [call for call in stacks.sandbox.calls if ":assumed-role/deployer/" in (call["role"] or "")]
    done = {f"{call['service']}:{S3_ACTIONS.get(call['operation'], call['operation'])}".lower() for call in acting}
    named = set()
    for kind in {item["Type"] for item in TEMPLATE.values()}:
        assert kind in HANDLERS
        for handler in schema_of(kind, "us-east-1").get("handlers", {}).values():
            named |= {action.lower() for action in handler["permissions"]}
    assert done - named == set()
