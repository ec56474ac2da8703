"""`mlops runs`: what ran on this machine, and how it differed."""

import json
from typing import Annotated

import typer

from mlops.problem import Problem

app = typer.Typer(help="The history of this machine: runs, their results, and what they registered.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Number = Annotated[int, typer.Argument(metavar="RUN", help="A run's number, as `mlops runs` lists it.")]


@app.callback(invoke_without_command=True, epilog="Example: mlops runs")
def list_runs(context: typer.Context, as_json: AsJson = False) -> None:
    """List the runs of this machine; * marks the best."""
    if context.invoked_subcommand:
        return
    from mlops.laptop import run_table
    from mlops.laptop.runs import runs
    from mlops.terminal import console, say, table

    known = runs()
    if as_json:
        say(json.dumps([run_table.as_json(run) for run in known], indent=2, ensure_ascii=False))
    elif not known:
        say("There is no run yet; start one with: mlops run")
    else:
        narrow = console().width < run_table.WIDE
        headings, rows, styles = run_table.lines(known, narrow)
        if not narrow:
            table(headings, rows, styles)
            return
        for (line, note), style in zip(run_table.stacked([*headings[:-1], ""], rows), ["bold", *styles], strict=True):
            say(line, style)
            if note:
                say(f"     {note}", "dim")


@app.command(epilog="Example: mlops runs diff 3 5")
def diff(
    old: Annotated[int, typer.Argument(metavar="A", help="The run to compare with.")],
    new: Annotated[int, typer.Argument(metavar="B", help="The run that is compared.")],
    as_json: AsJson = False,
) -> None:
    """Show what changed from run A to run B."""
    from mlops.laptop import run_changes
    from mlops.laptop.runs import find
    from mlops.terminal import say, table

    first, second = find(old), find(new)
    changes, metrics = run_changes.changes(first, second), run_changes.metric_changes(first, second)
    if as_json:
        inputs = [vars(change) for change in changes]
        results = [{"metric": name, "old": before, "new": after} for name, before, after in metrics]
        say(json.dumps({"changes": inputs, "metrics": results}, indent=2, ensure_ascii=False))
        return
    if changes:
        table(["", "changed", f"run {old}", f"run {new}"], run_changes.lines(changes))
        if hint := run_changes.git_diff(first, second):
            say(f"\nThe code, line by line: {hint}")
    else:
        say(f"Nothing changed from run {old} to run {new}: same settings, code, data and packages.")
    if metrics:
        say()
        table(["metric", f"run {old}", f"run {new}", "difference"], run_changes.metric_lines(metrics))


@app.command(epilog="Example: mlops runs show 3")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one run, and where its report is."""
    from mlops.laptop import run_table
    from mlops.laptop.runs import find
    from mlops.terminal import say, table

    run = find(number)
    if as_json:
        say(json.dumps(run_table.as_json(run), indent=2, ensure_ascii=False))
        return
    say(f"Run {number}: {run.verdict.sentence}", "bold")
    if approval := run_table.approval_of(run):
        say(f"Version {run.version} is {approval}.")
    for headings, rows in run_table.details(run):
        say()
        table(headings, rows)
    report = run.folder / "report.html"
    if report.is_file():
        say(f"\nReport: {report}")


@app.command(epilog="Example: mlops runs approve 3")
def approve(number: Number) -> None:
    """Approve the version that a run registered.

    New models are compared with the last approved version.
    """
    _set_status(number, "Approved")


@app.command(epilog="Example: mlops runs reject 3")
def reject(number: Number) -> None:
    """Reject the version that a run registered.

    New models are then compared with the last one that is still approved.
    """
    _set_status(number, "Rejected")


@app.command(epilog="Example: mlops runs prune --keep 20")
def prune(
    keep: Annotated[int, typer.Option("--keep", min=1, metavar="N", help="The newest runs that stay.")] = 20,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would go, and stop.")] = False,
) -> None:
    """Remove old runs, and the results that nothing refers to any more.

    The current version and the one before it stay.
    """
    from mlops.laptop import prune as work
    from mlops.terminal import say

    found = work.plan(keep)
    if not plan:
        work.carry_out(found)
    what = f"{len(found.runs)} runs, {found.size / 1e6:.1f} MB"
    say(f"This would go: {what}" if plan else f"Removed {what}")


def _set_status(number: int, status: str) -> None:
    from mlops.laptop import run_table, versions
    from mlops.laptop.runs import find
    from mlops.terminal import say

    run = find(number)
    if run.version is None:
        raise Problem(
            f"run {number} registered no version that could be {run_table.APPROVAL[status]}: {run.verdict.sentence}"
        )
    versions.set_status(run.version, status)
    say(f"Version {run.version} (of run {number}) is {run_table.APPROVAL[status]}.")
    current = versions.current()
    say(f"New models are compared with version {current.number}." if current else "There is no current version now.")
