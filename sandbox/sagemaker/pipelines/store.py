"""Pipelines and their executions, by ARN."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any, Protocol

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.sagemaker.pipelines.definition import Definition
from sandbox.sagemaker.runner import Step, StepRun
from sandbox.sagemaker.store import now


@dataclass(eq=False)
class Pipeline:
    """request: what CreatePipeline was given, as updated since. results: of its steps, for the step cache."""

    name: str
    arn: str
    request: dict[str, Any]
    definition: Definition
    tags: dict[str, str]
    created_by: dict[str, Any]
    modified_by: dict[str, Any]
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    last_run: datetime | None = None
    version: int = 1
    results: list[CachedResult] = field(default_factory=list)


@dataclass(frozen=True)
class CachedResult:
    """A step that succeeded. key: of its attributes that count. source: the execution's ARN."""

    step: str
    key: str
    at: datetime
    source: str
    run: StepRun
    metadata: dict[str, Any]


@dataclass(eq=False)
class StepRecord:
    """A step that has begun. run: what mlops' runner knows of it. cached_from: the execution whose result it has.
    cache_key: under which its own result may be found again."""

    step: Step
    run: StepRun
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    cached_from: str | None = None
    cache_key: str | None = None


class Stoppable(Protocol):
    """What carries out an execution."""

    def stop(self) -> None:
        """End it, by calls that stop its jobs."""

    def abandon(self) -> None:
        """End it without calling anything."""


@dataclass(eq=False)
class ExecutionRecord:
    """One execution. parameters: as they were given. work: what carries it out, while it runs."""

    arn: str
    pipeline: Pipeline
    definition: Definition
    role: str
    parameters: dict[str, Any]
    given: dict[str, str]
    display_name: str
    description: str | None
    created_by: dict[str, Any]
    parallelism: dict[str, Any] | None
    status: str = "Executing"
    failure_reason: str | None = None
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    steps: dict[str, StepRecord] = field(default_factory=dict)
    work: Stoppable | None = None
    abandoned: bool = False

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def running(self) -> bool:
        return self.status in ("Executing", "Stopping")


class Pipelines:
    """All pipelines of a sandbox. lock: held while they are looked at or changed. tokens: what a client token was used
    for, and what it made."""

    def __init__(self) -> None:
        self.by_arn: dict[str, Pipeline] = {}
        self.executions: dict[str, ExecutionRecord] = {}
        self._tokens: dict[tuple[str, str], tuple[str, str]] = {}
        self.lock = RLock()

    def named(self, call: Call, name_or_arn: str) -> Pipeline:
        """Raises ResourceNotFound."""
        arn = name_or_arn if name_or_arn.startswith("arn:") else call.arn("sagemaker", f"pipeline/{name_or_arn}")
        found = self.by_arn.get(arn)
        if found is None:
            raise AwsError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
        return found

    def execution(self, arn: str) -> ExecutionRecord:
        """Raises ResourceNotFound."""
        found = self.executions.get(arn)
        if found is None:
            raise AwsError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
        return found

    def of(self, pipeline: Pipeline) -> list[ExecutionRecord]:
        return [execution for execution in self.executions.values() if execution.pipeline is pipeline]

    def made_before(self, call: Call) -> str | None:
        """What the same client token made ("An idempotent operation completes no more than once"). The same token for
        another request is a conflict."""
        used = self._tokens.get((call.operation, call.params["ClientRequestToken"]))
        if used is None:
            return None
        if used[0] != _fingerprint(call.params):
            raise AwsError("ConflictException", "ClientRequestToken was already used for another request")
        return used[1]

    def remember(self, call: Call, made: str) -> None:
        self._tokens[call.operation, call.params["ClientRequestToken"]] = (_fingerprint(call.params), made)

    def running(self) -> list[ExecutionRecord]:
        with self.lock:
            return [execution for execution in self.executions.values() if execution.running]

    def abandon(self) -> None:
        """Tell every execution to end at once, without a call."""
        for execution in self.running():
            execution.abandoned = True
            work = execution.work
            if work is not None:
                work.abandon()

    def clear(self) -> None:
        with self.lock:
            self.by_arn.clear()
            self.executions.clear()
            self._tokens.clear()


def _fingerprint(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True, default=str)
