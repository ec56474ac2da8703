"""`mlops run --reproduce`."""

import json
from typing import TYPE_CHECKING

import typer

from mlops.problem import Problem

if TYPE_CHECKING:
    from mlops.reproduce.agreement import Agreement


def reproduce(number: int, environment: str | None, as_json: bool) -> None:
    """Make a version again from what is recorded of it, and say whether the metrics agree and what differs.

    Ends with 1 where they do not. This repository, its history and its versions stay as they are.

    Args:
        number: of the version.
        environment: whose group on AWS has it; None: it is one of this machine.
        as_json: whether to print JSON instead of tables.
    """
    from mlops.reproduce.again import make_again
    from mlops.reproduce.agreement import Agreement
    from mlops.reproduce.original import of_registry, of_this_machine
    from mlops.terminal import say, warn
    from mlops.undo import stopping_interrupts

    try:
        with stopping_interrupts():
            original = of_registry(number, environment) if environment else of_this_machine(number)
            if not as_json:
                say(f"Making {original.what} again: commit {original.commit[:10]}, in a folder of its own.")
            agreement = Agreement(original, make_again(original))
    except KeyboardInterrupt:
        warn("Stopped; the folder of its own is removed, and nothing was changed.")
        raise typer.Exit(130) from None
    if as_json:
        say(json.dumps(agreement.as_json(), indent=2, ensure_ascii=False))
    else:
        _tell(agreement)
    if not agreement.agrees:
        raise Problem(agreement.sentence())


def _tell(agreement: "Agreement") -> None:
    from mlops.terminal import say, table

    say()
    rows, styles = agreement.metric_lines()
    table(["metric", "recorded", "now", "difference", ""], rows, styles)
    if differences := agreement.difference_lines():
        say()
        table(["what differs", "recorded", "here"], differences)
    for note in agreement.notes():
        say(note, "dim")
    if agreement.agrees:
        say()
        say(agreement.sentence(), "bold")
