"""All stacks of a sandbox, by account and region; a name is used again once its stack is deleted."""

from __future__ import annotations

from threading import RLock
from uuid import uuid4

from sandbox.calls import Call
from sandbox.cloudformation.errors import no_such_stack
from sandbox.cloudformation.stack import ChangeSet, Stack
from sandbox.errors import AwsError


class Stacks:
    """lock: held while a stack's status is looked at and set, never while another service is called."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], list[Stack]] = {}
        self.lock = RLock()

    def of(self, call: Call) -> list[Stack]:
        return self._by_place.setdefault((call.caller.account, call.region), [])

    def clear(self) -> None:
        with self.lock:
            self._by_place.clear()

    def find(self, call: Call, name_or_arn: str) -> Stack | None:
        """By name those that are not deleted, by ARN all."""
        for stack in reversed(self.of(call)):
            if stack.arn == name_or_arn or (stack.name == name_or_arn and not stack.is_deleted):
                return stack
        return None

    def get(self, call: Call, name_or_arn: str) -> Stack:
        """Raises ValidationError."""
        stack = self.find(call, name_or_arn)
        if stack is None:
            raise no_such_stack(name_or_arn)
        return stack

    def add(self, call: Call, name: str) -> Stack:
        stack = Stack(name, call.arn("cloudformation", f"stack/{name}/{uuid4()}"), call.region, call.caller.account)
        self.of(call).append(stack)
        return stack

    def change_set(self, call: Call) -> tuple[Stack, ChangeSet]:
        """The change set that a call names, by its ARN or by its name and its stack. Raises AwsError."""
        name, stack_name = call.params["ChangeSetName"], call.params.get("StackName")
        if not stack_name and not name.startswith("arn:"):
            raise AwsError(
                "ValidationError", "StackName must be specified if ChangeSetName is not specified as an ARN."
            )
        stacks = [self.get(call, stack_name)] if stack_name else self.of(call)
        for stack in stacks:
            for change_set in stack.change_sets.values():
                if name in (change_set.arn, change_set.name):
                    return stack, change_set
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
