"""Which data lie in S3, against a bucket with versions, and what is said where S3 does not tell."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mlops.jobs.dataset_version import check_unchanged, dataset_version
from sandbox.server import Sandbox
from tests.jobs.conftest import JOBS
from tests.jobs.test_lineage import usual, words

pytestmark = pytest.mark.slow

BUCKET, URI = "artifacts-of-ours", "s3://artifacts-of-ours/p/content/ab12"


@pytest.fixture
def s3(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """S3 of the sandbox, with an empty bucket that keeps versions; for clients that are made here as well."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def put(s3: Any) -> Any:
    """Write objects, by name and content; return their versions."""

    def put(**files: bytes) -> dict[str, str]:
        return {
            name: s3.put_object(Bucket=BUCKET, Key=f"p/content/ab12/{name}.csv", Body=content)["VersionId"]
            for name, content in files.items()
        }

    return put


def test_it_is_the_hash_that_its_documentation_says(put: Any) -> None:
    versions = put(b=b"1,2\n", a=b"3\n")
    text = f'[["p/content/ab12/a.csv","{versions["a"]}",2],["p/content/ab12/b.csv","{versions["b"]}",4]]'
    assert dataset_version(URI) == hashlib.sha256(text.encode()).hexdigest()


def test_every_change_of_an_object_changes_it_and_nothing_else_does(s3: Any, put: Any) -> None:
    put(a=b"1\n", b=b"2\n")
    known = [dataset_version(URI)]
    s3.put_object(Bucket=BUCKET, Key="p/content/another/a.csv", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="p/content/ab1", Body=b"")
    assert dataset_version(URI) == known[0], "what lies elsewhere"
    put(a=b"9\n")
    known.append(dataset_version(URI))
    put(a=b"9\n")  # the same bytes, written again
    known.append(dataset_version(URI))
    put(c=b"")
    known.append(dataset_version(URI))
    s3.delete_object(Bucket=BUCKET, Key="p/content/ab12/b.csv")
    known.append(dataset_version(URI))
    assert len(set(known)) == len(known)
    s3.delete_object(Bucket=BUCKET, Key="p/content/ab12/c.csv")
    one_left = dataset_version(URI)
    assert dataset_version(f"{URI}/a.csv") == one_left, "a single object is a prefix too"
    s3.put_object(Bucket=BUCKET, Key="p/content/ab12-more.csv", Body=b"1")
    assert dataset_version(URI) != one_left, "jobs read all that the URI is a prefix of"


def test_letters_of_all_kinds_and_what_url_would_escape(s3: Any) -> None:
    key = 'p/content/ab12/Ümläut "50 %"+&=?#\\日本.csv'
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")["VersionId"]
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    assert dataset_version(URI) == hashlib.sha256(f'[["{escaped}","{version}",1]]'.encode()).hexdigest()


def test_without_versions_the_etag_tells_a_change_of_the_same_size(s3: Any) -> None:
    s3.create_bucket(Bucket="plain")
    etag = s3.put_object(Bucket="plain", Key="a.csv", Body=b"1")["ETag"]
    before = dataset_version("s3://plain/")
    escaped = etag.replace('"', '\\"')
    assert before == hashlib.sha256(f'[["a.csv","{escaped}",1]]'.encode()).hexdigest()
    s3.put_object(Bucket="plain", Key="a.csv", Body=b"2")
    assert dataset_version("s3://plain/") != before


def test_all_pages_count() -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    entries = [
        {"Key": f"k/{name}", "VersionId": "v", "IsLatest": latest, "Size": 1, "ETag": '"e"'}
        for name, latest in (("b", True), ("b", False), ("a", True))
    ]
    asked = {"Bucket": "b", "Prefix": "k"}
    with Stubber(client) as stub:
        more = {"IsTruncated": True, "NextKeyMarker": "k/b", "NextVersionIdMarker": "v", "Versions": entries[:2]}
        stub.add_response("list_object_versions", more, asked)
        following = asked | {"KeyMarker": "k/b", "VersionIdMarker": "v"}
        stub.add_response("list_object_versions", {"IsTruncated": False, "Versions": entries[2:]}, following)
        version = dataset_version("s3://b/k", client)
        stub.assert_no_pending_responses()
    assert version == hashlib.sha256(b'[["k/a","v",1],["k/b","v",1]]').hexdigest()


def test_data_that_changed_are_refused(put: Any) -> None:
    put(a=b"1\n")
    version = dataset_version(URI)
    check_unchanged(URI, version)
    put(a=b"2\n")
    with pytest.raises(ValueError, match=rf"^the data at {URI} changed during training: their version was {version} "):
        check_unchanged(URI, version)


def test_data_that_are_gone_are_refused(s3: Any, put: Any) -> None:
    put(a=b"1\n")
    version = dataset_version(URI)
    s3.delete_object(Bucket=BUCKET, Key="p/content/ab12/a.csv")
    with pytest.raises(ValueError, match=r"changed during training: their version was .* and is nothing now"):
        check_unchanged(URI, version)
    with pytest.raises(FileNotFoundError, match=f"^no data lie at {URI}$"):
        dataset_version(URI)


def test_the_step_compare_fails_where_the_data_changed_and_says_so_in_its_last_line(put: Any, tmp_path: Path) -> None:
    """As SageMaker runs it: it knows the region by AWS_REGION alone."""
    put(a=b"1\n")
    version = dataset_version(URI)
    command = [sys.executable, str(JOBS / "compare.py"), *words(tmp_path, usual(tmp_path))]
    command += ["--dataset-uri", URI, "--dataset-version", version]
    job = {name: value for name, value in os.environ.items() if name != "AWS_DEFAULT_REGION"}
    job["AWS_REGION"] = "us-east-1"
    assert subprocess.run(command, env=job, capture_output=True, text=True).stderr == ""
    put(a=b"2\n")
    failed = subprocess.run(command, env=job, capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr == (
        f"compare.py: the data at {URI} changed during training: their version was {version} and is "
        f"{dataset_version(URI)} now; start the pipeline again, and let nobody write there meanwhile\n"
    )


def test_of_a_laptop_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: pytest.fail("S3 was asked"))
    check_unchanged("s3://laptop/0123", "content:0123")


def test_refusals_of_s3_are_one_line_that_says_what_to_do(aws: Sandbox, s3: Any) -> None:
    cannot = f"the version of the data at {URI} cannot be computed: "
    aws.set_faults([{"service": "s3", "operation": "ListObjectVersions", "fault": "access-denied"}])
    with pytest.raises(
        ValueError, match=f"^{cannot}access is denied; the role needs s3:ListBucketVersions on .*{BUCKET}$"
    ):
        dataset_version(URI)
    aws.set_faults([])
    with pytest.raises(ValueError, match=r"cannot be computed: there is no bucket nowhere$"):
        dataset_version("s3://nowhere/x")


def test_a_network_that_does_not_answer_is_one_line() -> None:
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=boto3.session.Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(ValueError, match="cannot be computed: Could not connect to the endpoint URL"):
        dataset_version(URI, client)


def test_an_image_without_boto3_says_so(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError('none here')\n")
    code = f"import sys; sys.path.insert(0, {str(JOBS)!r}); import dataset_version as d; d.dataset_version('s3://b/k')"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        "ValueError: the version of the data cannot be computed: this image has no boto3; "
        "name another in jobs.compare.image_uri of mlops.yaml"
    )
