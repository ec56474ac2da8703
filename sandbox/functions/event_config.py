# ruff: noqa: N802 - methods are named as AWS names its operations
"""How asynchronous invocations of a function are retried, and where their outcome goes; reserved concurrency."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.calls import Call
from sandbox.errors import NotImplementedInSandbox
from sandbox.functions.store import LATEST, Function, Registry, invalid, named, not_found

_DESTINATIONS = ("sqs", "sns", "lambda", "events")
# Lambda quotas: concurrent executions of an account, of which some must stay unreserved.
_CONCURRENT, _UNRESERVED = 1000, 100


class EventConfigOperations:
    registry: Registry

    def PutFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        return self._set(call, {})

    def UpdateFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            return self._set(call, self._configured(call).event_config or {})

    def GetFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            return _shown(self._configured(call))

    def ListFunctionEventInvokeConfigs(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            function = self.registry.find(call)
            return {"FunctionEventInvokeConfigs": [_shown(function)] if function.event_config else []}

    def DeleteFunctionEventInvokeConfig(self, call: Call) -> None:
        with self.registry.lock:
            self._configured(call).event_config = None

    def PutFunctionConcurrency(self, call: Call) -> dict[str, Any]:
        wanted = call.params["ReservedConcurrentExecutions"]
        with self.registry.lock:
            function = self.registry.find(call)
            others = [other for other in self.registry.mine(call).values() if other is not function]
            if sum(other.reserved or 0 for other in others) + wanted > _CONCURRENT - _UNRESERVED:
                raise invalid(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{_UNRESERVED}]."
                )
            function.reserved = wanted
        return {"ReservedConcurrentExecutions": wanted}

    def GetFunctionConcurrency(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            return {"ReservedConcurrentExecutions": self.registry.find(call).reserved}

    def DeleteFunctionConcurrency(self, call: Call) -> None:
        with self.registry.lock:
            self.registry.find(call).reserved = None

    def _set(self, call: Call, old: dict[str, Any]) -> dict[str, Any]:
        members = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        given = {name: call.params[name] for name in members if call.params.get(name) is not None}
        if not given:
            raise invalid("You must specify at least one of error handling or destination setting.")
        with self.registry.lock:
            if named(call)[0] not in self.registry.mine(call):
                raise not_found("The function doesn't exist.")
            function = self.registry.find(call)
            destinations = {
                which: destination
                for which, destination in given.get("DestinationConfig", {}).items()
                if destination.get("Destination")
            }
            for destination in destinations.values():
                self._check_destination(function, destination["Destination"])
            if "DestinationConfig" in given:
                given["DestinationConfig"] = destinations
            function.event_config = {**old, **given, "LastModified": datetime.now(UTC)}
            return _shown(function)

    def _check_destination(self, function: Function, arn: str) -> None:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[2] not in (*_DESTINATIONS, "s3"):
            raise invalid(f"The provided destination config {arn} is invalid.")
        if parts[2] == "s3":
            raise NotImplementedInSandbox("lambda", "PutFunctionEventInvokeConfig", "S3 destinations are not modelled")
        if parts[2] == "lambda" and re.sub(r":\$LATEST$", "", arn) == function.arn:
            raise invalid("You can't specify the function as a destination for itself.")
        if not self.exists(arn):
            raise invalid(f"The destination ARN {arn} is invalid.")

    def exists(self, arn: str) -> bool:
        """Whether there is such a queue, topic, function or bus."""
        from moto.sns.models import sns_backends
        from moto.sqs.models import sqs_backends

        service, region, account, resource = arn.split(":", 5)[2:]
        if service == "sqs":
            return resource in sqs_backends[account][region].queues
        if service == "sns":
            return arn in sns_backends[account][region].topics
        return service == "events" or self.registry.by_arn(arn) is not None

    def _configured(self, call: Call) -> Function:
        name, qualifier = named(call)
        function = self.registry.mine(call).get(name)
        if function is None or function.event_config is None or (qualifier or LATEST) != LATEST:
            arn = call.arn("lambda", f"function:{name}:{qualifier or LATEST}")
            raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
        return function


def _shown(function: Function) -> dict[str, Any]:
    destinations = {"OnSuccess": {}, "OnFailure": {}} | (function.event_config or {}).get("DestinationConfig", {})
    return {
        **(function.event_config or {}),
        "FunctionArn": f"{function.arn}:{LATEST}",
        "DestinationConfig": destinations,
    }
