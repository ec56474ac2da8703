"""CREATE of a stack, and what happens when it fails."""

from __future__ import annotations

from sandbox.cloudformation.deletion import remove
from sandbox.cloudformation.operation import Operation, ResourceFailed
from sandbox.cloudformation.stack import Wanted
from sandbox.errors import AwsError


def create(operation: Operation, wanted: Wanted, on_failure: str) -> None:
    """on_failure: ROLLBACK, DELETE or DO_NOTHING (API Reference, CreateStack, OnFailure). The stack is in
    CREATE_IN_PROGRESS already."""
    stack, desired = operation.stack, operation.desired(wanted)
    try:
        for logical_id in desired.order():
            operation.create(desired, desired.resource(logical_id))
        stack.outputs = desired.outputs()
    except ResourceFailed as failure:
        _failed(operation, on_failure, f"The following resource(s) failed to create: [{failure.logical_id}]. ")
    except AwsError as error:
        _failed(operation, on_failure, f"{error.message} ")
    else:
        stack.record("CREATE_COMPLETE")


def _failed(operation: Operation, on_failure: str, reason: str) -> None:
    stack = operation.stack
    if on_failure == "DO_NOTHING":
        stack.record("CREATE_FAILED", reason)
    elif on_failure == "DELETE":
        stack.record("DELETE_IN_PROGRESS", reason + "Delete requested by user.")
        remove(
            operation, list(stack.resources.values()), "DELETE_COMPLETE", "DELETE_FAILED", operation.policy_in_rollback
        )
    else:
        stack.record("ROLLBACK_IN_PROGRESS", reason + "Rollback requested by user.")
        remove(
            operation,
            list(stack.resources.values()),
            "ROLLBACK_COMPLETE",
            "ROLLBACK_FAILED",
            operation.policy_in_rollback,
        )
