"""A pipeline's definition, checked when a pipeline is created or updated.

Sources: the SageMaker Pipeline Definition JSON Schema (version 2020-12-01); Developer Guide, "Retry Policy for Pipeline
Steps"; botocore's shapes of the APIs that steps call. The words "Unable to parse pipeline definition. Model Validation
failed: ..." are quoted by users of CreatePipeline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.sagemaker.pipelines.apis import APIS, EXECUTION_VARIABLES, NOT_HERE, TYPES
from sandbox.sagemaker.runner import KINDS, Problem, Step, Unsupported, graph
from sandbox.sagemaker.store import invalid
from sandbox.service_names import model_of
from sandbox.shapes import ANYTHING, UnknownMember, WrongType, violations

VERSION = "2020-12-01"
_KEYS = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
_FUNCTIONS = ({"Get"}, {"Std:Join"}, {"Std:JsonGet"})
_EXCEPTIONS = {
    *("Step.SERVICE_FAULT", "Step.THROTTLING"),
    *("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
}
_MOST = {"IntervalSeconds": 43_200, "MaxAttempts": 20, "ExpireAfterMin": 14_400}  # "Retry Policy for Pipeline Steps"
_MOST_PARAMETERS = 200  # Pipelines quotas


@dataclass(frozen=True)
class Definition:
    """text: as it was given. steps: in an order in which they can run. shown: display name and description by step."""

    text: str
    content: dict[str, Any]
    steps: dict[str, Step]
    parameters: list[dict[str, Any]]
    shown: dict[str, dict[str, Any]]


def read(call: Call, text: str) -> Definition:
    """Raises ValidationException, and NotImplementedInSandbox for what AWS would run."""
    content = _parse(text)
    parameters = content.get("Parameters") or []
    _check_parameters(parameters)
    requested = list(_flatten(content["Steps"]))
    for step in requested:
        _check_step(call, step)
    try:
        steps = graph.read(content | {"Parameters": parameters}, EXECUTION_VARIABLES)
    except Unsupported as unsupported:
        raise NotImplementedInSandbox("sagemaker", call.operation, str(unsupported)) from None
    except Problem as problem:
        raise _wrong(str(problem)) from None
    for checked in steps.values():
        _check_properties(checked, steps)
    shown = {step["Name"]: {name: step.get(name) for name in ("DisplayName", "Description")} for step in requested}
    return Definition(text, content, steps, parameters, shown)


def _parse(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise _wrong(f"It is no JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("Steps"), list) or not content["Steps"]:
        raise _wrong("It must be an object with a list of Steps")
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise _wrong(f"Unknown field: {unknown[0]}")
    if content.get("Version") != VERSION:
        raise _wrong(f"Version must be {VERSION}, not {content.get('Version')!r}")
    return content


def _check_parameters(parameters: Any) -> None:
    if not isinstance(parameters, list) or len(parameters) > _MOST_PARAMETERS:
        raise _wrong(f"Parameters must be a list of at most {_MOST_PARAMETERS}")
    names = [parameter.get("Name") for parameter in parameters]
    for parameter in parameters:
        name, kind, default = parameter.get("Name"), parameter.get("Type"), parameter.get("DefaultValue")
        if not isinstance(name, str) or names.count(name) > 1:
            raise _wrong(f"Parameter names must be unique texts: {name!r}")
        if kind not in KINDS:
            raise _wrong(f"Parameter {name} has the type {kind!r}; there are: {', '.join(KINDS)}")
        if unknown := sorted(set(parameter) - {"Name", "Type", "DefaultValue", "EnumValues"}):
            raise _wrong(f"Parameter {name} has an unknown field: {unknown[0]}")
        wanted = KINDS[kind]
        if default is not None and type(default) is not wanted and not (wanted is float and type(default) is int):
            raise _wrong(f"Parameter {name} of type {kind} has the default value {default!r}")
        if default is not None and default not in parameter.get("EnumValues", [default]):
            raise _wrong(f"Parameter {name} has a default value that is none of its EnumValues: {default!r}")


def _flatten(steps: Any) -> Iterator[dict[str, Any]]:
    for step in steps if isinstance(steps, list) else []:
        if not isinstance(step, dict) or not isinstance(step.get("Name"), str) or "Type" not in step:
            raise _wrong("Each step must have a Name and a Type")
        if not isinstance(step.get("Arguments"), dict):
            raise _wrong(f"Step {step['Name']} has no Arguments")
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from _flatten(step["Arguments"].get(branch, []))


def _check_step(call: Call, step: dict[str, Any]) -> None:
    name, kind = step["Name"], step["Type"]
    if kind in NOT_HERE:
        raise NotImplementedInSandbox("sagemaker", call.operation, f"step {name}: a {kind} step does not run")
    if kind not in TYPES:
        raise _wrong(f"Unknown step type {kind!r} of step {name}")
    for policy in step.get("RetryPolicies") or []:
        _check_retry_policy(name, policy)
    if kind in APIS:
        _check_arguments(call, step)


def _check_retry_policy(step: str, policy: dict[str, Any]) -> None:
    unknown = sorted(set(policy.get("ExceptionType", [])) - _EXCEPTIONS)
    if unknown or not policy.get("ExceptionType"):
        raise _wrong(f"Step {step} has a retry policy with the exception type {unknown[0] if unknown else None!r}")
    if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
        raise _wrong(f"Step {step} has a retry policy with MaxAttempts and ExpireAfterMin; only one can be given")
    for member, most in _MOST.items():
        value = policy.get(member, 0)
        if not isinstance(value, int) or not 0 <= value <= most:
            raise _wrong(f"Step {step} has a retry policy with {member} {value!r}; at most {most}")


def _check_arguments(call: Call, step: dict[str, Any]) -> None:
    """Against the shape of the API's input, expressions standing for any value."""
    api = APIS[step["Type"]]
    shape = model_of("sagemaker").operation_model(api.create).input_shape
    arguments = _with_anything(shape, step["Arguments"])
    if api.name in arguments:
        why = f"step {step['Name']} gives {api.name}: a custom prefix of names is not followed"
        raise NotImplementedInSandbox("sagemaker", call.operation, why)
    if api.name:
        arguments[api.name] = ANYTHING
    try:
        found = violations(shape, arguments)
    except (UnknownMember, WrongType) as error:
        raise _wrong(f"Model Validation failed: step {step['Name']}: {error}") from None
    if found:
        shown = "; ".join(str(violation) for violation in found)
        raise _wrong(f"Model Validation failed: step {step['Name']}: {shown}")


def _with_anything(shape: Shape | None, value: Any) -> Any:
    """A value with ANYTHING for each expression, and for numbers that texts will be at most: AWS takes parameters of
    type Integer where texts stand, and the call itself tells."""
    if isinstance(value, Mapping) and set(value) in _FUNCTIONS:
        return ANYTHING
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _with_anything(shape.members.get(name), part) for name, part in value.items()}
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {name: _with_anything(shape.value, part) for name, part in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_with_anything(shape.member, part) for part in value]
    return value


def _check_properties(step: Step, steps: Mapping[str, Step]) -> None:
    """A property that is read is one that the Describe call of its step answers."""
    for path in graph.references(step.arguments):
        root, _, rest = path.partition(".")
        name, _, member = rest.partition(".")
        first = member.split(".")[0].split("[")[0]
        if root != "Steps" or first == "PropertyFiles" or steps[name].type not in APIS:
            continue
        shape = model_of("sagemaker").operation_model(APIS[steps[name].type].describe).output_shape
        if first not in shape.members:
            raise _wrong(f"Step {step.name} reads {path}, but a {steps[name].type} step has no property {first!r}")


def _wrong(reason: str) -> AwsError:
    return invalid(f"Unable to parse pipeline definition. {reason}")
