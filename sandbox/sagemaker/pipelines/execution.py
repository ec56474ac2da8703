"""One execution: mlops' runner decides what runs when; here its steps become calls, records and events."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable
from dataclasses import replace

from sandbox.callers import Caller
from sandbox.inside import Inside
from sandbox.sagemaker.jobs.store import Jobs
from sandbox.sagemaker.pipelines.events import execution_status_change, step_status_change
from sandbox.sagemaker.pipelines.steps import StepsAsCalls
from sandbox.sagemaker.pipelines.store import CachedResult, ExecutionRecord, StepRecord
from sandbox.sagemaker.runner import Execution, Problem, RetryPolicy, Step, StepRun, Values
from sandbox.sagemaker.store import now

LONGEST = 1024  # characters of a step's FailureReason (PipelineExecutionStep)
FAILED = "Step failure: One or multiple steps failed."  # as users of DescribePipelineExecution quote it
# "Pipelines retries on this type of error automatically" (Retry Policy for Pipeline Steps): with the policy's defaults.
_USUAL = tuple(RetryPolicy((kind,), 5, None, 1, 2.0) for kind in ("Step.SERVICE_FAULT", "Step.THROTTLING"))


class Run:
    """Carries out an execution in a thread. take_role: credentials of the pipeline's role, by the session's name."""

    def __init__(
        self, inside: Inside, jobs: Jobs, record: ExecutionRecord, take_role: Callable[[str], Caller], pace: float
    ) -> None:
        self._inside, self._record = inside, record
        self._folder = inside.folder / "sagemaker" / "executions" / record.id
        self._calls = StepsAsCalls(inside, jobs, record, take_role, self._folder, pace)

    def start(self, before: str | None) -> None:
        """Begin, and return at once. before: the status until now, of an execution that is tried again."""
        record = self._record
        record.work = self._calls
        self._tell(before)
        self._inside.background.start(self._run)

    def started(self, run: StepRun) -> None:
        """Called by the runner."""
        step = self._record.definition.steps[run.name]
        self._record.steps[run.name] = record = StepRecord(step, run)
        self._inside.emit(step_status_change(self._record, record, "Executing", "Starting"))

    def ended(self, run: StepRun) -> None:
        """Called by the runner."""
        record = self._record.steps[run.name]
        if run.type == "Condition" and run.outcome is not None:
            record.metadata = {"Condition": {"Outcome": str(run.outcome)}}
        elif run.type == "Fail" and run.status == "Failed":
            record.metadata = {"Fail": {"ErrorMessage": run.reason}}
        run.reason = run.reason[:LONGEST] if run.reason else None
        record.ended = now()
        if not self._record.abandoned:
            self._inside.emit(step_status_change(self._record, record, run.status, "Executing"))

    def _run(self) -> None:
        record, moment = self._record, self._record.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        variables = {
            "PipelineExecutionId": record.id,
            "PipelineExecutionArn": record.arn,
            "PipelineName": record.pipeline.name,
            "PipelineArn": record.pipeline.arn,
            "StartDateTime": moment,
            "CurrentDateTime": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        values = Values(record.parameters, variables)
        steps = {name: _with_usual_policies(step) for name, step in record.definition.steps.items()}
        reused = {name: step.run for name, step in record.steps.items() if step.run.status == "Succeeded"}
        execution = Execution(steps, values, executor=self._calls, listener=self, reused=reused)
        try:
            runs = execution.run()
            failure = FAILED if any(run.status in ("Failed", "Stopped") for run in runs.values()) else None
        except Problem as problem:  # what is left of a step that is not run again cannot be read
            failure = str(problem)
        except Exception as error:  # a mistake of the sandbox's
            traceback.print_exc()
            failure = f"InternalServerError: {error!r}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._end(failure)

    def _end(self, failure: str | None) -> None:
        record = self._record
        before = record.status
        if before == "Stopping":
            record.status = "Stopped"
        elif failure:
            record.status, record.failure_reason = "Failed", failure
        else:
            record.status = "Succeeded"
            self._remember()
        record.modified, record.work = now(), None
        if not record.abandoned:
            self._tell(before)

    def _remember(self) -> None:
        """Results for the step cache, now that the whole execution has succeeded."""
        for name, step in self._record.steps.items():
            if step.cache_key and step.ended:
                self._record.pipeline.results.append(
                    CachedResult(name, step.cache_key, step.ended, self._record.arn, step.run, step.metadata)
                )

    def _tell(self, before: str | None) -> None:
        ended = None if self._record.running else self._record.modified
        self._inside.emit(execution_status_change(self._record, before, ended))


def _with_usual_policies(step: Step) -> Step:
    return replace(step, retry_policies=(*step.retry_policies, *_USUAL))
