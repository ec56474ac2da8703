# ruff: noqa: N802 - methods are named as AWS names its operations
"""Invoke, and one execution of a function with its role."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.functions import logs
from sandbox.functions.asynchronous import Asynchronous
from sandbox.functions.configuration import PRINCIPAL
from sandbox.functions.permissions import check_may_invoke
from sandbox.functions.process import Order, Outcome, Processes
from sandbox.functions.store import LATEST, Function, Registry, named
from sandbox.inside import CannotAssume, Inside

# Lambda quotas, "Invocation payload": 6 MB for synchronous, 1 MB for asynchronous invocations.
_LARGEST = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024, "DryRun": 6 * 1024 * 1024}


class Throttled(AwsError):
    """The function's reserved concurrency is used up."""

    def __init__(self) -> None:
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        super().__init__("TooManyRequestsException", "Rate Exceeded.", 429, Reason=reason, Type="User")


class InvokeOperation:
    registry: Registry
    inside: Inside
    processes: Processes
    asynchronous: Asynchronous

    def Invoke(self, call: Call) -> dict[str, Any]:
        params = call.params
        kind = params.get("InvocationType") or "RequestResponse"
        for member in ("ClientContext", "DurableExecutionName", "TenantId"):
            if params.get(member):
                raise NotImplementedInSandbox("lambda", "Invoke", f"{member} is not modelled")
        event = _event(params.get("Payload"), kind)
        with self.registry.lock:
            function = self.registry.find(call)
            check_may_invoke(call, function)
            function.settle()
            if function.state == "Pending":
                raise AwsError(
                    "ResourceConflictException",
                    "The operation cannot be performed at this time. The function is currently in the following state: "
                    "Pending",
                    409,
                )
        if kind == "DryRun":
            return {"StatusCode": 204}
        qualifier = named(call)[1]
        invoked_arn = function.arn + (f":{qualifier}" if qualifier else "")
        request_id = str(uuid4())
        if kind == "Event":
            self.inside.background.start(self.asynchronous.run, function, invoked_arn, request_id, event)
            return {"StatusCode": 202}
        outcome = self.execute(function, invoked_arn, request_id, event)
        answer = {"StatusCode": 200, "ExecutedVersion": LATEST, "Payload": outcome.payload.encode()}
        if outcome.error:
            answer["FunctionError"] = outcome.error
        if params.get("LogType") == "Tail":
            answer["LogResult"] = logs.tail(outcome.log)
        return answer

    def execute(self, function: Function, invoked_arn: str, request_id: str, event: str) -> Outcome:
        """Run it to its end. Raises Throttled, and AwsError where the role is gone."""
        with self.inside.background.busy(), self._one_of(function):
            try:
                role = self.inside.assume(function.settings["Role"], PRINCIPAL, function.name)
            except CannotAssume as error:
                message = "The role defined for the function cannot be assumed by Lambda."
                raise AwsError("AccessDeniedException", message, 403) from error
            stream = f"{datetime.now(UTC):%Y/%m/%d}/[{LATEST}]{secrets.token_hex(16)}"
            settings = function.settings
            order = Order(
                request_id=request_id,
                invoked_arn=invoked_arn,
                event=event,
                timeout=settings["Timeout"],
                memory=settings["MemorySize"],
                task_root=function.code.folder,
                environment={
                    **settings.get("Environment", {}).get("Variables", {}),
                    **self._runtime_variables(function, stream),
                    **{
                        name: value
                        for name, value in self.inside.credentials(role, function.region).items()
                        if name != "AWS_EC2_METADATA_DISABLED"
                    },
                },
            )
            outcome = self.processes.run(order)
        client = self.inside.client("logs", role, function.region)
        self.inside.background.start(logs.write, client, function.log_group, stream, outcome.log)
        return outcome

    @contextmanager
    def _one_of(self, function: Function) -> Iterator[None]:
        with self.registry.lock:
            if function.reserved is not None and function.running >= function.reserved:
                raise Throttled
            function.running += 1
        try:
            yield
        finally:
            with self.registry.lock:
                function.running -= 1

    def _runtime_variables(self, function: Function, stream: str) -> dict[str, str]:
        settings = function.settings
        return {
            "_HANDLER": settings["Handler"],
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{settings['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        }


def _event(payload: bytes | str | None, kind: str) -> str:
    """The payload, which must be JSON; none is an empty object."""
    content = payload.encode() if isinstance(payload, str) else payload or b"{}"
    if len(content) > _LARGEST[kind]:
        raise AwsError(
            "RequestEntityTooLargeException",
            f"{len(content)} byte payload is too large for the {kind} invocation type (limit {_LARGEST[kind]} bytes)",
            413,
        )
    try:
        text = content.decode()
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AwsError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", Type="User"
        ) from error
    return text
