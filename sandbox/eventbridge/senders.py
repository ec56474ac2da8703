"""One attempt to hand a text to a target, as EventBridge: its resource policy is asked, then its API is called.

Source: EventBridge User Guide, "Using resource-based policies for Amazon EventBridge": Lambda, SNS, SQS and CloudWatch
Logs each need a policy that names events.amazonaws.com; error codes of "Using dead-letter queues".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.eventbridge.store import Rule
from sandbox.eventbridge.targets import kind_of
from sandbox.inside import Inside
from sandbox.resource_policies import allows

PRINCIPAL = "events.amazonaws.com"
_LOG_PRINCIPALS = (PRINCIPAL, "delivery.logs.amazonaws.com")


class Undeliverable(Exception):
    """code: as in ERROR_CODE of a dead letter."""

    def __init__(self, code: str, message: str, may_succeed_later: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.may_succeed_later = may_succeed_later


def send(inside: Inside, rule: Rule, target: Mapping[str, Any], text: str) -> None:
    """Raises Undeliverable."""
    arn = target["Arn"]
    kind = kind_of(arn)
    try:
        if kind == "lambda":
            inside.invoke_as_service(arn, PRINCIPAL, rule.arn, text.encode())
        elif kind == "sqs":
            send_to_queue(inside, rule, arn, text, group=target.get("SqsParameters", {}).get("MessageGroupId"))
        elif kind == "sns":
            _publish(inside, rule, arn, text)
        else:
            _write_log(inside, rule, arn, text)
    except ClientError as error:
        raise _undeliverable(error) from error
    except BotoCoreError as error:
        raise Undeliverable("CONNECTION_FAILURE", str(error), may_succeed_later=True) from error


def send_to_queue(
    inside: Inside,
    rule: Rule,
    arn: str,
    text: str,
    group: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Raises Undeliverable."""
    from moto.sqs.models import sqs_backends

    account, name = arn.split(":")[4:]
    queue = sqs_backends[account][rule.region].queues.get(name)
    if queue is None:
        raise Undeliverable("NO_RESOURCE", f"The queue {arn} does not exist.")
    _ask(queue.policy, rule, "sqs:SendMessage", arn)
    params: dict[str, Any] = {"QueueUrl": f"{inside.url}/{account}/{name}", "MessageBody": text}
    if group:
        params |= {"MessageGroupId": group, "MessageDeduplicationId": str(uuid4())}
    if attributes:
        params["MessageAttributes"] = {
            key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
        }
    try:
        inside.client("sqs", inside.as_service(PRINCIPAL, rule.arn), rule.region).send_message(**params)
    except ClientError as error:
        raise _undeliverable(error) from error
    except BotoCoreError as error:
        raise Undeliverable("CONNECTION_FAILURE", str(error), may_succeed_later=True) from error


def _publish(inside: Inside, rule: Rule, arn: str, text: str) -> None:
    from moto.sns.models import sns_backends

    topic = sns_backends[arn.split(":")[4]][rule.region].topics.get(arn)
    if topic is None:
        raise Undeliverable("NO_RESOURCE", f"The topic {arn} does not exist.")
    _ask(topic.policy, rule, "sns:Publish", arn)
    inside.client("sns", inside.as_service(PRINCIPAL, rule.arn), rule.region).publish(TopicArn=arn, Message=text)


def _write_log(inside: Inside, rule: Rule, arn: str, text: str) -> None:
    """A stream for each event."""
    from moto.logs.models import logs_backends

    group = arn.split(":")[6]
    backend = logs_backends[rule.account][rule.region]
    if group not in backend.groups:
        raise Undeliverable("NO_RESOURCE", f"The log group {group} does not exist.")
    documents = [policy.policy_document for policy in backend.resource_policies.values()]
    stream = f"{arn.removesuffix(':*')}:log-stream:{uuid4()}"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if not any(
            allows(document, principal, action, stream, _context(rule))
            for document in documents
            for principal in _LOG_PRINCIPALS
        ):
            raise _no_permission(action, arn)
    client = inside.client("logs", inside.as_service(PRINCIPAL, rule.arn), rule.region)
    name = stream.rsplit(":", 1)[1]
    client.create_log_stream(logGroupName=group, logStreamName=name)
    now = int(datetime.now(UTC).timestamp() * 1000)
    client.put_log_events(
        logGroupName=group, logStreamName=name, logEvents=[{"timestamp": now, "message": _log_message(text)}]
    )


def _log_message(text: str) -> str:
    """An input transformer of a log group makes its message; else it is the event."""
    value = json.loads(text)
    if set(value) == {"timestamp", "message"}:
        return value["message"] if isinstance(value["message"], str) else json.dumps(value["message"])
    return text


def _ask(policy: Any, rule: Rule, action: str, arn: str) -> None:
    if not allows(policy, PRINCIPAL, action, arn, _context(rule)):
        raise _no_permission(action, arn)


def _context(rule: Rule) -> dict[str, str]:
    return {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account}


def _no_permission(action: str, arn: str) -> Undeliverable:
    return Undeliverable("NO_PERMISSIONS", f"The policy of {arn} does not let {PRINCIPAL} do {action}.")


def _undeliverable(error: ClientError) -> Undeliverable:
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    message = f"{code}: {error.response['Error']['Message']}"
    if "AccessDenied" in code:
        return Undeliverable("NO_PERMISSIONS", message)
    if "NotFound" in code or "NonExistent" in code:
        return Undeliverable("NO_RESOURCE", message)
    if status == 429 or "Throttl" in code:
        return Undeliverable("THROTTLING", message, may_succeed_later=True)
    return Undeliverable("SDK_CLIENT_ERROR", message, may_succeed_later=status >= 500 and status != 501)
