"""`mlops submit`."""

import json
from typing import Annotated, cast

import typer

from mlops.problem import Problem
from mlops.settings import EnvironmentName


def submit(
    environment: Annotated[
        str | None, typer.Option("--env", help="feature, dev or prod. Without it, the branch tells.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the steps to the end; a failure ends with 1.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be sent, changed and started, and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; progress goes to standard error.")] = False,
) -> None:
    """Train on SageMaker: send code and data, bring the branch's pipeline up to date, start it.

    What is on S3 already is not sent again, and steps with nothing changed are reused.
    """
    from mlops.cloud import submission, submission_plan
    from mlops.cloud import submit as work
    from mlops.cloud.follow import follow
    from mlops.cloud.pipelines import Pipelines
    from mlops.terminal import say, warn

    todo = submission.prepare(cast("EnvironmentName | None", environment), stderr=as_json)
    if plan:
        if as_json:
            say(json.dumps(submission_plan.as_json(todo), indent=2, ensure_ascii=False))
        else:
            submission_plan.show(todo)
        return
    if todo.unchecked:
        warn(f"The quotas were not looked at: {todo.unchecked}")
    started = work.carry_out(todo, stderr=as_json)
    result: dict[str, object] = {"pipeline": started.pipeline, "execution": started.arn, "change": started.change}
    if not wait:
        if as_json:
            say(json.dumps(result, indent=2))
            return
        say(f"Execution {started.id} of {started.pipeline} has begun.")
        say("Its steps: mlops logs; what one printed: mlops logs Train --follow")
        return
    ended = follow(Pipelines(todo.settings.region), started.arn, stderr=as_json)
    if as_json:
        found = {"status": ended.status, "version": ended.version, "step": ended.failed_step, "reason": ended.reason}
        say(json.dumps(result | found, indent=2, ensure_ascii=False))
    if ended.status == "Failed":
        where = f"step {ended.failed_step}: " if ended.failed_step else ""
        raise Problem(f"{where}{ended.reason}; what it printed: mlops logs {ended.failed_step or ''}".rstrip())
    if ended.status == "Stopped":
        raise Problem(f"the execution {started.id} was stopped; nothing was registered")
    if not as_json:
        say(_registered(ended.version))


def _registered(arn: str | None) -> str:
    if not arn:
        return "Nothing was registered."
    group, version = arn.rsplit("/", 2)[1:]
    return f"Version {version} of {group} is registered: {arn}"
