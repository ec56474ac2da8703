"""Definitions of pipelines, kept between tests: building one takes seconds, and the same settings and machinery always
give the same. Their folders are named after all that they depend on, so a stale one is never found.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import CACHE

KEPT = CACHE / "definitions"


@contextmanager
def shared_definitions(repository: Path) -> Iterator[None]:
    """Lend a generated repository those that are there, and keep what it builds meanwhile."""
    if KEPT.is_dir():
        shutil.copytree(KEPT, repository / ".mlops" / "definitions", dirs_exist_ok=True)
    yield
    KEPT.mkdir(parents=True, exist_ok=True)
    for built in (repository / ".mlops" / "definitions").glob("*"):
        if not (KEPT / built.name).exists():
            _keep(built)


def _keep(built: Path) -> None:
    copy = Path(tempfile.mkdtemp(dir=CACHE)) / built.name
    shutil.copytree(built, copy)
    try:
        os.rename(copy, KEPT / built.name)
    except OSError:  # another process has just kept it
        shutil.rmtree(copy)
    copy.parent.rmdir()
