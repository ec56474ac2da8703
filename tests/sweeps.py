"""Sweeps: a failure at every call, every signal at every moment. `make test` tries a part of them, `make test-long` all.

Which part depends on the name of the sweep, so that several sweeps over the same calls try different ones.
"""

import os
import zlib
from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "long"

# For tests that repeat another one with more of the same: another release, another combination.
nightly = pytest.mark.skipif(not THOROUGH, reason="one more of the same: make test-long runs it")


def some_of(items: Sequence[T], sweep: str, every: int = 4) -> list[T]:
    """Return each `every`-th of the items, or all of them in `make test-long`; never none."""
    if THOROUGH:
        return list(items)
    start = zlib.crc32(sweep.encode("utf-8")) % min(every, max(len(items), 1))
    return list(items[start::every])
