"""Buses, rules and targets of all accounts and regions, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from sandbox import paging
from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.eventbridge.pattern import Pattern
from sandbox.eventbridge.schedule import Cron, Rate

DEFAULT_BUS = "default"


@dataclass
class Rule:
    """pattern, schedule: None where the rule has none. targets: by id, as PutTargets got them."""

    name: str
    arn: str
    bus: str
    account: str
    region: str
    pattern_text: str | None
    pattern: Pattern | None
    schedule_text: str | None
    schedule: Rate | Cron | None
    state: str
    description: str | None
    role_arn: str | None
    created_by: str
    tags: dict[str, str]
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_enabled(self) -> bool:
        return self.state != "DISABLED"


@dataclass
class Bus:
    name: str
    arn: str
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


class Buses:
    """Hold the lock while you use what it returns."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._all: dict[tuple[str, str], dict[str, Bus]] = {}

    def of(self, account: str, region: str, partition: str) -> dict[str, Bus]:
        """By name. Every account has a default bus in every region."""
        if (account, region) not in self._all:
            arn = f"arn:{partition}:events:{region}:{account}:event-bus/{DEFAULT_BUS}"
            self._all[account, region] = {DEFAULT_BUS: Bus(DEFAULT_BUS, arn)}
        return self._all[account, region]

    def mine(self, call: Call) -> dict[str, Bus]:
        return self.of(call.caller.account, call.region, call.partition)

    def bus(self, call: Call, name_or_arn: str | None) -> Bus:
        """Raises ResourceNotFoundException."""
        name = bus_name(name_or_arn)
        found = self.mine(call).get(name)
        if found is None or ((name_or_arn or "").startswith("arn:") and found.arn != name_or_arn):
            raise not_found(f"Event bus {name} does not exist.")
        return found

    def rule(self, call: Call, name: str) -> Rule:
        """Raises ResourceNotFoundException."""
        bus = self.bus(call, call.params.get("EventBusName"))
        if name not in bus.rules:
            raise not_found(f"Rule {name} does not exist on EventBus {bus.name}.")
        return bus.rules[name]

    def every_rule(self) -> list[Rule]:
        return [rule for buses in self._all.values() for bus in buses.values() for rule in bus.rules.values()]

    def clear(self) -> None:
        with self.lock:
            self._all.clear()


def bus_name(name_or_arn: str | None) -> str:
    return (name_or_arn or DEFAULT_BUS).rsplit("event-bus/", 1)[-1]


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def page(call: Call, items: list[Any]) -> tuple[list[Any], str | None]:
    """The part of a list that Limit (default 100) and NextToken ask for, and the next token."""
    refusal = invalid("Parameter NextToken is not valid.")
    return paging.page(call, items, call.params.get("Limit") or 100, call.params.get("NextToken"), refusal)
