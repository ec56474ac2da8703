"""SSE-KMS: S3 asks KMS for each object, as the one who calls S3.

Sources: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)" (permissions
kms:GenerateDataKey and kms:Decrypt; encryption context aws:s3:arn, that of the object, or of the bucket with a bucket
key) and "Error responses" (KMS.NotFoundException, KMS.DisabledException, ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.inside import Inside
from sandbox.kms import find_key
from sandbox.kms.keys import backend
from sandbox.s3.buckets import SSE_S3

_KMS = ("aws:kms", "aws:kms:dsse")


class ObjectKeys:
    """The calls of KMS that S3 makes. They stand in the call log as the caller's own."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._clients: dict[tuple[str, str], Any] = {}

    def write(self, call: Call, bucket: Any) -> None:
        """Before an object is written: GenerateDataKey with the key of the request, else of the bucket."""
        algorithm, key, bucket_key = effective_encryption(call.params, bucket)
        if algorithm in _KMS:
            context = _context(bucket, call.params["Key"], bucket_key)
            self._ask(call, bucket, "generate_data_key", KeyId=key, KeySpec="AES_256", EncryptionContext=context)

    def read(self, call: Call, bucket: Any, stored: Any) -> None:
        """Before an object is read: Decrypt with the key it was written with."""
        if stored is None or stored.encryption not in _KMS:
            return
        bucket_key = str(stored.bucket_key_enabled).lower() == "true"
        self._decrypt(call, bucket, stored.kms_key_id, _context(bucket, stored.name, bucket_key))

    def part(self, call: Call, bucket: Any, upload: Any) -> None:
        """Before a part is taken, and before the parts are joined: Decrypt ("multipart upload […] kms:Decrypt")."""
        given = {"ServerSideEncryption": upload.sse_encryption, "SSEKMSKeyId": upload.kms_key_id}
        algorithm, key, bucket_key = effective_encryption(given, bucket)
        if algorithm in _KMS:
            self._decrypt(call, bucket, key, _context(bucket, call.params["Key"], bucket_key))

    def forget(self) -> None:
        self._clients.clear()

    def _decrypt(self, call: Call, bucket: Any, key: str, context: dict[str, str]) -> None:
        """The data key is not kept: another one of the same KMS key and context stands for it."""
        account, region = call.caller.account, bucket.region_name
        try:
            arn = find_key(account, region, key).arn
        except AwsError as error:
            raise _translated(call, error.code, error.message) from error
        blob, _ = backend(account, region).encrypt(arn, b"data key", context)
        self._ask(call, bucket, "decrypt", KeyId=arn, CiphertextBlob=blob, EncryptionContext=context)

    def _ask(self, call: Call, bucket: Any, operation: str, **params: Any) -> None:
        place = (call.caller.access_key, bucket.region_name)
        if place not in self._clients:
            caller = self._inside.forwarded(call.caller, "s3")
            self._clients[place] = self._inside.client("kms", caller, bucket.region_name)
        try:
            getattr(self._clients[place], operation)(**params)
        except ClientError as error:
            raise _translated(call, error.response["Error"]["Code"], error.response["Error"]["Message"]) from error


def effective_encryption(params: Mapping[str, Any], bucket: Any) -> tuple[str, str, bool]:
    """Algorithm, KMS key and whether a bucket key is used, of an object to be written.

    Source: PutObject, SSEKMSKeyId: without a key "aws:kms" means the AWS managed key aws/s3, also where the bucket has
    a default key. Raises InvalidArgument, NotImplementedInSandbox.
    """
    rule = (bucket.encryption or SSE_S3)["Rule"]
    default = rule["ApplyServerSideEncryptionByDefault"]
    algorithm, key = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
    if any(name.startswith(("SSECustomer", "CopySourceSSECustomer")) for name in params):
        raise NotImplementedInSandbox("s3", "PutObject", "SSE-C")
    if key and algorithm not in _KMS:
        raise AwsError(
            "InvalidArgument",
            "Server Side Encryption with KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        )
    bucket_key = params.get("BucketKeyEnabled", str(rule.get("BucketKeyEnabled", "")).lower() == "true")
    if algorithm is None:
        return default["SSEAlgorithm"], default.get("KMSMasterKeyID", ""), bucket_key
    if algorithm in _KMS and not key:
        raise NotImplementedInSandbox(
            "s3",
            "PutObject",
            "aws:kms without SSEKMSKeyId means the AWS managed key aws/s3, not the bucket's; "
            "name a key, or leave encryption to the bucket",
        )
    return algorithm, key or "", bucket_key


def check_default_encryption(call: Call) -> None:
    """PutBucketEncryption: one rule; a key goes with SSE-KMS alone. S3 does not look the key up.

    Raises MalformedXML, InvalidArgument, NotImplementedInSandbox.
    """
    rules = call.params["ServerSideEncryptionConfiguration"].get("Rules") or []
    if len(rules) != 1 or not rules[0].get("ApplyServerSideEncryptionByDefault"):
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message)
    default = rules[0]["ApplyServerSideEncryptionByDefault"]
    if rules[0].get("BlockedEncryptionTypes"):
        raise NotImplementedInSandbox("s3", "PutBucketEncryption", "BlockedEncryptionTypes")
    if default.get("KMSMasterKeyID") and default["SSEAlgorithm"] not in _KMS:
        raise AwsError(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
        )
    if default["SSEAlgorithm"] in _KMS and not default.get("KMSMasterKeyID"):
        raise NotImplementedInSandbox("s3", "PutBucketEncryption", "the AWS managed key aws/s3; name a KMSMasterKeyID")


def _context(bucket: Any, key: str, bucket_key: bool) -> dict[str, str]:
    return {"aws:s3:arn": bucket.arn if bucket_key else f"{bucket.arn}/{key}"}


def _translated(call: Call, code: str, message: str) -> AwsError:
    if code.startswith("AccessDenied"):
        return AwsError("AccessDenied", message, 403)
    return AwsError(f"KMS.{code}", message, 400)
