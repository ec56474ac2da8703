"""Filters, order and pages, the same for every list of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from sandbox.calls import Call
from sandbox.paging import page
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
    size, token = params.get("MaxResults", DEFAULT_RESULTS), params.get("NextToken")
    return page(call, found, size, token, invalid("Invalid NextToken"))


def _wanted(params: dict[str, Any], name: str, created: float) -> bool:
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return (
        params.get("NameContains", "") in name
        and (after is None or created > float(after))
        and (before is None or created < float(before))
    )
