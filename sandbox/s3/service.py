# ruff: noqa: N802 - methods are named as AWS names its operations
"""S3 as the front sees it: buckets, their policies, encryption and lifecycle here, the objects in moto."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote
from weakref import WeakKeyDictionary

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.inside import Inside
from sandbox.policy_documents import Statement
from sandbox.s3.bucket_policies import check_bucket_policy, require_not_denied
from sandbox.s3.buckets import ENFORCED, SSE_S3, bucket_of, check_acl, create_bucket, no_acls, require_bucket
from sandbox.s3.encryption import ObjectKeys, check_default_encryption, effective_encryption
from sandbox.s3.lifecycle import checked_rules

_LONGEST_KEY = 1024
# What makes a copy of an object onto itself a change.
_CHANGES = ("StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation")


class S3:
    """Checks before moto's own answer. Policies and lifecycles live as long as moto's bucket does."""

    complete = False

    def __init__(self, inside: Inside) -> None:
        self._keys = ObjectKeys(inside)
        self._policies: WeakKeyDictionary[Any, tuple[str, list[Statement]]] = WeakKeyDictionary()
        self._lifecycles: WeakKeyDictionary[Any, list[dict[str, Any]]] = WeakKeyDictionary()

    def CreateBucket(self, call: Call) -> dict[str, Any]:
        return create_bucket(call)

    def PutObject(self, call: Call) -> dict[str, Any]:
        self._check_write(call)
        return TO_MOTO

    def CreateMultipartUpload(self, call: Call) -> dict[str, Any]:
        """Encryption is that of this request, not of the parts."""
        self._check_write(call)
        return TO_MOTO

    def CopyObject(self, call: Call) -> dict[str, Any]:
        """The destination is a write, the source a read; a copy onto itself must change something."""
        source, stored = _source(call)
        if source is not None and stored is not None:
            _check_copy_onto_itself(call, source, stored)
            self._keys.read(call, source, stored)
        self._check_write(call)
        return TO_MOTO

    def UploadPart(self, call: Call) -> dict[str, Any]:
        self._check_part(call)
        return TO_MOTO

    def CompleteMultipartUpload(self, call: Call) -> dict[str, Any]:
        """moto looks at the conditions of PutObject alone."""
        self._check_part(call)
        if call.params.get("IfMatch"):
            raise NotImplementedInSandbox("s3", call.operation, "IfMatch")
        if call.params.get("IfNoneMatch") and _stored(require_bucket(call), call.params["Key"], None):
            message = "At least one of the pre-conditions you specified did not hold"
            raise AwsError("PreconditionFailed", message, 412, Condition="If-None-Match")
        return TO_MOTO

    def UploadPartCopy(self, call: Call) -> dict[str, Any]:
        self._check_part(call)
        source, stored = _source(call)
        if source is not None:
            self._keys.read(call, source, stored)
        return TO_MOTO

    def GetObject(self, call: Call) -> dict[str, Any]:
        """An object under a key that cannot be used cannot be read."""
        bucket = bucket_of(call)
        if bucket is not None:
            self._keys.read(call, bucket, _stored(bucket, call.params["Key"], call.params.get("VersionId")))
        return TO_MOTO

    def PutBucketEncryption(self, call: Call) -> dict[str, Any]:
        require_bucket(call)
        check_default_encryption(call)
        return TO_MOTO

    def DeleteBucketEncryption(self, call: Call) -> None:
        """Source: "Resets the default encryption for the bucket as server-side encryption with Amazon S3 managed
        keys"."""
        require_bucket(call).encryption = SSE_S3

    def PutBucketPolicy(self, call: Call) -> None:
        """moto would deny by a policy without looking at its conditions, so it never sees one."""
        bucket = require_bucket(call)
        self._policies[bucket] = call.params["Policy"], check_bucket_policy(call, bucket)

    def GetBucketPolicy(self, call: Call) -> dict[str, Any]:
        return {"Policy": self._policy(call)[0]}

    def GetBucketPolicyStatus(self, call: Call) -> dict[str, Any]:
        """A policy that only denies is not public."""
        self._policy(call)
        return {"PolicyStatus": {"IsPublic": False}}

    def DeleteBucketPolicy(self, call: Call) -> None:
        """Without a policy it succeeds as well (204)."""
        self._policies.pop(require_bucket(call), None)

    def PutBucketAcl(self, call: Call) -> dict[str, Any]:
        return self._put_acl(call)

    def PutObjectAcl(self, call: Call) -> dict[str, Any]:
        return self._put_acl(call)

    def PutBucketLifecycleConfiguration(self, call: Call) -> dict[str, Any]:
        """Kept here: moto would forget sizes and the number of versions to keep."""
        if call.params.get("TransitionDefaultMinimumObjectSize"):
            raise NotImplementedInSandbox("s3", call.operation, "TransitionDefaultMinimumObjectSize")
        self._lifecycles[require_bucket(call)] = checked_rules(call.params.get("LifecycleConfiguration"))
        return {}

    def GetBucketLifecycleConfiguration(self, call: Call) -> dict[str, Any]:
        rules = self._lifecycles.get(require_bucket(call))
        if not rules:
            message = "The lifecycle configuration does not exist"
            raise AwsError("NoSuchLifecycleConfiguration", message, 404)
        return {"Rules": rules}

    def DeleteBucketLifecycle(self, call: Call) -> None:
        self._lifecycles.pop(require_bucket(call), None)

    # One request, two names: the older model of it is deprecated.
    PutBucketLifecycle = PutBucketLifecycleConfiguration
    GetBucketLifecycle = GetBucketLifecycleConfiguration

    def describe(self, call: Call) -> None:
        """What the general rules find."""

    def reset(self) -> None:
        self._policies.clear()
        self._lifecycles.clear()
        self._keys.forget()

    def _check_write(self, call: Call) -> None:
        """Bucket, length of the key, policy, ACL, encryption. Raises what PutObject documents."""
        bucket = require_bucket(call)
        size = len(call.params["Key"].encode())
        if size > _LONGEST_KEY:
            raise AwsError("KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=_LONGEST_KEY)
        if bucket in self._policies:
            require_not_denied(call, self._policies[bucket][1], "s3:PutObject", bucket)
        check_acl(call, bucket)
        self._keys.write(call, bucket)

    def _check_part(self, call: Call) -> None:
        bucket = require_bucket(call)
        upload = bucket.multiparts.get(call.params["UploadId"])
        if upload is not None:
            self._keys.part(call, bucket, upload)

    def _policy(self, call: Call) -> tuple[str, list[Statement]]:
        found = self._policies.get(require_bucket(call))
        if found is None:
            raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        return found

    def _put_acl(self, call: Call) -> dict[str, Any]:
        bucket = require_bucket(call)
        if bucket.ownership_rule == ENFORCED:
            raise no_acls()
        check_acl(call, bucket)
        return TO_MOTO


def _source(call: Call) -> tuple[Any, Any]:
    """Bucket and object that CopySource names: `bucket/key?versionId=...`, URL-encoded."""
    path, _, query = str(call.params["CopySource"]).lstrip("/").partition("?")
    name, _, key = unquote(path).partition("/")
    bucket = bucket_of(call, name)
    version = parse_qs(query).get("versionId", [None])[0]
    return bucket, None if bucket is None else _stored(bucket, key, version)


def _stored(bucket: Any, key: str, version: str | None) -> Any:
    from moto.s3.models import FakeKey

    versions = bucket.keys.getlist(key, default=[])
    found = [item for item in versions if version is None or str(item.version_id) == version]
    return found[-1] if found and isinstance(found[-1], FakeKey) else None


def _check_copy_onto_itself(call: Call, source: Any, stored: Any) -> None:
    """CopyObject: the same object, the same metadata, storage class, redirect and encryption is refused."""
    params = call.params
    if (source.name, stored.name) != (params["Bucket"], params["Key"]) or source.is_versioned:
        return
    algorithm, key, _ = effective_encryption(params, source)
    changed = params.get("MetadataDirective") == "REPLACE" or any(params.get(name) for name in _CHANGES)
    if not changed and (algorithm, key) == (stored.encryption, stored.kms_key_id or ""):
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
