# ruff: noqa: N802 - methods are named as AWS names its operations
"""Event buses, and tags of buses and rules."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.eventbridge.store import DEFAULT_BUS, Bus, Buses, invalid, not_found, page
from sandbox.resources import request_tags

# Service Quotas, EventBridge: event buses per account and region.
_MOST_BUSES = 100
_MOST_TAGS = 50


class BusOperations:
    buses: Buses

    def CreateEventBus(self, call: Call) -> dict[str, Any]:
        """API Reference, CreateEventBus: names hold no `/`, and the name `default` is taken."""
        params, name = call.params, call.params["Name"]
        for member in ("EventSourceName", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"):
            if params.get(member):
                raise NotImplementedInSandbox("events", "CreateEventBus", f"{member} of a bus is not modelled")
        if "/" in name:
            raise invalid("Event bus name must not contain '/'.")
        with self.buses.lock:
            mine = self.buses.mine(call)
            if name in mine:
                raise AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
            if len(mine) >= _MOST_BUSES:
                raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
            tags = checked_tags({}, request_tags(params))
            mine[name] = Bus(name, call.arn("events", f"event-bus/{name}"), params.get("Description"), tags)
            return {"EventBusArn": mine[name].arn, "Description": mine[name].description}

    def DescribeEventBus(self, call: Call) -> dict[str, Any]:
        with self.buses.lock:
            return _bus(self.buses.bus(call, call.params.get("Name")))

    def ListEventBuses(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("NamePrefix") or ""
        with self.buses.lock:
            found = [bus for name, bus in sorted(self.buses.mine(call).items()) if name.startswith(prefix)]
            shown, token = page(call, found)
            return {"EventBuses": [_bus(bus) for bus in shown], "NextToken": token}

    def DeleteEventBus(self, call: Call) -> None:
        """A bus that is not there is no error (API Reference, DeleteEventBus declares none for it); one with rules is
        refused."""
        name = call.params["Name"]
        if name == DEFAULT_BUS:
            raise invalid(f"Cannot delete event bus {name}.")
        with self.buses.lock:
            bus = self.buses.mine(call).get(name)
            if bus is not None and bus.rules:
                raise invalid(f"Event bus {name} has rules: delete them first.")
            self.buses.mine(call).pop(name, None)

    def TagResource(self, call: Call) -> None:
        with self.buses.lock:
            tags = self._tags(call)
            tags.update(checked_tags(tags, request_tags(call.params)))

    def UntagResource(self, call: Call) -> None:
        with self.buses.lock:
            tags = self._tags(call)
            for key in call.params["TagKeys"]:
                tags.pop(key, None)

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        with self.buses.lock:
            return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags(call).items()]}

    def _tags(self, call: Call) -> dict[str, str]:
        arn = call.params["ResourceARN"]
        for bus in self.buses.mine(call).values():
            if bus.arn == arn:
                return bus.tags
            for rule in bus.rules.values():
                if rule.arn == arn:
                    return rule.tags
        raise not_found(f"Resource {arn} does not exist.")


def checked_tags(existing: dict[str, str], added: dict[str, str]) -> dict[str, str]:
    """API Reference, Tag: 50 tags a resource, no key that starts with `aws:`."""
    if any(key.lower().startswith("aws:") for key in added):
        raise invalid("System tags cannot be added/updated by requester.")
    if len(existing | added) > _MOST_TAGS:
        raise AwsError("LimitExceededException", f"A resource has at most {_MOST_TAGS} tags.")
    return added


def _bus(bus: Bus) -> dict[str, Any]:
    return {
        "Name": bus.name,
        "Arn": bus.arn,
        "Description": bus.description,
        "CreationTime": bus.created,
        "LastModifiedTime": bus.created,
    }
