# ruff: noqa: N802 - methods are named as AWS names its operations
"""CreateStack, UpdateStack, DeleteStack, and termination protection.

Source: API Reference; User Guide, "Stack status codes", "Protect a stack from being deleted".
"""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.cloudformation.changes import Changes
from sandbox.cloudformation.creation import create
from sandbox.cloudformation.deletion import delete
from sandbox.cloudformation.errors import invalid, lacking
from sandbox.cloudformation.operation import Operation
from sandbox.cloudformation.request import Requests, refuse_lacking
from sandbox.cloudformation.stack import Stack, Wanted, now
from sandbox.cloudformation.store import Stacks
from sandbox.cloudformation.updating import update
from sandbox.cloudformation.work import Clients
from sandbox.cloudformation.worker import Workers
from sandbox.errors import AwsError

_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
_RETRIED = ("CREATE_FAILED", "UPDATE_FAILED")


class StackOperations:
    stacks: Stacks
    requests: Requests
    workers: Workers

    def CreateStack(self, call: Call) -> dict[str, Any]:
        refuse_lacking(call)
        params, name = call.params, call.params["StackName"]
        if "OnFailure" in params and params.get("DisableRollback"):
            raise invalid("You cannot specify both OnFailure and DisableRollback")
        with self.stacks.lock:
            held = self.stacks.find(call, name)
            if held is not None:
                if self._is_repeated(held, call):
                    return {"StackId": held.arn}
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            stack = self.stacks.add(call, name)
        try:
            template = self.requests.template(call)
            wanted = self.requests.wanted(call, stack, template)
            clients = self.requests.clients(call, stack.arn, wanted.role_arn)
        except BaseException:
            self.forget(call, stack)
            raise
        stack.protected = params.get("EnableTerminationProtection", False)
        on_failure = params.get("OnFailure") or ("DO_NOTHING" if params.get("DisableRollback") else "ROLLBACK")
        self.start_creation(call, stack, wanted, clients, on_failure)
        return {"StackId": stack.arn}

    def UpdateStack(self, call: Call) -> dict[str, Any]:
        refuse_lacking(call)
        stack = self.stacks.get(call, call.params["StackName"])
        if self._is_repeated(stack, call):
            return {"StackId": stack.arn}
        check_updatable(stack)
        template = self.requests.template(call, stack)
        wanted = self.requests.wanted(call, stack, template)
        check_same_types(stack, wanted)
        changes = Changes(stack, wanted).compute()
        if not changes.found and not changes.outputs_differ and is_tagged_alike(stack, wanted):
            raise invalid("No updates are to be performed.")
        clients = self.requests.clients(call, stack.arn, wanted.role_arn)
        self.start_update(call, stack, wanted, clients, call.params.get("DisableRollback", False))
        return {"StackId": stack.arn}

    def DeleteStack(self, call: Call) -> None:
        """Of a stack that is not there: success."""
        refuse_lacking(call)
        params = call.params
        stack = self.stacks.find(call, params["StackName"])
        if stack is None or stack.is_deleted:
            return
        if self._is_repeated(stack, call):
            return
        if stack.protected:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        retained = params.get("RetainResources", [])
        if retained and stack.status != "DELETE_FAILED":
            raise invalid(
                f"Invalid operation on stack [{stack.arn}]. When you delete a stack, specify which "
                "resources to retain only when the stack is in the DELETE_FAILED state."
            )
        unknown = [name for name in retained if name not in stack.resources]
        if unknown:
            raise invalid(f"Resources to retain [{', '.join(unknown)}] do not exist in stack [{stack.name}]")
        clients = self.requests.clients(call, stack.arn, params.get("RoleARN") or stack.role_arn)
        with self.stacks.lock:
            if stack.status == "DELETE_IN_PROGRESS":
                return
            if stack.in_progress:
                raise invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
            self._begin(call, stack, "DELETE_IN_PROGRESS")
        operation = Operation(stack, clients)
        self.workers.start(lambda: delete(operation, retained), stack)

    def UpdateTerminationProtection(self, call: Call) -> dict[str, Any]:
        stack = self.stacks.get(call, call.params["StackName"])
        if stack.is_deleted or stack.status == "DELETE_IN_PROGRESS":
            raise invalid(f"Stack [{stack.name}] is in {stack.status}: its termination protection cannot be changed")
        stack.protected = call.params["EnableTerminationProtection"]
        return {"StackId": stack.arn}

    def start_creation(self, call: Call, stack: Stack, wanted: Wanted, clients: Clients, on_failure: str) -> None:
        with self.stacks.lock:
            stack.is_, stack.role_arn, stack.disable_rollback = wanted, wanted.role_arn, on_failure == "DO_NOTHING"
            self._begin(call, stack, "CREATE_IN_PROGRESS")
        operation = Operation(stack, clients, self._retain(call, stack))
        self.workers.start(lambda: create(operation, wanted, on_failure), stack)

    def start_update(self, call: Call, stack: Stack, wanted: Wanted, clients: Clients, disable_rollback: bool) -> None:
        with self.stacks.lock:
            check_updatable(stack)
            stack.role_arn, stack.disable_rollback, stack.updated = wanted.role_arn, disable_rollback, now()
            self._begin(call, stack, "UPDATE_IN_PROGRESS")
        operation = Operation(stack, clients, self._retain(call, stack), disable_rollback)
        self.workers.start(lambda: update(operation, wanted), stack)

    def forget(self, call: Call, stack: Stack) -> None:
        """A stack whose request was refused was never there."""
        with self.stacks.lock:
            self.stacks.of(call).remove(stack)

    def _retain(self, call: Call, stack: Stack) -> bool:
        stack.retain_except_on_create = call.params.get("RetainExceptOnCreate", False)
        return stack.retain_except_on_create

    def _begin(self, call: Call, stack: Stack, status: str) -> None:
        stack.token = call.params.get("ClientRequestToken")
        if stack.token:
            stack.tokens[stack.token] = call.operation
        stack.record(status, "User Initiated")

    def _is_repeated(self, stack: Stack, call: Call) -> bool:
        """Whether this very request was answered before. Raises TokenAlreadyExistsException."""
        token = call.params.get("ClientRequestToken")
        used = stack.tokens.get(token) if token else None
        if used is not None and used != call.operation:
            raise AwsError("TokenAlreadyExistsException", f"ClientRequestToken {token} was used for {used} already")
        return used is not None


def check_updatable(stack: Stack) -> None:
    """Raises ValidationError."""
    if stack.status in _RETRIED or stack.status == "UPDATE_ROLLBACK_FAILED":
        raise lacking(f"an update of a stack in {stack.status}: delete it", "UpdateStack")
    if stack.status not in _UPDATABLE:
        raise invalid(f"Stack:{stack.arn} is in {stack.status} state and can not be updated.")


def check_same_types(stack: Stack, wanted: Wanted) -> None:
    """Raises ValidationError."""
    other = [
        name
        for name, resource in stack.resources.items()
        if name in wanted.template.resources and wanted.template.type_of(name) != resource.type
    ]
    if other:
        raise invalid(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(other)}]"
        )


def is_tagged_alike(stack: Stack, wanted: Wanted) -> bool:
    return stack.is_ is not None and dict(stack.is_.tags) == dict(wanted.tags)
