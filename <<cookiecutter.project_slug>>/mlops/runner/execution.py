"""One execution: what runs when, what is reused, what a failure stops."""

import concurrent.futures
import contextlib
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from mlops.problem import Problem
from mlops.runner import conditions, models, processing, requests, training, transform
from mlops.runner.cache import Cache
from mlops.runner.expressions import Values
from mlops.runner.graph import Step
from mlops.runner.job import Job, Place, Result
from mlops.runner.processes import NoCapacity, Processes, Stopped
from mlops.runner.spares import Spares

Status = Literal["Executing", "Succeeded", "Failed", "Stopped", "Skipped"]
CAPACITY = "SageMaker.CAPACITY_ERROR"


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
        folder: Path,
        place: Place,
        registry: models.Registry,
        cache: Cache,
        listener: Listener,
        find_output: Callable[[str], Path],
        reused: Mapping[str, StepRun] | None = None,
        workers: int | None = None,
    ) -> None:
        """Prepare an execution.

        `folder`, which is <runs>/<number>/steps, gets a folder for each step; `find_output` tells where a kept output
        lies on this machine, for property files; `reused` are steps that do not run, with what they left before.
        """
        self.steps, self.values, self.folder = steps, values, folder
        self.place, self.registry, self.cache, self.listener = place, registry, cache, listener
        self.find_output = find_output
        self.reused = dict(reused or {})
        self.workers = workers or os.cpu_count() or 1
        self.processes = Processes()
        self._spares = Spares(values, self.processes, find_output)
        self._busy: set[str] = set()  # steps with a process
        self._looking_ahead = threading.Lock()
        self.runs: dict[str, StepRun] = {}

    def run(self) -> dict[str, StepRun]:
        """Run all steps; return what became of each. A step that fails stops the others.

        Raises:
            KeyboardInterrupt: Ctrl-C; every process is ended first, and the steps that ran are marked as stopped.
        """
        waiting = self._waiting = dict(self.steps)
        running: set[concurrent.futures.Future[None]] = set()
        with (
            contextlib.closing(self.processes),
            concurrent.futures.ThreadPoolExecutor(self.workers, "step") as pool,
        ):
            self._pool = pool
            try:
                while True:
                    for step in self._ready(waiting, len(running)):
                        run = self._note(StepRun(step.name, step.type))
                        running.add(pool.submit(self._step, step, run))
                    if not running:
                        return self.runs
                    done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    self._look_ahead()
                    if any(run.status == "Failed" for run in self.runs.values()):
                        waiting.clear()
                        self.processes.stop()
            except BaseException:
                self.processes.stop()
                concurrent.futures.wait(running)
                raise

    def _ready(self, waiting: dict[str, Step], running: int) -> list[Step]:
        """Take out the steps that can start, and settle those that never will."""
        ready: list[Step] = []
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
                elif all(run and run.status == "Succeeded" for run in before) and running + len(ready) < self.workers:
                    ready.append(waiting.pop(name))
        return ready

    def _look_ahead(self) -> None:
        """Prepare the steps that wait for nothing but what runs now, where a core has nothing to do.

        One thread at a time: Python 3.11 fails with SystemError when two of them parse scripts at once.
        """
        with self._looking_ahead:
            for step in list(self._waiting.values()):
                if not self._busy or len(self._busy | self.processes.spares) >= self.workers:
                    return
                before = [self.runs.get(other) for other in step.waits_for]
                ready = all(run and run.status in {"Executing", "Succeeded"} for run in before)
                if step.name not in self.reused and ready:
                    self._spares.prepare(step)

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
                self.values.property_files[step.name, name] = self.find_output(run.result.outputs[output]) / path
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
        model = self._container(arguments["ModelName"]) if step.type == "Transform" else None
        key = self.cache.key(step.type, arguments, model)
        found = self.cache.find(key, step.cached_for)
        if found and all(self._exists(uri) for uri in found.outputs.values()):
            run.result, run.cached = found, True
        else:
            run.result = self._with_retries(step, run, arguments, model)
            self.cache.keep(key, run.result)
        self._settle(step, run)

    def _exists(self, uri: str) -> bool:
        try:
            return self.find_output(uri).exists()
        except FileNotFoundError:
            return False

    def _with_retries(
        self, step: Step, run: StepRun, arguments: dict[str, Any], model: dict[str, Any] | None
    ) -> Result:
        policy = next((policy for policy in step.retry_policies if CAPACITY in policy.exceptions), None)
        start = time.monotonic()
        while True:
            try:
                return self._execute(step, run, arguments, model)
            except NoCapacity as error:
                if policy is None or policy.is_over(run.attempts, time.monotonic() - start):
                    raise Problem(f"step {step.name} cannot be started: {error}; close other programs") from None
                self.processes.pause(policy.pause(run.attempts))
                run.attempts += 1

    def _execute(self, step: Step, run: StepRun, arguments: dict[str, Any], model: dict[str, Any] | None) -> Result:
        self.processes.check()
        if step.type == "Condition":
            run.outcome = all(conditions.holds(condition) for condition in arguments["Conditions"])
            return Result({"Outcome": run.outcome})
        if step.type == "Fail":
            raise Problem(str(arguments.get("ErrorMessage") or f"the pipeline ended at step {step.name}"))
        name = f"pipelines-{self.values.execution['PipelineExecutionId']}-{step.name}"
        if step.type == "Model":
            return models.create(name, arguments)
        if step.type == "RegisterModel":
            return models.register(self.registry, arguments)
        folder = self.folder / step.name
        folder.mkdir(parents=True, exist_ok=True)
        job = Job(step.name, name, folder, folder / "log.txt", self.place, self.processes)
        job.clear()
        self._busy.add(step.name)
        try:
            self._pool.submit(self._look_ahead)
            if model is not None:
                result = transform.run(job, arguments, model)
            else:
                result = {"Processing": processing.run, "Training": training.run}[step.type](job, arguments)
        finally:
            self._busy.remove(step.name)
        job.clear()  # the outputs are kept; a step that failed keeps its whole folder
        result.log = job.log.relative_to(self.folder.parents[1]).as_posix()
        return result

    def _container(self, model: str) -> dict[str, Any]:
        for properties in list(self.values.properties.values()):  # other steps end meanwhile
            if properties.get("ModelName") == model and "PrimaryContainer" in properties:
                container: dict[str, Any] = properties["PrimaryContainer"]
                return container
        raise Problem(f"no step of this pipeline made the model {model!r}")

    def _log_mistake(self, step: Step) -> None:
        with contextlib.suppress(OSError):
            log = self.folder / step.name / "log.txt"
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
