"""Stacks, as their users see them: created, waited for, looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import Sandbox

IAM = ["CAPABILITY_NAMED_IAM"]


@dataclass
class Stacks:
    """create, update, delete: wait for the end and return the stack's description."""

    api: Any
    client: Callable[..., Any]
    sandbox: Sandbox

    def create(self, template: Any, name: str = "demo", **more: Any) -> dict[str, Any]:
        more.setdefault("Capabilities", IAM)
        return self.wait(self.api.create_stack(StackName=name, TemplateBody=body(template), **more)["StackId"])

    def update(self, template: Any, name: str = "demo", **more: Any) -> dict[str, Any]:
        more.setdefault("Capabilities", IAM)
        return self.wait(self.api.update_stack(StackName=name, TemplateBody=body(template), **more)["StackId"])

    def delete(self, name: str = "demo", **more: Any) -> dict[str, Any]:
        arn = self.api.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self.api.delete_stack(StackName=name, **more)
        return self.wait(arn)

    def change_set(
        self, template: Any, name: str = "demo", kind: str = "UPDATE", change_set: str = "changes", **more: Any
    ) -> dict[str, Any]:
        more.setdefault("Capabilities", IAM)
        arn = self.api.create_change_set(
            StackName=name, ChangeSetName=change_set, ChangeSetType=kind, TemplateBody=body(template), **more
        )["Id"]
        for _ in range(20):
            found: dict[str, Any] = self.api.describe_change_set(ChangeSetName=arn)
            if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return found
        raise AssertionError(found["Status"])

    def execute(self, change_set: dict[str, Any], **more: Any) -> dict[str, Any]:
        self.api.execute_change_set(ChangeSetName=change_set["ChangeSetId"], **more)
        return self.wait(change_set["StackId"])

    def wait(self, arn: str) -> dict[str, Any]:
        for _ in range(30):
            stack: dict[str, Any] = self.api.describe_stacks(StackName=arn)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
        raise AssertionError(f"{stack['StackStatus']} after a minute")

    def events(self, arn: str = "demo") -> list[tuple[str, str]]:
        """(logical id, status), oldest first."""
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in self._events(arn)]

    def reason(self, logical_id: str, status: str, arn: str = "demo") -> str:
        """Of the newest event of that kind."""
        return next(
            str(event["ResourceStatusReason"])
            for event in reversed(self._events(arn))
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (logical_id, status)
        )

    def physical(self, logical_id: str, name: str = "demo") -> str:
        found = self.api.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def _events(self, arn: str) -> list[dict[str, Any]]:
        return list(reversed(self.api.describe_stack_events(StackName=arn)["StackEvents"]))


def body(template: Any) -> str:
    """A template as it is sent; one given by its resources alone is completed."""
    if isinstance(template, str):
        return template
    return json.dumps(template if "Resources" in template else {"Resources": template})


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


@pytest.fixture
def stacks(sandbox: Sandbox, client: Callable[..., Any]) -> Stacks:
    return Stacks(client("cloudformation"), client, sandbox)
