"""This machine as what carries out steps: each job is a plain process, and each S3 URI a folder."""

import concurrent.futures
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops.problem import Problem
from mlops.runner import models, processing, training, transform
from mlops.runner.cache import Cache
from mlops.runner.executor import Coming, Retryable
from mlops.runner.expressions import Values
from mlops.runner.graph import Step
from mlops.runner.job import Job, Place, Result
from mlops.runner.processes import NoCapacity, Processes
from mlops.runner.spares import Spares

CAPACITY = "SageMaker.CAPACITY_ERROR"


class Machine:
    """Runs jobs as processes, and keeps an interpreter ready for the next one where a core has nothing to do."""

    def __init__(
        self,
        values: Values,
        *,
        folder: Path,
        place: Place,
        registry: models.Registry,
        cache: Cache,
        find_output: Callable[[str], Path],
        workers: int | None = None,
    ) -> None:
        """Start with no process.

        `folder`, which is <runs>/<number>/steps, gets a folder for each step; `find_output` tells where a kept output
        lies on this machine.
        """
        self.values, self.folder = values, folder
        self.place, self.registry, self.cache = place, registry, cache
        self.find_output = find_output
        self.workers = workers or os.cpu_count() or 1
        self.processes = Processes()
        self._spares = Spares(values, self.processes, find_output)
        self._busy: set[str] = set()  # steps with a process
        self._looking_ahead = threading.Lock()
        self._aside = concurrent.futures.ThreadPoolExecutor(1, "look-ahead")

    def begin(self, coming: Coming) -> None:
        """Remember how to find the steps that come next."""
        self._coming = coming

    def find(self, step: Step, arguments: dict[str, Any]) -> Result | None:
        """Return the kept result of the same step, if its outputs are still there."""
        found = self.cache.find(self._key(step, arguments), step.cached_for)
        return found if found and all(self._exists(uri) for uri in found.outputs.values()) else None

    def execute(self, step: Step, arguments: dict[str, Any]) -> Result:
        """Run a job as a process, or do at once what is no job; keep what came out.

        Raises:
            Problem: it failed.
            Retryable: no process could be started.
        """
        key = self._key(step, arguments)
        name = f"pipelines-{self.values.execution['PipelineExecutionId']}-{step.name}"
        if step.type == "Model":
            result = models.create(name, arguments)
        elif step.type == "RegisterModel":
            result = models.register(self.registry, arguments)
        else:
            result = self._job(step, name, arguments)
        self.cache.keep(key, result)
        return result

    def settled(self) -> None:
        """Look ahead: a core may be free now."""
        self._look_ahead()

    def log(self, step: str) -> Path:
        """Return the log of a step."""
        return self.folder / step / "log.txt"

    def property_file(self, uri: str, path: str) -> Path:
        """Return where a file of an output lies."""
        return self.find_output(uri) / path

    def check(self) -> None:
        """Raise Stopped if the run is being stopped."""
        self.processes.check()

    def pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped."""
        self.processes.pause(seconds)

    def stop(self) -> None:
        """End all processes."""
        self.processes.stop()

    def close(self) -> None:
        """End the interpreters that were not needed."""
        self._aside.shutdown(cancel_futures=True)
        self.processes.close()

    def _job(self, step: Step, name: str, arguments: dict[str, Any]) -> Result:
        model = self._container(arguments["ModelName"]) if step.type == "Transform" else None
        log = self.log(step.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        job = Job(step.name, name, log.parent, log, self.place, self.processes)
        job.clear()
        self._busy.add(step.name)
        try:
            self._aside.submit(self._look_ahead)
            if model is not None:
                result = transform.run(job, arguments, model)
            else:
                result = {"Processing": processing.run, "Training": training.run}[step.type](job, arguments)
        except NoCapacity as error:
            reason = f"step {step.name} cannot be started: {error}; close other programs"
            raise Retryable(CAPACITY, reason) from None
        finally:
            self._busy.remove(step.name)
        job.clear()  # the outputs are kept; a step that failed keeps its whole folder
        result.log = job.log.relative_to(self.folder.parents[1]).as_posix()
        return result

    def _key(self, step: Step, arguments: dict[str, Any]) -> str | None:
        model = self._container(arguments["ModelName"]) if step.type == "Transform" else None
        return self.cache.key(step.type, arguments, model)

    def _container(self, model: str) -> dict[str, Any]:
        for properties in list(self.values.properties.values()):  # other steps end meanwhile
            if properties.get("ModelName") == model and "PrimaryContainer" in properties:
                container: dict[str, Any] = properties["PrimaryContainer"]
                return container
        raise Problem(f"no step of this pipeline made the model {model!r}")

    def _exists(self, uri: str) -> bool:
        try:
            return self.find_output(uri).exists()
        except FileNotFoundError:
            return False

    def _look_ahead(self) -> None:
        """Prepare the steps that come next, where a core has nothing to do.

        One thread at a time: Python 3.11 fails with SystemError when two of them parse scripts at once.
        """
        with self._looking_ahead:
            for step in self._coming():
                if not self._busy or len(self._busy | self.processes.spares) >= self.workers:
                    return
                self._spares.prepare(step)
