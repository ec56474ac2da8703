"""One engine for the permission tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.permissions.engine import Engine


@pytest.fixture(scope="session")
def engine(clean_machine: None) -> Iterator[Engine]:
    """The independent IAM engine, running."""
    with Engine() as running:
        yield running
