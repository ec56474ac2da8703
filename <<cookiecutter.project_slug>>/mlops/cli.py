"""The command line: `mlops CMD`, the same as `python -m mlops CMD`."""

import json
import sys
from typing import Annotated, NoReturn

import typer

from mlops.commands import data, runs
from mlops.commands.approve import approve, reject
from mlops.commands.logs import logs
from mlops.commands.pr import pr
from mlops.commands.predict import predict
from mlops.commands.run import run
from mlops.commands.serve import serve
from mlops.commands.status import status
from mlops.commands.submit import submit
from mlops.commands.update import update
from mlops.own_repository import refuse_elsewhere
from mlops.problem import DISK, Problem

app = typer.Typer(
    help="Everything this model repository does, from the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Show the plan and stop.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
PlanAsJson = Annotated[bool, typer.Option("--json", help="Show the plan as JSON and stop.")]


@app.callback()
def _in_its_own_repository(context: typer.Context) -> None:
    # Those may be for another repository, or for none, and look themselves.
    if context.invoked_subcommand not in {"update", "status", "approve", "reject"}:
        refuse_elsewhere()


@app.command(epilog="Example: mlops setup --plan")
def setup(yes: Yes = False, plan: PlanOnly = False, as_json: PlanAsJson = False) -> None:
    """Create the repository, the model package groups and the project's roles.

    Shows its plan first. It is all or nothing, and repeatable.
    Without a terminal it does not ask: nothing that setup makes costs money by itself.
    """
    from mlops import setup as work
    from mlops.settings import load_settings
    from mlops.terminal import confirmed, interactive, say, table, warn

    settings = load_settings()
    todo = work.make_plan(settings)
    if as_json:
        say(json.dumps(todo.as_json(), indent=2))
    else:
        say(f"AWS account {todo.caller.place}, {todo.region}, as {todo.caller.arn}")
        actions = todo.actions()
        styles = ["" if action.does == "exists" else "bold" for action in actions]
        table(["", "what", "name", "cost"], [[a.does, a.kind, a.name, a.cost] for a in actions], styles)
    if settings.project.owner.endswith("@example.com"):
        warn(f"The owner is still {settings.project.owner}: notices will reach nobody. Change it in mlops.yaml.")
    if plan or as_json:
        return
    if todo.nothing_to_do():
        say("Everything else is there already." if todo.roles.missing else "Everything is there already.")
    elif not yes and interactive() and not confirmed("Create this?"):
        raise Problem("nothing was created.")
    work.carry_out(todo, settings)
    if todo.by_hand:
        from mlops.github import GitHub

        say("gh is not installed, so the repository on GitHub is yours to make:")
        for line in GitHub(settings, todo.root_commit).by_hand():
            say(f"  {line}")
    if todo.roles.missing:
        from mlops.cloud.administrator import message

        reason = str(todo.roles.missing).rstrip(".")
        say(f"There are no roles to train with on SageMaker: {reason}. All that is local goes on.", "yellow")
        if lines := message(settings, todo.caller, todo.roles.missing):
            say("To send to an administrator of the account; when it is done, run again: mlops setup")
        for line in lines:
            say(f"  {line}")


@app.command(epilog="Example: mlops teardown --plan")
def teardown(
    yes: Yes = False,
    plan: PlanOnly = False,
    force: Annotated[
        bool, typer.Option("--force", help="Remove model versions too. They cannot be brought back.")
    ] = False,
    as_json: PlanAsJson = False,
) -> None:
    """Remove what setup created.

    Commits that exist nowhere else are kept, and without --force model versions too.
    """
    from mlops import teardown as work
    from mlops.settings import load_settings
    from mlops.terminal import confirmed, interactive, say, table

    settings = load_settings()
    todo = work.make_plan(settings, force)
    if as_json:
        say(json.dumps(todo.as_json(), indent=2))
    else:
        say(f"AWS account {todo.caller.place}, {todo.region}, as {todo.caller.arn}")
        rows = [[r.does, r.kind, r.name, r.why] for r in todo.removals]
        if rows:
            table(["", "what", "name", ""], rows, ["red" if r.does == "remove" else "" for r in todo.removals])
    if plan or as_json:
        return
    if todo.nothing_to_do():
        say("There is nothing to remove.")
        return
    if not yes:
        if not interactive():
            raise Problem("teardown asks before it removes, and there is no terminal; add --yes.")
        if not confirmed("Remove this?"):
            raise Problem("nothing was removed.")
    work.carry_out(todo, settings)


@app.command(epilog="Example: mlops doctor --fix")
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Write what is missing in this clone's git settings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check this clone and its AWS side.

    Says what to do where something is wrong, and then ends with 1.
    """
    from dataclasses import asdict

    from mlops.doctor import examine
    from mlops.terminal import say, table

    findings = list(examine(fix))
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        colours = {"ok": "", "warn": "yellow", "fail": "red"}
        rows, styles = [], []
        for found in findings:
            rows.append([found.state, found.what, found.detail])
            styles.append(colours[found.state])
            if found.fix:
                rows.append(["", "  to do", found.fix])
                styles.append("")
        table(["", "what", "found"], rows, styles)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


app.command(epilog="Example: mlops run --set max_depth=5")(run)
app.add_typer(runs.app, name="runs")
app.command(epilog="Example: mlops serve --port 9000")(serve)
app.command(epilog="Example: mlops predict rows.csv")(predict)
app.add_typer(data.app, name="data")
app.command(epilog="Example: mlops submit --wait")(submit)
app.command(epilog="Example: mlops pr --title 'Deeper trees'")(pr)
app.command(epilog="Example: mlops logs Train --follow")(logs)
app.command(epilog="Example: mlops status 3 --env prod")(status)
app.command(epilog="Example: mlops approve 3 --reason 'better on the rare class'")(approve)
app.command(epilog="Example: mlops reject 3 --reason 'trained on last year'")(reject)
app.command(epilog="Example: mlops update --check")(update)


@app.command("git-credential", hidden=True)
def git_credential(operation: str) -> None:
    """Answer git's credential protocol for CodeCommit, where the AWS CLI is not installed."""
    from mlops.codecommit import answer_git
    from mlops.settings import load_settings

    if operation == "get":
        print(answer_git(sys.stdin.read(), load_settings().region), end="")


def main() -> None:
    """Run the command line; a Problem is one line on standard error and code 1."""
    try:
        app()
    except Problem as problem:
        _end(str(problem))
    except OSError as error:
        if error.errno not in DISK:
            raise
        where = error.filename or "the disk"
        _end(f"{error.strerror}: {where}; make room, or change its permissions, and run again")


def _end(line: str) -> NoReturn:
    print(line, file=sys.stderr)
    sys.exit(1)
