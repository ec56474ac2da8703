# ruff: noqa: N802 - methods are named as AWS names its operations
"""PutEvents, and the JSON of an event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.eventbridge.store import Buses, bus_name, invalid

# API Reference, PutEvents: the size of all entries, and of the time of one ("Calculating PutEvents event entry size").
_LARGEST_REQUEST = 1024 * 1024
_TIME_SIZE = 14
_REQUIRED = ("Source", "DetailType", "Detail")


class MalformedDetail(Exception):
    pass


class PutEventsOperation:
    buses: Buses
    deliver: Callable[[str, str, str, str], None]

    def PutEvents(self, call: Call) -> dict[str, Any]:
        """Entries that are refused do not keep the others from being sent."""
        entries = call.params["Entries"]
        if call.params.get("EndpointId"):
            raise NotImplementedInSandbox("events", "PutEvents", "global endpoints are not modelled")
        if sum(map(_size, entries)) > _LARGEST_REQUEST:
            raise invalid("Total size of the entries in the request is over the limit.")
        results = [self._put(call, entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _put(self, call: Call, entry: dict[str, Any]) -> dict[str, str]:
        for name in _REQUIRED:
            if not entry.get(name):
                return _failed(
                    "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
                )
        if entry["Source"].lower().startswith("aws."):
            return _failed("NotAuthorizedForSourceException", "Not authorized for the source.")
        try:
            detail = _detail(entry["Detail"])
        except MalformedDetail:
            return _failed("MalformedDetail", "Detail is malformed.")
        bus = bus_name(entry.get("EventBusName"))
        if (entry.get("EventBusName") or "").startswith("arn:"):
            account, region = entry["EventBusName"].split(":")[4], entry["EventBusName"].split(":")[3]
            if (account, region) != (call.caller.account, call.region):
                raise NotImplementedInSandbox(
                    "events", "PutEvents", "buses of other accounts and regions are not modelled"
                )
        with self.buses.lock:
            if bus not in self.buses.mine(call):
                return _failed("ResourceNotFoundException", f"Event bus {bus} does not exist.")
        at = _moment(entry.get("Time"))
        resources = entry.get("Resources") or []
        text = event_text(entry["Source"], entry["DetailType"], detail, resources, call.caller.account, call.region, at)
        self.deliver(text, call.caller.account, call.region, bus)
        return {"EventId": json.loads(text)["id"]}


def event_text(
    source: str, detail_type: str, detail: Mapping[str, Any], resources: Any, account: str, region: str, at: datetime
) -> str:
    """User Guide, "Event structure": whole seconds, and the members in this order."""
    event = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def _moment(time: Any) -> datetime:
    """Seconds since 1970, as the protocol sends them, or now."""
    if time is None:
        return datetime.now(UTC)
    if not isinstance(time, (int, float)):
        raise AwsError("SerializationException", f"Time is a number of seconds, not {time!r}")
    return datetime.fromtimestamp(time, UTC)


def _detail(text: str) -> dict[str, Any]:
    """A JSON object, with integers of 64 bits and nesting of at most 1,000 levels (API Reference, PutEvents)."""

    def whole(digits: str) -> int:
        number = int(digits)
        if not -(2**63) <= number < 2**63:
            raise ValueError(digits)
        return number

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        detail = json.loads(text, parse_int=whole, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedDetail from error
    if not isinstance(detail, dict):
        raise MalformedDetail
    return detail


def _size(entry: dict[str, Any]) -> int:
    texts = [entry.get(name) or "" for name in _REQUIRED] + list(entry.get("Resources") or [])
    return sum(len(text.encode()) for text in texts) + (_TIME_SIZE if entry.get("Time") is not None else 0)


def _failed(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}
