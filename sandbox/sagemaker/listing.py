"""Filters, order and pages, the same for every list of the registry."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from sandbox.calls import Call
from sandbox.sagemaker.store import invalid

T = TypeVar("T")
# The registry's lists do not document their default; SageMaker's other lists document 10 (ListTrainingJobs,
# ListPipelines). The smaller it is, the sooner a client that forgets to page is found out.
DEFAULT_RESULTS = 10


def listed(
    call: Call,
    items: Iterable[T],
    *,
    name: Callable[[T], str],
    created: Callable[[T], datetime],
    tie: Callable[[T], Any],
) -> tuple[list[T], str | None]:
    """One page of items and the token of the next.

    Source: ListModelPackageGroups and ListModelPackages: by CreationTime, Ascending, unless asked otherwise.
    Raises ValidationException for a token that no answer held.
    """
    params = call.params
    found = [item for item in items if _wanted(params, name(item), created(item).timestamp())]
    by_name = params.get("SortBy") == "Name"
    found.sort(key=lambda item: (name(item) if by_name else created(item).timestamp(), tie(item)))
    if params.get("SortOrder") == "Descending":
        found.reverse()
    start = _start(call, params.get("NextToken"))
    end = start + params.get("MaxResults", DEFAULT_RESULTS)
    token = base64.b64encode(f"{call.operation} {end}".encode()).decode() if end < len(found) else None
    return found[start:end], token


def _wanted(params: dict[str, Any], name: str, created: float) -> bool:
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return (
        params.get("NameContains", "") in name
        and (after is None or created > float(after))
        and (before is None or created < float(before))
    )


def _start(call: Call, token: str | None) -> int:
    if token is None:
        return 0
    try:
        operation, number = base64.b64decode(token, validate=True).decode().split(" ")
        start = int(number)
    except (ValueError, binascii.Error) as error:
        raise invalid("Invalid NextToken") from error
    if operation != call.operation or start < 0:
        raise invalid("Invalid NextToken")
    return start
