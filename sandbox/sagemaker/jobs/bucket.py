"""S3 as the place that jobs read from and write to: real calls to this sandbox, with the job role's credentials.

Sources: S3DataSource ("S3Prefix ... all objects that match the specified key name prefix"), ProcessingS3Output,
OutputDataConfig (KmsKeyId) in the API Reference. How failures read: as users of jobs quote FailureReason.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.sagemaker.runner import Problem

INTERNAL = "InternalServerError: We encountered an internal error. Please try again."


class TransferFailed(Problem):
    """What FailureReason says about data that could not be moved."""


class Bucket:
    """A Place of mlops' runner. key: of KMS, for what is written, or empty."""

    def __init__(self, s3: Any, key: str | None) -> None:
        self._s3 = s3
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}

    def fetch(self, uri: str, folder: Path) -> None:
        """Lay copies of the objects at a URI into a folder: an object of that very key under its name, else each one
        by its key from there. Raises TransferFailed."""
        bucket, prefix = _parts(uri)
        try:
            keys = [key for key in self._keys(bucket, prefix) if not key.endswith("/")]
            for key in keys:
                target = folder / _from(prefix, key)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (BotoCoreError, ClientError) as error:
            raise TransferFailed(_reason("Data download failed:Failed to download data.", uri, error)) from None
        if not keys:
            raise TransferFailed(
                f"ClientError: Data download failed:Failed to download data. No S3 objects found under S3 URL {uri!r}"
            )

    def keep(self, folder: Path, uri: str) -> str:
        """Put every file below a folder to its name below a URI. Raises TransferFailed, and ValueError for what is no
        file."""
        bucket, prefix = _parts(uri)
        try:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file():
                    key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
                    self._s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), **self._encryption)
                elif path.is_symlink() or not path.is_dir():
                    raise ValueError(f"{name}, which is no file: write one")
        except (BotoCoreError, ClientError) as error:
            raise TransferFailed(_reason("Data upload failed:Failed to upload data.", uri, error)) from None
        return uri.rstrip("/")

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", []))


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _from(prefix: str, key: str) -> str:
    """A key's name from its prefix, which may end within a name."""
    if key == prefix:
        return key.rpartition("/")[2]
    whole = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    return key.removeprefix(whole) if key.startswith(whole) else key.removeprefix(prefix.rpartition("/")[0]).lstrip("/")


def _reason(what: str, uri: str, error: Exception) -> str:
    """Trouble that is AWS's own is an InternalServerError, which retry policies know."""
    if not isinstance(error, ClientError) or error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503):
        return INTERNAL
    return f"ClientError: {what} {error.operation_name} failed for {uri}: {_shown(error)}"


def _shown(error: ClientError) -> str:
    details = error.response["Error"]
    return f"{details['Code']}: {details['Message']}"
