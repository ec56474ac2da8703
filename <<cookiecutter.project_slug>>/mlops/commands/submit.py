"""`mlops submit`."""

import json
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mlops.problem import Problem
from mlops.settings import EnvironmentName

if TYPE_CHECKING:
    from mlops.cloud.follow import Ended
    from mlops.cloud.submit import Started


def submit(
    environment: Annotated[
        str | None, typer.Option("--env", help="feature, dev or prod. Without it, the branch tells.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the steps to the end; a failure ends with 1.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be sent, changed and started, and stop.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the latest execution instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; progress goes to standard error.")] = False,
) -> None:
    """Train on SageMaker: send code and data, bring the branch's pipeline up to date, start it.

    What is on S3 already is not sent again, and steps with nothing changed are reused.
    """
    from mlops.cloud import submission, submission_plan
    from mlops.cloud import submit as work
    from mlops.terminal import say, warn

    wanted = cast("EnvironmentName | None", environment)
    if stop:
        _stop(wanted, as_json)
        return
    todo = submission.prepare(wanted, stderr=as_json)
    if plan:
        if as_json:
            say(json.dumps(submission_plan.as_json(todo), indent=2, ensure_ascii=False))
        else:
            submission_plan.show(todo)
        return
    if todo.unchecked:
        warn(f"The quotas were not looked at: {todo.unchecked}")
    try:
        started = work.carry_out(todo, stderr=as_json)
    except KeyboardInterrupt:
        raise Problem("interrupted; what was sent is not sent again. Whether training has begun: mlops logs") from None
    option = f" --env {environment}" if environment else ""
    ended = _followed(started, todo.settings.region, option, as_json) if wait else None
    if as_json:
        result = {"pipeline": started.pipeline, "execution": started.arn, "change": started.change}
        say(json.dumps(result | (_outcome(ended) if ended else {}), indent=2, ensure_ascii=False))
    if ended is None:
        if not as_json:
            say(f"Execution {started.id} of {started.pipeline} has begun.")
            say(f"Its steps: mlops logs{option}; what one printed: mlops logs Train --follow{option}")
            say(f"To stop it: mlops submit --stop{option}")
        return
    if ended.status == "Failed":
        raise Problem(_failure(ended, todo.settings.region, option))
    if ended.status == "Stopped":
        raise Problem(f"the execution {started.id} was stopped; nothing was registered")
    if not as_json:
        say(_registered(ended.version))


def _followed(started: "Started", region: str, option: str, as_json: bool) -> "Ended":
    from mlops.cloud.follow import follow
    from mlops.cloud.pipelines import Pipelines

    try:
        return follow(Pipelines(region), started.arn, stderr=as_json)
    except (KeyboardInterrupt, Problem) as end:
        raise Problem(
            f"{str(end).rstrip('.') or 'interrupted'}; the execution {started.id} of {started.pipeline} goes on. "
            f"Its steps: mlops logs{option}; to stop it: mlops submit --stop{option}"
        ) from None


def _stop(wanted: EnvironmentName | None, as_json: bool) -> None:
    from mlops.cloud.executions import find
    from mlops.cloud.pipelines import OVER, Pipelines
    from mlops.settings import load_settings
    from mlops.terminal import say

    settings = load_settings()
    pipelines = Pipelines(settings.region)
    arn = find(pipelines, settings, wanted, None)
    execution, status = arn.rpartition("/")[2], pipelines.execution(arn)["PipelineExecutionStatus"]
    if status in OVER:
        raise Problem(f"the latest execution, {execution}, is over already: {status}")
    pipelines.stop(arn)
    said = json.dumps({"execution": arn}, indent=2) if as_json else f"Execution {execution} is being stopped."
    say(said)


def _failure(ended: "Ended", region: str, option: str) -> str:
    from mlops.cloud.logs import last_words

    if ended.refused:
        return f"nothing was registered: {ended.reason}"
    if not ended.failed_step:
        return f"{ended.reason}; its steps: mlops logs{option}"
    said = last_words(ended.log, region) if ended.log else None
    reason = f"{said} ({ended.reason})" if said and said not in str(ended.reason) else ended.reason
    return f"step {ended.failed_step}: {reason}; what it printed: mlops logs {ended.failed_step}{option}"


def _outcome(ended: "Ended") -> dict[str, object]:
    return {"status": ended.status, "version": ended.version, "step": ended.failed_step, "reason": ended.reason}


def _registered(arn: str | None) -> str:
    if not arn:
        return "Nothing was registered."
    group, version = arn.rsplit("/", 2)[1:]
    return f"Version {version} of {group} is registered: {arn}"
