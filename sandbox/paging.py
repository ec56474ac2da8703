"""Pages of a list. The token of the next page is opaque, and of one operation, as AWS's services have it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sandbox.calls import Call
from sandbox.errors import AwsError

T = TypeVar("T")


def page(call: Call, items: Sequence[T], size: int, token: str | None, refusal: AwsError) -> tuple[list[T], str | None]:
    """At most `size` items, from where `token` says (None: from the start), and the token of the next page, if any.

    Raises `refusal` for a token that no answer of this operation held.
    """
    start = 0 if token is None else _start(call, token, refusal)
    end = start + size
    following = base64.b64encode(f"{call.operation} {end}".encode()).decode() if end < len(items) else None
    return list(items[start:end]), following


def _start(call: Call, token: str, refusal: AwsError) -> int:
    try:
        operation, number = base64.b64decode(token, validate=True).decode().split(" ")
        start = int(number)
    except (ValueError, binascii.Error) as error:
        raise refusal from error
    if operation != call.operation or start < 0:
        raise refusal
    return start
