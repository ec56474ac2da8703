"""`mlops logs`."""

import json
import time
from typing import Annotated, Any, cast

import typer

from mlops.problem import Problem
from mlops.settings import EnvironmentName

PAUSE = 2.0  # seconds between two looks with --follow


def logs(
    step: Annotated[
        str | None, typer.Argument(metavar="STEP", help="A step, such as Train. Without it: a list.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option("--env", help="feature, dev or prod. Without it, the branch tells.")
    ] = None,
    execution: Annotated[
        str | None, typer.Option("--execution", metavar="ID", help="An earlier execution than the latest.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the step is over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Show what a step printed on SageMaker, in the latest execution of the branch's pipeline."""
    from mlops.cloud import logs as work
    from mlops.cloud.executions import find
    from mlops.cloud.pipelines import Pipelines
    from mlops.settings import load_settings
    from mlops.terminal import say, table

    settings = load_settings()
    pipelines = Pipelines(settings.region)
    arn = find(pipelines, settings, cast("EnvironmentName | None", environment), execution)
    steps = {found["StepName"]: found for found in pipelines.steps(arn)}
    if step is None:
        rows = [_row(name, found) for name, found in steps.items()]
        if as_json:
            say(json.dumps({"execution": arn, "steps": rows}, indent=2))
        else:
            shown = [
                [row["step"], "reused" if row["reused_from"] else row["status"], row["job"] or "-"] for row in rows
            ]
            table(["step", "status", "job"], shown)
        return
    if step not in steps:
        raise Problem(f"{step}: this execution has no such step yet; there are: {', '.join(steps) or 'none'}")
    log = work.log_of(steps[step])
    if log is None:
        raise Problem(_without_log(step, steps[step]))
    reader = work.Reader(log, settings.region)
    while True:
        over = _is_over(pipelines, arn, step)  # asked before its log is read, so that nothing is missed
        for at, line in reader.new_lines():
            say(json.dumps({"at": at, "line": line}, ensure_ascii=False) if as_json else line)
        if over or not follow:
            return
        time.sleep(PAUSE)


def _is_over(pipelines: Any, arn: str, step: str) -> bool:
    found = next(found for found in pipelines.steps(arn) if found["StepName"] == step)
    return found["StepStatus"] not in {"Starting", "Executing", "Stopping"}


def _row(name: str, step: dict[str, Any]) -> dict[str, Any]:
    from mlops.cloud.logs import log_of

    log = log_of(step)
    return {
        "step": name,
        "status": step["StepStatus"],
        "reused_from": _source(step),
        "log_group": log.group if log else None,
        "job": log.job if log else None,
    }


def _source(step: dict[str, Any]) -> str | None:
    """Return the execution whose step was reused, if it was."""
    return step["CacheHitResult"]["SourcePipelineExecutionArn"].rpartition("/")[2] if "CacheHitResult" in step else None


def _without_log(name: str, step: dict[str, Any]) -> str:
    if source := _source(step):
        return f"{name} was reused from the execution {source}; see: mlops logs {name} --execution {source}"
    if reason := step.get("FailureReason"):
        return f"{name} is no job, or was not started: {reason}"
    return f"{name} is no job: it has no log"
