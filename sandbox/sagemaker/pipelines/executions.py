# ruff: noqa: N802 - methods are named as AWS names its operations
"""Start, stop, retry, describe and list executions. Rules: the operations' pages in the API Reference; where a page is
silent, what users of the API quote."""

from __future__ import annotations

import os
import random
import string
import time
from collections.abc import Callable
from typing import Any

from sandbox.callers import Caller
from sandbox.calls import Call
from sandbox.errors import NotImplementedInSandbox
from sandbox.inside import CannotAssume, Inside
from sandbox.sagemaker.jobs.store import Jobs
from sandbox.sagemaker.listing import listed
from sandbox.sagemaker.pipelines.events import execution_status_change
from sandbox.sagemaker.pipelines.execution import Run
from sandbox.sagemaker.pipelines.store import ExecutionRecord, Pipeline, Pipelines, StepRecord
from sandbox.sagemaker.roles import PRINCIPAL, cannot_assume, take
from sandbox.sagemaker.runner import KINDS, Problem, parameter_values
from sandbox.sagemaker.store import invalid, now, user_context

# How long a second of a retry policy lasts here, in seconds: 1 for AWS's own time.
PACE = "AWS_SANDBOX_RETRY_SECOND"
_USUAL_PACE = "0.01"
_ID = 12  # lower-case letters and digits of an execution's ID
_NOT_HERE = ("SelectiveExecutionConfig", "PipelineVersionId", "PipelineVersionAlias", "MlflowExperimentName", "RoleArn")


class ExecutionOperations:
    inside: Inside
    jobs: Jobs
    pipelines: Pipelines

    def StartPipelineExecution(self, call: Call) -> dict[str, Any]:
        """Raises ResourceNotFound, and ValidationException for parameters that are unknown, missing or wrong."""
        params = call.params
        _refuse(call, _NOT_HERE)
        with self.pipelines.lock:
            made = self.pipelines.made_before(call)
            if made:
                return {"PipelineExecutionArn": made}
            pipeline = self.pipelines.named(call, params["PipelineName"])
            given = _given(params.get("PipelineParameters", []))
            execution = ExecutionRecord(
                arn=f"{pipeline.arn}/execution/{_new_id()}",
                pipeline=pipeline,
                definition=pipeline.definition,
                role=pipeline.request["RoleArn"],
                parameters=_values(pipeline, given),
                given=given,
                display_name=params.get("PipelineExecutionDisplayName", f"execution-{int(time.time() * 1000)}"),
                description=params.get("PipelineExecutionDescription"),
                created_by=user_context(call),
                parallelism=params.get("ParallelismConfiguration") or pipeline.request.get("ParallelismConfiguration"),
            )
            self._begin(call, execution, None)
            pipeline.last_run = execution.created
            self.pipelines.executions[execution.arn] = execution
            self.pipelines.remember(call, execution.arn)
        return {"PipelineExecutionArn": execution.arn}

    def RetryPipelineExecution(self, call: Call) -> dict[str, Any]:
        """Steps that succeeded are kept; all others run again, with the definition and parameters of before."""
        params = call.params
        with self.pipelines.lock:
            made = self.pipelines.made_before(call)
            if made:
                return {"PipelineExecutionArn": made}
            execution = self.pipelines.execution(params["PipelineExecutionArn"])
            if execution.status not in ("Failed", "Stopped"):
                raise invalid(
                    f"Pipeline execution {execution.arn} cannot be retried: it is {execution.status}; "
                    "only a Failed or Stopped execution can"
                )
            before = execution.status
            execution.parallelism = params.get("ParallelismConfiguration") or execution.parallelism
            execution.steps = {name: step for name, step in execution.steps.items() if step.run.status == "Succeeded"}
            execution.failure_reason, execution.status, execution.modified = None, "Executing", now()
            self._begin(call, execution, before)
            self.pipelines.remember(call, execution.arn)
        return {"PipelineExecutionArn": execution.arn}

    def StopPipelineExecution(self, call: Call) -> dict[str, Any]:
        """The jobs of its steps are stopped, and no other step begins."""
        with self.pipelines.lock:
            made = self.pipelines.made_before(call)
            if made:
                return {"PipelineExecutionArn": made}
            execution = self.pipelines.execution(call.params["PipelineExecutionArn"])
            if not execution.running:
                raise invalid(f"Pipeline execution {execution.arn} cannot be stopped: it is {execution.status}")
            if execution.status == "Executing":
                execution.status, execution.modified = "Stopping", now()
                self.inside.emit(execution_status_change(execution, "Executing", None))
                if execution.work is not None:
                    self.inside.background.start(execution.work.stop)
            self.pipelines.remember(call, execution.arn)
        return {"PipelineExecutionArn": execution.arn}

    def UpdatePipelineExecution(self, call: Call) -> dict[str, Any]:
        """What people call it. Parallelism is not changed while it runs."""
        _refuse(call, ("ParallelismConfiguration",))
        params = call.params
        with self.pipelines.lock:
            execution = self.pipelines.execution(params["PipelineExecutionArn"])
            execution.display_name = params.get("PipelineExecutionDisplayName", execution.display_name)
            execution.description = params.get("PipelineExecutionDescription", execution.description)
            execution.modified = now()
        return {"PipelineExecutionArn": execution.arn}

    def DescribePipelineExecution(self, call: Call) -> dict[str, Any]:
        with self.pipelines.lock:
            execution = self.pipelines.execution(call.params["PipelineExecutionArn"])
            return {
                "PipelineArn": execution.pipeline.arn,
                "PipelineExecutionArn": execution.arn,
                "PipelineExecutionDisplayName": execution.display_name,
                "PipelineExecutionStatus": execution.status,
                "PipelineExecutionDescription": execution.description,
                "FailureReason": execution.failure_reason,
                "CreationTime": execution.created,
                "LastModifiedTime": execution.modified,
                "CreatedBy": execution.created_by,
                "LastModifiedBy": execution.created_by,
                "ParallelismConfiguration": execution.parallelism,
                "RoleArn": execution.role,
            }

    def DescribePipelineDefinitionForExecution(self, call: Call) -> dict[str, Any]:
        execution = self.pipelines.execution(call.params["PipelineExecutionArn"])
        return {"PipelineDefinition": execution.definition.text, "CreationTime": execution.created}

    def ListPipelineExecutions(self, call: Call) -> dict[str, Any]:
        """Newest first, as users show it."""
        params = call.params
        _refuse(call, ("PipelineVersionAlias",))
        params.setdefault("SortOrder", "Descending")
        with self.pipelines.lock:
            found = self.pipelines.of(self.pipelines.named(call, params["PipelineName"]))
            after, before = params.get("CreatedAfter"), params.get("CreatedBefore")
            found = [
                execution
                for execution in found
                if (after is None or execution.created.timestamp() > float(after))
                and (before is None or execution.created.timestamp() < float(before))
            ]
            shown, token = listed(
                call,
                found,
                name=lambda item: item.arn,
                created=lambda item: item.created,
                tie=lambda item: list(self.pipelines.executions).index(item.arn),
            )
            return {"PipelineExecutionSummaries": [_summary(execution) for execution in shown], "NextToken": token}

    def ListPipelineExecutionSteps(self, call: Call) -> dict[str, Any]:
        """The latest step first, as users show it. Steps that have not begun are not listed."""
        call.params.setdefault("SortOrder", "Descending")
        with self.pipelines.lock:
            execution = self.pipelines.execution(call.params.get("PipelineExecutionArn", ""))
            begun = list(execution.steps.values())
            shown, token = listed(
                call, begun, name=lambda item: item.step.name, created=lambda item: item.started, tie=begun.index
            )
            return {"PipelineExecutionSteps": [_step(execution, step) for step in shown], "NextToken": token}

    def ListPipelineParametersForExecution(self, call: Call) -> dict[str, Any]:
        """All parameters with the values in force: given, or by default."""
        execution = self.pipelines.execution(call.params["PipelineExecutionArn"])
        names = list(execution.parameters)
        shown, token = listed(
            call, names, name=lambda item: item, created=lambda item: execution.created, tie=names.index
        )
        values = [{"Name": name, "Value": _text(execution.parameters[name])} for name in shown]
        return {"PipelineParameters": values, "NextToken": token}

    def SendPipelineExecutionStepSuccess(self, call: Call) -> dict[str, Any]:
        """For callback steps, which do not run here."""
        raise NotImplementedInSandbox("sagemaker", call.operation, "it has no callback steps")

    SendPipelineExecutionStepFailure = SendPipelineExecutionStepSuccess

    def _begin(self, call: Call, execution: ExecutionRecord, before: str | None) -> None:
        """Take the pipeline's role, and start."""
        take(self.inside, call, execution.role, "SageMaker", cannot_assume(execution.role), execution.pipeline.arn)
        pace = float(os.environ.get(PACE, _USUAL_PACE))
        Run(self.inside, self.jobs, execution, self._role_of(execution), pace).start(before)

    def _role_of(self, execution: ExecutionRecord) -> Callable[[str], Caller]:
        def take_role(session: str) -> Caller:
            try:
                return self.inside.assume(execution.role, PRINCIPAL, session, SourceArn=execution.pipeline.arn)
            except CannotAssume:
                raise Problem(cannot_assume(execution.role).message) from None

        return take_role


def _new_id() -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=_ID))  # noqa: S311 - no secret


def _refuse(call: Call, members: tuple[str, ...]) -> None:
    member = next((name for name in members if name in call.params), None)
    if member is not None:
        raise NotImplementedInSandbox("sagemaker", call.operation, f"{member} is not followed")


def _given(parameters: list[dict[str, str]]) -> dict[str, str]:
    names = [parameter["Name"] for parameter in parameters]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise invalid(f"Pipeline parameter {twice} is given twice")
    return {parameter["Name"]: parameter["Value"] for parameter in parameters}


def _values(pipeline: Pipeline, given: dict[str, str]) -> dict[str, Any]:
    """Parameters arrive as texts, whatever their type."""
    declared = pipeline.definition.parameters
    kinds = {parameter["Name"]: parameter["Type"] for parameter in declared}
    try:
        typed = {name: _typed(kinds.get(name, "String"), value) for name, value in given.items()}
        return parameter_values(declared, typed)
    except (Problem, ValueError) as problem:
        raise invalid(f"Pipeline parameters are not valid: {problem}") from None


def _typed(kind: str, text: str) -> Any:
    if kind == "Boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is no Boolean")
        return text.lower() == "true"
    return KINDS[kind](text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _summary(execution: ExecutionRecord) -> dict[str, Any]:
    return {
        "PipelineExecutionArn": execution.arn,
        "StartTime": execution.created,
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": execution.description,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionFailureReason": execution.failure_reason,
    }


def _step(execution: ExecutionRecord, record: StepRecord) -> dict[str, Any]:
    run, shown = record.run, execution.definition.shown[record.step.name]
    status = "Stopping" if execution.status == "Stopping" and run.status == "Executing" else run.status
    return {
        "StepName": record.step.name,
        "StepDisplayName": shown["DisplayName"],
        "StepDescription": shown["Description"],
        "StartTime": record.started,
        "EndTime": record.ended,
        "StepStatus": status,
        "CacheHitResult": {"SourcePipelineExecutionArn": record.cached_from} if record.cached_from else None,
        "FailureReason": run.reason if run.status == "Failed" else None,
        "Metadata": record.metadata,
        "AttemptCount": run.attempts,
    }
