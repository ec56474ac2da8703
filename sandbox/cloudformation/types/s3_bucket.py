"""AWS::S3::Bucket.

Source: Template Reference, AWS::S3::Bucket, and the S3 API's PutBucket… operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, changed
from sandbox.cloudformation.types.s3_lifecycle import lifecycle
from sandbox.cloudformation.work import Work, already_exists, is_not_found

_RULE = {
    "AbortIncompleteMultipartUpload": None,
    "ExpirationDate": None,
    "ExpirationInDays": None,
    "ExpiredObjectDeleteMarker": None,
    "Id": None,
    "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": None, "NoncurrentDays": None},
    "NoncurrentVersionTransitions": {"NewerNoncurrentVersions": None, "StorageClass": None, "TransitionInDays": None},
    "ObjectSizeGreaterThan": None,
    "ObjectSizeLessThan": None,
    "Prefix": None,
    "Status": None,
    "TagFilters": None,
    "Transitions": None,
}


class Bucket(Handler):
    type = "AWS::S3::Bucket"
    name = "BucketName"
    attributes = ("Arn", "DomainName", "DualStackDomainName", "RegionalDomainName")
    handled = {  # noqa: RUF012 - declared in Handler as a class variable
        "BucketName": None,
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": {"BucketKeyEnabled": None, "ServerSideEncryptionByDefault": None}
        },
        "CorsConfiguration": {
            "CorsRules": dict.fromkeys(
                ["AllowedHeaders", "AllowedMethods", "AllowedOrigins", "ExposedHeaders", "Id", "MaxAge"]
            )
        },
        "LifecycleConfiguration": {"Rules": _RULE},
        "OwnershipControls": None,
        "PublicAccessBlockConfiguration": None,
        "Tags": None,
        "VersioningConfiguration": None,
    }

    def create(self, work: Work, wanted: Properties) -> None:
        name = wanted.get("BucketName") or work.generated_name(63, lower=True)
        s3 = work.client("s3")
        # In us-east-1 S3 answers a second creation by the owner with success (API Reference, CreateBucket).
        if self._is_there(work.client, name):
            raise already_exists(self.type, name)
        place = {} if work.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": work.region}}
        work.once(lambda: s3.create_bucket(Bucket=name, **place), "BucketAlreadyOwnedByYou")
        work.made(
            name,
            Arn=f"arn:{work.partition}:s3:::{name}",
            DomainName=f"{name}.s3.{work.url_suffix}",
            RegionalDomainName=f"{name}.s3.{work.region}.{work.url_suffix}",
            DualStackDomainName=f"{name}.s3.dualstack.{work.region}.{work.url_suffix}",
        )
        self.update(work, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        for name in changed(old, new):
            if name != "BucketName":
                _SET[name](work.client("s3"), work.physical_id, new.get(name))

    def delete(self, work: Work, held: Properties) -> None:
        """Not one that holds objects: S3 answers BucketNotEmpty."""
        work.client("s3").delete_bucket(Bucket=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("s3").head_bucket(Bucket=name)
        return True

    def _is_there(self, client: Callable[[str], Any], name: str) -> bool:
        try:
            return self.exists(client, name)
        except ClientError as error:
            if is_not_found(error):
                return False
            raise


def _encryption(s3: Any, bucket: str, wanted: Any) -> None:
    if not wanted:
        s3.delete_bucket_encryption(Bucket=bucket)
        return
    rules = [
        {
            "ApplyServerSideEncryptionByDefault" if key == "ServerSideEncryptionByDefault" else key: value
            for key, value in rule.items()
        }
        for rule in wanted["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _cors(s3: Any, bucket: str, wanted: Any) -> None:
    if not wanted:
        s3.delete_bucket_cors(Bucket=bucket)
        return
    names = {"ExposedHeaders": "ExposeHeaders", "Id": "ID", "MaxAge": "MaxAgeSeconds"}
    rules = [{names.get(key, key): value for key, value in rule.items()} for rule in wanted["CorsRules"]]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


def _lifecycle(s3: Any, bucket: str, wanted: Any) -> None:
    if not wanted:
        s3.delete_bucket_lifecycle(Bucket=bucket)
        return
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": lifecycle(wanted["Rules"])})


def _ownership(s3: Any, bucket: str, wanted: Any) -> None:
    if not wanted:
        s3.delete_bucket_ownership_controls(Bucket=bucket)
        return
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=wanted)


def _public_access(s3: Any, bucket: str, wanted: Any) -> None:
    if not wanted:
        s3.delete_public_access_block(Bucket=bucket)
        return
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted)


def _tags(s3: Any, bucket: str, wanted: Any) -> None:
    if not wanted:
        s3.delete_bucket_tagging(Bucket=bucket)
        return
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": as_list(wanted)})


def _versioning(s3: Any, bucket: str, wanted: Any) -> None:
    """A bucket that was versioned is never unversioned again (S3 User Guide, "Using versioning in S3 buckets")."""
    s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": (wanted or {}).get("Status", "Suspended")}
    )


_SET: dict[str, Callable[[Any, str, Any], None]] = {
    "BucketEncryption": _encryption,
    "CorsConfiguration": _cors,
    "LifecycleConfiguration": _lifecycle,
    "OwnershipControls": _ownership,
    "PublicAccessBlockConfiguration": _public_access,
    "Tags": _tags,
    "VersioningConfiguration": _versioning,
}
