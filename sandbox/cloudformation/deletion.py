"""DELETE of a stack, and of what a rollback undoes: last made, first removed."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.cloudformation.operation import Operation
from sandbox.cloudformation.references import order_of
from sandbox.cloudformation.stack import Resource, now


def delete(operation: Operation, retained: list[str]) -> None:
    """retained: logical ids that are left alone. The stack is in DELETE_IN_PROGRESS already."""

    def policy(resource: Resource) -> str:
        return "Retain" if resource.logical_id in retained else resource.deletion_policy

    remove(operation, list(operation.stack.resources.values()), "DELETE_COMPLETE", "DELETE_FAILED", policy)


def remove(
    operation: Operation, resources: list[Resource], done: str, failed: str, policy: Callable[[Resource], str]
) -> None:
    """Remove resources, and end the stack in `done` or `failed`."""
    left = remove_each(operation, resources, policy)
    stack = operation.stack
    if left:
        stack.record(failed, f"The following resource(s) failed to delete: [{', '.join(left)}]. ")
        return
    if done == "DELETE_COMPLETE":
        stack.deleted = now()
    stack.record(done)


def remove_each(operation: Operation, resources: list[Resource], policy: Callable[[Resource], str]) -> list[str]:
    """The logical ids of those that could not be removed; what they need is left too."""
    there = {item.logical_id: item for item in resources if item.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")}
    graph = {name: [other for other in item.depends_on if other in there] for name, item in there.items()}
    left: list[str] = []
    kept: set[str] = set()
    for name in reversed(order_of(graph, "resources")):
        if name in kept:
            kept.update(graph[name])
        elif not operation.delete(there[name], policy(there[name])):
            left.append(name)
            kept.update(graph[name])
    return left
