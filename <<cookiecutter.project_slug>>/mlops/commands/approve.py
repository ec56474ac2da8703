"""`mlops approve` and `mlops reject`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from mlops.problem import Problem

if TYPE_CHECKING:
    from mlops.cloud.approval import Decision, Status

Number = Annotated[int, typer.Argument(metavar="VERSION", help="A version's number, as `mlops status` lists it.")]
Environment = Annotated[
    str | None, typer.Option("--env", help="Its environment: feature, dev or prod; without it, prod.")
]
GroupName = Annotated[
    str | None, typer.Option("--group", metavar="NAME", help="Its model package group instead, such as challenger.")
]
ProjectName = Annotated[
    str | None, typer.Option("--project", metavar="NAME", help="Of another project; works in any folder.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; goes with --yes.")]


def approve(
    version: Number,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays with the version.")] = "",
    environment: Environment = None,
    group: GroupName = None,
    project: ProjectName = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Approve a version, mostly for production.

    Shows its metrics beside those of the current version, and asks.
    """
    _decide(version, "Approved", reason, (environment, group, project), yes, as_json)


def reject(
    version: Number,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays with the version.")],
    environment: Environment = None,
    group: GroupName = None,
    project: ProjectName = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Reject a version, also one that was approved: then the one approved before it is the current one again.

    Shows its metrics beside those of the current version, and asks.
    """
    if not reason.strip():
        raise Problem("--reason is empty; say why, for those who trained it")
    _decide(version, "Rejected", reason, (environment, group, project), yes, as_json)


def _decide(
    number: int,
    status: "Status",
    reason: str,
    where: tuple[str | None, str | None, str | None],
    yes: bool,
    as_json: bool,
) -> None:
    from mlops import aws
    from mlops.cloud import approval
    from mlops.cloud.project import chosen
    from mlops.cloud.version_table import APPROVAL, headline
    from mlops.cloud.versions import Registry
    from mlops.terminal import confirmed, interactive, say

    environment, group, project = where
    if as_json and not yes:
        raise Problem("--json prints JSON alone, and so cannot ask; add --yes")
    if not yes and not interactive():
        raise Problem("this asks before it decides, and there is no terminal; add --yes.")
    registry = Registry(chosen(project))
    found = registry.version(registry.group(environment or (None if group else "prod"), group), number)
    decision = approval.prepare(registry, found, status, reason)
    if decision.made_before:
        if as_json:
            say(json.dumps(approval.as_json(decision, found), indent=2, ensure_ascii=False))
        else:
            by = f"; last changed by {found.changed_by or found.registered_by}"
            say(f"{headline(found)}{by}. Nothing was changed.")
        return
    if not as_json:
        caller = aws.caller(registry.project.region)
        say(f"AWS account {caller.place}, {registry.project.region}, as {caller.arn}")
        _tell(decision, registry.project.region)
    if not yes and not confirmed(decision.question()):
        raise Problem("nothing was decided.")
    decided = approval.carry_out(registry, decision)
    if as_json:
        say(json.dumps(approval.as_json(decision, decided), indent=2, ensure_ascii=False))
    else:
        say(f"Version {number} of {decided.group.name} is {APPROVAL[decided.approval]}.")


def _tell(decision: "Decision", region: str) -> None:
    from mlops.cloud.approval import facts, metrics_of
    from mlops.cloud.version_table import headline, lineage_of
    from mlops.laptop.plain_text import one_line
    from mlops.laptop.run_changes import metric_lines
    from mlops.report.numbers import number
    from mlops.terminal import say, table, warn

    versions = decision.beside
    say(f"{headline(decision.version)}.", "bold")
    heads = [f"version {version.number}" for version in versions]
    if len(versions) > 1:
        heads[0] += " (current)"
    table(["", *heads], facts(versions))
    lineages = [lineage_of(version, region) for version in versions]
    values = [metrics_of(version, lineage) for version, lineage in zip(versions, lineages, strict=True)]
    main = decision.version.metric[0]
    names = sorted({name for metrics in values for name in metrics}, key=lambda name: (name != main, name))
    if names and len(versions) > 1:
        rows = [(one_line(name, 60), values[0].get(name), values[1].get(name)) for name in names]
        say()
        table(["metric", *heads, "difference"], metric_lines(rows))
    elif names:
        say()
        table(["metric", *heads], [[one_line(name, 60), number(values[0][name])] for name in names])
    for head, lineage in zip(heads, lineages, strict=True):
        if lineage.problem:
            warn(f"Not all metrics of {head}: {lineage.problem}")
    say()
    say(decision.consequence())
