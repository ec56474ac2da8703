"""What executions and their steps tell EventBridge. Source: Developer Guide, "Events that Amazon SageMaker AI sends to
Amazon EventBridge", pipeline execution state change and pipeline step state change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.inside import Event
from sandbox.sagemaker.pipelines.store import ExecutionRecord, StepRecord


def execution_status_change(execution: ExecutionRecord, before: str | None, ended: datetime | None) -> Event:
    """before: the status until now, if there was one."""
    detail = {
        "pipelineExecutionDisplayName": execution.display_name,
        "currentPipelineExecutionStatus": execution.status,
        "previousPipelineExecutionStatus": before,
        "executionStartTime": _text(execution.created),
        "executionEndTime": _text(ended),
        "pipelineExecutionDescription": execution.description,
    }
    return _event("SageMaker Model Building Pipeline Execution Status Change", execution, detail)


def step_status_change(execution: ExecutionRecord, step: StepRecord, status: str, before: str) -> Event:
    """failureReason is there if the step failed, cacheHitResult if it was found in the cache."""
    cached = {"sourcePipelineExecutionArn": step.cached_from} if step.cached_from else None
    detail = {
        "metadata": _lower(step.metadata),
        "stepStartTime": _text(step.started),
        "stepEndTime": _text(step.ended),
        "stepName": step.step.name,
        "stepType": step.step.type,
        "previousStepStatus": before,
        "currentStepStatus": status,
        "failureReason": step.run.reason if status == "Failed" else None,
        "cacheHitResult": cached,
    }
    return _event("SageMaker Model Building Pipeline Execution Step Status Change", execution, detail)


def _event(detail_type: str, execution: ExecutionRecord, detail: dict[str, Any]) -> Event:
    arns = {"pipelineArn": execution.pipeline.arn, "pipelineExecutionArn": execution.arn}
    return Event(
        source="aws.sagemaker",
        detail_type=detail_type,
        detail={name: value for name, value in detail.items() if value is not None} | arns,
        resources=(execution.pipeline.arn, execution.arn),
        account=execution.account,
        region=execution.region,
    )


def _text(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _lower(value: Any) -> Any:
    """Names as events have them: `processingJob` for `ProcessingJob`."""
    if not isinstance(value, dict):
        return value
    return {name[:1].lower() + name[1:]: _lower(part) for name, part in value.items()}
