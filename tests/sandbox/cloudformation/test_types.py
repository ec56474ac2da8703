"""Each type: made, changed and removed, as its service's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from sandbox.cloudformation.schemas import create_only, read_only, schema_of
from sandbox.cloudformation.types import HANDLERS
from sandbox.cloudformation.types.lambda_function import archive_of
from tests.sandbox.cloudformation.conftest import outputs

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"


def policy(action="s3:GetObject", resource="*", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


def trust(service="lambda.amazonaws.com"):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def resource(kind, **properties):
    return {"Type": f"AWS::{kind}", "Properties": properties}


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def gone(function, **params):
    with pytest.raises(ClientError) as caught:
        function(**params)
    code = caught.value.response["Error"]["Code"]
    assert any(part in code for part in ("NotFound", "NoSuch", "404", "NonExistent", "DoesNotExist")), code


@pytest.mark.parametrize("kind", sorted(HANDLERS))
def test_a_handler_knows_only_what_awss_schema_of_its_type_has(kind):
    handler, schema = HANDLERS[kind], schema_of(kind, "us-east-1")
    assert set(handler.handled) <= set(schema["properties"])
    assert set(schema.get("required", [])) <= set(handler.handled)
    assert handler.name is None or handler.name in create_only(kind, "us-east-1")
    documented = {
        "AWS::SSM::Parameter": {"Type", "Value"},
        "AWS::SQS::Queue": {"QueueName"},
        "AWS::SNS::Topic": {"TopicName"},
    }
    assert set(handler.attributes) <= read_only(kind, "us-east-1") | documented.get(kind, set())


# Keys that their account, and so its administrators, can use and change.
ROOT = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
KEY = resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT))
BUCKET = {
    "BucketName": "artifacts",
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {
                "BucketKeyEnabled": True,
                "ServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                },
            }
        ]
    },
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": "true",
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "VersioningConfiguration": {"Status": "Enabled"},
    "CorsConfiguration": {
        "CorsRules": [
            {"Id": "c", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposedHeaders": ["ETag"], "MaxAge": "60"}
        ]
    },
    "Tags": tagged(team="ml"),
    "LifecycleConfiguration": {
        "Rules": [
            {
                "Id": "old",
                "Status": "Enabled",
                "Prefix": "x/",
                "ExpirationInDays": "30",
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
            },
            {
                "Id": "versions",
                "Status": "Enabled",
                "NoncurrentVersionExpiration": {"NoncurrentDays": 9, "NewerNoncurrentVersions": 3},
            },
            {
                "Id": "cold",
                "Status": "Disabled",
                "TagFilters": [{"Key": "a", "Value": "b"}],
                "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 90}],
            },
            {
                "Id": "both",
                "Status": "Enabled",
                "Prefix": "y/",
                "ObjectSizeGreaterThan": "500",
                "ExpirationInDays": 40,
            },
            {
                "Id": "markers",
                "Status": "Enabled",
                "Prefix": "z/",
                "ExpiredObjectDeleteMarker": True,
            },
        ]
    },
}


def test_bucket(stacks, client):
    template = {
        "Resources": {"B": resource("S3::Bucket", **BUCKET), "Key": KEY},
        "Outputs": {name: {"Value": {"Fn::GetAtt": ["B", name]}} for name in HANDLERS["AWS::S3::Bucket"].attributes},
    }
    stack, s3, of = stacks.create(template), client("s3"), {"Bucket": "artifacts"}
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reason("B", "CREATE_FAILED")
    assert outputs(stack) == {
        "Arn": "arn:aws:s3:::artifacts", "DomainName": "artifacts.s3.amazonaws.com",
        "RegionalDomainName": "artifacts.s3.us-east-1.amazonaws.com", "DualStackDomainName": "artifacts.s3.dualstack.us-east-1.amazonaws.com",
    }  # fmt: skip
    rule = s3.get_bucket_encryption(**of)["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = client("kms").describe_key(KeyId=stacks.physical("Key"))["KeyMetadata"]["Arn"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    assert set(s3.get_public_access_block(**of)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_ownership_controls(**of)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    assert s3.get_bucket_versioning(**of)["Status"] == "Enabled"
    assert s3.get_bucket_tagging(**of)["TagSet"] == tagged(team="ml")
    cors = s3.get_bucket_cors(**of)["CORSRules"][0]
    assert (cors["AllowedMethods"], cors["ExposeHeaders"], cors["MaxAgeSeconds"]) == (["GET"], ["ETag"], 60)
    rules = {item["ID"]: item for item in s3.get_bucket_lifecycle_configuration(**of)["Rules"]}
    assert rules["old"] == {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": "x/"},
        "Expiration": {"Days": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
    }
    assert rules["versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 9, "NewerNoncurrentVersions": 3}
    assert (rules["cold"]["Filter"], rules["cold"]["Transitions"]) == (
        {"Tag": {"Key": "a", "Value": "b"}},
        [{"Days": 90, "StorageClass": "GLACIER"}],
    )
    assert rules["both"]["Filter"] == {"And": {"Prefix": "y/", "ObjectSizeGreaterThan": 500}}
    assert rules["markers"]["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    template["Resources"]["B"] = resource("S3::Bucket", BucketName="artifacts", Tags=tagged(team="other"))
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert s3.get_bucket_versioning(**of)["Status"] == "Suspended"
    assert s3.get_bucket_tagging(**of)["TagSet"] == tagged(team="other")
    for read in (
        s3.get_public_access_block,
        s3.get_bucket_lifecycle_configuration,
        s3.get_bucket_cors,
        s3.get_bucket_ownership_controls,
    ):
        gone(read, **of)
    s3.put_object(**of, Key="k", Body=b"1")
    failed = stacks.delete()
    assert (failed["StackStatus"], "is not empty" in stacks.reason("B", "DELETE_FAILED")) == ("DELETE_FAILED", True)
    for version in s3.list_object_versions(**of)["Versions"]:
        s3.delete_object(**of, Key="k", VersionId=version["VersionId"])
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    gone(s3.head_bucket, **of)


def test_a_bucket_that_is_there_is_not_taken_over_and_one_without_a_name_gets_one(stacks, client):
    client("s3").create_bucket(Bucket="artifacts")
    assert stacks.create({"B": resource("S3::Bucket", BucketName="artifacts")})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Resource of type 'AWS::S3::Bucket' with identifier 'artifacts' already exists." in stacks.reason(
        "B", "CREATE_FAILED"
    )
    client("s3").head_bucket(Bucket="artifacts")
    stacks.create({"Artifacts": resource("S3::Bucket")}, name="Other")
    assert stacks.physical("Artifacts", "Other").startswith("other-artifacts-")


def only_by_tls(action="s3:*"):
    """The policy of a bucket that is to be reached over TLS alone; the sandbox evaluates no Allow."""
    refusal = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": ["arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [refusal]}


def test_bucket_policy(stacks, client):
    s3 = client("s3")
    template = {
        "B": resource("S3::Bucket", BucketName="artifacts"),
        "P": resource("S3::BucketPolicy", Bucket={"Ref": "B"}, PolicyDocument=only_by_tls()),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    assert json.loads(s3.get_bucket_policy(Bucket="artifacts")["Policy"]) == only_by_tls()
    template["P"]["Properties"]["PolicyDocument"] = only_by_tls("s3:PutObject")
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert json.loads(s3.get_bucket_policy(Bucket="artifacts")["Policy"]) == only_by_tls("s3:PutObject")
    stacks.update({"B": template["B"]})
    gone(s3.get_bucket_policy, Bucket="artifacts")


def test_key_and_alias(stacks, client):
    kms, changeable = client("kms"), policy(["kms:Decrypt", "kms:PutKeyPolicy"], **ROOT)
    template = {
        "K": resource(
            "KMS::Key",
            Description="one",
            EnableKeyRotation=True,
            KeyPolicy=policy("kms:*", **ROOT),
            Tags=tagged(team="ml"),
            PendingWindowInDays=7,
        ),
        "A": resource("KMS::Alias", AliasName="alias/demo", TargetKeyId={"Ref": "K"}),
        "L": KEY,
    }
    stacks.create(template)
    key = stacks.physical("K")
    found = kms.describe_key(KeyId="alias/demo")["KeyMetadata"]
    assert (found["KeyId"], found["Description"], found["KeyState"]) == (key, "one", "Enabled")
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]) == policy("kms:*", **ROOT)
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "ml"}]
    template["K"]["Properties"] |= {
        "Description": "two",
        "EnableKeyRotation": False,
        "KeyPolicy": changeable,
        "Tags": tagged(cost="1"),
        "Enabled": False,
    }
    template["A"]["Properties"]["TargetKeyId"] = {"Ref": "L"}
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["Description"], found["KeyState"]) == ("two", "Disabled")
    assert kms.describe_key(KeyId="alias/demo")["KeyMetadata"]["KeyId"] == stacks.physical("L")
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]) == changeable
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "cost", "TagValue": "1"}]
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    gone(kms.describe_key, KeyId="alias/demo")


def test_a_key_rotates_only_while_it_is_enabled(stacks, client):
    """As the registry's own handler of the type orders, and words, it."""
    key = resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT), Enabled=False, EnableKeyRotation=True)
    assert stacks.create({"K": key})["StackStatus"] == "CREATE_COMPLETE"
    key["Properties"]["EnableKeyRotation"] = False
    assert stacks.update({"K": key})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "You cannot modify the EnableKeyRotation property when the Enabled property is false" in stacks.reason(
        "K", "UPDATE_FAILED"
    )
    key["Properties"]["Enabled"] = True
    assert stacks.update({"K": key})["StackStatus"] == "UPDATE_COMPLETE"
    assert not client("kms").get_key_rotation_status(KeyId=stacks.physical("K"))["KeyRotationEnabled"]


def test_a_key_that_nobody_could_change_any_more_is_not_made(stacks):
    """CreateKey, BypassPolicyLockoutSafetyCheck: by default such a policy is refused."""
    locked = resource("KMS::Key", KeyPolicy=policy("kms:Decrypt", **ROOT))
    assert stacks.create({"K": locked})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "will not allow you to update the key policy in the future" in stacks.reason("K", "CREATE_FAILED")


def test_a_keys_specification_is_not_changed(stacks):
    key = resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT))
    stacks.create({"K": key})
    key["Properties"]["KeySpec"] = "RSA_2048"
    key["Properties"]["KeyUsage"] = "SIGN_VERIFY"
    assert stacks.update({"K": key})["StackStatus"] in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")
    assert "HandlerErrorCode: NotUpdatable" in stacks.reason("K", "UPDATE_FAILED")


def test_role(stacks, client):
    iam, arn = client("iam"), f"arn:aws:iam::{ACCOUNT}:policy"
    template = {
        "M": resource("IAM::ManagedPolicy", ManagedPolicyName="m", PolicyDocument=policy()),
        "N": resource("IAM::ManagedPolicy", ManagedPolicyName="n", PolicyDocument=policy()),
        "R": resource(
            "IAM::Role", RoleName="r", Path="/mlops/", AssumeRolePolicyDocument=trust(), Description="one", MaxSessionDuration=7200, PermissionsBoundary={"Ref": "M"},
            ManagedPolicyArns=[{"Ref": "M"}], Policies=[{"PolicyName": "p", "PolicyDocument": policy()}, {"PolicyName": "q", "PolicyDocument": policy()}], Tags=tagged(team="ml"),
        ),
    }  # fmt: skip
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["Path"], role["Description"], role["MaxSessionDuration"], role["AssumeRolePolicyDocument"]) == (
        "/mlops/",
        "one",
        7200,
        trust(),
    )
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == f"{arn}/m"
    assert role["Tags"] == tagged(team="ml")
    assert [item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]] == [
        f"{arn}/m"
    ]
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p", "q"]
    template["R"]["Properties"] |= {
        "AssumeRolePolicyDocument": trust("sagemaker.amazonaws.com"), "Description": "two", "PermissionsBoundary": {"Ref": "N"}, "ManagedPolicyArns": [{"Ref": "N"}],
        "Policies": [{"PolicyName": "p", "PolicyDocument": policy("s3:PutObject")}], "Tags": tagged(cost="1"),
    }  # fmt: skip
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["Description"], role["AssumeRolePolicyDocument"]) == ("two", trust("sagemaker.amazonaws.com"))
    assert (role["PermissionsBoundary"]["PermissionsBoundaryArn"], role["Tags"]) == (f"{arn}/n", tagged(cost="1"))
    assert [item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]] == [
        f"{arn}/n"
    ]
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"]
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == policy("s3:PutObject")
    del template["R"]["Properties"]["PermissionsBoundary"]
    stacks.update(template)
    assert "PermissionsBoundary" not in iam.get_role(RoleName="r")["Role"]
    iam.put_role_policy(RoleName="r", PolicyName="foreign", PolicyDocument=json.dumps(policy()))
    assert stacks.delete()["StackStatus"] == "DELETE_FAILED"
    iam.delete_role_policy(RoleName="r", PolicyName="foreign")
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    gone(iam.get_role, RoleName="r")
    gone(iam.get_policy, PolicyArn=f"{arn}/m")


def test_policies(stacks, client):
    iam = client("iam")
    template = {
        "R": resource("IAM::Role", RoleName="r", AssumeRolePolicyDocument=trust()),
        "S": resource("IAM::Role", RoleName="s", AssumeRolePolicyDocument=trust()),
        "M": resource(
            "IAM::ManagedPolicy", Description="d", Path="/mlops/", PolicyDocument=policy("s3:A"), Roles=[{"Ref": "R"}]
        ),
        "I": resource("IAM::Policy", PolicyName="i", PolicyDocument=policy("s3:A"), Roles=[{"Ref": "R"}]),
    }
    stacks.create(template)
    arn = stacks.physical("M")
    assert arn.startswith(f"arn:aws:iam::{ACCOUNT}:policy/mlops/demo-M-")
    for number in range(1, 8):  # more often than a managed policy has versions
        template["M"]["Properties"]["PolicyDocument"] = policy(f"s3:A{number}")
        assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"] == policy("s3:A7")
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 5
    assert iam.get_role_policy(RoleName="r", PolicyName="i")["PolicyDocument"] == policy("s3:A")
    template["M"]["Properties"]["Roles"] = [{"Ref": "S"}]
    template["I"]["Properties"] |= {"PolicyName": "j", "Roles": [{"Ref": "S"}], "PolicyDocument": policy("s3:B")}
    stacks.update(template)
    assert iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"] == []
    assert iam.list_attached_role_policies(RoleName="s")["AttachedPolicies"][0]["PolicyArn"] == arn
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == []
    assert iam.get_role_policy(RoleName="s", PolicyName="j")["PolicyDocument"] == policy("s3:B")
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


def function(**more):
    return resource(
        "Lambda::Function",
        **{
            "FunctionName": "f",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["R", "Arn"]},
            "Code": {"ZipFile": "def handler(event, context): return 1"},
        }
        | more,
    )


def test_function_and_permission(stacks, client):
    lambda_, role = client("lambda"), resource("IAM::Role", AssumeRolePolicyDocument=trust())
    template = {
        "R": role,
        "F": function(
            Timeout="30",
            MemorySize=256,
            Environment={"Variables": {"AB": "1"}},
            Description="one",
            ReservedConcurrentExecutions=2,
            Tags=tagged(team="ml"),
        ),
        "P": resource(
            "Lambda::Permission",
            FunctionName={"Ref": "F"},
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r",
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = lambda_.get_function(FunctionName="f")
    settings = found["Configuration"]
    assert (
        settings["Timeout"],
        settings["MemorySize"],
        settings["Environment"]["Variables"],
        settings["Description"],
    ) == (30, 256, {"AB": "1"}, "one")
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 2
    assert found["Tags"]["team"] == "ml"
    statement = json.loads(lambda_.get_policy(FunctionName="f")["Policy"])["Statement"][0]
    assert (statement["Sid"], statement["Principal"]) == (stacks.physical("P"), {"Service": "events.amazonaws.com"})
    first = settings["CodeSha256"]
    template["F"] = function(
        Code={"ZipFile": "def handler(event, context): return 2"}, Timeout=60, Tags=tagged(cost="1")
    )
    template["P"]["Properties"]["SourceArn"] += "2"
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = lambda_.get_function(FunctionName="f")
    settings = found["Configuration"]
    assert (
        settings["Timeout"],
        settings["MemorySize"],
        settings["Description"],
        settings.get("Environment", {}).get("Variables", {}),
    ) == (60, 128, "", {})
    assert ("Concurrency" in found, settings["CodeSha256"] != first) == (False, True)
    assert ("team" in found["Tags"], found["Tags"]["cost"]) == (False, "1")
    statements = json.loads(lambda_.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert [item["Condition"]["ArnLike"]["AWS:SourceArn"][-2:] for item in statements] == ["r2"]
    stacks.update({"R": role})
    gone(lambda_.get_function, FunctionName="f")


def test_code_comes_inline_or_from_s3(stacks, client):
    lambda_, s3 = client("lambda"), client("s3")
    role = resource("IAM::Role", AssumeRolePolicyDocument=trust())
    inline = function()
    assert stacks.create({"R": role, "F": inline})["StackStatus"] == "CREATE_COMPLETE"
    text = inline["Properties"]["Code"]["ZipFile"]
    for entry, runtime in (("index.py", "python3.13"), ("index.js", "nodejs22.x")):
        archive = archive_of({"Runtime": runtime, "Code": {"ZipFile": text}})["ZipFile"]
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert (opened.namelist(), opened.read(entry).decode()) == ([entry], text)
    digest = hashlib.sha256(archive_of(inline["Properties"])["ZipFile"]).digest()
    assert lambda_.get_function_configuration(FunctionName="f")["CodeSha256"] == base64.b64encode(digest).decode()
    assert json.loads(lambda_.invoke(FunctionName="f")["Payload"].read()) == 1
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="k.zip", Body=packed.getvalue())
    assert (
        stacks.update({"R": role, "F": function(Code={"S3Bucket": "code", "S3Key": "k.zip"}, Handler="main.handler")})[
            "StackStatus"
        ]
        == "UPDATE_COMPLETE"
    )
    assert lambda_.get_function_configuration(FunctionName="f")["Handler"] == "main.handler"
    assert json.loads(lambda_.invoke(FunctionName="f")["Payload"].read()) == 3
    assert stacks.update({"R": role, "F": function(Runtime="java21")})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "ZipFile can only be used when Runtime is set to either of nodejs or python" in stacks.reason(
        "F", "UPDATE_FAILED"
    )


def key_for_logs(kms):
    """A key that CloudWatch Logs may use (User Guide, "Encrypt log data in CloudWatch Logs")."""
    allowed = policy("kms:*", **ROOT)
    allowed["Statement"] += policy(
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Principal={"Service": "logs.us-east-1.amazonaws.com"},
    )["Statement"]
    return kms.create_key(Policy=json.dumps(allowed))["KeyMetadata"]["Arn"]


def test_log_group(stacks, client):
    logs, key, other = client("logs"), key_for_logs(client("kms")), key_for_logs(client("kms"))
    template = {
        "Resources": {
            "G": resource(
                "Logs::LogGroup", LogGroupName="/g", RetentionInDays="7", Tags=tagged(team="ml"), KmsKeyId=key
            )
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["G", "Arn"]}}},
    }
    stack = stacks.create(template)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/g"
    assert outputs(stack) == {"Arn": f"{arn}:*"}
    found = logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
    assert (found["retentionInDays"], found["kmsKeyId"]) == (7, key)
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"]["team"] == "ml"
    template["Resources"]["G"] = resource("Logs::LogGroup", LogGroupName="/g", Tags=tagged(cost="1"), KmsKeyId=other)
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
    assert ("retentionInDays" in found, found["kmsKeyId"]) == (False, other)
    tags = logs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert ("team" in tags, tags["cost"]) == (False, "1")
    template["Resources"]["G"] = resource("Logs::LogGroup", LogGroupName="/g")
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
    stacks.delete()
    assert logs.describe_log_groups()["logGroups"] == []


def test_parameter(stacks, client):
    ssm = client("ssm")
    template = {
        "P": resource(
            "SSM::Parameter", Name="/p", Type="StringList", Value="a,b", Description="one", Tags={"team": "ml"}
        )
    }
    stacks.create(template)
    found = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/p"]}])["Parameters"][0]
    assert (found["Type"], found["Description"], ssm.get_parameter(Name="/p")["Parameter"]["Value"]) == (
        "StringList",
        "one",
        "a,b",
    )
    template["P"]["Properties"] |= {"Value": "c", "Tags": {"cost": "1"}}
    stacks.update(template)
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "c"
    keys = {tag["Key"] for tag in ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/p")["TagList"]}
    assert ("team" in keys, "cost" in keys) == (False, True)
    stacks.delete()
    gone(ssm.get_parameter, Name="/p")


def test_rule(stacks, client):
    events, queue = client("events"), f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    template = {
        "R": resource(
            "Events::Rule",
            Name="r",
            EventPattern={"source": ["aws.sagemaker"]},
            Targets=[{"Id": "a", "Arn": queue}, {"Id": "b", "Arn": queue, "Input": "{}"}],
            Tags=tagged(team="ml"),
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    rule = events.describe_rule(Name="r")
    assert (json.loads(rule["EventPattern"]), rule["State"]) == ({"source": ["aws.sagemaker"]}, "ENABLED")
    assert [target["Id"] for target in events.list_targets_by_rule(Rule="r")["Targets"]] == ["a", "b"]
    template["R"]["Properties"] = {
        "Name": "r",
        "ScheduleExpression": "rate(5 minutes)",
        "State": "DISABLED",
        "Description": "d",
        "Targets": [{"Id": "b", "Arn": queue, "Input": "[]"}],
    }
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    rule = events.describe_rule(Name="r")
    assert (rule.get("EventPattern"), rule["ScheduleExpression"], rule["State"], rule["Description"]) == (
        None,
        "rate(5 minutes)",
        "DISABLED",
        "d",
    )
    assert [(target["Id"], target["Input"]) for target in events.list_targets_by_rule(Rule="r")["Targets"]] == [
        ("b", "[]")
    ]
    assert "team" not in {tag["Key"] for tag in events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]}
    stacks.delete()
    gone(events.describe_rule, Name="r")
    events.put_rule(Name="r", ScheduleExpression="rate(1 day)")
    assert stacks.create(template)["StackStatus"] == "ROLLBACK_COMPLETE", "a rule that is there is not taken over"
    assert events.describe_rule(Name="r")["ScheduleExpression"] == "rate(1 day)"


def test_queue(stacks, client):
    sqs = client("sqs")
    template = {
        "D": resource("SQS::Queue"),
        "Q": resource(
            "SQS::Queue",
            QueueName="q",
            MessageRetentionPeriod=1209600,
            VisibilityTimeout=60,
            SqsManagedSseEnabled=True,
            RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["D", "Arn"]}, "maxReceiveCount": 3},
            Tags=tagged(team="ml"),
        ),
        "P": resource(
            "SQS::QueuePolicy",
            Queues=[{"Ref": "Q"}],
            PolicyDocument=policy("sqs:SendMessage", Principal={"Service": "events.amazonaws.com"}),
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    url = stacks.physical("Q")

    def attributes():
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    found = attributes()
    assert (found["MessageRetentionPeriod"], found["VisibilityTimeout"]) == ("1209600", "60")
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"].startswith(
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:demo-D-"
    )
    assert json.loads(found["Policy"]) == policy("sqs:SendMessage", Principal={"Service": "events.amazonaws.com"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "ml"}
    template["Q"]["Properties"] = {"QueueName": "q", "DelaySeconds": 5}
    del template["P"]
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = attributes()
    assert (found["MessageRetentionPeriod"], found["VisibilityTimeout"], found["DelaySeconds"]) == ("345600", "30", "5")
    assert ("Policy" in found and bool(found["Policy"]), "RedrivePolicy" in found and bool(found["RedrivePolicy"])) == (
        False,
        False,
    )
    assert sqs.list_queue_tags(QueueUrl=url).get("Tags", {}) == {}
    stacks.delete()
    gone(sqs.get_queue_url, QueueName="q")
    sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "5"})
    assert stacks.create(template)["StackStatus"] == "ROLLBACK_COMPLETE", "a queue that is there is not taken over"
    sqs.get_queue_url(QueueName="q")


def test_where_a_function_logs_and_where_its_failures_go(stacks, client):
    lambda_, role = client("lambda"), resource("IAM::Role", AssumeRolePolicyDocument=trust())
    template = {
        "R": role,
        "Q": resource("SQS::Queue"),
        "F": function(
            DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}},
            LoggingConfig={"LogGroup": "/g", "LogFormat": "Text"},
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = lambda_.get_function_configuration(FunctionName="f")
    assert found["DeadLetterConfig"]["TargetArn"].rsplit(":", 1)[1].startswith("demo-Q-")
    assert found["LoggingConfig"] == {"LogGroup": "/g", "LogFormat": "Text"}
    template["F"] = function()
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = lambda_.get_function_configuration(FunctionName="f")
    assert "DeadLetterConfig" not in found
    assert found["LoggingConfig"] == {"LogGroup": "/aws/lambda/f", "LogFormat": "Text"}
    template["F"] = function(DeadLetterConfig={"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:none"})
    assert stacks.update(template)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", "a queue that is not there"


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "UpdateFunctionConfiguration"])
def test_a_change_of_a_function_whose_answer_is_lost_is_made(stacks, client, operation):
    """Lambda refuses a further change while one is under way: CloudFormation waits for its own."""
    template = {"R": resource("IAM::Role", AssumeRolePolicyDocument=trust()), "F": function()}
    stacks.create(template)
    stacks.sandbox.set_faults([{"service": "lambda", "operation": operation, "fault": "no-answer"}])
    template["F"] = function(Code={"ZipFile": "def handler(event, context): return 2"}, Timeout=9)
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert client("lambda").get_function_configuration(FunctionName="f")["Timeout"] == 9
    assert json.loads(client("lambda").invoke(FunctionName="f")["Payload"].read()) == 2
