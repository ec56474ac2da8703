"""UPDATE of a stack: change or replace what differs, then clean up; or, after a failure, restore what was.

Source: User Guide, "Update behaviors of stack resources", "Stack failure options", "UpdateReplacePolicy attribute".
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.cloudformation.deletion import remove_each
from sandbox.cloudformation.desired import Desired
from sandbox.cloudformation.operation import Operation, ResourceFailed
from sandbox.cloudformation.stack import Resource, Wanted
from sandbox.cloudformation.types import HANDLERS
from sandbox.errors import AwsError


@dataclass
class _Step:
    """What was done to one resource. old: None for a new one; new is the same physical resource unless replaced."""

    new: Resource
    old: Resource | None

    @property
    def replaced(self) -> bool:
        return self.old is not None and self.old.physical_id != self.new.physical_id


def update(operation: Operation, wanted: Wanted) -> None:
    """The stack is in UPDATE_IN_PROGRESS already."""
    stack, desired = operation.stack, operation.desired(wanted)
    steps: list[_Step] = []
    before = dict(stack.resources)
    try:
        for logical_id in desired.order():
            _advance(operation, desired, logical_id, steps)
        outputs = desired.outputs()
    except ResourceFailed as failure:
        _failed(operation, steps, before, f"The following resource(s) failed to update: [{failure.logical_id}]. ")
        return
    except AwsError as error:
        _failed(operation, steps, before, f"{error.message} ")
        return
    stack.record("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    stack.is_, stack.outputs = wanted, outputs
    left = _clean_up(operation, desired, steps)
    told = f"Update successful. One or more resources could not be deleted: [{', '.join(left)}]" if left else None
    stack.record("UPDATE_COMPLETE", told)


def _advance(operation: Operation, desired: Desired, logical_id: str, steps: list[_Step]) -> None:
    stack = operation.stack
    held = stack.resources.get(logical_id)
    if held is None:
        made = desired.resource(logical_id)
        steps.append(_Step(made, None))
        operation.create(desired, made)
        return
    becomes = operation.differing(desired, held)
    if becomes is None:
        return
    if operation.needs_replacement(held, becomes):
        _replace(operation, desired, held, becomes, steps)
        return
    stack.resources[logical_id] = becomes
    steps.append(_Step(becomes, held))
    operation.update(becomes, held.properties)


def _replace(operation: Operation, desired: Desired, held: Resource, becomes: Resource, steps: list[_Step]) -> None:
    stack = operation.stack
    name = HANDLERS[held.type].name
    stack.record_resource(
        held,
        "UPDATE_IN_PROGRESS",
        "Requested update requires the creation of a new physical resource; hence creating one.",
    )
    if name and name in becomes.properties and becomes.properties[name] == held.properties.get(name):
        told = (
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
            f"{held.physical_id} and update the stack again."
        )
        stack.record_resource(held, "UPDATE_FAILED", told)
        raise ResourceFailed(held.logical_id)
    made = desired.resource(held.logical_id)
    steps.append(_Step(made, held))
    operation.create(desired, made, "UPDATE")


def _clean_up(operation: Operation, desired: Desired, steps: list[_Step]) -> list[str]:
    """Remove what was replaced and what the template no longer has; what cannot go is left, and said."""
    stack = operation.stack
    left = []
    for step in reversed(steps):
        if step.replaced and step.old is not None:
            old = step.old
            if not operation.delete(old, "Retain" if old.update_replace_policy == "Retain" else "Delete"):
                left.append(old.logical_id)
    active = set(desired.order())
    gone = [resource for name, resource in stack.resources.items() if name not in active]
    left += remove_each(operation, gone, lambda resource: resource.deletion_policy)
    for resource in gone:
        stack.resources.pop(resource.logical_id)
    return left


def _failed(operation: Operation, steps: list[_Step], before: dict[str, Resource], reason: str) -> None:
    stack = operation.stack
    if operation.disable_rollback:
        stack.record("UPDATE_FAILED", reason)
        return
    stack.record("UPDATE_ROLLBACK_IN_PROGRESS", reason)
    for step in reversed(steps):
        if step.old is None or step.replaced:
            continue
        stack.resources[step.old.logical_id] = step.old
        try:
            operation.update(step.old, step.new.properties, undo=True)
        except ResourceFailed as failure:
            told = f"The following resource(s) failed to update: [{failure.logical_id}]. "
            stack.record("UPDATE_ROLLBACK_FAILED", told)
            return
    stack.record("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    made = [step.new for step in steps if step.old is None or step.replaced]
    stack.resources = before
    for resource in reversed(made):
        operation.delete(resource, operation.policy_in_rollback(resource))
    stack.record("UPDATE_ROLLBACK_COMPLETE")
