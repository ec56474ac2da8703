"""The sample payload of a version: what CreateModelPackage asks of the archive at SamplePayloadUrl."""

import io
import os
import tarfile
import time
from pathlib import Path

import pytest

from mlops.definition import sample_payload
from mlops.problem import Problem


def files_in(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


@pytest.fixture
def tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the requests."""
    monkeypatch.setattr(sample_payload, "ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    return tmp_path / "tests"


def test_it_is_a_tar_of_the_requests_and_the_same_bytes_whenever_it_is_made(
    tests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tests / "sample_payload.json").write_bytes(b"[[1]]")
    (tests / "sample_payload.csv").write_bytes(b"1,2\n")
    (tests / "endpoint_tests.yaml").write_bytes(b"x")
    archive = sample_payload.sample_payload()
    assert files_in(archive) == {"sample_payload.csv": b"1,2\n", "sample_payload.json": b"[[1]]"}
    os.utime(tests / "sample_payload.csv", (1, 1))
    (tests / "sample_payload.json").chmod(0o600)
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    assert sample_payload.sample_payload() == archive


def test_without_a_request_nothing_starts(tests: Path) -> None:
    (tests / "sample_payload.csv").mkdir()
    with pytest.raises(
        Problem, match=r"^there is no tests/sample_payload\.\*, which every version of the model carries;"
    ):
        sample_payload.sample_payload()


def test_a_request_that_no_endpoint_takes_is_refused(tests: Path) -> None:
    (tests / "sample_payload.csv").write_bytes(b"1" * 6_291_456)
    sample_payload.sample_payload()
    (tests / "sample_payload.csv").write_bytes(b"1" * 6_291_457)
    with pytest.raises(Problem, match="has 6291457 bytes; an endpoint takes 6291456: leave fewer rows in it"):
        sample_payload.sample_payload()
