# ruff: noqa: N802 - methods are named as AWS names its operations
"""Lambda as the front sees it: functions, their tags, and everything about them in the files beside this one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.functions.asynchronous import Asynchronous
from sandbox.functions.code import read_code
from sandbox.functions.configuration import SETTINGS, check, defaults, merged, refuse_unmodelled, shown
from sandbox.functions.event_config import EventConfigOperations
from sandbox.functions.invocation import InvokeOperation
from sandbox.functions.permissions import PermissionOperations
from sandbox.functions.process import Processes
from sandbox.functions.store import LATEST, Function, Registry, invalid, name_in, named, not_found
from sandbox.inside import Inside
from sandbox.resources import describe

_MOST_TAGS = 50
_CODE = {"ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion"}


class Functions(PermissionOperations, EventConfigOperations, InvokeOperation):
    """What has no method here is not implemented: versions, aliases, layers, event source mappings, function URLs."""

    complete = True

    def __init__(self, inside: Inside, folder: Path) -> None:
        self.inside = inside
        self.registry = Registry()
        self._folder = folder
        self.processes = Processes(folder)
        self.asynchronous = Asynchronous(inside, self.execute)
        inside.background.when_ending(self.processes.kill_all)

    def CreateFunction(self, call: Call) -> dict[str, Any]:
        params = call.params
        refuse_unmodelled(call, {*SETTINGS, "FunctionName", "Code", "Tags"})
        name, qualifier = named(call)
        if qualifier:
            raise invalid("A function is created without a qualifier.")
        settings = merged(name, defaults(name), params)
        check(self.inside, settings, "CreateFunction")
        self._check_dead_letter(settings)
        tags = _checked_tags({}, params.get("Tags") or {})
        arn = call.arn("lambda", f"function:{name}")
        with self.registry.lock:
            if name in self.registry.mine(call):
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
        code = read_code(self.inside, call, params["Code"], self._folder / "code")
        with self.registry.lock:
            if name in self.registry.mine(call):
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
            function = Function(name, arn, call.caller.account, call.region, code, settings, tags)
            self.registry.mine(call)[name] = function
            self.processes.prepare()
            return shown(function, as_created=True)

    def GetFunction(self, call: Call) -> dict[str, Any]:
        """Without the place to download the code from."""
        with self.registry.lock:
            function = self.registry.find(call)
            function.settle(now=True)
            answer: dict[str, Any] = {"Configuration": shown(function), "Code": {"RepositoryType": "S3"}}
            if function.tags:
                answer["Tags"] = dict(function.tags)
            if function.reserved is not None:
                answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
            return answer

    def GetFunctionConfiguration(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            function = self.registry.find(call)
            function.settle(now=True)
            return shown(function)

    def ListFunctions(self, call: Call) -> dict[str, Any]:
        """50 a page, or as many as MaxItems says."""
        start, most = int(call.params.get("Marker") or 0), min(call.params.get("MaxItems") or 50, 50)
        with self.registry.lock:
            functions = sorted(self.registry.mine(call).values(), key=lambda function: function.name)
            page = [shown(function) for function in functions[start : start + most]]
        more = start + most < len(functions)
        return {"Functions": page, "NextMarker": str(start + most) if more else None}

    def ListVersionsByFunction(self, call: Call) -> dict[str, Any]:
        """None is ever published here."""
        with self.registry.lock:
            function = self.registry.find(call)
            return {"Versions": [{**shown(function), "FunctionArn": f"{function.arn}:{LATEST}"}]}

    def GetFunctionCodeSigningConfig(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            return {"FunctionName": self.registry.find(call).name}

    def UpdateFunctionCode(self, call: Call) -> dict[str, Any]:
        refuse_unmodelled(call, {*_CODE, "FunctionName", "Architectures", "RevisionId"})
        with self.registry.lock:
            self._to_update(call)
        source = {name: value for name, value in call.params.items() if name in _CODE}
        code = read_code(self.inside, call, source, self._folder / "code")
        with self.registry.lock:
            function = self._to_update(call)
            check(self.inside, function.settings, "UpdateFunctionCode")
            function.code = code
            if call.params.get("Architectures"):
                function.settings = {**function.settings, "Architectures": call.params["Architectures"]}
            function.change()
            return shown(function)

    def UpdateFunctionConfiguration(self, call: Call) -> dict[str, Any]:
        refuse_unmodelled(call, {*SETTINGS, "FunctionName", "RevisionId"})
        with self.registry.lock:
            function = self._to_update(call)
            settings = merged(function.name, function.settings, call.params)
            check(self.inside, settings, "UpdateFunctionConfiguration")
            self._check_dead_letter(settings)
            function.settings = settings
            function.change()
            return shown(function)

    def DeleteFunction(self, call: Call) -> dict[str, Any]:
        if named(call)[1]:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        with self.registry.lock:
            function = self.registry.find(call)
            del self.registry.mine(call)[function.name]
        return {"StatusCode": 204}

    def TagResource(self, call: Call) -> None:
        with self.registry.lock:
            function = self._tagged(call)
            function.tags = _checked_tags(function.tags, call.params["Tags"])

    def UntagResource(self, call: Call) -> None:
        with self.registry.lock:
            function = self._tagged(call)
            function.tags = {key: tag for key, tag in function.tags.items() if key not in call.params["TagKeys"]}

    def ListTags(self, call: Call) -> dict[str, Any]:
        with self.registry.lock:
            return {"Tags": dict(self._tagged(call).tags)}

    def _to_update(self, call: Call) -> Function:
        """AWS refuses an update while the one before is under way: callers wait for it (waiter function_updated_v2)."""
        function = self.registry.find(call)
        wanted = call.params.get("RevisionId")
        if wanted and wanted != function.revision:
            raise AwsError(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                "retrieve the latest Revision Id",
                412,
            )
        function.settle()
        if not function.is_settled:
            under_way = (
                "The function is currently in the following state: Pending"
                if function.state == "Pending"
                else f"An update is in progress for resource: {function.arn}"
            )
            message = f"The operation cannot be performed at this time. {under_way}"
            raise AwsError("ResourceConflictException", message, 409)
        return function

    def _check_dead_letter(self, settings: dict[str, Any]) -> None:
        arn = settings.get("DeadLetterConfig", {}).get("TargetArn")
        if arn and (arn.split(":")[2] not in ("sqs", "sns") or not self.exists(arn)):
            raise invalid(f"The dead-letter target {arn} is no queue and no topic that the function could use.")

    def _tagged(self, call: Call) -> Function:
        function = self.registry.by_arn(call.params["Resource"])
        if function is None:
            raise not_found(f"Function not found: {call.params['Resource']}")
        return function

    def describe(self, call: Call) -> None:
        """Resources and condition keys of the Service Authorization Reference, "AWS Lambda"."""
        params = call.params
        named_here = []
        if isinstance(params.get("FunctionName"), str):
            named_here.append(call.arn("lambda", f"function:{name_in(params['FunctionName'])}"))
        elif "Resource" in params:
            named_here.append(params["Resource"])
        describe(call)
        if params.get("Role"):
            named_here.append(params["Role"])  # iam:PassRole
        if named_here:
            call.resources[:] = named_here
        if call.operation == "AddPermission":
            call.context["lambda:Principal"] = params.get("Principal")
        tags = self.resource_tags(call, named_here[0]) if named_here else {}
        call.context.update({f"aws:ResourceTag/{key}": value for key, value in tags.items()})

    def resource_tags(self, call: Call, arn: str) -> Mapping[str, str]:
        """Of a function; none of what is not there."""
        with self.registry.lock:
            function = self.registry.by_arn(arn)
            return dict(function.tags) if function else {}

    def stop(self) -> None:
        """At the end of the sandbox."""
        self.processes.stop()

    def reset(self) -> None:
        self.registry.clear()
        shutil.rmtree(self._folder / "code", ignore_errors=True)


def _checked_tags(existing: dict[str, str], added: dict[str, str]) -> dict[str, str]:
    if any(key.lower().startswith("aws:") for key in added):
        raise invalid("Tag keys that start with aws: are reserved for system use.")
    if len(existing | added) > _MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")
    return existing | added
