# ruff: noqa: N802 - methods are named as AWS names its operations
"""Change sets: made, described, executed, deleted.

Source: API Reference, CreateChangeSet, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet, ListChangeSets,
DescribeEvents; User Guide, "Update CloudFormation stacks using change sets".
"""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from sandbox.calls import Call
from sandbox.cloudformation import validation
from sandbox.cloudformation.changes import Changes
from sandbox.cloudformation.errors import invalid, lacking
from sandbox.cloudformation.request import Requests, refuse_lacking
from sandbox.cloudformation.stack import Change, ChangeSet, Stack
from sandbox.cloudformation.stacks import check_same_types, check_updatable, is_tagged_alike
from sandbox.cloudformation.store import Stacks
from sandbox.cloudformation.work import Clients
from sandbox.cloudformation.worker import Workers
from sandbox.errors import AwsError

_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
# Waiters of the AWS CLI sleep 5 seconds after a first look that comes too early.
_PATIENCE = 5.0  # seconds


class ChangeSetOperations:
    stacks: Stacks
    requests: Requests
    workers: Workers

    def CreateChangeSet(self, call: Call) -> dict[str, Any]:
        refuse_lacking(call)
        params = call.params
        kind = params.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT":
            raise lacking("it does not import", call.operation)
        if params.get("OnStackFailure") == "DELETE" and kind != "CREATE":
            raise invalid("OnStackFailure=DELETE is only valid when the ChangeSetType parameter is set to CREATE")
        stack, is_new = self._stack_for(call, kind)
        held = stack.change_sets.get(params["ChangeSetName"])
        if held is not None:
            if params.get("ClientToken") and held.token == params["ClientToken"]:
                return {"Id": held.arn, "StackId": stack.arn}
            raise AwsError("AlreadyExistsException", f"ChangeSet {params['ChangeSetName']} already exists")
        try:
            change_set = self._new(call, stack, kind)
        except BaseException:
            if is_new:
                with self.stacks.lock:
                    self.stacks.of(call).remove(stack)
            raise
        if is_new:
            stack.record("REVIEW_IN_PROGRESS", "User Initiated")
        stack.change_sets[change_set.name] = change_set
        clients = self.requests.clients(call, stack.arn, change_set.wanted.role_arn)
        self.workers.start(lambda: _fill(stack, change_set, clients), change_set)
        return {"Id": change_set.arn, "StackId": stack.arn}

    def DescribeChangeSet(self, call: Call) -> dict[str, Any]:
        refuse_lacking(call)
        stack, change_set = self.stacks.change_set(call)
        end = time.monotonic() + _PATIENCE
        while change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS") and time.monotonic() < end:
            time.sleep(0.01)
        wanted = change_set.wanted
        parameters = [
            {"ParameterKey": name, "ParameterValue": value.shown} for name, value in wanted.parameters.items()
        ]
        for entry in parameters:
            resolved = wanted.parameters[entry["ParameterKey"]].resolved
            entry |= {"ResolvedValue": resolved} if resolved is not None else {}
        return _summary(stack, change_set) | {
            "Parameters": parameters,
            "Capabilities": list(wanted.capabilities),
            "Tags": [{"Key": key, "Value": value} for key, value in wanted.tags.items()],
            "Changes": [{"Type": "Resource", "ResourceChange": _shown(change)} for change in change_set.changes],
            "NotificationARNs": [],
            "RollbackConfiguration": {},
            **({"OnStackFailure": change_set.on_failure} if change_set.on_failure else {}),
        }

    def DescribeEvents(self, call: Call) -> dict[str, Any]:
        """Of a change set only: why its validation failed."""
        params = call.params
        if not params.get("ChangeSetName"):
            raise lacking("it describes the events of change sets; of stacks use DescribeStackEvents", call.operation)
        stack, change_set = self.stacks.change_set(call)
        return {
            "OperationEvents": [
                {
                    "EventId": str(uuid4()),
                    "StackId": stack.arn,
                    "OperationId": change_set.arn.rpartition("/")[2],
                    "OperationType": "CREATE_CHANGESET",
                    "EventType": "VALIDATION_ERROR",
                    "LogicalResourceId": found.logical_id,
                    "ResourceType": found.type,
                    "Timestamp": found.time,
                    "ValidationFailureMode": "FAIL",
                    "ValidationName": found.name,
                    "ValidationStatus": "FAILED",
                    "ValidationStatusReason": found.reason,
                    "ValidationPath": found.path,
                }
                for found in change_set.validations
            ]
        }

    def ExecuteChangeSet(self, call: Call) -> dict[str, Any]:
        refuse_lacking(call)
        stack, change_set = self.stacks.change_set(call)
        if call.params.get("ClientRequestToken") in stack.tokens and change_set.execution.startswith("EXECUTE"):
            return {}
        if call.params.get("DisableRollback") and change_set.on_failure:
            raise invalid("DisableRollback cannot be specified where the change set was created with OnStackFailure")
        with self.stacks.lock:
            if change_set.execution != "AVAILABLE":
                told = change_set.status if change_set.status != "CREATE_COMPLETE" else change_set.execution
                raise AwsError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.arn}] cannot be executed in its current status of [{told}]",
                )
            if change_set.kind == "UPDATE":
                check_updatable(stack)
            change_set.execution = "EXECUTE_IN_PROGRESS"
        self._execute(call, stack, change_set)
        stack.change_set_id = change_set.arn
        # "If you execute a change set, CloudFormation deletes all change sets that are associated with the stack".
        stack.change_sets = {change_set.name: change_set}
        change_set.execution = "EXECUTE_COMPLETE"
        return {}

    def DeleteChangeSet(self, call: Call) -> dict[str, Any]:
        """Of one that is not there: success, as long as its stack is."""
        try:
            stack, change_set = self.stacks.change_set(call)
        except AwsError as error:
            if error.code != "ChangeSetNotFound":
                raise
            return {}
        if (
            change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS")
            or change_set.execution == "EXECUTE_IN_PROGRESS"
        ):
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.arn}] cannot be deleted in its current status of [{change_set.status}]",
            )
        stack.change_sets.pop(change_set.name, None)
        return {}

    def ListChangeSets(self, call: Call) -> dict[str, Any]:
        stack = self.stacks.get(call, call.params["StackName"])
        return {"Summaries": [_summary(stack, change_set) for change_set in list(stack.change_sets.values())]}

    def _stack_for(self, call: Call, kind: str) -> tuple[Stack, bool]:
        """The stack that the change set is for, and whether it is made for it. Raises AwsError."""
        name = call.params["StackName"]
        with self.stacks.lock:
            stack = self.stacks.find(call, name)
            if kind == "UPDATE":
                if stack is None or stack.is_deleted:
                    raise invalid(f"Stack [{name}] does not exist")
                check_updatable(stack)
                return stack, False
            if stack is None:
                return self.stacks.add(call, name), True
            if stack.status != "REVIEW_IN_PROGRESS":
                change_set = call.params["ChangeSetName"]
                raise invalid(
                    f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
                )
            return stack, False

    def _new(self, call: Call, stack: Stack, kind: str) -> ChangeSet:
        params = call.params
        template = self.requests.template(call, stack)
        wanted = self.requests.wanted(call, stack, template)
        if kind == "UPDATE":
            check_same_types(stack, wanted)
        return ChangeSet(
            name=params["ChangeSetName"],
            arn=call.arn("cloudformation", f"changeSet/{params['ChangeSetName']}/{uuid4()}"),
            kind=kind,
            wanted=wanted,
            given=params.get("Parameters", []),
            description=params.get("Description"),
            on_failure=params.get("OnStackFailure"),
            token=params.get("ClientToken"),
            caller=call.caller,
            skip_validation=params.get("DisableValidation", False),
        )

    def _execute(self, call: Call, stack: Stack, change_set: ChangeSet) -> None:
        wanted = change_set.wanted
        clients = self.requests.clients(call, stack.arn, wanted.role_arn)
        disabled = call.params.get("DisableRollback", False) or change_set.on_failure == "DO_NOTHING"
        operations: Any = self  # StackOperations, beside which this stands in one service
        if change_set.kind == "CREATE":
            on_failure = "DO_NOTHING" if disabled else change_set.on_failure or "ROLLBACK"
            operations.start_creation(call, stack, wanted, clients, on_failure)
        else:
            operations.start_update(call, stack, wanted, clients, disabled)


def _fill(stack: Stack, change_set: ChangeSet, clients: Clients) -> None:
    """Compute and validate a change set, behind the answer."""
    change_set.status = "CREATE_IN_PROGRESS"
    try:
        changes = Changes(stack, change_set.wanted).compute()
        empty = not changes.found and not changes.outputs_differ and is_tagged_alike(stack, change_set.wanted)
        change_set.validations = [] if change_set.skip_validation else list(validation.validate(changes, clients))
    except AwsError as error:
        change_set.reason, change_set.status = error.message, "FAILED"
        return
    change_set.changes = changes.found
    if empty and change_set.kind == "UPDATE":
        change_set.reason, change_set.status = _NO_CHANGES, "FAILED"
    elif change_set.validations:
        change_set.reason, change_set.status = validation.reason(change_set.validations), "FAILED"
    else:
        change_set.execution, change_set.status = "AVAILABLE", "CREATE_COMPLETE"


def _summary(stack: Stack, change_set: ChangeSet) -> dict[str, Any]:
    return {
        "StackId": stack.arn,
        "StackName": stack.name,
        "ChangeSetId": change_set.arn,
        "ChangeSetName": change_set.name,
        "ExecutionStatus": change_set.execution,
        "Status": change_set.status,
        "CreationTime": change_set.created,
        "IncludeNestedStacks": False,
        **({"StatusReason": change_set.reason} if change_set.reason else {}),
        **({"Description": change_set.description} if change_set.description else {}),
    }


def _shown(change: Change) -> dict[str, Any]:
    return {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type,
        "Scope": change.scope,
        "Details": change.details,
        **({"PhysicalResourceId": change.physical_id} if change.physical_id else {}),
        **({"Replacement": change.replacement} if change.replacement else {}),
        **({"PolicyAction": change.policy_action} if change.policy_action else {}),
    }
