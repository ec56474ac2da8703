"""What CloudFormation knows: stacks, their resources, events and change sets.

Source of the members: API Reference, data types Stack, StackEvent, StackResource, DescribeChangeSet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sandbox.callers import Caller
from sandbox.cloudformation.parameters import Parameter
from sandbox.cloudformation.template import Template

STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Wanted:
    """What a stack is to become. names: values of parameters and pseudo parameters."""

    template: Template
    parameters: Mapping[str, Parameter]
    names: Mapping[str, Any]
    conditions: Mapping[str, bool]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...]
    role_arn: str | None


@dataclass
class Resource:
    """A resource of a stack. properties: resolved, with all tags. attributes: what Fn::GetAtt answers."""

    logical_id: str
    type: str
    properties: dict[str, Any] = field(default_factory=dict)
    physical_id: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    status: str = ""
    reason: str | None = None
    updated: datetime = field(default_factory=now)

    @property
    def deletion_policy(self) -> str:
        return str(self.declared.get("DeletionPolicy", "Delete"))

    @property
    def update_replace_policy(self) -> str:
        return str(self.declared.get("UpdateReplacePolicy", "Delete"))


@dataclass(frozen=True)
class StackEvent:
    identity: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    token: str | None
    properties: str | None
    time: datetime = field(default_factory=now)


@dataclass
class Change:
    """One ResourceChange of a change set."""

    action: str
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: str | None = None
    scope: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)
    policy_action: str | None = None


@dataclass(frozen=True)
class Validation:
    """One finding of the validation before a deployment."""

    name: str
    logical_id: str
    type: str
    reason: str
    path: str
    time: datetime = field(default_factory=now)


@dataclass
class ChangeSet:
    name: str
    arn: str
    kind: str
    wanted: Wanted
    given: list[dict[str, Any]]
    description: str | None
    on_failure: str | None
    token: str | None
    caller: Caller
    skip_validation: bool = False
    status: str = "CREATE_PENDING"
    reason: str | None = None
    execution: str = "UNAVAILABLE"
    changes: list[Change] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    created: datetime = field(default_factory=now)


@dataclass
class Stack:
    name: str
    arn: str
    region: str
    account: str
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    is_: Wanted | None = None
    role_arn: str | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    protected: bool = False
    disable_rollback: bool = False
    retain_except_on_create: bool = False
    change_set_id: str | None = None
    token: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def is_deleted(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    def record(self, status: str, reason: str | None = None) -> None:
        """The stack's own status, and the event of it."""
        self.events.append(
            StackEvent(str(uuid4()), self.name, self.arn, STACK_TYPE, status, reason, self.token, properties=None)
        )
        self.status, self.reason = status, reason

    def record_resource(
        self, resource: Resource, status: str, reason: str | None = None, shown: str | None = None
    ) -> None:
        """A resource's status, and the event of it. shown: its properties as JSON."""
        resource.status, resource.reason, resource.updated = status, reason, now()
        identity = f"{resource.logical_id}-{status}-{uuid4()}"
        physical_id = resource.physical_id or ""
        self.events.append(
            StackEvent(identity, resource.logical_id, physical_id, resource.type, status, reason, self.token, shown)
        )
