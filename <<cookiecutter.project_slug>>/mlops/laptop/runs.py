"""The runs of this machine: what `.mlops/runs/<n>/run.json` and the results beside it say."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops.jobs.metric_direction import direction_of
from mlops.laptop.plain_text import one_line
from mlops.laptop.store import HOME
from mlops.problem import Problem

LONGEST = 500  # characters of a reason


@dataclass(frozen=True)
class Verdict:
    """How a run ended: one word for tables, the sentence, and the reason alone where it ended badly."""

    word: str  # registered, unchanged, refused, failed, stopped, running, succeeded, unreadable
    sentence: str
    why: str = ""


@dataclass(frozen=True)
class Run:
    """One execution of the pipeline. `record` is its run.json."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Its number, counted from 1."""
        return int(self.folder.name)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that it ran with, those of its environment."""
        return self.record.get("settings") or {}

    @property
    def overrides(self) -> Mapping[str, Any]:
        """The settings that were others for this run alone, by dotted key."""
        return self.record.get("overrides") or {}

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Its steps, in the order of run.json."""
        return self.record.get("steps") or []

    @property
    def version(self) -> int | None:
        """The version that it registered, or that its model already was."""
        return self.record.get("version")

    @cached_property
    def registration(self) -> Mapping[str, Any]:
        """What mlops.laptop.versions knows of that version: its `status` and the `run` that registered it."""
        return _read_object(self.folder.parents[1] / "versions" / f"{self.version}.json") if self.version else {}

    @property
    def failed_step(self) -> Mapping[str, Any] | None:
        """The step that ended the run early, if one did: the one that failed, not those that were stopped for it."""
        order = ("Failed", "Stopped")
        return next((step for status in order for step in self.steps if step.get("status") == status), None)

    @property
    def metric(self) -> str:
        """The name of the main metric."""
        return str((self.settings.get("evaluation") or {}).get("metric", ""))

    @property
    def value(self) -> float | None:
        """What the main metric came to."""
        return self.value_of(self.metric)

    def value_of(self, metric: str) -> float | None:
        """Return what a metric came to; None where it was not measured."""
        value = (self.metrics.get(metric) or {}).get("value")
        return float(value) if isinstance(value, int | float) else None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The metrics of the new model: value, standard deviation, 95 % interval of each."""
        return metrics_of(self.result("Evaluate", "evaluation", "evaluation.json"))

    @cached_property
    def data_check(self) -> dict[str, Any]:
        """What CheckData found. Where it refused the data, that lies in its folder, which a failed step keeps."""
        kept = self.result("CheckData", "report", "data_check.json")
        return kept or _read_object(self.folder / "steps/CheckData/opt/ml/processing/output/report/data_check.json")

    @cached_property
    def comparison(self) -> dict[str, Any]:
        """What Compare wrote; empty where it did not run."""
        return self.result("Compare", "comparison", "comparison.json")

    @cached_property
    def verdict(self) -> Verdict:
        """How the run ended."""
        return _verdict(self)

    def result(self, step: str, output: str, file: str) -> dict[str, Any]:
        """Return the JSON object that a step wrote; empty where it did not run or the file is gone."""
        place = ((self.record.get("outputs") or {}).get(step) or {}).get(output)
        return _read_object(self.folder.parents[1] / place / file) if place else {}


def metrics_of(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics in an evaluation.json, without the curves and matrices that lie among them."""
    groups: list[dict[str, Any]] = [group for name, group in evaluation.items() if name.endswith("_metrics")]
    return {name: metric for group in groups[:1] for name, metric in group.items() if "value" in metric}


def less_is_better(metric: str, comparison: Mapping[str, Any]) -> bool:
    """Tell errors from scores. What the gate says of its metric counts: the team may have named it."""
    if comparison.get("metric") == metric:
        return comparison.get("direction") == "at most"
    return direction_of(metric) == "at most"


def runs() -> list[Run]:
    """Return all runs, the oldest first."""
    folders = (file.parent for file in (HOME / "runs").glob("*/run.json"))
    return [read(folder) for folder in sorted(_numbered(folders), key=lambda folder: int(folder.name))]


def find(number: int) -> Run:
    """Return one run.

    Raises:
        Problem: there is none of that number.
    """
    folder = HOME / "runs" / str(number)
    if not (folder / "run.json").is_file():
        numbers = sorted(int(known.name) for known in _numbered((HOME / "runs").glob("*")))
        there = f"there are {numbers[0]} to {numbers[-1]}" if numbers else "there is none yet: mlops run"
        raise Problem(f"no run {number}: {there}")
    return read(folder)


def read(folder: Path) -> Run:
    """Read the run of a folder. A broken record is a run too: its steps and logs may tell more."""
    try:
        record = json.loads((folder / "run.json").read_text("utf-8"))
        if not isinstance(record, dict):
            raise ValueError("it holds no object")
    except ValueError as error:
        record = {"status": "Unreadable", "reason": f"run.json is broken: {error}"}
    return Run(folder, record)


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _numbered(folders: Iterator[Path]) -> Iterator[Path]:
    return (folder for folder in folders if folder.name.isdecimal())


def _verdict(run: Run) -> Verdict:
    status, gate, step = run.record.get("status"), run.comparison, run.failed_step
    why = one_line(run.record.get("reason") or (step or {}).get("reason") or "", LONGEST)
    if step:
        why = why.removeprefix(f"step {step['name']} failed: ")  # as the sentence below says
    if status == "Unreadable":
        return Verdict("unreadable", f"Unreadable: {why}", why)
    if status == "Executing":
        if not _is_gone(run.record.get("process")):
            return Verdict("running", "It has not ended.")
        status, why = "Stopped", "its process is gone and left no word"
    if gate.get("verdict") == "refused" and (step is None or step.get("type") == "Fail"):
        why = one_line(gate.get("message") or why, LONGEST)
        return Verdict("refused", f"Refused: {why}", why)
    if status in {"Failed", "Stopped"}:
        where = f" at {step['name']}" if step else ""
        before = f" Version {run.version} was registered before." if run.version else ""
        reason = f"{step['name']}: {why}" if step and why else why
        told = f": {why}" if why else ""
        end = "" if told.endswith((".", "?", "!", "…")) else "."
        return Verdict(status.lower(), f"{status}{where}{told}{end}{before}", reason)
    if run.version is None:
        return Verdict("succeeded", "Succeeded, and registered nothing.")
    if run.registration.get("run", run.number) != run.number:
        return Verdict("unchanged", f"Nothing is new: this is version {run.version}, of run {run.registration['run']}.")
    warning = f", with a warning: {one_line(gate.get('message'), LONGEST)}" if gate.get("verdict") == "warned" else "."
    return Verdict("registered", f"Registered as version {run.version}{warning}")


def _is_gone(process: Any) -> bool:
    """Tell whether the process that runs the pipeline has died; one of unknown number may live."""
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
