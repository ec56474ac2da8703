"""Buckets and their policies, made, changed and removed, as S3's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from sandbox.cloudformation.types import HANDLERS
from tests.sandbox.cloudformation.conftest import outputs
from tests.sandbox.cloudformation.types.resources import KEY, gone, resource, tagged

pytestmark = pytest.mark.slow


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
