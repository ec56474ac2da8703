"""`mlops pr`."""

import json
from typing import Annotated

import typer

from mlops.problem import Problem


def pr(
    into: Annotated[
        str | None, typer.Option("--into", metavar="BRANCH", help="Where it goes. Without it: dev, and from dev main.")
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Without it: the only commit's, or the branch.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="Without it: a line for each commit.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Push the branch and open its pull request, on CodeCommit or GitHub.

    One that is open already is brought up to date by the push, and named.
    """
    from mlops.proposal import propose
    from mlops.settings import load_settings
    from mlops.terminal import say, warn

    settings = load_settings()
    proposal = propose(into)
    request = proposal.pull_request(settings, title, text)
    if proposal.uncommitted:
        files = "file is" if proposal.uncommitted == 1 else "files are"
        warn(f"{proposal.uncommitted} changed {files} not committed, and so not in it.")
    if not request.can_be_opened:
        raise Problem(f"gh is not installed (cli.github.com); without it: {'; '.join(request.by_hand())}")
    if not request.push():
        raise Problem(
            f"{proposal.remote} has commits on {proposal.branch} that are not here; take them in first: "
            f"git pull --rebase {proposal.remote} {proposal.branch}"
        )
    found = request.find()
    where = found or request.open()
    number = f"{len(proposal.commits)} commit{'s' if len(proposal.commits) > 1 else ''}"
    if as_json:
        facts = {"branch": proposal.branch, "into": proposal.into, "commits": proposal.commits}
        say(json.dumps({"pull_request": where, "opened": found is None, **facts}, indent=2, ensure_ascii=False))
    elif found:
        say(f"{where} is open already: {proposal.branch} into {proposal.into}, {number} now.")
    else:
        say(f"Opened {where}: {proposal.branch} into {proposal.into}, {number}.")
