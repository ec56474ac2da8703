"""S3: buckets, encryption and policies as they are today. Each docstring names the source of the rule."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

BUCKET = "some-bucket"
NOWHERE = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"


@pytest.fixture
def s3(shared_client):
    shared_client("s3").create_bucket(Bucket=BUCKET)
    return shared_client("s3")


@pytest.fixture
def key(shared_client):
    return shared_client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def encrypted(s3, key):
    """A bucket that encrypts with a key of the customer's by default."""
    encrypt(s3, SSEAlgorithm="aws:kms", KMSMasterKeyID=key)
    return s3


def encrypt(s3, bucket_key=True, **default):
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})


def put_policy(s3, *statements):
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def deny(**changes):
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        **changes,
    }


INSECURE = deny(
    Action="s3:*",
    Resource=[f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    Condition={"Bool": {"aws:SecureTransport": "false"}},
)


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Upper-case", "under_score", "a..b", "192.168.1.1", "-abc", "abc-", "xn--abc", "sthree-abc",
     "amzn-s3-demo-x", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--table-s3", "abc-an"],
)  # fmt: skip
def test_a_name_that_no_bucket_may_have(s3, refused, name):
    """User Guide, "General purpose bucket naming rules"."""
    assert refused(s3.create_bucket, Bucket=name)[0] == "InvalidBucketName"


def test_a_new_bucket_has_no_acls_no_public_access_and_sse_s3(s3):
    """User Guide: defaults for new buckets (Object Ownership and Block Public Access since April 2023, SSE-S3 since
    January 2023)."""
    assert s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    assert default_encryption(s3) == {"SSEAlgorithm": "AES256"}
    s3.put_object(Bucket=BUCKET, Key="x", Body=b"")
    assert s3.head_object(Bucket=BUCKET, Key="x")["ServerSideEncryption"] == "AES256"


def default_encryption(s3):
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    return rule["ApplyServerSideEncryptionByDefault"]


def test_a_bucket_is_created_in_the_region_that_is_asked(shared_client, s3, refused):
    """CreateBucket: LocationConstraint; BucketAlreadyOwnedByYou, except in us-east-1."""
    assert s3.create_bucket(Bucket=BUCKET)["Location"] == f"/{BUCKET}"
    ireland = shared_client("s3", region="eu-west-1")
    assert refused(ireland.create_bucket, Bucket="irish")[0] == "IllegalLocationConstraintException"
    here = {"LocationConstraint": "eu-west-1"}
    ireland.create_bucket(Bucket="irish", CreateBucketConfiguration=here)
    assert (
        refused(ireland.create_bucket, Bucket="irish", CreateBucketConfiguration=here)[0] == "BucketAlreadyOwnedByYou"
    )


@pytest.mark.parametrize("acl", [{"ACL": "public-read"}, {"ACL": "private"}, {"GrantRead": 'id="abc"'}])
def test_acls_are_refused_where_the_bucket_owner_owns_all(s3, refused, acl):
    """User Guide, "Controlling ownership of objects": AccessControlListNotSupported."""
    assert refused(s3.put_object, Bucket=BUCKET, Key="x", **acl)[0] == "AccessControlListNotSupported"
    assert refused(s3.put_bucket_acl, Bucket=BUCKET, **acl)[0] == "AccessControlListNotSupported"
    s3.put_object(Bucket=BUCKET, Key="x", ACL="bucket-owner-full-control")
    assert refused(s3.create_bucket, Bucket="new", **acl)[0] == "InvalidBucketAclWithObjectOwnership"


def test_public_acls_are_refused_where_the_bucket_blocks_them(s3, refused):
    """User Guide, "Blocking public access", BlockPublicAcls."""
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls=rules)
    assert refused(s3.put_object, Bucket=BUCKET, Key="x", ACL="public-read")[0] == "AccessDenied"
    s3.put_object(Bucket=BUCKET, Key="x", ACL="private")


def test_a_key_has_at_most_1024_bytes(s3, refused):
    """User Guide, "Naming Amazon S3 objects": 1,024 bytes of UTF-8; KeyTooLongError."""
    s3.put_object(Bucket=BUCKET, Key="k" * 1024, Body=b"")
    for key in ("k" * 1025, "é" * 513):
        assert refused(s3.put_object, Bucket=BUCKET, Key=key, Body=b"")[0] == "KeyTooLongError"


def test_a_bucket_with_anything_in_it_stays(s3, refused):
    """DeleteBucket: "All objects (including all object versions and delete markers) in the bucket must be deleted"."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="x", Body=b"1")["VersionId"]
    assert s3.head_object(Bucket=BUCKET, Key="x")["VersionId"] == version
    marker = s3.delete_object(Bucket=BUCKET, Key="x")["VersionId"]
    assert refused(s3.delete_bucket, Bucket=BUCKET)[0] == "BucketNotEmpty"
    s3.delete_object(Bucket=BUCKET, Key="x", VersionId=version)
    assert refused(s3.delete_bucket, Bucket=BUCKET)[0] == "BucketNotEmpty"
    s3.delete_object(Bucket=BUCKET, Key="x", VersionId=marker)
    s3.delete_bucket(Bucket=BUCKET)


def test_what_a_new_bucket_of_an_old_name_does_not_inherit(encrypted, refused):
    put_policy(encrypted, INSECURE)
    encrypted.delete_bucket(Bucket=BUCKET)
    encrypted.create_bucket(Bucket=BUCKET)
    assert refused(encrypted.get_bucket_policy, Bucket=BUCKET)[0] == "NoSuchBucketPolicy"
    assert default_encryption(encrypted) == {"SSEAlgorithm": "AES256"}


def test_the_default_key_of_a_bucket_is_used_and_shown(encrypted, key):
    """HeadObject: ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled. Also for multipart uploads and copies."""
    encrypted.put_object(Bucket=BUCKET, Key="put", Body=b"1")
    encrypted.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/put")
    upload = encrypted.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    named = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
    etag = encrypted.upload_part(**named, PartNumber=1, Body=b"1")["ETag"]
    encrypted.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    for name in ("put", "copy", "parts"):
        got = encrypted.head_object(Bucket=BUCKET, Key=name)
        assert (got["ServerSideEncryption"], got["SSEKMSKeyId"], got["BucketKeyEnabled"]) == ("aws:kms", key, True)
    encrypted.delete_bucket_encryption(Bucket=BUCKET)
    assert default_encryption(encrypted) == {"SSEAlgorithm": "AES256"}


def test_s3_asks_kms_as_the_caller(encrypted, key, sandbox):
    """User Guide, "Using SSE-KMS": kms:GenerateDataKey to write, kms:Decrypt to read; with a bucket key the encryption
    context is the bucket's ARN."""
    encrypted.put_object(Bucket=BUCKET, Key="x", Body=b"1")
    encrypted.get_object(Bucket=BUCKET, Key="x")
    asked = [call for call in sandbox.calls if call["service"] == "kms"][-2:]
    assert [(call["operation"], call["role"], call["status"]) for call in asked] == [
        ("GenerateDataKey", "arn:aws:iam::123456789012:user/developer", 200),
        ("Decrypt", "arn:aws:iam::123456789012:user/developer", 200),
    ]
    assert asked[0]["resource"] == key
    assert asked[0]["context"]["kms:EncryptionContext:aws:s3:arn"] == f"arn:aws:s3:::{BUCKET}"
    encrypt(encrypted, bucket_key=False, SSEAlgorithm="aws:kms", KMSMasterKeyID=key)
    encrypted.put_object(Bucket=BUCKET, Key="x", Body=b"1")
    context = [call for call in sandbox.calls if call["service"] == "kms"][-1]["context"]
    assert context["kms:EncryptionContext:aws:s3:arn"] == f"arn:aws:s3:::{BUCKET}/x"


def test_without_a_usable_key_nothing_is_written_or_read(encrypted, key, shared_client, refused):
    """User Guide, "Error responses": KMS.NotFoundException, KMS.DisabledException, KMS.KMSInvalidStateException, 400."""
    encrypted.put_object(Bucket=BUCKET, Key="x", Body=b"1")
    given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": NOWHERE}
    for operation in (encrypted.put_object, encrypted.create_multipart_upload):
        assert refused(operation, Bucket=BUCKET, Key="y", **given)[0] == "KMS.NotFoundException"
    kms = shared_client("kms")
    kms.disable_key(KeyId=key)
    expected = ("KMS.DisabledException", f"{key} is disabled.")
    assert refused(encrypted.put_object, Bucket=BUCKET, Key="y") == expected
    assert refused(encrypted.get_object, Bucket=BUCKET, Key="x") == expected
    assert refused(encrypted.copy_object, Bucket=BUCKET, Key="y", CopySource=f"{BUCKET}/x") == expected
    assert encrypted.head_object(Bucket=BUCKET, Key="x")["SSEKMSKeyId"] == key
    kms.schedule_key_deletion(KeyId=key)
    assert refused(encrypted.put_object, Bucket=BUCKET, Key="y")[0] == "KMS.KMSInvalidStateException"


def test_a_fault_of_kms_is_a_fault_of_the_upload(encrypted, sandbox, refused):
    """A caller who may not use the key may not write: AccessDenied, 403."""
    sandbox.set_faults([{"service": "kms", "operation": "GenerateDataKey", "fault": "access-denied"}])
    assert refused(encrypted.put_object, Bucket=BUCKET, Key="x")[0] == "AccessDenied"
    with pytest.raises(ClientError, match="404"):
        encrypted.head_object(Bucket=BUCKET, Key="x")


def test_encryption_headers_that_do_not_fit(encrypted, key, refused):
    """PutObject, SSEKMSKeyId: with aws:kms alone. aws:kms without it is the AWS managed key, which is not here."""
    for algorithm in ({}, {"ServerSideEncryption": "AES256"}):
        assert (
            refused(encrypted.put_object, Bucket=BUCKET, Key="x", SSEKMSKeyId=key, **algorithm)[0] == "InvalidArgument"
        )
    managed = {"ServerSideEncryption": "aws:kms"}
    assert refused(encrypted.put_object, Bucket=BUCKET, Key="x", **managed)[0] == "NotImplementedInSandbox"
    with pytest.raises(ClientError, match="a KMSMasterKeyID is not applicable"):
        encrypt(encrypted, SSEAlgorithm="AES256", KMSMasterKeyID=key)


def test_a_copy_onto_itself_must_change_something(s3, refused):
    """CopyObject: InvalidRequest; the bucket's SSE-S3 is no change."""
    s3.put_object(Bucket=BUCKET, Key="x", Body=b"1")
    onto_itself = {"Bucket": BUCKET, "Key": "x", "CopySource": f"{BUCKET}/x"}
    assert refused(s3.copy_object, **onto_itself)[0] == "InvalidRequest"
    s3.copy_object(**onto_itself, MetadataDirective="REPLACE", Metadata={"a": "b"})
    assert s3.head_object(Bucket=BUCKET, Key="x")["Metadata"] == {"a": "b"}


def test_a_policy_that_keeps_insecure_transport_out_lets_us_in(s3):
    """User Guide, "Managing access based on HTTP or HTTPS requests". moto would deny every request."""
    put_policy(s3, INSECURE, deny(Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}}))
    s3.put_object(Bucket=BUCKET, Key="x", Body=b"1")
    assert s3.get_object(Bucket=BUCKET, Key="x")["Body"].read() == b"1"
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"][0] == INSECURE
    assert s3.get_bucket_policy_status(Bucket=BUCKET)["PolicyStatus"]["IsPublic"] is False
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.delete_bucket_policy(Bucket=BUCKET)


SSE, KEY_ID = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"


@pytest.mark.parametrize(
    ("condition", "plain", "sse_s3", "right_key"),
    [
        ({"StringNotEquals": {SSE: "aws:kms"}}, False, False, True),
        ({"StringNotEqualsIfExists": {SSE: "aws:kms"}}, False, False, True),
        ({"StringNotEquals": {SSE: "aws:kms"}, "Null": {SSE: "false"}}, True, False, True),
        ({"Null": {SSE: "true"}}, False, True, True),
        ({"StringNotEquals": {KEY_ID: "KEY"}}, False, False, True),
        ({"StringNotEqualsIfExists": {KEY_ID: "KEY"}, "Null": {KEY_ID: "false"}}, True, True, True),
        ({"ArnNotEquals": {KEY_ID: "OTHER"}}, False, False, False),
        ({"StringEquals": {SSE: "AES256"}}, True, False, True),
        ({"StringEqualsIfExists": {SSE: "AES256"}}, False, False, True),
    ],
)
def test_what_a_deny_by_encryption_headers_denies(encrypted, key, refused, condition, plain, sse_s3, right_key):
    """IAM User Guide, "Condition operators": negated operators hold where the key is absent, and so does IfExists. The
    keys are the headers of the request, not what the bucket does by default."""
    filled = json.loads(json.dumps(condition).replace("KEY", key).replace("OTHER", NOWHERE))
    put_policy(encrypted, deny(Condition=filled))
    requests: tuple[tuple[dict[str, str], bool], ...] = (
        ({}, plain),
        ({"ServerSideEncryption": "AES256"}, sse_s3),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}, right_key),
    )
    for headers, allowed in requests:
        for operation in (encrypted.put_object, encrypted.create_multipart_upload):
            if allowed:
                operation(Bucket=BUCKET, Key="x", **headers)
            else:
                code, message = refused(operation, Bucket=BUCKET, Key="x", **headers)
                assert code == "AccessDenied"
                assert "s3:PutObject" in message
                assert "explicit deny in a resource-based policy" in message


def test_a_deny_holds_for_its_resource_alone(s3, refused):
    put_policy(s3, deny(Resource=f"arn:aws:s3:::{BUCKET}/secret/*", Condition={"Null": {SSE: "true"}}))
    s3.put_object(Bucket=BUCKET, Key="open/x")
    assert refused(s3.put_object, Bucket=BUCKET, Key="secret/x")[0] == "AccessDenied"


@pytest.mark.parametrize(
    "statement",
    [
        deny(Condition={"Null": {SSE: "true"}}, Resource="arn:aws:s3:::other/*"),
        deny(Condition={"Null": {SSE: "true"}}, Action="ec2:RunInstances"),
        deny(Principal={"Anybody": "*"}),
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*"},
        deny(Effect="deny"),
    ],
)
def test_a_malformed_policy(s3, refused, statement):
    """PutBucketPolicy: MalformedPolicy, 400."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refused(s3.put_bucket_policy, Bucket=BUCKET, Policy=text)[0] == "MalformedPolicy"


@pytest.mark.parametrize(
    "statement",
    [
        deny(),
        deny(Principal={"AWS": "arn:aws:iam::123456789012:role/x"}, Condition={"Null": {SSE: "true"}}),
        deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}),
        deny(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        deny(Condition={"ForAnyValue:StringEquals": {SSE: "AES256"}}),
        deny(Action="s3:GetObject", Condition={"Null": {SSE: "true"}}),
        {**INSECURE, "Effect": "Allow", "Principal": {"AWS": "123456789012"}},
    ],
)
def test_a_policy_that_would_not_be_evaluated_is_not_kept(s3, refused, statement):
    """sandbox/s3/bucket_policies.py: never a policy that is silently ignored."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refused(s3.put_bucket_policy, Bucket=BUCKET, Policy=text)[0] == "NotImplementedInSandbox"
    assert refused(s3.get_bucket_policy, Bucket=BUCKET)[0] == "NoSuchBucketPolicy"


def test_a_public_policy_is_blocked(s3, refused):
    """User Guide, "Blocking public access": BlockPublicPolicy."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny(Effect="Allow", Action="s3:GetObject")]})
    code, message = refused(s3.put_bucket_policy, Bucket=BUCKET, Policy=text)
    assert (code, "BlockPublicPolicy" in message) == ("AccessDenied", True)
