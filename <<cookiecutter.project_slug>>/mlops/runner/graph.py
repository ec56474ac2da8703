"""A definition as steps that know what they wait for. What cannot be executed is refused before anything runs."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mlops.problem import Problem
from mlops.runner import conditions, requests
from mlops.runner.requests import Unsupported

TYPES = ("Processing", "Training", "Transform", "Model", "RegisterModel", "Condition", "Fail")
STEP_KEYS = {"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"}
STEP_KEYS |= {"CacheConfig", "PropertyFiles", "RetryPolicies"}
FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
EXECUTION = ("PipelineExecutionId", "PipelineName", "StartDateTime", "CurrentDateTime")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# ISO 8601, in capitals or not; the SDK's own examples (CacheConfig) are p30d, P4DT12H and T12H, and the developer guide
# ("Turn on step caching") has 30d and 30dT5h.
DURATION = re.compile(
    r"p?(?:(\d+)y)?(?:(\d+)m)?(?:(\d+)w)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?", re.IGNORECASE
)
USUAL_ATTEMPTS = 5  # of a retry policy that names no end


@dataclass(frozen=True)
class RetryPolicy:
    """When a step is tried again, and after how many seconds. It ends after some attempts, or some seconds."""

    exceptions: tuple[str, ...]
    attempts: int | None
    expires: float | None
    interval: float
    backoff: float

    def is_over(self, attempts: int, seconds: float) -> bool:
        """Tell whether it ends after so many attempts in so many seconds. The first attempt is no retry."""
        return (self.attempts is not None and attempts > self.attempts) or (
            self.expires is not None and seconds >= self.expires
        )

    def pause(self, attempts: int) -> float:
        """Return the seconds until the next attempt."""
        return self.interval * self.backoff ** (attempts - 1)


@dataclass(frozen=True)
class Step:
    """One step. `branch` is the condition step and the outcome under which it runs at all."""

    name: str
    type: str
    arguments: dict[str, Any]
    waits_for: frozenset[str]
    branch: tuple[str, bool] | None
    cached_for: timedelta | None
    property_files: dict[str, tuple[str, str]]
    retry_policies: tuple[RetryPolicy, ...]


def read(definition: Mapping[str, Any], execution: Collection[str] = EXECUTION) -> dict[str, Step]:
    """Return the steps in an order in which they can run. `execution` are the variables that an execution has.

    Raises:
        Unsupported: a step asks for what cannot be executed here.
        Problem: a step, function or key is none that can be executed here, a name is unknown or doubled, or steps wait
            for each other in a circle.
    """
    steps: dict[str, Step] = {}
    for step in _flatten(definition["Steps"], None):
        if step.name in steps:
            raise Problem(f"two steps are called {step.name!r}; give each its own name")
        steps[step.name] = step
    parameters = {parameter["Name"] for parameter in definition.get("Parameters", [])}
    for step in steps.values():
        for other in step.waits_for:
            if other not in steps:
                raise Problem(f"step {step.name} waits for {other!r}, which is no step")
        for path in references(step.arguments):
            _check_reference(step.name, path, steps, parameters, execution)
    return _in_order(steps)


def descendants(steps: Mapping[str, Step], name: str) -> set[str]:
    """Return a step and all that come after it."""
    found = {name}
    for step in steps.values():  # in an order in which they can run
        if step.waits_for & found:
            found.add(step.name)
    return found


def ancestors(steps: Mapping[str, Step], name: str) -> set[str]:
    """Return all steps that come before one."""
    found = set(steps[name].waits_for)
    for step in reversed(list(steps.values())):
        if step.name in found:
            found |= step.waits_for
    return found


def references(value: Any) -> Iterator[str]:
    """Yield every path that is read: "Parameters.Seed", "Steps.Train.ModelArtifacts.S3ModelArtifacts"."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def _in_order(steps: dict[str, Step]) -> dict[str, Step]:
    """Sort by what waits for what; else as they are written, so that every run has the same order."""
    waiting, order = dict(steps), dict[str, Step]()
    while waiting:
        ready = next((step for step in waiting.values() if step.waits_for <= order.keys()), None)
        if ready is None:
            raise Problem(f"these steps wait for each other: {', '.join(_circle(waiting))}")
        order[ready.name] = waiting.pop(ready.name)
    return order


def _circle(waiting: dict[str, Step]) -> list[str]:
    seen: list[str] = []
    name = next(iter(waiting))
    while name not in seen:
        seen.append(name)
        name = next(other for other in sorted(waiting[name].waits_for) if other in waiting)
    return seen[seen.index(name) :]


def _flatten(requested: list[dict[str, Any]], branch: tuple[str, bool] | None) -> Iterator[Step]:
    for request in requested:
        name, kind = request["Name"], request["Type"]
        if not NAME.fullmatch(name):
            raise Problem(f"a step is called {name!r}; names have at most 64 letters, digits, - and _")
        if kind not in TYPES:
            raise Unsupported(
                f"step {name} is of the type {kind}, which cannot run here; there are: {', '.join(TYPES)}"
            )
        unknown = set(request) - STEP_KEYS
        if unknown:
            raise Unsupported(f"step {name} has the key {min(unknown)!r}, which cannot be followed here")
        arguments = dict(request["Arguments"])
        inner = [(arguments.pop(key, []), outcome) for key, outcome in (("IfSteps", True), ("ElseSteps", False))]
        _check_functions(name, arguments)
        requests.check(name, kind, arguments)
        for condition in arguments.get("Conditions", []):
            conditions.check(name, condition)
        waits = {path.split(".")[1] for path in references(arguments) if path.startswith("Steps.")}
        yield Step(
            name=name,
            type=kind,
            arguments=arguments,
            waits_for=frozenset(waits | _depends_on(name, request) | ({branch[0]} if branch else set())),
            branch=branch,
            cached_for=_cache(name, request.get("CacheConfig")),
            property_files={
                file["PropertyFileName"]: (file["OutputName"], file["FilePath"])
                for file in request.get("PropertyFiles", [])
            },
            retry_policies=tuple(_retry_policy(policy) for policy in request.get("RetryPolicies", [])),
        )
        for steps, outcome in inner:
            yield from _flatten(steps, (name, outcome))


def _depends_on(step: str, request: dict[str, Any]) -> set[str]:
    names = request.get("DependsOn", [])
    for other in names:
        if not isinstance(other, str):
            raise Unsupported(
                f"step {step} runs when {other.get('Step')} has ended as {other.get('Trigger')}, "
                "which cannot be followed here; only waiting for success can"
            )
    return set(names)


def _check_reference(
    step: str, path: str, steps: Mapping[str, Step], parameters: set[str], execution: Collection[str]
) -> None:
    root, _, rest = path.partition(".")
    if root == "Parameters" and rest not in parameters:
        raise Problem(f"step {step} uses {path}, which is no parameter of the pipeline")
    if root == "Execution" and rest not in execution:
        raise Problem(f"step {step} uses {path}, which there is not here; there are: {', '.join(execution)}")
    if root not in {"Parameters", "Execution", "Steps"}:
        raise Problem(f"step {step} uses {path}, which cannot be followed here")
    name, _, kind = rest.partition(".")
    if root == "Steps" and kind.startswith("PropertyFiles."):
        file = kind.partition(".")[2]
        if file not in steps[name].property_files:
            raise Problem(f"step {step} reads the property file {file!r} of step {name}, which that step does not have")


def _check_functions(step: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if key.startswith("Std:") and key not in FUNCTIONS:
                raise Unsupported(
                    f"step {step} uses {key}, which cannot be followed here; only {', '.join(FUNCTIONS)} can"
                )
            if key == "Std:JsonGet" and "PropertyFile" not in part:
                raise Unsupported(f"step {step} reads JSON from S3, which cannot be followed here; use a property file")
            _check_functions(step, part)
    elif isinstance(value, list):
        for part in value:
            _check_functions(step, part)


def _cache(step: str, config: dict[str, Any] | None) -> timedelta | None:
    if not config or not config.get("Enabled"):
        return None
    text = str(config.get("ExpireAfter", ""))
    match = DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise Problem(f"step {step} is cached for {text!r}; write a duration such as P30D or PT12H")
    years, months, weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    try:
        days += 365 * years + 30 * months + 7 * weeks
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return timedelta.max


def _retry_policy(policy: dict[str, Any]) -> RetryPolicy:
    minutes = policy.get("ExpireAfterMin")
    return RetryPolicy(
        exceptions=tuple(policy["ExceptionType"]),
        attempts=policy.get("MaxAttempts", None if minutes else USUAL_ATTEMPTS),
        expires=60.0 * minutes if minutes else None,
        interval=policy.get("IntervalSeconds", 1),
        backoff=policy.get("BackoffRate", 2.0),
    )
