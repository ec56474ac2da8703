"""The stack as CloudFormation tells of it: its state, and what happens to it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from account import aws

NAME = "mlops-account"
PATIENCE = 60.0  # seconds until what was started shows
POLL = 2.0  # seconds between looks; CloudFormation throttles those who look every moment
CANCELLED = "Resource creation cancelled"  # what others say when one resource failed: not the reason


@dataclass(frozen=True)
class Stack:
    """What DescribeStacks says. id: the ARN, which still names it when it is gone."""

    id: str
    status: str
    reason: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work on it. In REVIEW_IN_PROGRESS it waits for a change set to be executed."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def look(client: Any, name: str = NAME) -> Stack | None:
    """The stack of that name or ARN, or None: then DescribeStacks (API Reference) answers with a ValidationError."""
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if aws.code(error) == "ValidationError" and "does not exist" in aws.message(error):
            return None
        raise
    return Stack(
        found["StackId"],
        found["StackStatus"],
        found.get("StackStatusReason", ""),
        {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found.get("Parameters", [])},
        {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
    )


def resources(client: Any, stack: Stack) -> dict[str, str]:
    """The physical ids of the stack's resources, by their names in the template."""
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
    found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found if each.get("PhysicalResourceId")}


def follow(client: Any, stack_id: str, token: str | None, show: Callable[[str], None]) -> Stack:
    """Show what happens until CloudFormation rests; return how it ended.

    token: ClientRequestToken of what was started, which may take a moment to begin; None: whatever is going on.
    """
    shown = set() if token else {event["EventId"] for event in _events(client, stack_id)}
    start = time.monotonic()
    while True:
        stack = look(client, stack_id)
        for event in reversed([*_events(client, stack_id)]):
            if event["EventId"] not in shown and token in {None, event.get("ClientRequestToken")}:
                shown.add(event["EventId"])
                if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                    show(_line(event))
        begun = token is None or shown or time.monotonic() - start > PATIENCE
        if stack is None or (begun and not stack.busy):
            return stack or Stack(stack_id, "DELETE_COMPLETE", "", {}, {})
        time.sleep(POLL)


def delete(client: Any, stack: Stack, show: Callable[[str], None]) -> Stack:
    """Delete the stack; return how that ended."""
    token = f"make-account-{uuid.uuid4()}"
    client.delete_stack(StackName=stack.id, ClientRequestToken=token)
    return follow(client, stack.id, token, show)


def first_failure(client: Any, stack_id: str, token: str | None) -> str:
    """Why it failed: the resource that failed first, with its reason, in one line."""
    for event in reversed([*_events(client, stack_id)]):
        reason = event.get("ResourceStatusReason", "")
        failed = event["ResourceStatus"].endswith("_FAILED") and not reason.startswith(CANCELLED)
        if failed and token in {None, event.get("ClientRequestToken")}:
            return f"{event['LogicalResourceId']} ({event['ResourceType']}): {' '.join(reason.split()).rstrip('.')}"
    return "CloudFormation names no resource that failed"


def _events(client: Any, stack_id: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        yield from page["StackEvents"]


def _line(event: dict[str, Any]) -> str:
    reason = " ".join(event.get("ResourceStatusReason", "").split())
    at = event["Timestamp"].astimezone().strftime("%H:%M:%S")
    return f"{at}  {event['ResourceStatus']:<18}  {event['LogicalResourceId']}{reason and f'  {reason}'}"
