"""Asynchronous invocations: retries, and where events go that could not be processed.

Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation" (two retries, after
one and two minutes; throttled events are tried again for up to six hours; with a reserved concurrency of 0 events go
straight to the destination), "Capturing records of Lambda asynchronous invocations" (records, dead-letter queues).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.errors import AwsError
from sandbox.functions.configuration import PRINCIPAL
from sandbox.functions.process import Outcome
from sandbox.functions.store import LATEST, Function
from sandbox.inside import CannotAssume, Inside

# Seconds that AWS waits before the first and the second retry, and the default age at which it gives up.
_WAITS, _AGE, _RETRIES = (60, 120), 21600, 2
_POLL = 0.05
_LONGEST_MESSAGE = 1024


class Asynchronous:
    """execute: runs a function once (function, invoked ARN, request id, event). waits: seconds before each retry here,
    where AWS takes a minute and two; an event ages as on AWS."""

    def __init__(
        self,
        inside: Inside,
        execute: Callable[[Function, str, str, str], Outcome],
        waits: tuple[float, float] = (0.05, 0.1),
    ) -> None:
        self._inside = inside
        self._execute = execute
        self.waits = waits

    def run(self, function: Function, invoked_arn: str, request_id: str, event: str) -> None:
        """An event from the queue to its end."""
        config = function.event_config or {}
        retries = config.get("MaximumRetryAttempts", _RETRIES)
        oldest = config.get("MaximumEventAgeInSeconds", _AGE)
        begin, waited, attempts = monotonic(), 0, 0
        outcome: Outcome | None = None
        while True:
            if function.reserved == 0:
                return self._failed(function, request_id, event, outcome, "ZeroReservedConcurrency", attempts)
            try:
                outcome = self._execute(function, invoked_arn, request_id, event)
            except AwsError:  # throttled, or the role cannot be assumed: the event stays in the queue
                if monotonic() - begin + waited > oldest:
                    return self._failed(function, request_id, event, outcome, "EventAgeExceeded", attempts)
                self._inside.background.sleep(_POLL)
                continue
            attempts += 1
            if outcome.error is None:
                return self._record(function, "OnSuccess", request_id, event, outcome, "Success", attempts)
            if attempts > retries:
                return self._failed(function, request_id, event, outcome, "RetriesExhausted", attempts)
            waited += _WAITS[attempts - 1]
            if monotonic() - begin + waited > oldest:
                return self._failed(function, request_id, event, outcome, "EventAgeExceeded", attempts)
            self._inside.background.sleep(self.waits[attempts - 1])

    def _failed(
        self, function: Function, request_id: str, event: str, outcome: Outcome | None, condition: str, attempts: int
    ) -> None:
        """To the dead-letter queue and to the destination: a function may have both."""
        self._dead_letter(function, request_id, event, outcome)
        self._record(function, "OnFailure", request_id, event, outcome, condition, attempts)

    def _dead_letter(self, function: Function, request_id: str, event: str, outcome: Outcome | None) -> None:
        arn = function.settings.get("DeadLetterConfig", {}).get("TargetArn")
        if arn is None:
            return
        said = json.loads(outcome.payload).get("errorMessage", "") if outcome else "Rate Exceeded."
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200" if outcome else "429"},
            "ErrorMessage": {"DataType": "String", "StringValue": said[:_LONGEST_MESSAGE] or "-"},
        }
        self._send(function, arn, event, "", attributes)

    def _record(
        self,
        function: Function,
        which: str,
        request_id: str,
        event: str,
        outcome: Outcome | None,
        condition: str,
        attempts: int,
    ) -> None:
        config = (function.event_config or {}).get("DestinationConfig", {})
        arn = config.get(which, {}).get("Destination")
        if not arn:
            return
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": request_id,
                "functionArn": f"{function.arn}:{LATEST}",
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": json.loads(event),
        }
        if outcome is not None:
            record["responseContext"] = {"statusCode": 200, "executedVersion": LATEST}
            if outcome.error:
                record["responseContext"]["functionError"] = outcome.error
            record["responsePayload"] = json.loads(outcome.payload)
        kind = "Success" if which == "OnSuccess" else "Failure"
        self._send(function, arn, json.dumps(record), f"Lambda Function Invocation Result - {kind}", {})

    def _send(self, function: Function, arn: str, text: str, detail_type: str, attributes: dict[str, Any]) -> None:
        """As the function's role. A failure is in the call log; nobody else is told, as on AWS."""
        service, region, account, resource = arn.split(":", 5)[2:]
        try:
            role = self._inside.assume(function.settings["Role"], PRINCIPAL, function.name)
            client = self._inside.client(service, role, region)
            if service == "sqs":
                url = f"{self._inside.url}/{account}/{resource}"
                client.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes)
            elif service == "sns":
                client.publish(TopicArn=arn, Message=text, MessageAttributes=attributes)
            elif service == "lambda":
                client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
            else:
                entry = {
                    "Source": "lambda",
                    "DetailType": detail_type,
                    "Detail": text,
                    "EventBusName": arn,
                    "Resources": [arn, f"{function.arn}:{LATEST}"],
                }
                client.put_events(Entries=[entry])
        except (ClientError, BotoCoreError, CannotAssume):
            return
