# ruff: noqa: N802 - methods are named as AWS names its operations
"""Rules and their targets."""

from __future__ import annotations

import json
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.eventbridge.buses import checked_tags
from sandbox.eventbridge.comparison import InvalidPattern
from sandbox.eventbridge.pattern import Pattern
from sandbox.eventbridge.schedule import Cron, InvalidSchedule, Rate, read_schedule
from sandbox.eventbridge.store import DEFAULT_BUS, Buses, Rule, invalid, page
from sandbox.eventbridge.targets import check_target
from sandbox.inside import CannotAssume, Inside
from sandbox.resources import request_tags

# Service Quotas, EventBridge: rules of a bus, targets of a rule (API Reference, PutTargets: five).
_MOST_RULES = 300
_MOST_TARGETS = 5
_MOST_ENTRIES = 10
_EVENT_KEYS = ("id", "account", "source", "time", "region", "resources", "detail-type")
_TOO_MANY = AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


class RuleOperations:
    buses: Buses
    inside: Inside

    def PutRule(self, call: Call) -> dict[str, Any]:
        """Replaces a rule of that name, but for its targets and tags (API Reference, PutRule). A schedule belongs to
        the default bus (User Guide, "Creating a rule that runs on a schedule")."""
        params, name = call.params, call.params["Name"]
        pattern_text, schedule_text = params.get("EventPattern"), params.get("ScheduleExpression")
        if not pattern_text and not schedule_text:
            raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        pattern = read_pattern(pattern_text) if pattern_text else None
        schedule = _schedule(schedule_text) if schedule_text else None
        if params.get("RoleArn"):
            self._check_role(params["RoleArn"])
        with self.buses.lock:
            bus = self.buses.bus(call, params.get("EventBusName"))
            if schedule is not None and bus.name != DEFAULT_BUS:
                raise invalid("ScheduleExpression is supported only on the default event bus.")
            old = bus.rules.get(name)
            if old is None and len(bus.rules) >= _MOST_RULES:
                raise _TOO_MANY
            bus.rules[name] = rule = Rule(
                name=name,
                arn=call.arn("events", f"rule/{name}" if bus.name == DEFAULT_BUS else f"rule/{bus.name}/{name}"),
                bus=bus.name,
                account=call.caller.account,
                region=call.region,
                pattern_text=pattern_text or None,
                pattern=pattern,
                schedule_text=schedule_text or None,
                schedule=schedule,
                state=params.get("State") or "ENABLED",
                description=params.get("Description"),
                role_arn=params.get("RoleArn"),
                created_by=call.caller.account,
                tags=old.tags if old else checked_tags({}, request_tags(params)),
                targets=old.targets if old else {},
            )
        return {"RuleArn": rule.arn}

    def DescribeRule(self, call: Call) -> dict[str, Any]:
        with self.buses.lock:
            rule = self.buses.rule(call, call.params["Name"])
            return {**_summary(rule), "CreatedBy": rule.created_by}

    def ListRules(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("NamePrefix") or ""
        with self.buses.lock:
            rules = self.buses.bus(call, call.params.get("EventBusName")).rules
            shown, token = page(call, [rule for name, rule in sorted(rules.items()) if name.startswith(prefix)])
            return {"Rules": [_summary(rule) for rule in shown], "NextToken": token}

    def ListRuleNamesByTarget(self, call: Call) -> dict[str, Any]:
        arn = call.params["TargetArn"]
        with self.buses.lock:
            rules = self.buses.bus(call, call.params.get("EventBusName")).rules
            found = [
                name for name, rule in sorted(rules.items()) if any(t["Arn"] == arn for t in rule.targets.values())
            ]
            shown, token = page(call, found)
            return {"RuleNames": shown, "NextToken": token}

    def EnableRule(self, call: Call) -> None:
        with self.buses.lock:
            self.buses.rule(call, call.params["Name"]).state = "ENABLED"

    def DisableRule(self, call: Call) -> None:
        with self.buses.lock:
            self.buses.rule(call, call.params["Name"]).state = "DISABLED"

    def DeleteRule(self, call: Call) -> None:
        """A rule that is not there is no error; one with targets is refused (API Reference, DeleteRule: "you must first
        remove all targets")."""
        with self.buses.lock:
            rules = self.buses.bus(call, call.params.get("EventBusName")).rules
            rule = rules.get(call.params["Name"])
            if rule is not None and rule.targets:
                raise invalid("Rule can't be deleted since it has targets.")
            rules.pop(call.params["Name"], None)

    def PutTargets(self, call: Call) -> dict[str, Any]:
        targets = call.params["Targets"]
        if len(targets) > _MOST_ENTRIES:
            raise invalid(
                f"1 validation error detected: Value '{targets}' at 'targets' failed to satisfy constraint: "
                f"Member must have length less than or equal to {_MOST_ENTRIES}"
            )
        with self.buses.lock:
            rule = self.buses.rule(call, call.params["Rule"])
            for target in targets:
                check_target(target, rule)
            merged = {**rule.targets, **{target["Id"]: target for target in targets}}
            if len(merged) > _MOST_TARGETS:
                raise _TOO_MANY
            rule.targets = merged
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def RemoveTargets(self, call: Call) -> dict[str, Any]:
        with self.buses.lock:
            rule = self.buses.rule(call, call.params["Rule"])
            failed = [
                {
                    "TargetId": identity,
                    "ErrorCode": "ResourceNotFoundException",
                    "ErrorMessage": f"Rule {rule.name} does not have target(s) {identity}.",
                }
                for identity in call.params["Ids"]
                if identity not in rule.targets
            ]
            rule.targets = {name: target for name, target in rule.targets.items() if name not in call.params["Ids"]}
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def ListTargetsByRule(self, call: Call) -> dict[str, Any]:
        with self.buses.lock:
            shown, token = page(call, list(self.buses.rule(call, call.params["Rule"]).targets.values()))
            return {"Targets": shown, "NextToken": token}

    def TestEventPattern(self, call: Call) -> dict[str, Any]:
        """The event must be whole (API Reference, TestEventPattern: id, account, source, time, region, resources,
        detail-type are mandatory)."""
        pattern = read_pattern(call.params["EventPattern"])
        try:
            event = json.loads(call.params["Event"])
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise invalid("Parameter Event is not valid.")
        for key in _EVENT_KEYS:
            if key not in event:
                raise invalid(f"Parameter Event is not valid. Reason: {key} is a required argument.")
        return {"Result": pattern.matches(call.params["Event"])}

    def _check_role(self, role: str) -> None:
        try:
            self.inside.assume(role, "events.amazonaws.com", "check")
        except CannotAssume as error:
            raise invalid(f"Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'.") from error


def read_pattern(text: str) -> Pattern:
    try:
        return Pattern(text)
    except InvalidPattern as error:
        raise AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}") from error


def _schedule(text: str) -> Rate | Cron:
    try:
        return read_schedule(text)
    except InvalidSchedule as error:
        raise invalid("Parameter ScheduleExpression is not valid.") from error


def _summary(rule: Rule) -> dict[str, Any]:
    return {
        "Name": rule.name,
        "Arn": rule.arn,
        "EventPattern": rule.pattern_text,
        "ScheduleExpression": rule.schedule_text,
        "State": rule.state,
        "Description": rule.description,
        "RoleArn": rule.role_arn,
        "EventBusName": rule.bus,
    }
