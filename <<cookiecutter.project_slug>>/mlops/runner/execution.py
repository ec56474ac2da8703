"""One execution: what runs when, what is reused, what a failure stops."""

import concurrent.futures
import contextlib
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mlops.problem import Problem
from mlops.runner import conditions, requests
from mlops.runner.executor import Executor, Retryable
from mlops.runner.expressions import Values
from mlops.runner.graph import Step
from mlops.runner.job import Result
from mlops.runner.processes import Stopped

Status = Literal["Executing", "Succeeded", "Failed", "Stopped", "Skipped"]


@dataclass
class StepRun:
    """What became of one step. `cached`: its result is that of an earlier run."""

    name: str
    type: str
    status: Status = "Executing"
    seconds: float = 0.0
    cached: bool = False
    attempts: int = 1
    reason: str | None = None
    outcome: bool | None = None
    result: Result = field(default_factory=Result)


class Listener(Protocol):
    """Who is told about steps as they run."""

    def started(self, step: StepRun) -> None:
        """A step begins."""

    def ended(self, step: StepRun) -> None:
        """A step is over."""


class Execution:
    """Runs the steps of a pipeline, several at a time where none waits for the other."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        values: Values,
        *,
        executor: Executor,
        listener: Listener,
        reused: Mapping[str, StepRun] | None = None,
    ) -> None:
        """Prepare an execution; `reused` are steps that do not run, with what they left before."""
        self.steps, self.values = steps, values
        self.executor, self.listener = executor, listener
        self.reused = dict(reused or {})
        self._waiting: dict[str, Step] = {}
        self.runs: dict[str, StepRun] = {}

    def run(self) -> dict[str, StepRun]:
        """Run all steps; return what became of each. A step that fails stops the others.

        Raises:
            KeyboardInterrupt: Ctrl-C; every process is ended first, and the steps that ran are marked as stopped.
        """
        waiting = self._waiting = dict(self.steps)
        running: set[concurrent.futures.Future[None]] = set()
        with (
            contextlib.closing(self.executor),
            concurrent.futures.ThreadPoolExecutor(self.executor.workers, "step") as pool,
        ):
            try:
                self.executor.begin(self._coming)
                while True:
                    for step in self._ready(waiting, len(running)):
                        run = self._note(StepRun(step.name, step.type))
                        running.add(pool.submit(self._step, step, run))
                    if not running:
                        return self.runs
                    done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    self.executor.settled()
                    if any(run.status == "Failed" for run in self.runs.values()):
                        waiting.clear()
                        self.executor.stop()
            except BaseException:
                self.executor.stop()
                concurrent.futures.wait(running)
                raise

    def _ready(self, waiting: dict[str, Step], running: int) -> list[Step]:
        """Take out the steps that can start, and settle those that never will."""
        ready: list[Step] = []
        most = self.executor.workers - running
        settled = True
        while settled:
            settled = False
            for name, step in list(waiting.items()):
                before = [self.runs.get(other) for other in step.waits_for]
                if name in self.reused:
                    self._settle(waiting.pop(name), self._note(self.reused[name]))
                    settled = True
                elif any(run and run.status == "Skipped" for run in before) or self._not_taken(step):
                    self._note(StepRun(name, step.type, "Skipped"))
                    waiting.pop(name)
                    settled = True
                elif all(run and run.status == "Succeeded" for run in before) and len(ready) < most:
                    ready.append(waiting.pop(name))
        return ready

    def _coming(self) -> Iterator[Step]:
        """Yield the steps that wait for nothing but what runs now."""
        for step in list(self._waiting.values()):
            before = [self.runs.get(other) for other in step.waits_for]
            if step.name not in self.reused and all(run and run.status in {"Executing", "Succeeded"} for run in before):
                yield step

    def _note(self, run: StepRun) -> StepRun:
        self.runs = {**self.runs, run.name: run}  # others may just be reading the one before
        return run

    def _not_taken(self, step: Step) -> bool:
        if step.branch is None:
            return False
        condition = self.runs.get(step.branch[0])
        return condition is not None and condition.outcome not in {None, step.branch[1]}

    def _settle(self, step: Step, run: StepRun) -> None:
        """Make known what a step left."""
        for name, (output, path) in step.property_files.items():
            if output in run.result.outputs:
                file = self.executor.property_file(run.result.outputs[output], path)
                self.values.property_files[step.name, name] = file
        self.values.properties[step.name] = run.result.properties

    def _step(self, step: Step, run: StepRun) -> None:
        start = time.monotonic()
        self.listener.started(run)
        try:
            self._run(step, run)
            run.status = "Succeeded"
        except Stopped:
            run.status, run.reason = "Stopped", "the run was stopped"
        except Problem as problem:
            run.status, run.reason = "Failed", str(problem)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            run.status, run.reason = "Failed", f"step {step.name}: {error.strerror or error}{where}"
        except Exception as error:
            run.status = "Failed"
            run.reason = f"step {step.name}: {type(error).__name__}: {error}; mlops itself is wrong, see the log"
            self._log_mistake(step)
        run.seconds = time.monotonic() - start
        self.listener.ended(run)

    def _run(self, step: Step, run: StepRun) -> None:
        arguments = self.values.resolve(step.arguments)
        requests.check(step.name, step.type, arguments)
        if step.type == "Condition":
            self.executor.check()
            run.outcome = all(conditions.holds(condition) for condition in arguments["Conditions"])
            run.result = Result({"Outcome": run.outcome})
        elif step.type == "Fail":
            self.executor.check()
            raise Problem(str(arguments.get("ErrorMessage") or f"the pipeline ended at step {step.name}"))
        else:
            found = self.executor.find(step, arguments)
            run.cached = found is not None
            run.result = found or self._with_retries(step, run, arguments)
        self._settle(step, run)

    def _with_retries(self, step: Step, run: StepRun, arguments: dict[str, Any]) -> Result:
        start = time.monotonic()
        while True:
            self.executor.check()
            try:
                return self.executor.execute(step, arguments)
            except Retryable as error:
                policy = next((policy for policy in step.retry_policies if error.kind in policy.exceptions), None)
                if policy is None or policy.is_over(run.attempts, time.monotonic() - start):
                    raise
                self.executor.pause(policy.pause(run.attempts))
                run.attempts += 1

    def _log_mistake(self, step: Step) -> None:
        with contextlib.suppress(OSError):
            log = self.executor.log(step.name)
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
