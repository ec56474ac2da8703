"""Which data lie in S3: one hash for all objects below a URI, taken before training and again after it.

The version is the SHA-256, in hexadecimal, of a JSON text in UTF-8: a sorted list with `[key, version, size]` for each
object that the URI is a prefix of, as it is for the jobs that read from there. The key is the whole one, as in the
bucket; the version is the object's version id, or where the bucket keeps none ("null") its ETag, as S3 quotes it; the
size is in bytes. There is no space and no line break, and nothing is escaped but what JSON demands:

    aws s3api list-object-versions --bucket BUCKET --prefix PREFIX --output json |
      jq -cj '[.Versions[] | select(.IsLatest)
               | [.Key, if .VersionId == "null" then .ETag else .VersionId end, .Size]] | sort' | sha256sum

On a laptop data have no place where they could change, and their version is the hash of what is in them: `content:…`.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

BY_CONTENT = "content:"  # what such a version says of the data holds for ever


def check_unchanged(uri: str, version: str) -> None:
    """Compute the version of the data again.

    Raises:
        ValueError: it is another now, or cannot be computed.
    """
    if version.startswith(BY_CONTENT):
        return
    try:
        now = dataset_version(uri)
    except FileNotFoundError:
        now = "nothing"
    if now != version:
        raise ValueError(
            f"the data at {uri} changed during training: their version was {version} and is {now} now; "
            "start the pipeline again, and let nobody write there meanwhile"
        )


def dataset_version(uri: str, client: Any = None) -> str:
    """Return the version of the data at an S3 URI; `client` is boto3's for S3, made here if none is given.

    Raises:
        FileNotFoundError: nothing lies there.
        ValueError: S3 does not tell, with the reason.
    """
    client = _client() if client is None else client
    objects = sorted(_objects(client, uri))
    if not objects:
        raise FileNotFoundError(f"no data lie at {uri}")
    text = json.dumps(objects, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _client() -> Any:
    try:
        import boto3
    except ImportError:
        raise ValueError(
            "the version of the data cannot be computed: this image has no boto3; "
            "name another in jobs.compare.image_uri of mlops.yaml"
        ) from None
    # SageMaker names the region of a job in a variable that boto3 does not read.
    return boto3.client("s3", region_name=os.environ.get("AWS_REGION"))


def _objects(client: Any, uri: str) -> Iterator[list[Any]]:
    """Yield key, version and size of each object (ListObjectVersions; the permission is called s3:ListBucketVersions).

    Raises:
        ValueError: S3 refuses, or does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    try:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Versions", []):
                if entry["IsLatest"]:
                    version = entry["ETag"] if entry["VersionId"] == "null" else entry["VersionId"]
                    yield [entry["Key"], version, entry["Size"]]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        why = {
            "AccessDenied": f"access is denied; the role needs s3:ListBucketVersions on the bucket {bucket}",
            "NoSuchBucket": f"there is no bucket {bucket}",
        }.get(code, f"{code}: {error.response['Error'].get('Message', 'no reason given')}")
        raise ValueError(f"the version of the data at {uri} cannot be computed: {why}") from None
    except BotoCoreError as error:
        raise ValueError(f"the version of the data at {uri} cannot be computed: {error}") from None
