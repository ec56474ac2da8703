"""Buckets: their names, what a new one is like, and ACLs.

Sources: Amazon S3 User Guide, "Bucket naming rules", "Controlling ownership of objects and disabling ACLs", "Blocking
public access" (both the default for new buckets since April 2023), "Setting default server-side encryption" (SSE-S3 for
every bucket since January 2023).
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")
ENFORCED = "BucketOwnerEnforced"
SSE_S3: dict[str, Any] = {
    "Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}
}
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
_PUBLIC_GROUPS = ("groups/global/AllUsers", "groups/global/AuthenticatedUsers")
_DEFAULT_REGION = "us-east-1"


def bucket_of(call: Call, name: str | None = None) -> Any:
    """moto's bucket, whoever owns it, or None."""
    from moto.s3.models import s3_backends

    name = name or call.params["Bucket"]
    place = s3_backends.bucket_accounts.get(name)
    if place is None:
        return None
    partition, account = place
    return s3_backends[account][partition].buckets.get(name)


def require_bucket(call: Call) -> Any:
    """Raises NoSuchBucket."""
    bucket = bucket_of(call)
    if bucket is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=call.params["Bucket"])
    return bucket


def create_bucket(call: Call) -> dict[str, Any]:
    """A new bucket: no ACLs, no public access, SSE-S3. Raises what CreateBucket documents.

    A second creation by the owner is no error in us-east-1 alone ("for legacy compatibility").
    """
    from moto.s3.models import PublicAccessBlock, s3_backends

    name, params = call.params["Bucket"], call.params
    configuration = params.get("CreateBucketConfiguration") or {}
    for unknown in ("Location", "Bucket"):
        if unknown in configuration:
            raise NotImplementedInSandbox("s3", "CreateBucket", "directory buckets")
    if "BucketNamespace" in params:
        raise NotImplementedInSandbox("s3", "CreateBucket", "BucketNamespace")
    if not is_bucket_name(name):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.")
    ownership = params.get("ObjectOwnership", ENFORCED)
    if ownership == ENFORCED and any(params.get(grant) for grant in ("ACL", *_GRANTS)):
        raise AwsError(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        )
    region = _region(call, configuration.get("LocationConstraint"))
    existing = bucket_of(call)
    if existing is not None:
        return _again(call, existing, region)
    backend: Any = s3_backends[call.caller.account][call.partition]
    bucket = backend.create_bucket(name, region)
    bucket.ownership_rule = ownership
    bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
    bucket.encryption = SSE_S3
    if params.get("ObjectLockEnabledForBucket"):
        bucket.object_lock_enabled, bucket.versioning_status = True, "Enabled"
    tags = {tag["Key"]: tag["Value"] for tag in configuration.get("Tags") or []}
    if tags:
        backend.put_bucket_tagging(name, tags)
    return {"Location": f"/{name}", "BucketArn": bucket.arn}


def is_bucket_name(name: str) -> bool:
    """General purpose buckets. `amzn-s3-demo-` is reserved too: AWS uses it in its documentation."""
    return (
        _NAME.fullmatch(name) is not None
        and ".." not in name
        and _ADDRESS.fullmatch(name) is None
        and not name.startswith(_PREFIXES)
        and not name.endswith(_SUFFIXES)
    )


def check_acl(call: Call, bucket: Any) -> None:
    """The ACL headers of a request that writes an object.

    Raises AccessControlListNotSupported where the owner of the bucket owns all, AccessDenied where the bucket blocks
    public ACLs.
    """
    given = [call.params[name] for name in ("ACL", *_GRANTS) if call.params.get(name)]
    if bucket.ownership_rule == ENFORCED:
        if any(value != "bucket-owner-full-control" for value in given):
            raise no_acls()
    elif _blocks_public_acls(bucket) and any(value in _PUBLIC_ACLS or _names_public(value) for value in given):
        raise AwsError("AccessDenied", "Access Denied", 403)


def _blocks_public_acls(bucket: Any) -> bool:
    return bucket.public_access_block is not None and bucket.public_access_block.block_public_acls


def _names_public(grant: str) -> bool:
    return any(group in grant for group in _PUBLIC_GROUPS)


def no_acls() -> AwsError:
    return AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _region(call: Call, constraint: str | None) -> str:
    """LocationConstraint: none in us-east-1; elsewhere the region that the request is sent to."""
    if call.region != _DEFAULT_REGION:
        if constraint is None:
            raise AwsError(
                "IllegalLocationConstraintException",
                "The unspecified location constraint is incompatible for the region specific endpoint this request was "
                "sent to.",
            )
        if constraint != call.region:
            raise AwsError(
                "IllegalLocationConstraintException",
                f"The {constraint} location constraint is incompatible for the region specific endpoint this request "
                "was sent to.",
            )
    return constraint or _DEFAULT_REGION


def _again(call: Call, bucket: Any, region: str) -> dict[str, Any]:
    if bucket.account_id != call.caller.account:
        raise AwsError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again.",
            409,
        )
    if region != _DEFAULT_REGION or bucket.region_name != _DEFAULT_REGION:
        raise AwsError(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            409,
        )
    return {"Location": f"/{bucket.name}", "BucketArn": bucket.arn}
