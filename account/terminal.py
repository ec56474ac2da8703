"""What people see: tables and progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 200  # columns where nobody's terminal sets a limit: a log file should hold whole lines


def console() -> Console:
    """Where people read: a terminal with its width, or a stream with long lines."""
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width)


def say(text: str = "", style: str | None = None) -> None:
    """Print a line; the terminal wraps long ones, so that they copy as one."""
    console().print(text, style=style, soft_wrap=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings."""
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    shown = console()
    with shown.capture() as printed:
        shown.print(grid)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))


@contextmanager
def doing(what: str) -> Iterator[None]:
    """A spinner beside `what` on a terminal; nothing elsewhere."""
    shown = console()
    if not shown.is_terminal:
        yield
        return
    with shown.status(Text(f"{what} …")):
        yield


def interactive() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirmed(question: str) -> bool:
    """Ask on the terminal; anything but a yes is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
