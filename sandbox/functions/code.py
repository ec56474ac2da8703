"""Deployment packages: taken from the request or from S3, checked, unpacked.

Source: Lambda Developer Guide, "Lambda quotas" (50 MB zipped in a request, 250 MB unzipped); API Reference,
FunctionCode. The wordings are those that AWS's service was seen to answer.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.functions.store import Code, invalid
from sandbox.inside import Inside

_LARGEST_ZIPPED = 50 * 1024 * 1024
_LARGEST_UNZIPPED = 250 * 1024 * 1024
_SOURCES = {"ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion"}


def read_code(inside: Inside, call: Call, source: dict[str, Any], folder: Path) -> Code:
    """Unpacks below `folder`. The object in S3 is read as the caller, whose permission AWS asks for."""
    for member in sorted(set(source) - _SOURCES):
        raise NotImplementedInSandbox("lambda", call.operation, f"{member} of the code is not modelled")
    if "ZipFile" in source:
        archive = _bytes(source["ZipFile"])
        if len(archive) > _LARGEST_ZIPPED:
            message = f"Zipped size must be smaller than {_LARGEST_ZIPPED} bytes"
            raise AwsError("RequestEntityTooLargeException", message, 413)
    elif source.get("S3Bucket") and source.get("S3Key"):
        archive = _from_s3(inside, call, source)
    else:
        raise invalid("Please provide a source for function code.")
    return _unpacked(archive, folder)


def _bytes(blob: str | bytes) -> bytes:
    """A blob of a JSON body is still Base64."""
    return base64.b64decode(blob) if isinstance(blob, str) else blob


def _from_s3(inside: Inside, call: Call, source: dict[str, Any]) -> bytes:
    where = {"Bucket": source["S3Bucket"], "Key": source["S3Key"]}
    if source.get("S3ObjectVersion"):
        where["VersionId"] = source["S3ObjectVersion"]
    try:
        content: bytes = inside.client("s3", call.caller, call.region).get_object(**where)["Body"].read()
    except ClientError as error:
        said = error.response["Error"]
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {said['Code']}. S3 Error Message: {said['Message']}"
        ) from error
    return content


def _unpacked(archive: bytes, folder: Path) -> Code:
    target = folder / uuid4().hex
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as package:
            if not package.namelist():
                raise invalid("Uploaded file must be a non-empty zip")
            if sum(item.file_size for item in package.infolist()) > _LARGEST_UNZIPPED:
                raise invalid(f"Unzipped size must be smaller than {_LARGEST_UNZIPPED} bytes")
            target.mkdir(parents=True)
            package.extractall(target)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as error:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from error
    return Code(target, base64.b64encode(hashlib.sha256(archive).digest()).decode(), len(archive))
