"""An execution on SageMaker, followed until it is over: the same lines as those of a run on this machine."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.cloud.logs import JobLog, log_of
from mlops.cloud.pipelines import OVER, Pipelines
from mlops.laptop.progress import Progress
from mlops.runner.execution import StepRun

# Seconds between two looks: a short execution is seen to its end at once, a long one costs few calls.
FIRST, LONGEST, GROWTH = 0.5, 10.0, 1.3
STATUS = {"Succeeded": "Succeeded", "Failed": "Failed", "Stopped": "Stopped"}
JOBS = ("ProcessingJob", "TrainingJob", "TransformJob")


@dataclass(frozen=True)
class Ended:
    """How an execution ended. `version`: the ARN of what it registered; `reason`: why it failed."""

    arn: str
    status: str
    version: str | None
    failed_step: str | None
    log: JobLog | None  # the failed step's, if it is a job
    refused: bool  # the failed step is the gate's: it says why nothing was registered
    reason: str | None


def follow(
    pipelines: Pipelines, arn: str, *, stderr: bool = False, sleep: Callable[[float], None] = time.sleep
) -> Ended:
    """Show the steps of an execution as they begin and end; Ctrl-C stops looking, not the execution.

    Raises:
        Problem: AWS refused.
    """
    begun: set[str] = set()
    over: set[str] = set()
    pause = FIRST
    with Progress(stderr=stderr) as progress:
        while True:
            execution = pipelines.execution(arn)  # before the steps: what it has done by then is among them
            steps = pipelines.steps(arn)
            for step in steps:
                run = _run(step)
                if run.name not in begun:
                    begun.add(run.name)
                    progress.started(run)
                if run.status in STATUS and run.name not in over:
                    over.add(run.name)
                    progress.ended(run)
            if execution["PipelineExecutionStatus"] in OVER:
                return ended(execution, steps)
            sleep(pause)
            pause = min(pause * GROWTH, LONGEST)


def ended(execution: Mapping[str, Any], steps: list[dict[str, Any]]) -> Ended:
    """Return how an execution ended."""
    failed = next((step for step in steps if step["StepStatus"] == "Failed"), None)
    registered = [
        step["Metadata"]["RegisterModel"]["Arn"] for step in steps if "RegisterModel" in step.get("Metadata", {})
    ]
    reason = _reason(failed) if failed else execution.get("FailureReason")
    return Ended(
        arn=execution["PipelineExecutionArn"],
        status=execution["PipelineExecutionStatus"],
        version=registered[-1] if registered else None,
        failed_step=failed["StepName"] if failed else None,
        log=log_of(failed) if failed else None,
        refused=failed is not None and is_refusal(failed),
        reason=reason,
    )


def is_refusal(step: Mapping[str, Any]) -> bool:
    """Tell whether a step is the one that says why nothing was registered."""
    return "Fail" in step.get("Metadata", {})


def _reason(step: Mapping[str, Any]) -> str:
    said = step["Metadata"]["Fail"].get("ErrorMessage") if is_refusal(step) else step.get("FailureReason")
    return " ".join(str(said or f"step {step['StepName']} failed and gave no reason").split())


def _run(step: Mapping[str, Any]) -> StepRun:
    """Return a step as the progress of runs knows it."""
    status = STATUS.get(step["StepStatus"], "Executing")
    start, end = step.get("StartTime"), step.get("EndTime")
    seconds = (end - start).total_seconds() if isinstance(start, datetime) and isinstance(end, datetime) else 0.0
    return StepRun(
        name=step["StepName"],
        type="Fail" if is_refusal(step) else "",
        status=status,  # type: ignore[arg-type]
        seconds=seconds,
        cached="CacheHitResult" in step,
    )
