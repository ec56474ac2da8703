# ruff: noqa: N802 - methods are named as AWS names its operations
"""The resource policy of a function: who else may invoke it. It is evaluated when an AWS service does."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.functions.store import Function, Registry, invalid, named, not_found
from sandbox.resource_policies import allows

_UNMODELLED = ("EventSourceToken", "PrincipalOrgID", "FunctionUrlAuthType", "InvokedViaFunctionUrl")
_LONGEST_POLICY = 20480  # Lambda quotas: resource-based policy


class PermissionOperations:
    registry: Registry

    def AddPermission(self, call: Call) -> dict[str, Any]:
        params = call.params
        for member in _UNMODELLED:
            if params.get(member):
                raise NotImplementedInSandbox("lambda", "AddPermission", f"{member} is not modelled")
        if named(call)[1]:
            raise invalid("We currently do not support adding policies for $LATEST.")
        with self.registry.lock:
            function = self.registry.find(call)
            _check_revision(function, params.get("RevisionId"))
            sid = params["StatementId"]
            if any(statement["Sid"] == sid for statement in function.policy):
                raise AwsError(
                    "ResourceConflictException",
                    f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
                    "the existing statement.",
                    409,
                )
            statement = _statement(params, function.arn, call.partition)
            if len(json.dumps([*function.policy, statement])) > _LONGEST_POLICY:
                raise AwsError("PolicyLengthExceededException", "The final policy size exceeds the limit.", 400)
            function.policy.append(statement)
            function.policy_revision = str(uuid4())
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    def RemovePermission(self, call: Call) -> None:
        sid = call.params["StatementId"]
        with self.registry.lock:
            function = self._with_policy(call)
            _check_revision(function, call.params.get("RevisionId"))
            left = [statement for statement in function.policy if statement["Sid"] != sid]
            if len(left) == len(function.policy):
                raise not_found(f"Statement {sid} is not found in resource policy.")
            function.policy, function.policy_revision = left, str(uuid4())

    def GetPolicy(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            function = self._with_policy(call)
            policy = {"Version": "2012-10-17", "Id": "default", "Statement": function.policy}
            return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": function.policy_revision}

    def _with_policy(self, call: Call) -> Function:
        function = self.registry.find(call)
        if not function.policy:
            raise not_found("The resource you requested does not exist.")
        return function


def check_may_invoke(call: Call, function: Function) -> None:
    """An AWS service needs a statement that allows it; for everybody else see LENIENCIES.md. Raises
    AccessDeniedException."""
    action, caller = "lambda:InvokeFunction", call.caller
    policy = {"Statement": function.policy}
    if caller.is_service and not allows(policy, caller.arn, action, function.arn, caller.context):
        raise AwsError(
            "AccessDeniedException",
            f"User: {caller.arn} is not authorized to perform: {action} on resource: {function.arn} because no "
            f"resource-based policy allows the {action} action",
            403,
        )


def _statement(params: dict[str, Any], arn: str, partition: str) -> dict[str, Any]:
    conditions: dict[str, dict[str, str]] = {}
    if params.get("SourceAccount"):
        conditions["StringEquals"] = {"AWS:SourceAccount": params["SourceAccount"]}
    if params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    statement = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"], partition),
        "Action": params["Action"],
        "Resource": arn,
    }
    return statement | ({"Condition": conditions} if conditions else {})


def _principal(principal: str, partition: str) -> str | dict[str, str]:
    if principal == "*":
        return "*"
    if re.fullmatch(r"[0-9]{12}", principal):
        return {"AWS": f"arn:{partition}:iam::{principal}:root"}
    if re.fullmatch(r"arn:[a-z-]+:(iam|sts)::[0-9]{12}:.+", principal):
        return {"AWS": principal}
    if re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", principal):
        return {"Service": principal}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _check_revision(function: Function, wanted: str | None) -> None:
    if wanted and wanted != function.policy_revision:
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the "
            "latest Revision Id",
            412,
        )
