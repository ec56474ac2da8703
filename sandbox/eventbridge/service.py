"""EventBridge as the front sees it, and the tests: everything that the sandbox has of it is here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event as Signal
from threading import Thread
from typing import Any

from sandbox.call_log import CallLog
from sandbox.calls import Call
from sandbox.eventbridge.buses import BusOperations
from sandbox.eventbridge.delivery import Deliveries
from sandbox.eventbridge.put_events import PutEventsOperation, event_text
from sandbox.eventbridge.rules import RuleOperations
from sandbox.eventbridge.store import DEFAULT_BUS, Buses, bus_name
from sandbox.inside import Event, Inside
from sandbox.resources import describe


class EventBridge(BusOperations, RuleOperations, PutEventsOperation):
    """Buses, rules and deliveries; what has no method here is not implemented (moto's EventBridge delivers in ways that
    AWS does not)."""

    complete = True

    def __init__(self, inside: Inside, log: CallLog) -> None:
        self.inside = inside
        self.buses = Buses()
        self.deliveries = Deliveries(inside, self.buses, log)
        self.deliver = self.deliveries.deliver
        inside.emit = self.emit

    def emit(self, event: Event) -> None:
        """What a service has to tell, to the account's default bus; returns at once."""
        text = event_text(
            event.source, event.detail_type, event.detail, event.resources, event.account, event.region, event.time
        )
        self.deliver(text, event.account, event.region, DEFAULT_BUS)

    def at_least_once(self, copies: int = 2, spread: float = 0.1, seed: int = 0) -> None:
        """See Deliveries; a reset ends it."""
        self.deliveries.at_least_once(copies, spread, seed)

    def tick(self, rule_name: str) -> None:
        """Run a scheduled rule now, whatever its schedule says. Raises KeyError; ValueError where it is disabled or has
        no schedule."""
        with self.buses.lock:
            rule = next((rule for rule in self.buses.every_rule() if rule.name == rule_name), None)
            if rule is None:
                raise KeyError(f"no rule {rule_name}")
            if rule.schedule is None or not rule.is_enabled:
                raise ValueError(f"the rule {rule_name} has no schedule, or is disabled")
        self.deliveries.run_schedule(rule)

    def keep_time(self, stop: Signal) -> Thread:
        """Run scheduled rules when they are due, until `stop` is set. In tests time stands still: see tick."""

        def run() -> None:
            done = _this_minute()
            while not stop.wait(1):
                minute = _this_minute()
                if minute == done:
                    continue
                done = minute
                with self.buses.lock:
                    due = [rule for rule in self.buses.every_rule() if rule.is_enabled and rule.schedule is not None]
                    due = [rule for rule in due if rule.schedule and rule.schedule.is_due(minute, rule.since)]
                for rule in due:
                    self.deliveries.run_schedule(rule)

        thread = Thread(target=run, name="events-schedule", daemon=True)
        thread.start()
        return thread

    def describe(self, call: Call) -> None:
        """Resources and condition keys of the Service Authorization Reference, "Amazon EventBridge"."""
        params = call.params
        named = _resources(call)
        describe(call)
        call.resources[:] = named or call.resources
        if call.operation == "PutEvents":
            entries = [entry for entry in params["Entries"] if isinstance(entry, dict)]
            call.context["events:source"] = sorted({str(entry.get("Source")) for entry in entries})
            call.context["events:detail-type"] = sorted({str(entry.get("DetailType")) for entry in entries})
        if call.operation == "PutTargets":
            call.context["events:TargetArn"] = sorted({str(target.get("Arn")) for target in params["Targets"]})
        for arn in call.resources:
            tags = self.resource_tags(call, arn)
            call.context.update({f"aws:ResourceTag/{key}": value for key, value in tags.items()})

    def resource_tags(self, call: Call, arn: str) -> Mapping[str, str]:
        """Of a bus or a rule; none of what is not there."""
        with self.buses.lock:
            for bus in self.buses.mine(call).values():
                tagged = {bus.arn: bus.tags} | {rule.arn: rule.tags for rule in bus.rules.values()}
                if arn in tagged:
                    return dict(tagged[arn])
        return {}

    def reset(self) -> None:
        self.buses.clear()
        self.deliveries.orderly()


def _resources(call: Call) -> list[str]:
    params = call.params
    if call.operation == "PutEvents":
        names = [bus_name(entry.get("EventBusName")) for entry in params["Entries"] if isinstance(entry, dict)]
        return [call.arn("events", f"event-bus/{name}") for name in names]
    if "ResourceARN" in params:
        return [params["ResourceARN"]]
    if call.operation.endswith("EventBus"):
        return [call.arn("events", f"event-bus/{bus_name(params.get('Name'))}")]
    rule = params.get("Rule", params.get("Name"))
    if rule is None:
        return []
    bus = bus_name(params.get("EventBusName"))
    named: list[Any] = [call.arn("events", f"rule/{rule}" if bus == DEFAULT_BUS else f"rule/{bus}/{rule}")]
    return named + ([params["RoleArn"]] if params.get("RoleArn") else [])


def _this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)
