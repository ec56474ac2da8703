"""`mlops status`."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mlops.problem import Problem

if TYPE_CHECKING:
    from mlops.cloud.versions import Registry, Version


def status(
    version: Annotated[int | None, typer.Argument(metavar="VERSION", help="One version, in full.")] = None,
    environment: Annotated[str | None, typer.Option("--env", help="Of feature, dev or prod alone.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Of this model package group, such as champion.")
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="NAME", help="Of another project; works in any folder.")
    ] = None,
    account: Annotated[
        bool, typer.Option("--account", help="All projects of the account; works in any folder.")
    ] = False,
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help="How many versions to list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the versions on AWS: what they are made of, how good they are, who approved them.

    With a VERSION, everything about it. With --account, all projects.
    """
    from mlops.cloud.project import chosen
    from mlops.cloud.versions import Registry

    if account:
        if version is not None or environment or group or project:
            raise Problem("--account shows all projects: leave out VERSION, --env, --group and --project")
        _account(as_json)
        return
    registry = Registry(chosen(project))
    if version is None:
        _list(registry, environment, group, last, as_json)
        return
    only = environment or group
    found = registry.version(registry.group(environment, group), version) if only else registry.anywhere(version)
    _show(registry, found, as_json, own=project is None)


def _list(registry: "Registry", environment: str | None, group: str | None, last: int, as_json: bool) -> None:
    from mlops.cloud import version_table
    from mlops.cloud.versions import one_of
    from mlops.laptop.run_table import stacked
    from mlops.terminal import console, say, table

    groups = registry.groups()
    groups = [one_of(groups, environment, group)] if environment or group else groups
    versions, more = registry.newest(groups, last)
    if as_json:
        say(json.dumps([version_table.as_json(version) for version in versions], indent=2, ensure_ascii=False))
        return
    if not versions:
        say(f"There is no version yet in {', '.join(one.name for one in groups)}.")
        return
    say(f"Versions of {registry.project.slug} in {registry.project.region}, the newest first", "bold")
    narrow = console().width < version_table.WIDE
    headings, rows, styles = version_table.lines(versions, narrow)
    if narrow:
        for (line, note), style in zip(stacked([*headings[:-1], ""], rows), ["bold", *styles], strict=True):
            say(line, style)
            if note:
                say(f"     {note}", "dim")
    else:
        table(headings, rows, styles)
    if more:
        say(f"There are older ones; show more with: mlops status --last {2 * last}", "dim")


def _show(registry: "Registry", version: "Version", as_json: bool, *, own: bool) -> None:
    from mlops.cloud import version_table
    from mlops.terminal import say, table, warn

    full = version_table.full(version, registry.project.region)
    if as_json:
        say(json.dumps(version_table.full_as_json(full), indent=2, ensure_ascii=False, default=str))
        return
    say(version_table.headline(version), "bold")
    for headings, rows in version_table.details(full, own=own):
        say()
        table(headings, rows)
    for problem in full.problems:
        warn(f"Not shown: {problem}")


def _account(as_json: bool) -> None:
    from mlops.cloud import account_overview
    from mlops.cloud.project import region
    from mlops.terminal import say, step, table, warn

    account = account_overview.Account(region())
    with step("Looking at the projects of the account", "looked at the projects of the account", stderr=True):
        projects = account.projects()
    today = datetime.now(UTC).date()
    if as_json:
        say(json.dumps([project.as_json(today) for project in projects], indent=2, ensure_ascii=False))
    elif projects:
        table(*account_overview.lines(projects, today))
    else:
        say(f"There is no project in {account.region}.")
    for line in [*account_overview.warnings(projects, today), *account.unseen]:
        warn(line)
