"""`python -m account`: deploys the account stack, and removes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from account import parameters
from account.deploy import deploy as make_or_change
from account.package import package as packaged
from account.problem import Problem
from account.remove import remove as take_away

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Plan = Annotated[bool, typer.Option("--plan", help="Show what would happen, and stop.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def deploy(
    plan: Plan = False,
    yes: Yes = False,
    pairs: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter.")] = None,
    file: Annotated[Path | None, typer.Option("--parameters", help="Parameters in YAML; --set wins.")] = None,
) -> None:
    """Make the stack mlops-account, or bring it to this release: `python -m account deploy --set RolePath=/ml/`.

    Parameters that are not given stay as they were.
    """
    make_or_change(parameters.read(file, pairs or []), plan, yes)


@app.command()
def remove(
    plan: Plan = False,
    yes: Yes = False,
    force: Annotated[bool, typer.Option("--force", help="Delete the bucket with all that is in it, too.")] = False,
) -> None:
    """Remove the stack; a bucket that holds anything stays, and its key: `python -m account remove --plan`."""
    take_away(plan, yes, force)


@app.command()
def package() -> None:
    """Print the template for the console: `python -m account package >template.json`."""
    print(packaged())


def main() -> int:
    """Run a command; a Problem is one line."""
    try:
        app()
    except Problem as problem:
        print(f"account: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
