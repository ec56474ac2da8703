"""What is sent to the bucket: once, whoever sends it, and never over what is there."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from mlops import aws as mlops_aws
from mlops.cloud import artifacts
from mlops.cloud.account_stack import AccountStack
from mlops.cloud.artifacts import Artifacts, Missing
from mlops.problem import Problem
from sandbox.server import Sandbox

pytestmark = pytest.mark.slow

BUCKET = "artifacts"
MEGABYTE = 2**20


@pytest.fixture
def s3(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The sandbox's S3 with a versioned bucket; it is that of Artifacts too."""
    session = boto3.Session(aws.endpoint.access_key, aws.endpoint.secret, region_name=aws.region)
    client = session.client("s3", endpoint_url=aws.url)
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setattr(mlops_aws, "client", lambda *_: session.client("s3", endpoint_url=aws.url))
    return client


@pytest.fixture
def clone(aws: Sandbox, s3: Any) -> Artifacts:
    key = boto3.client(
        "kms",
        endpoint_url=aws.url,
        region_name=aws.region,
        aws_access_key_id=aws.endpoint.access_key,
        aws_secret_access_key=aws.endpoint.secret,
    ).create_key()["KeyMetadata"]["Arn"]
    return Artifacts(AccountStack("0.4.0", 1, BUCKET, key, "function", "/mlops/"), "nonprod/it", aws.region)


@pytest.fixture(params=[0, 7, 6 * MEGABYTE], ids=["empty", "small", "in parts"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Missing:
    """A file that a listing did not show. PART as small as S3 takes it."""
    monkeypatch.setattr(artifacts, "PART", 5 * MEGABYTE)
    path = tmp_path / "grün & 1+1.csv"
    path.write_bytes(b"x" * request.param)
    return Missing(f"nonprod/it/content/0a/{path.name}", path, request.param)


def versions(s3: Any) -> list[tuple[str, int]]:
    return [(one["Key"], one["Size"]) for one in s3.list_object_versions(Bucket=BUCKET).get("Versions", [])]


def test_two_clones_that_send_the_same_file_leave_one_version(s3: Any, clone: Artifacts, file: Missing) -> None:
    """Each has looked before the other sent. A second version would be other data to the run that has begun."""
    clone.send([file])
    clone.send([file])
    assert versions(s3) == [(file.key, file.size)]


def test_what_somebody_else_put_there_is_not_taken_for_ours(s3: Any, clone: Artifacts, file: Missing) -> None:
    s3.put_object(Bucket=BUCKET, Key=file.key, Body=b"something else")
    with pytest.raises(
        Problem, match=f"cannot be written: 14 bytes lie there, and its name says that they are {file.size}; have"
    ):
        clone.send([file])
    assert versions(s3) == [(file.key, len("something else"))]
