"""What is remembered of a run in `.mlops/runs/<n>/`: run.json for people and the report, results.json for `--from`."""

import hashlib
import json
import os
import platform
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.definition.code import everything
from mlops.laptop import store
from mlops.laptop.preparation import Prepared
from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.runner import graph
from mlops.runner.cache import installed
from mlops.runner.execution import StepRun
from mlops.runner.job import Result

RUNS = store.HOME / "runs"


def new_folder() -> tuple[int, Path]:
    """Make the folder of the next run, and return its number with it."""
    RUNS.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in RUNS.iterdir() if path.name.isdigit()), default=0)
    while True:
        number += 1
        try:
            (RUNS / str(number)).mkdir()
        except FileExistsError:  # another run began meanwhile
            continue
        return number, RUNS / str(number)


def begin(number: int, folder: Path, prepared: Prepared) -> dict[str, Any]:
    """Write down what a run starts from, and return the record."""
    settings, current = prepared.settings, prepared.current
    record: dict[str, Any] = {
        "number": number,
        "status": "Executing",
        "reason": None,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "process": os.getpid(),
        "environment": prepared.environment,
        "git": prepared.git,
        "template_version": prepared.template_version,
        "settings": settings.model_dump(mode="json"),
        "overrides": prepared.overrides,
        "parameters": prepared.parameters,
        "recipe": prepared.recipe,
        "code": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in everything().items()},
        "data": {
            "path": settings.data.path.as_posix(),
            "sha256": prepared.data,
            "bytes": (ROOT / settings.data.path).stat().st_size,
        },
        "python": platform.python_version(),
        "packages": _packages(),
        "steps": [],
        "outputs": {},
        "current": {"version": current.number, "run": current.run} if current else None,
        "version": None,
    }
    _write(folder / "run.json", record)
    return record


def _packages() -> dict[str, str]:
    """Return the installed packages under their plain names, with their versions."""
    parts = (text.partition("-") for text in installed())
    return {re.sub(r"[_.]+", "-", name).lower(): number for name, _, number in parts}


def finish(
    folder: Path, record: dict[str, Any], runs: Mapping[str, StepRun], start: float, *, stopped: bool = False
) -> None:
    """Write down how a run ended."""
    failed = next((run for run in runs.values() if run.status == "Failed"), None)
    record["status"] = "Stopped" if stopped else "Failed" if failed else "Succeeded"
    record["reason"] = "stopped by Ctrl-C" if stopped else failed.reason if failed else None
    record["seconds"] = round(time.monotonic() - start, 3)
    record["steps"] = [
        {
            "name": run.name,
            "type": run.type,
            "status": "Stopped" if run.status == "Executing" else run.status,
            "seconds": round(run.seconds, 3),
            "cached": run.cached,
            "reason": run.reason,
            "log": _log(folder, run),
            "attempts": run.attempts,
        }
        for run in runs.values()
    ]
    record["outputs"] = outputs_of(runs)
    results = {
        name: {"properties": run.result.properties, "outputs": run.result.outputs, "log": run.result.log}
        for name, run in runs.items()
        if run.status == "Succeeded"
    }
    _write(folder / "results.json", results)
    _write(folder / "run.json", record)


def _log(folder: Path, run: StepRun) -> str | None:
    path = RUNS / run.result.log if run.result.log else folder / "steps" / run.name / "log.txt"
    return os.path.relpath(path, folder) if path.exists() else None


def outputs_of(runs: Mapping[str, StepRun]) -> dict[str, dict[str, str]]:
    """Return where the results of the steps lie, from `.mlops`: by step and output."""
    return {
        name: {key: store.find(uri).relative_to(store.HOME).as_posix() for key, uri in run.result.outputs.items()}
        for name, run in runs.items()
        if run.status == "Succeeded" and run.result.outputs
    }


def _write(file: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    part.replace(file)


def earlier(steps: Mapping[str, graph.Step], start_at: str) -> tuple[dict[str, StepRun], str]:
    """Return what the steps before `start_at` left in the newest run that has it all, and the recipe of its model.

    Raises:
        Problem: no run has.
    """
    before = graph.ancestors(steps, start_at)
    needed = {name for name in before if steps[name].type not in {"Condition", "Fail"}}
    if not needed:
        return {}, ""
    numbers = sorted((int(path.name) for path in RUNS.glob("*") if path.name.isdigit()), reverse=True)
    for number in numbers:
        try:
            results = json.loads((RUNS / str(number) / "results.json").read_text("utf-8"))
            record = json.loads((RUNS / str(number) / "run.json").read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            continue
        if needed <= set(results):
            left = {
                name: StepRun(name, steps[name].type, "Succeeded", cached=True, result=Result(**results[name]))
                for name in needed
            }
            return left, record.get("recipe", "")
    raise Problem(f"--from {start_at}: no earlier run got that far; run the whole: mlops run")
