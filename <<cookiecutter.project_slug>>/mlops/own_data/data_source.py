"""Where the data comes from, if it is not in git: an object on S3."""

import os
import shutil
from pathlib import Path

from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.settings import Settings

S3 = "s3://"
BLOCK = 1024 * 1024  # bytes written at a time


def fetch_source(settings: Settings) -> Path:
    """Return the data file, downloaded from `data.source` if it is not there yet.

    Raises:
        Problem: it is not there and has no source, or S3 does not give it.
    """
    file = ROOT / settings.data.path
    if file.exists():
        return file
    if settings.data.source is None:
        raise Problem(f"{settings.data.path} is not there; name a file: mlops data use FILE_OR_S3 --target COLUMN")
    file.parent.mkdir(parents=True, exist_ok=True)
    download(settings.data.source, file, settings.region)
    return file


def download(uri: str, file: Path, region: str | None) -> None:
    """Download an object. The file appears when it is complete.

    Raises:
        Problem: the address is none, there are no credentials, no such object, or no permission; or the disk is full.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from mlops import aws
    from mlops.own_data.data_file import in_bytes

    bucket, key = split(uri)
    part = file.with_name(f".{file.name}.part")
    try:
        answer = aws.client("s3", region).get_object(Bucket=bucket, Key=key)
        with part.open("wb") as stream:
            shutil.copyfileobj(answer["Body"], stream, BLOCK)
        os.replace(part, file)
    except (ClientError, BotoCoreError) as error:
        raise Problem(_explain(uri, error)) from None
    except OSError as error:
        size = in_bytes(answer["ContentLength"])
        raise Problem(f"{uri} ({size}) cannot be written to {file}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an address on S3.

    Raises:
        Problem: it names no object.
    """
    bucket, _, key = uri.removeprefix(S3).partition("/")
    if not bucket or not key or key.endswith("/"):
        raise Problem(f"{uri} names no object on S3; write s3://bucket/folder/table.csv")
    return bucket, key


def _explain(uri: str, error: Exception) -> str:
    from mlops import aws

    match aws.code(error):
        case "NoSuchKey" | "NoSuchBucket":
            return f"there is no {uri}; look with: aws s3 ls {uri.rsplit('/', 1)[0]}/"
        case "AccessDenied":  # also for what is not there, without the permission to list
            return f"{uri} may not be read, or is not there; ask for s3:GetObject and s3:ListBucket on it"
    return f"{uri} cannot be read: {aws.explain(error)}"
