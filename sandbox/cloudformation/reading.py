# ruff: noqa: N802 - methods are named as AWS names its operations
"""What CloudFormation tells of stacks, their resources and events.

Source: API Reference, DescribeStacks, DescribeStackEvents, DescribeStackResource(s), ListStackResources, ListStacks,
ListExports.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

from sandbox.calls import Call
from sandbox.cloudformation.errors import invalid
from sandbox.cloudformation.stack import Resource, Stack, now
from sandbox.cloudformation.store import Stacks

_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}
_REMEMBERED = timedelta(days=90)
_PATIENCE = 2.0  # seconds


class ReadingOperations:
    stacks: Stacks

    def DescribeStacks(self, call: Call) -> dict[str, Any]:
        """Deleted stacks by their ARN only. A stack at work is answered when it is done, or after two seconds: waiters
        of the AWS CLI sleep half a minute after a look that comes too early."""
        name = call.params.get("StackName")
        if name is None:
            return {"Stacks": [_stack(stack) for stack in reversed(self.stacks.of(call)) if not stack.is_deleted]}
        stack = self.stacks.get(call, name)
        end = time.monotonic() + _PATIENCE
        while stack.in_progress and time.monotonic() < end:
            time.sleep(0.01)
        return {"Stacks": [_stack(stack)]}

    def DescribeStackEvents(self, call: Call) -> dict[str, Any]:
        """Newest first."""
        stack = self.stacks.get(call, call.params["StackName"])
        return {"StackEvents": [_event(stack, event) for event in reversed(list(stack.events))]}

    def DescribeStackResource(self, call: Call) -> dict[str, Any]:
        stack = self.stacks.get(call, call.params["StackName"])
        resource = self._resource(stack, call.params["LogicalResourceId"])
        detail = _resource(resource, "LastUpdatedTimestamp") | {"StackName": stack.name, "StackId": stack.arn}
        if "Metadata" in resource.declared:
            detail["Metadata"] = json.dumps(resource.declared["Metadata"])
        return {"StackResourceDetail": detail}

    def DescribeStackResources(self, call: Call) -> dict[str, Any]:
        params = call.params
        if ("StackName" in params) == ("PhysicalResourceId" in params):
            raise invalid("Either StackName or PhysicalResourceId must be specified, and not both")
        if "PhysicalResourceId" in params:
            stack = self._holder(call, params["PhysicalResourceId"])
        else:
            stack = self.stacks.get(call, params["StackName"])
        wanted = params.get("LogicalResourceId")
        resources = [self._resource(stack, wanted)] if wanted else list(stack.resources.values())
        said = {"StackName": stack.name, "StackId": stack.arn}
        return {"StackResources": [_resource(item, "Timestamp") | said for item in resources if item.status]}

    def ListStackResources(self, call: Call) -> dict[str, Any]:
        stack = self.stacks.get(call, call.params["StackName"])
        resources = [item for item in list(stack.resources.values()) if item.status]
        return {"StackResourceSummaries": [_resource(item, "LastUpdatedTimestamp") for item in resources]}

    def ListStacks(self, call: Call) -> dict[str, Any]:
        """Deleted ones too, for 90 days."""
        wanted = call.params.get("StackStatusFilter")
        found = [stack for stack in reversed(self.stacks.of(call)) if not wanted or stack.status in wanted]
        return {
            "StackSummaries": [
                _summary(stack) for stack in found if not stack.deleted or now() - stack.deleted < _REMEMBERED
            ]
        }

    def ListExports(self, call: Call) -> dict[str, Any]:
        """Templates with exports are refused, so there are none."""
        return {"Exports": []}

    def _resource(self, stack: Stack, logical_id: str) -> Resource:
        found = stack.resources.get(logical_id)
        if found is None or not found.status:
            raise invalid(f"Resource {logical_id} does not exist for stack {stack.name}")
        return found

    def _holder(self, call: Call, physical_id: str) -> Stack:
        for stack in self.stacks.of(call):
            if not stack.is_deleted and any(item.physical_id == physical_id for item in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")


def _stack(stack: Stack) -> dict[str, Any]:
    is_ = stack.is_
    shown: dict[str, Any] = _times(stack) | {
        "StackId": stack.arn,
        "StackName": stack.name,
        "StackStatus": stack.status,
        "DisableRollback": stack.disable_rollback,
        "EnableTerminationProtection": stack.protected,
        "RetainExceptOnCreate": stack.retain_except_on_create,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "DriftInformation": _DRIFT,
        "Tags": [{"Key": key, "Value": value} for key, value in is_.tags.items()] if is_ else [],
        "Capabilities": list(is_.capabilities) if is_ else [],
    }
    optional = {
        "StackStatusReason": stack.reason,
        "Description": is_.template.description if is_ else None,
        "ChangeSetId": stack.change_set_id,
        "RoleARN": stack.role_arn,
        "Outputs": list(stack.outputs),
    }
    shown |= {name: value for name, value in optional.items() if value}
    if is_ and is_.parameters:
        shown["Parameters"] = [
            {"ParameterKey": name, "ParameterValue": value.shown}
            | ({"ResolvedValue": value.resolved} if value.resolved is not None else {})
            for name, value in is_.parameters.items()
        ]
    return shown


def _times(stack: Stack) -> dict[str, Any]:
    times = {"CreationTime": stack.created, "LastUpdatedTime": stack.updated, "DeletionTime": stack.deleted}
    return {name: value for name, value in times.items() if value}


def _summary(stack: Stack) -> dict[str, Any]:
    said = {"StackId": stack.arn, "StackName": stack.name, "StackStatus": stack.status, "DriftInformation": _DRIFT}
    optional = {
        "StackStatusReason": stack.reason,
        "TemplateDescription": stack.is_.template.description if stack.is_ else None,
    }
    return _times(stack) | said | {name: value for name, value in optional.items() if value}


def _event(stack: Stack, event: Any) -> dict[str, Any]:
    shown = {
        "StackId": stack.arn,
        "StackName": stack.name,
        "EventId": event.identity,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
    }
    optional = {
        "ResourceStatusReason": event.reason,
        "ClientRequestToken": event.token,
        "ResourceProperties": event.properties,
    }
    return shown | {name: value for name, value in optional.items() if value}


def _resource(resource: Resource, time_name: str) -> dict[str, Any]:
    shown = {
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        time_name: resource.updated,
        "DriftInformation": _RESOURCE_DRIFT,
    }
    if resource.physical_id:
        shown["PhysicalResourceId"] = resource.physical_id
    if resource.reason:
        shown["ResourceStatusReason"] = resource.reason
    return shown
