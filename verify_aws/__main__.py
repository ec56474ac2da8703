"""`python -m verify_aws`: run the whole loop on the AWS account that the environment points at."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from account import aws
from account.problem import Problem
from account.terminal import interactive, say
from verify_aws import plan
from verify_aws.report import show
from verify_aws.run import Outcome, carry_out
from verify_aws.trial import Trial

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def verify(
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Show what would happen and what it costs, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; goes with --account.")] = False,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The account that is meant.")] = "",
    use_stack: Annotated[
        bool, typer.Option("--use-stack", help="Use the account stack that is there; it stays as it is.")
    ] = False,
) -> None:
    """Run the loop; end with 1 where a command failed, AWS answered otherwise, or something is left."""
    with aws.explained():
        trial = Trial.here(use_stack)
        plan.check(trial, account)
    plan.show(trial)
    if plan_only:
        return
    _confirm(trial, account if yes else None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was made is removed then, too
    outcome = carry_out(trial)
    show(outcome)
    if not outcome.good:
        raise Problem(_summary(outcome))


def _confirm(trial: Trial, given: str | None) -> None:
    if given == "":
        raise Problem("--yes needs the account that is meant: make verify-aws YES=1 ACCOUNT=123456789012")
    if given is None:
        if not interactive():
            raise Problem("nobody is here to type the account's number; make verify-aws YES=1 ACCOUNT=… does not ask")
        try:
            given = input(f"To go on, type the number of the account ({trial.account}): ").strip()
        except EOFError:
            given = ""
    if given != trial.account:
        raise Problem(f"that is not {trial.account}; nothing was made")
    say()


def _summary(outcome: Outcome) -> str:
    said = [outcome.failure] if outcome.failure else []
    if count := sum(finding.agrees is False for finding in outcome.findings):
        said.append(f"AWS answered otherwise in {count} of {len(outcome.findings)} points")
    return "; ".join([*said, *(f"left: {one}" for one in outcome.left)])


def main() -> int:
    """Run; a Problem is one line."""
    try:
        app()
    except Problem as problem:
        print(f"verify-aws: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
