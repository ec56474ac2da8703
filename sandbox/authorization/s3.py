"""Amazon S3: actions that are not named as their operations. Keys: S3 asks KMS itself, by calls of their own.

Sources: S3 User Guide, "Required permissions for Amazon S3 API operations"; Service Authorization Reference, Amazon S3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.authorization.check import Check, given
from sandbox.calls import Call

# On the bucket, under another name.
_BUCKET = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS",
    "DeleteBucketTagging": "PutBucketTagging",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
}
# On the bucket, under the operation's own name.
_SAME_NAME = (
    "CreateBucket DeleteBucket GetBucketLocation PutBucketVersioning GetBucketVersioning PutBucketPolicy "
    "GetBucketPolicy DeleteBucketPolicy GetBucketPolicyStatus PutBucketTagging GetBucketTagging "
    "PutBucketOwnershipControls GetBucketOwnershipControls PutBucketLogging GetBucketLogging GetBucketAcl "
    "PutBucketAcl GetBucketWebsite GetBucketRequestPayment"
)
_BUCKET |= {name: name for name in _SAME_NAME.split()}
# On the object: the action, and the one that a version id in the request makes of it.
_OBJECT = {
    "GetObject": ("GetObject", "GetObjectVersion"),
    "HeadObject": ("GetObject", "GetObjectVersion"),
    "PutObject": ("PutObject", ""),
    "CreateMultipartUpload": ("PutObject", ""),
    "UploadPart": ("PutObject", ""),
    "CompleteMultipartUpload": ("PutObject", ""),
    "AbortMultipartUpload": ("AbortMultipartUpload", ""),
    "ListParts": ("ListMultipartUploadParts", ""),
    "DeleteObject": ("DeleteObject", "DeleteObjectVersion"),
    "GetObjectTagging": ("GetObjectTagging", "GetObjectVersionTagging"),
    "PutObjectTagging": ("PutObjectTagging", "PutObjectVersionTagging"),
    "DeleteObjectTagging": ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    "GetObjectAttributes": ("GetObjectAttributes", "GetObjectVersionAttributes"),
    "PutObjectAcl": ("PutObjectAcl", "PutObjectVersionAcl"),
    "GetObjectAcl": ("GetObjectAcl", "GetObjectVersionAcl"),
}


def s3_checks(call: Call) -> Iterator[Check] | None:
    """All that S3 asks for one call, or None if the operation is unknown here."""
    if call.operation == "ListBuckets":
        return iter([Check("s3:ListAllMyBuckets")])
    if call.operation in _BUCKET:
        return _on_bucket(call)
    if call.operation in ("CopyObject", "UploadPartCopy"):
        return _copy(call)
    if call.operation == "DeleteObjects":
        return _delete_many(call)
    if call.operation in _OBJECT:
        return _on_object(call)
    return None


def _on_bucket(call: Call) -> Iterator[Check]:
    params = call.params
    action = _BUCKET[call.operation]
    context: dict[str, Any] = {}
    if action in ("ListBucket", "ListBucketVersions") and call.operation != "HeadBucket":
        # S3 has the key for every list; without a prefix it is empty, and a policy on prefixes does not match.
        context["s3:prefix"] = params.get("Prefix") or ""
        context |= given(**{"s3:delimiter": params.get("Delimiter"), "s3:max-keys": _text(params.get("MaxKeys"))})
    if action == "CreateBucket":
        configuration = params.get("CreateBucketConfiguration") or {}
        context |= given(**{"s3:locationconstraint": configuration.get("LocationConstraint")})
        context |= given(**{"s3:x-amz-acl": params.get("ACL")})
    yield Check(f"s3:{action}", _arn(call, params["Bucket"]), context)


def _on_object(call: Call) -> Iterator[Check]:
    params = call.params
    plain, versioned = _OBJECT[call.operation]
    version = params.get("VersionId")
    resource = _arn(call, params["Bucket"], params["Key"])
    if version and versioned:
        yield Check(f"s3:{versioned}", resource, {"s3:versionid": version})
    else:
        yield Check(f"s3:{plain}", resource, _put_context(call) if plain == "PutObject" else {})
    yield from _tagged(call, resource)


def _copy(call: Call) -> Iterator[Check]:
    """A copy reads its source and writes its destination (CopyObject, "Permissions")."""
    params = call.params
    source = params["CopySource"]
    if isinstance(source, str):
        path, _, query = unquote(source).lstrip("/").partition("?")
        bucket, _, key = path.partition("/")
        version = dict(parse_qsl(query)).get("versionId")
    else:
        bucket, key, version = source["Bucket"], source["Key"], source.get("VersionId")
    if version:
        yield Check("s3:GetObjectVersion", _arn(call, bucket, key), {"s3:versionid": version})
    else:
        yield Check("s3:GetObject", _arn(call, bucket, key))
    resource = _arn(call, params["Bucket"], params["Key"])
    copied = given(
        **{
            "s3:x-amz-copy-source": f"{bucket}/{key}",
            "s3:x-amz-metadata-directive": params.get("MetadataDirective"),
        }
    )
    yield Check("s3:PutObject", resource, _put_context(call) | copied)
    yield from _tagged(call, resource)


def _delete_many(call: Call) -> Iterator[Check]:
    for item in call.params["Delete"]["Objects"]:
        version = item.get("VersionId")
        action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        context = {"s3:versionid": version} if version else {}
        yield Check(action, _arn(call, call.params["Bucket"], item["Key"]), context)


def _put_context(call: Call) -> dict[str, Any]:
    """Keys of the request's headers: the bucket's default encryption is not among them."""
    params = call.params
    return given(
        **{
            "s3:x-amz-server-side-encryption": params.get("ServerSideEncryption"),
            "s3:x-amz-server-side-encryption-aws-kms-key-id": params.get("SSEKMSKeyId"),
            "s3:x-amz-storage-class": params.get("StorageClass"),
            "s3:x-amz-acl": params.get("ACL"),
            "s3:if-none-match": params.get("IfNoneMatch"),
            "s3:if-match": params.get("IfMatch"),
        }
    )


def _tagged(call: Call, resource: str) -> Iterator[Check]:
    """Tags of an object need a permission of their own, at its creation too (PutObject, "Permissions")."""
    given_tags = call.params.get("Tagging")
    if isinstance(given_tags, str) and given_tags:
        tags = dict(parse_qsl(given_tags))
        context: dict[str, Any] = {f"s3:RequestObjectTag/{key}": value for key, value in tags.items()}
        yield Check("s3:PutObjectTagging", resource, context | {"s3:RequestObjectTagKeys": sorted(tags)})


def _arn(call: Call, bucket: str, key: str | None = None) -> str:
    return f"arn:{call.partition}:s3:::{bucket}" + (f"/{key}" if key else "")


def _text(number: Any) -> str | None:
    return None if number is None else str(number)
