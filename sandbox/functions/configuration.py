"""The settings of a function: what AWS refuses, AWS's defaults, and how a function is shown.

Sources: Lambda API Reference, CreateFunction; Developer Guide, "Lambda runtimes", "Lambda quotas", "Working with Lambda
environment variables". The wordings are those that AWS's service was seen to answer.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.functions.store import LATEST, Function, invalid
from sandbox.inside import CannotAssume, Inside

PRINCIPAL = "lambda.amazonaws.com"
# Developer Guide, "Supported runtimes" and "Deprecated runtimes", November 2026. Only Python runs here.
_PYTHON = ("python3.11", "python3.12", "python3.13", "python3.14")
_OTHER = (
    *("nodejs22.x", "nodejs24.x", "java11", "java17", "java21", "java25", "dotnet10", "ruby3.3", "ruby3.4", "ruby4.0"),
    *("provided.al2023",),
)
_LONGEST, _LARGEST = 900, 10240
_ENVIRONMENT_SIZE = 4096
# "Defined runtime environment variables": the reserved ones.
_RESERVED = {
    *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
    *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
}
SETTINGS = {
    *("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "DeadLetterConfig"),
    *("KMSKeyArn", "TracingConfig", "Architectures", "EphemeralStorage", "LoggingConfig", "PackageType", "SnapStart"),
}
# What is as if it were not given.
_EMPTY: dict[str, tuple[Any, ...]] = {
    "VpcConfig": ({}, {"SubnetIds": [], "SecurityGroupIds": []}),
    "Layers": ([],),
    "FileSystemConfigs": ([],),
    "Publish": (False,),
    "ImageConfig": ({},),
    "DryRun": (False,),
}


def refuse_unmodelled(call: Call, known: set[str]) -> None:
    """Better no function than one without its network or its layers."""
    for member, value in call.params.items():
        if member not in known and value is not None and value not in _EMPTY.get(member, ()):
            raise NotImplementedInSandbox("lambda", call.operation, f"{member} is not modelled")


def defaults(name: str) -> dict[str, Any]:
    return {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "PackageType": "Zip",
        "TracingConfig": {"Mode": "PassThrough"},
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


def merged(name: str, old: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Settings after a request; an empty map takes a setting away."""
    settings = old | {key: value for key, value in given.items() if key in SETTINGS and value is not None}
    settings["LoggingConfig"] = defaults(name)["LoggingConfig"] | settings["LoggingConfig"]
    if not settings.get("Environment", {}).get("Variables"):
        settings.pop("Environment", None)
    if not settings.get("DeadLetterConfig", {}).get("TargetArn"):
        settings.pop("DeadLetterConfig", None)
    if not settings.get("KMSKeyArn"):
        settings.pop("KMSKeyArn", None)
    return settings


def check(inside: Inside, settings: dict[str, Any], operation: str) -> None:
    """Raises what AWS answers, and NotImplementedInSandbox for what would not run here."""
    if settings["PackageType"] != "Zip" or settings["SnapStart"].get("ApplyOn") != "None":
        raise NotImplementedInSandbox("lambda", operation, "container images and SnapStart are not modelled")
    if not settings.get("Handler") or not settings.get("Runtime"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    _check_runtime(settings["Runtime"], operation)
    for member, most in (("Timeout", _LONGEST), ("MemorySize", _LARGEST)):
        if settings[member] > most:
            name = member[0].lower() + member[1:]
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value '{settings[member]}' at '{name}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {most}",
            )
    if settings["LoggingConfig"]["LogFormat"] != "Text":
        raise NotImplementedInSandbox("lambda", operation, "logs in JSON are not modelled")
    _check_environment(settings.get("Environment", {}).get("Variables", {}))
    try:
        inside.assume(settings["Role"], PRINCIPAL, "check")
    except CannotAssume as error:
        raise invalid("The role defined for the function cannot be assumed by Lambda.") from error


def _check_runtime(runtime: str, operation: str) -> None:
    if runtime in _OTHER:
        raise NotImplementedInSandbox("lambda", operation, f"only Python runs here, not {runtime}")
    if runtime not in _PYTHON:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )


def _check_environment(variables: dict[str, str]) -> None:
    reserved = sorted(_RESERVED & set(variables))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > _ENVIRONMENT_SIZE:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )


def shown(function: Function, as_created: bool = False) -> dict[str, Any]:
    """FunctionConfiguration. as_created: the answer of CreateFunction has no LastUpdateStatus."""
    status: dict[str, Any] = {}
    if function.state == "Pending":
        status = {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    if not as_created:
        settled = function.is_settled or function.state == "Pending"
        status["LastUpdateStatus"] = "Successful" if settled else "InProgress"
    return {
        **function.settings,
        **status,
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "State": function.state,
        "CodeSha256": function.code.sha256,
        "CodeSize": function.code.size,
        "LastModified": function.modified.strftime("%Y-%m-%dT%H:%M:%S.") + f"{function.modified:%f}"[:3] + "+0000",
        "RevisionId": function.revision,
        "Version": LATEST,
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    }
