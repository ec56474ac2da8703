"""One operation on a stack, at work in its thread: each resource made, changed or removed, with its events.

Source of statuses and reasons: User Guide, "Stack update behaviors", "Stack creation events", "DeletionPolicy
attribute".
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloudformation import schemas
from sandbox.cloudformation.desired import Desired
from sandbox.cloudformation.errors import Failed
from sandbox.cloudformation.stack import Resource, Stack, Wanted
from sandbox.cloudformation.types import HANDLERS
from sandbox.cloudformation.types.handler import changed
from sandbox.cloudformation.work import Clients, Stopped, Work, is_not_found, reason_of
from sandbox.errors import AwsError


class ResourceFailed(Exception):
    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


@dataclass
class Operation:
    """client: of whoever acts; its stop is set when the sandbox is reset."""

    stack: Stack
    client: Clients
    retain_except_on_create: bool = False
    disable_rollback: bool = False
    made: list[Resource] = field(default_factory=list)

    def desired(self, wanted: Wanted) -> Desired:
        return Desired(self.stack, wanted, self._value)

    def _value(self, logical_id: str, attribute: str | None) -> Any:
        resource = self.stack.resources[logical_id]
        return resource.physical_id if attribute is None else resource.attributes[attribute]

    def create(self, desired: Desired, resource: Resource, verb: str = "CREATE") -> None:
        """A new resource; its stack holds it, whole or half, from now on. Raises ResourceFailed, Stopped.

        verb: of its events; UPDATE where it replaces another.
        """
        self.stack.resources[resource.logical_id] = resource
        self.made.append(resource)

        def make() -> None:
            self._resolve(desired, resource)
            if verb == "CREATE":
                self.stack.record_resource(resource, "CREATE_IN_PROGRESS", shown=_shown(resource.properties))
            HANDLERS[resource.type].create(Work(self.stack, resource, self.client, verb), resource.properties)

        self._attempt(resource, verb, make)

    def update(self, resource: Resource, old: Mapping[str, Any], undo: bool = False) -> None:
        """A resource from its old properties to those that it holds now. Raises ResourceFailed, Stopped."""

        def change() -> None:
            self.stack.record_resource(resource, "UPDATE_IN_PROGRESS", shown=_shown(resource.properties))
            if not undo:
                self._check(resource)
            HANDLERS[resource.type].update(self._work(resource), dict(old), resource.properties)

        self._attempt(resource, "UPDATE", change)

    def delete(self, resource: Resource, policy: str) -> bool:
        """Whether it is gone, or kept as its policy says. Raises Stopped."""
        if policy == "Retain" or (policy == "RetainExceptOnCreate" and all(resource is not made for made in self.made)):
            self.stack.record_resource(resource, "DELETE_SKIPPED")
            return True

        def remove() -> None:
            self.stack.record_resource(resource, "DELETE_IN_PROGRESS")
            if resource.physical_id is not None:
                HANDLERS[resource.type].delete(self._work(resource), resource.properties)

        try:
            self._attempt(resource, "DELETE", remove)
        except ResourceFailed:
            return False
        return True

    def policy_in_rollback(self, resource: Resource) -> str:
        """RetainExceptOnCreate of the operation makes new resources go, though their own policy is Retain."""
        return "Delete" if self.retain_except_on_create else resource.deletion_policy

    def differing(self, desired: Desired, resource: Resource) -> Resource | None:
        """A resource as it is to become, or None where nothing but its policies differ. Raises ResourceFailed."""
        becomes = replace(resource, declared=desired.declared(resource.logical_id))
        becomes.depends_on = desired.dependencies(resource.logical_id)
        try:
            becomes.properties = desired.properties(resource.logical_id)
        except (AwsError, Failed) as error:
            self.stack.record_resource(resource, "UPDATE_FAILED", str(error))
            raise ResourceFailed(resource.logical_id) from error
        if changed(resource.properties, becomes.properties):
            return becomes
        resource.declared, resource.depends_on = becomes.declared, becomes.depends_on
        return None

    def needs_replacement(self, old: Resource, new: Resource) -> bool:
        fixed = schemas.create_only(old.type, self.stack.region)
        return any(name in fixed for name in changed(old.properties, new.properties))

    def _resolve(self, desired: Desired, resource: Resource) -> None:
        try:
            resource.properties = desired.properties(resource.logical_id)
        except AwsError as error:
            raise Failed(error.message) from error
        self._check(resource)

    def _check(self, resource: Resource) -> None:
        from sandbox.cloudformation.properties import faults_of

        found = faults_of(resource.type, self.stack.region, resource.properties)
        if found:
            told = ", ".join(f"{where}: {what}" for where, what in found)
            raise Failed(f"Properties validation failed for resource {resource.logical_id} with message:\n[{told}]")

    def _attempt(self, resource: Resource, verb: str, act: Callable[[], None]) -> None:
        if self.client.stop.is_set():
            raise Stopped
        try:
            act()
        except Exception as error:
            if self.client.stop.is_set():
                raise Stopped from error
            if verb == "DELETE" and isinstance(error, ClientError) and is_not_found(error):
                self.stack.record_resource(resource, "DELETE_COMPLETE")
                return
            if not isinstance(error, (ClientError, BotoCoreError, Failed)):
                traceback.print_exc()  # a mistake of the sandbox's
            self.stack.record_resource(resource, f"{verb}_FAILED", reason_of(error, resource.type))
            raise ResourceFailed(resource.logical_id) from error
        self.stack.record_resource(resource, f"{verb}_COMPLETE")

    def _work(self, resource: Resource) -> Work:
        return Work(self.stack, resource, self.client)


def _shown(properties: Mapping[str, Any]) -> str:
    return json.dumps(properties)
