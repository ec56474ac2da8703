"""Requests that a model of this repository answers, packed as a version in the registry carries them.

"This path must point to a single gzip compressed tar archive (.tar.gz suffix). This archive can hold multiple files
that are all equally used in the load test. Each file in the archive must satisfy the size constraints of the
InvokeEndpoint call." (API Reference, CreateModelPackage, SamplePayloadUrl)
"""

import gzip
import io
import tarfile
from collections.abc import Mapping

from mlops.own_repository import ROOT
from mlops.problem import Problem

NAME = "sample_payload.tar.gz"
FILES = "sample_payload.*"  # in tests/: .csv, or whatever the team's own inference.py takes
LARGEST = 6_291_456  # bytes (API Reference, InvokeEndpoint, Body)


def sample_payload() -> bytes:
    """Return the archive of this repository's sample requests.

    Raises:
        Problem: there is none, or one is too large for an endpoint.
    """
    files = {path.name: path.read_bytes() for path in (ROOT / "tests").glob(FILES) if path.is_file()}
    if not files:
        raise Problem(
            f"there is no tests/{FILES}, which every version of the model carries; write a request there that "
            "model/inference.py answers, such as tests/sample_payload.csv with a few rows without the target"
        )
    for name, content in files.items():
        if len(content) > LARGEST:
            raise Problem(f"tests/{name} has {len(content)} bytes; an endpoint takes {LARGEST}: leave fewer rows in it")
    return packed(files)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a .tar.gz: the same bytes for the same files."""
    archive = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 9, archive, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
