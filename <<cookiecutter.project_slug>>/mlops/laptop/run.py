"""`mlops run`: the pipeline on this machine."""

import json
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.laptop import overrides, store, versions
from mlops.laptop import record as remembered
from mlops.laptop.preparation import Prepared, Wish, prepare
from mlops.laptop.progress import Progress
from mlops.names import environment_of
from mlops.own_repository import ROOT
from mlops.runner import graph
from mlops.runner.cache import Cache
from mlops.runner.execution import Execution, StepRun
from mlops.runner.expressions import Values
from mlops.runner.job import last_lines
from mlops.runner.machine import Machine

SMALL = 20_000_000  # bytes of data below which more threads only wait for each other
MOST_WARNINGS = 3  # of the data check; the report has all


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    number: int
    folder: Path
    record: dict[str, Any]
    report: Path | None


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Have SIGTERM, and a terminal that is closed, end the jobs and what builds the definition too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    ends = (signal.SIGTERM, signal.SIGHUP)
    heeded = [number for number in ends if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores the second
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@_ended_like_ctrl_c()
def run(wish: Wish) -> Done:
    """Run the pipeline once; how it ended stands in the record.

    Raises:
        Problem: it cannot start, with the reason.
    """
    prepared = prepare(wish)
    steps, reused = prepared.steps, dict[str, StepRun]()
    if wish.start_at:
        reused, recipe = remembered.earlier(steps, wish.start_at)
        if "Train" in reused:  # the model is that of before, whatever has been edited since
            prepared = replace(prepared, recipe=recipe)
        again = graph.descendants(steps, wish.start_at)
        steps = {name: replace(step, cached_for=None) if name in again else step for name, step in steps.items()}
    number, folder = remembered.new_folder()
    record = remembered.begin(number, folder, prepared)
    if (ROOT / prepared.settings.data.path).stat().st_size < SMALL:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    execution_values = {
        "PipelineExecutionId": f"laptop-{number}",
        "PipelineName": prepared.settings.project.slug,
        "StartDateTime": record["started"],
        "CurrentDateTime": record["started"],
    }
    cache = Cache(store.HOME / "cache", enabled=wish.reuse)
    start, stopped = time.monotonic(), False
    with Progress(stderr=wish.only_results) as progress:
        values = Values(prepared.parameters, execution_values)
        machine = Machine(
            values,
            folder=folder / "steps",
            place=store.Laptop(),
            registry=Registry(prepared, record, lambda: remembered.outputs_of(execution.runs)),
            cache=cache,
            find_output=store.find,
        )
        execution = Execution(steps, values, executor=machine, listener=progress, reused=reused)
        try:
            execution.run()
        except KeyboardInterrupt:
            stopped = True
    remembered.finish(folder, record, execution.runs, start, stopped=stopped)
    if record["version"]:
        _score_once(execution, cache)
    from mlops.report import write_report

    return Done(number, folder, record, write_report(folder))


def _score_once(execution: Execution, cache: Cache) -> None:
    """Keep the new model's scores as those of the current version, which it is in the next run."""
    run, step = execution.runs.get("Evaluate"), execution.steps.get("EvaluateCurrent")
    if run and step and "Train" in execution.values.properties:
        model = execution.values.properties["Train"]["ModelArtifacts"]["S3ModelArtifacts"]
        next_time = replace(execution.values, parameters={**execution.values.parameters, "CurrentModelUri": model})
        cache.keep(cache.key(step.type, next_time.resolve(step.arguments)), run.result)


class Registry:
    """Registers into the versions of this machine."""

    def __init__(
        self, prepared: Prepared, record: dict[str, Any], outputs: Callable[[], dict[str, dict[str, str]]]
    ) -> None:
        """Remember what a version is made of; `outputs` tells where the results of the steps lie."""
        self.prepared, self.record, self.outputs = prepared, record, outputs

    def create_model_package(self, request: dict[str, Any]) -> str:
        """Register a version, whole or not at all, and return its ARN."""
        current, evaluation = self.prepared.current, self.outputs().get("Evaluate", {}).get("evaluation")
        version = versions.register(
            request.get("ModelApprovalStatus", "PendingManualApproval"),
            store.find(request["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]).parent,
            run=self.record["number"],
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            evaluation=store.HOME / evaluation if evaluation else None,
            request=request,
            recipe=self.prepared.recipe,
            compared_with=current.number if current else None,
            target=self.prepared.settings.data.target,
        )
        self.record["version"] = version.number
        return f"arn:aws:sagemaker:::model-package/{request['ModelPackageGroupName']}/{version.number}"


def failure(done: Done) -> list[str]:
    """Return what people need to know about a run that failed: the last lines of the log, and what to do."""
    failed = next(step for step in done.record["steps"] if step["status"] == "Failed")
    if failed["type"] == "Fail" or not failed["log"]:
        return []
    log = done.folder / failed["log"]
    where = os.path.relpath(log, Path.cwd())
    lines = [f"  | {_as_in_model(line, log.parent)}" for line in last_lines(log)]
    return [
        f"The last lines of {where}:",
        *lines,
        f"Its folder stays: {os.path.relpath(log.parent, Path.cwd())}",
        f"Run again from there, with what came before as it was: {_again(done.record, failed['name'])}",
    ]


def _again(record: dict[str, Any], step: str) -> str:
    """Return the command that runs a step again, under the settings of the run."""
    words = ["mlops", "run", "--from", step]
    if record["environment"] != (environment_of(record["git"]["branch"]) or "feature"):
        words += ["--env", record["environment"]]
    for word in overrides.written(record["overrides"]):
        words += ["--set", word]
    return shlex.join(words)


def _as_in_model(line: str, folder: Path) -> str:
    """Return a line of a log in which scripts have the names that people know."""
    for code in ("processing/input/code", "input/data/code"):
        line = line.replace(f"{folder}/opt/ml/{code}/", "model/")
    return line


def headline(record: dict[str, Any]) -> str:
    """Return one line that says what came out of a run that went through."""
    folder = record["outputs"].get("Compare", {}).get("comparison")
    message = json.loads((store.HOME / folder / "comparison.json").read_text("utf-8"))["message"] if folder else ""
    number = record["version"]
    if number and record["number"] != _run_of(number):
        return f"Nothing is new: this is version {number}. {message}".rstrip()
    return (f"Version {number} is registered: {message}" if number else f"Nothing was registered. {message}").rstrip()


def _run_of(number: int) -> int | None:
    return next((version.run for version in versions.versions() if version.number == number), None)


def warnings(record: dict[str, Any]) -> list[str]:
    """Return what the data check found, where the run went on all the same."""
    folder = record["outputs"].get("CheckData", {}).get("report")
    found = json.loads((store.HOME / folder / "data_check.json").read_text("utf-8")) if folder else {}
    if found.get("verdict") != "warned":
        return []
    lines = [f"data: {finding['message']}" for finding in found["findings"]]
    more = len(lines) - MOST_WARNINGS
    return lines[:MOST_WARNINGS] + ([f"data: and {more} more; the report has them all"] if more > 0 else [])
