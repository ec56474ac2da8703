"""Data on S3: fetched where it is missing; what S3 refuses is one line."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from mlops import aws as connection
from mlops.own_data import data_source
from mlops.problem import Problem
from mlops.settings import Settings
from sandbox.server import Sandbox

URI = "s3://team-data/tables/t.csv"


@pytest.fixture
def s3(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3 with one object."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    connection.client.cache_clear()
    connection.session.cache_clear()
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="team-data")
    client.put_object(Bucket="team-data", Key="tables/t.csv", Body=b"a,b\n1,2\n")
    yield client
    connection.client.cache_clear()
    connection.session.cache_clear()


def settings(source: str | None) -> Settings:
    data = {"path": "data/t.csv", "source": source, "target": "b"}
    place = {"account": None, "region": "us-east-1"}
    return Settings.model_validate(
        {
            "project": {"name": "x", "slug": "x", "owner": "x"},
            "model": {"task": "classification", "framework": "scikit-learn"},
            "serving": "realtime",
            "scenario": "baseline",
            "source_control": {"host": "codecommit", "repository": "x"},
            "data": data,
            "evaluation": {"metric": "auc", "threshold": 0.9},
            "environments": {"feature": place, "dev": place, "prod": place},
        }
    )


def test_a_missing_file_is_fetched_and_one_that_is_there_is_left_alone(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_source, "ROOT", tmp_path)
    file = data_source.fetch_source(settings(URI))
    assert file == tmp_path / "data" / "t.csv"
    assert file.read_bytes() == b"a,b\n1,2\n"
    assert list((tmp_path / "data").iterdir()) == [file]
    file.write_bytes(b"mine")
    assert data_source.fetch_source(settings(URI)).read_bytes() == b"mine"


def test_a_missing_file_without_a_source_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_source, "ROOT", tmp_path)
    with pytest.raises(Problem, match=r"^data/t\.csv is not there; name a file: mlops data use"):
        data_source.fetch_source(settings(None))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("uri", ["s3://team-data/tables/none.csv", "s3://no-such-bucket-here/t.csv"])
def test_an_object_that_is_not_there_is_one_line(s3: Any, tmp_path: Path, uri: str) -> None:
    with pytest.raises(Problem) as problem:
        data_source.download(uri, tmp_path / "t.csv", "us-east-1")
    assert str(problem.value) == f"there is no {uri}; look with: aws s3 ls {uri.rsplit('/', 1)[0]}/"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://bucket/", "s3://bucket/folder/"])
def test_an_address_of_no_object_is_refused(uri: str) -> None:
    with pytest.raises(Problem, match="names no object on S3"):
        data_source.split(uri)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("AccessDenied", 403, "may not be read, or is not there; ask for s3:GetObject and s3:ListBucket"),
        ("ExpiredToken", 400, "the AWS credentials have expired; log in again"),
        ("InvalidAccessKeyId", 403, "AWS does not know these credentials"),
        ("SlowDown", 503, "try again in a minute"),
    ],
)
def test_what_s3_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: int, reason: str
) -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(connection, "client", lambda *_: client)
    stub = Stubber(client)
    stub.add_client_error("get_object", service_error_code=code, http_status_code=status)
    with stub, pytest.raises(Problem) as problem:
        data_source.download(URI, tmp_path / "t.csv", "us-east-1")
    assert reason in str(problem.value)
    assert str(problem.value).startswith(URI)
    assert "\n" not in str(problem.value)


class Breaking:
    """A body whose connection is lost in the middle."""

    def __init__(self) -> None:
        self.blocks = [b"a,b\n1,2\n"]

    def read(self, _: int) -> bytes:
        if self.blocks:
            return self.blocks.pop()
        raise ReadTimeoutError(endpoint_url="https://s3")


def test_half_a_download_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = SimpleNamespace(get_object=lambda **_: {"Body": Breaking(), "ContentLength": 99})
    monkeypatch.setattr(connection, "client", lambda *_: client)
    with pytest.raises(Problem, match=r"the connection to AWS was lost .*; try again"):
        data_source.download(URI, tmp_path / "t.csv", "us-east-1")
    assert not list(tmp_path.iterdir())


def test_missing_credentials_are_one_line(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Problem, match="no AWS credentials were found; log in"):
        data_source.download(URI, tmp_path / "t.csv", "us-east-1")


def test_a_full_disk_is_one_line(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"\(8 bytes\) cannot be written to .*: No such file or directory"):
        data_source.download(URI, tmp_path / "no folder" / "t.csv", "us-east-1")
