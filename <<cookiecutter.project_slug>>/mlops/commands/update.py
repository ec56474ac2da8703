"""`mlops update`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlops.own_repository import ROOT, refuse_elsewhere
from mlops.problem import Problem

if TYPE_CHECKING:
    from mlops.update.outlook import Outlook
    from mlops.update.rendered import Rendered
    from mlops.update.update import Done


def update(
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="A release, or a branch or commit; else the newest.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say where this stands; ends with 1 if behind.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Only show what the template changed.")] = False,
    answers: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="NAME=VALUE", help="Answer a question, or answer it anew; repeatable."),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", metavar="ADDRESS", help="Where the template is, if not where it was.")
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(
            "--link", metavar="VERSION", help="Adopt a copied or hand-made repository: take it to be that old."
        ),
    ] = None,
    pull_request: Annotated[
        bool, typer.Option("--pull-request/--no-pull-request", help="Push the branch, and ask to take it into dev.")
    ] = True,
    repository: Annotated[
        Path | None, typer.Option("--repository", metavar="FOLDER", help="Another repository than this one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take a newer template, and keep every edit.

    The result is a branch, template-update/VERSION, with conflict markers where both sides changed the same lines, and
    a pull request to dev. Your files, index and other branches are not touched.
    """
    from mlops.terminal import console, interactive, say, step, warn
    from mlops.undo import stopping_interrupts
    from mlops.update import update as work
    from mlops.update.outlook import Wish, look
    from mlops.update.rendered import ask_again, render_both

    if repository is None:
        refuse_elsewhere()
    root = Path(os.path.expanduser(repository)).resolve() if repository else ROOT
    words, quiet = answers or [], as_json or diff
    try:
        with stopping_interrupts(), work.scratch_folder() as folder:
            with step("Looking at the template", "looked at the template", stderr=quiet or check):
                outlook = look(root, Wish(to, link, template, words))
            if as_json and check:
                say(json.dumps(_standing(outlook), indent=2))
            elif not quiet:
                say(_headline(outlook, to))
            if outlook.template.uncommitted():
                warn(f"{outlook.template.address} has changes that are not committed; they play no part.")
            if check:
                raise typer.Exit(1 if outlook.behind else 0)
            moves = outlook.old != outlook.new and (outlook.behind or to)
            if not (moves or link or words):
                if as_json:
                    say(json.dumps(_standing(outlook), indent=2))
                return
            with step("Rendering both releases", "rendered both releases", stderr=quiet):
                rendered = render_both(outlook, words, folder)
            if rendered.unanswered and interactive() and not quiet:
                rendered = ask_again(rendered, outlook, _ask, folder)
            prepared = work.prepare(outlook, rendered, folder)
            if diff:
                print(prepared.template_changes(colour=console().is_terminal))
                return
            with step("Merging", "merged", stderr=quiet):
                done = work.carry_out(prepared, with_pull_request=pull_request)
    except (KeyboardInterrupt, EOFError):  # Ctrl-C, and Ctrl-D at a question
        raise Problem("interrupted; nothing was changed. Next: mlops update") from None
    if as_json:
        say(json.dumps(_standing(outlook) | _outcome(rendered, done), indent=2, ensure_ascii=False))
    else:
        _tell(outlook, rendered, done)
    if done.refused:
        raise Problem(f"the branch {done.branch} is made, but no pull request: {done.refused}")


def _headline(outlook: "Outlook", to: str | None) -> str:
    which = f"{outlook.root.name} has the template {outlook.old.name}"
    if outlook.behind:
        commits = f" ({_count(outlook.commits, 'commit')} later)" if outlook.commits else ""
        return f"{which}; {outlook.new.name} is there{commits}."
    if outlook.old == outlook.new:
        return f"{which}, which is {'what you ask for' if to else 'the newest'}."
    return f"{which}; {outlook.new.name} is not newer."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _standing(outlook: "Outlook") -> dict[str, Any]:
    return {
        "template": outlook.template.address,
        "from": outlook.old.name,
        "to": outlook.new.name,
        "commits": outlook.commits,
        "behind": outlook.behind,
    }


def _outcome(rendered: "Rendered", done: "Done") -> dict[str, Any]:
    from mlops.update.merge import printable

    return {
        "branch": done.branch,
        "commit": done.commit,
        "changed": [printable(path) for path in done.result.changed],
        "conflicts": [vars(left) for left in done.result.conflicts],
        "kept": [vars(left) for left in done.result.kept],
        "new_answers": rendered.new_answers,
        "migrations": rendered.told,
        "release_notes": rendered.notes,
        "pull_request": done.opened,
    }


def _tell(outlook: "Outlook", rendered: "Rendered", done: "Done") -> None:
    from mlops.terminal import say, table, warn
    from mlops.update.merge import printable

    if rendered.notes:
        say(f"\n{rendered.notes}\n")
    for line in rendered.told:
        say(f"Migrated: {line}.")
    for name, answer in rendered.new_answers.items():
        say(f"New question: {name} is answered with {answer}; another answer: --answer {name}=…")
    there = "is there already, with the same in it" if done.was_there else "is made"
    say(f"The branch {done.branch} {there}: {_count(len(done.result.changed), 'file')} changed.")
    left = [("decide", one) for one in done.result.conflicts] + [("kept", one) for one in done.result.kept]
    if left:
        table(["", "file", "why"], [[word, one.path, one.what] for word, one in left], ["yellow"] * len(left))
    for path in done.in_the_way:
        warn(f"{printable(path)} is not in git, and the branch brings a file of that name: move it before you switch.")
    if outlook.start.unpushed and done.opened:
        commits = _count(outlook.start.unpushed, "commit")
        warn(f"Your dev has {commits} that the remote's has not: they are in the pull request, too.")
    if done.opened:
        say(f"Opened {done.opened}.")
        return
    say("Next:")
    for line in _next(outlook, done):
        say(f"  {line}")


def _next(outlook: "Outlook", done: "Done") -> list[str]:
    lines = [f"git switch {done.branch}   # look, and run: make install test"]
    if done.result.conflicts:
        lines.append("git commit -a   # when the files above are decided")
    if done.request:
        return lines + done.request.by_hand()
    start = outlook.start
    back = "git switch " + ("dev" if start.is_dev else "-" if start.name == "detached" else start.name)
    return [*lines, f"{back} && git merge --squash {done.branch} && git commit"]


def _ask(name: str, text: str, default: str) -> str:
    from rich.text import Text

    from mlops.terminal import console

    console().print(Text.from_markup(text))
    return input(f"{name} [{default}] ").strip() or default
