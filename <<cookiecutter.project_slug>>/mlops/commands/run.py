"""`mlops run`."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from mlops.problem import Problem

Environments = Literal["feature", "dev", "prod"]


def run(
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another setting for this run; repeatable.")
    ] = None,
    from_step: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Begin here, with what came before as it was.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option("--env", help="Whose settings: feature, dev or prod. Without it, the branch tells.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every step, also those with nothing changed.")] = False,
    reproduce: Annotated[
        int | None,
        typer.Option("--reproduce", metavar="N", help="Make version N again, elsewhere; with --env that of AWS."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
) -> None:
    """Run the pipeline on this machine: check the data, train, evaluate, compare, register.

    Steps with nothing changed are reused. No AWS, no Docker.
    """
    from mlops.laptop import run as work
    from mlops.laptop.preparation import Wish
    from mlops.terminal import say, warn

    if environment not in {None, "feature", "dev", "prod"}:
        raise Problem(f"--env {environment}: there is no such environment; there are: feature, dev, prod")
    if reproduce is not None:
        from mlops.commands.reproduce import reproduce as make_again

        if settings or from_step:
            raise Problem("--reproduce takes everything from the version: leave out --set and --from")
        make_again(reproduce, environment, as_json)
        return
    wish = Wish(settings or (), cast("Environments | None", environment), from_step, not fresh, as_json)
    done = work.run(wish)
    record = done.record
    if record["status"] == "Stopped":
        version = record["version"]
        what = f"version {version} was registered before" if version else "nothing was registered"
        warn(f"Stopped; {what}. The steps that were done are kept: go on with mlops run")
        raise typer.Exit(130)
    if as_json:
        say(json.dumps(record, indent=1, ensure_ascii=False))
    if record["status"] == "Failed":
        for line in work.failure(done):
            warn(line)
    for line in work.warnings(record):
        warn(line)
    if not as_json and done.report:
        say(f"Report   {os.path.relpath(done.report, Path.cwd())}")
    if record["status"] == "Failed":
        raise Problem(record["reason"])
    if not as_json:
        say(work.headline(record))
