"""`mlops data`: what the model learns from."""

import json
import shlex
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mlops.own_data.target import Task
    from mlops.own_data.use import Finding

app = typer.Typer(help="The table that the model learns from.", no_args_is_help=True)

MOST_COLUMNS = 100  # that are shown

Names = list[str]


@app.callback()
def _data() -> None:
    """The table that the model learns from."""


@app.command(epilog="Example: mlops data use flights.csv --target late --id flight_id --ignore time_hour")
def use(
    source: Annotated[
        str, typer.Argument(metavar="FILE_OR_S3", help="A CSV or Parquet file, or s3://bucket/key.", show_default=False)
    ],
    target: Annotated[str, typer.Option("--target", metavar="COLUMN", help="The column to predict.")],
    ids: Annotated[
        Names | None, typer.Option("--id", metavar="COLUMN", help="Names a row, is no feature (repeatable).")
    ] = None,
    ignored: Annotated[
        Names | None, typer.Option("--ignore", metavar="COLUMN", help="Leave this column out (repeatable).")
    ] = None,
    categories: Annotated[
        Names | None,
        typer.Option("--category", metavar="COLUMN", help="Holds categories, whatever it looks like (repeatable)."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", help="classification or regression, where whole numbers could be both."),
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop-rows-without-target", help="Leave out rows whose target is missing.")
    ] = False,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="What evaluation.metric must reach; else just above chance.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace another file of that name in data/, and changed endpoint tests.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be written, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Use a table of your own.

    Finds out what the columns hold, then writes mlops.yaml, the sample payload and the endpoint tests, and copies the
    file to data/ unless it lies in this repository. All or nothing. A file on S3 is fetched wherever it is missing.
    """
    from mlops.own_data.use import Wish, examine
    from mlops.terminal import say, step

    wish = Wish(source, target, ids or [], ignored or [], categories or [], _task(task), drop, threshold, force)
    with examine(wish, (lambda doing, done: nullcontext()) if as_json else step) as finding:
        if not plan:
            finding.write(shlex.join(["mlops", *sys.argv[1:]]))
        if as_json:
            say(json.dumps(finding.as_json(), indent=2, ensure_ascii=False))
        else:
            _show(finding, plan)


def _task(text: str | None) -> "Task | None":
    if text not in {None, "classification", "regression"}:
        raise typer.BadParameter(f"{text!r} is none; allowed: classification, regression", param_hint="--task")
    return text  # type: ignore[return-value]


def _show(finding: "Finding", plan: bool) -> None:
    from mlops.terminal import say, table, warn

    columns, target, bar = finding.columns, finding.target, finding.bar
    missing = f" ({target.missing} rows without it are left out)" if target.missing else ""
    rows = [[column.name, column.type, f"{column.missing:.1%}", column.shown] for column in columns[:MOST_COLUMNS]]
    table(["column", "type", "missing", "holds"], rows)
    if len(columns) > MOST_COLUMNS:
        say(f"… and {len(columns) - MOST_COLUMNS} more")
    say()
    say(f"{finding.path}: {finding.rows} rows, {len(columns)} features")
    say(f"target   {target.name}: {target.task}, {target.shown}{missing}")
    say(f"gate     {bar.metric} {bar.threshold:g} ({bar.why}): raise it in mlops.yaml to what you expect")
    say(f"{'writes' if plan else 'wrote '}   {', '.join(finding.as_json()['writes'])}")
    for warning in finding.warnings:
        warn(warning)
    if not plan:
        say("Next: mlops run")
