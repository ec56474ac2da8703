"""From an event to its targets: rules that match, retries, dead-letter queues.

Source: EventBridge User Guide, "How EventBridge retries delivering events" and "Using dead-letter queues to process
undelivered events": what cannot succeed (no permission, no such target) is not retried; what is not delivered goes to
the dead-letter queue, or is dropped. In the sandbox nothing is dropped silently: the call log has a line of it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from time import monotonic
from typing import Any

from sandbox.call_log import CallLog
from sandbox.eventbridge.put_events import event_text
from sandbox.eventbridge.senders import PRINCIPAL, Undeliverable, send, send_to_queue
from sandbox.eventbridge.store import Buses, Rule
from sandbox.eventbridge.transform import CannotTransform, payload
from sandbox.inside import Inside

# API Reference, RetryPolicy: what AWS does where a target says nothing.
_RETRIES, _AGE = 185, 86400


class Deliveries:
    """retry_wait: seconds between attempts, where AWS backs off over hours. most_retries: a bound of the sandbox's own
    on the number of retries, which is up to 185 on AWS."""

    def __init__(
        self, inside: Inside, buses: Buses, log: CallLog, retry_wait: float = 0.05, most_retries: int = 10
    ) -> None:
        self._inside = inside
        self._buses = buses
        self._log = log
        self.retry_wait = retry_wait
        self.most_retries = most_retries
        self.orderly()

    def orderly(self) -> None:
        """Each event once and at once, until somebody asks for less."""
        self._copies, self._spread, self._random = 1, 0.0, Random(0)  # noqa: S311 - no secret

    def at_least_once(self, copies: int = 2, spread: float = 0.1, seed: int = 0) -> None:
        """Deliver as badly as AWS may: each event `copies` times, each after up to `spread` seconds, in any order."""
        self._copies, self._spread, self._random = copies, spread, Random(seed)  # noqa: S311

    def deliver(self, event: str, account: str, region: str, bus: str) -> None:
        """Returns at once."""
        received = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._buses.lock:
            matching = [
                (rule, dict(target))
                for rule in self._buses.every_rule()
                if (rule.account, rule.region, rule.bus) == (account, region, bus)
                and rule.is_enabled
                and rule.pattern is not None
                and rule.pattern.matches(event)
                for target in rule.targets.values()
            ]
        for rule, target in matching:
            self.start(rule, target, event, received)

    def start(self, rule: Rule, target: dict[str, Any], event: str, received: str) -> None:
        for _ in range(self._copies):
            wait = self._random.uniform(0, self._spread) if self._spread else 0.0
            self._inside.background.start(self._deliver, rule, target, event, received, wait)

    def _deliver(self, rule: Rule, target: dict[str, Any], event: str, received: str, wait: float) -> None:
        if wait:
            self._inside.background.sleep(wait)
        try:
            text = payload(target, event, rule.name, rule.arn, received)
        except CannotTransform as error:
            # AWS drops these and offers them to no queue: there is nothing that could be sent.
            self._record(rule, target, Undeliverable("INVALID_JSON", str(error)))
            return
        policy = target.get("RetryPolicy", {})
        retries = min(policy.get("MaximumRetryAttempts", _RETRIES), self.most_retries)
        gives_up = monotonic() + policy.get("MaximumEventAgeInSeconds", _AGE)
        for attempt in range(retries + 1):
            try:
                send(self._inside, rule, target, text)
                return
            except Undeliverable as error:
                failure = error
            if not failure.may_succeed_later or attempt == retries or monotonic() > gives_up:
                break
            self._inside.background.sleep(self.retry_wait)
        self._give_up(rule, target, event, failure, attempt)

    def _give_up(self, rule: Rule, target: dict[str, Any], event: str, failure: Undeliverable, retried: int) -> None:
        """The event as it was, and why in attributes (User Guide, "Using dead-letter queues")."""
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": failure.message,
        }
        if failure.may_succeed_later:
            attributes |= {"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "RETRY_ATTEMPTS": str(retried)}
        self._record(rule, target, failure)
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if queue:
            try:
                send_to_queue(self._inside, rule, queue, event, attributes=attributes)
            except Undeliverable as error:
                self._record(rule, {"Arn": queue}, error)

    def _record(self, rule: Rule, target: dict[str, Any], failure: Undeliverable) -> None:
        self._log.add(
            service="events",
            operation="Delivery",
            status=None,
            role=PRINCIPAL,
            resource=target["Arn"],
            context={"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account, "message": failure.message},
            error=failure.code,
        )

    def run_schedule(self, rule: Rule) -> None:
        """The event of a scheduled rule, to all its targets (User Guide, "Scheduled events")."""
        now = datetime.now(UTC)
        event = event_text("aws.events", "Scheduled Event", {}, [rule.arn], rule.account, rule.region, now)
        received = json.loads(event)["time"]
        for target in list(rule.targets.values()):
            self.start(rule, dict(target), event, received)
