"""What people see: tables and progress on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

LONG_NAME = 20  # characters; headings are shorter
PLAIN_WIDTH = 200  # columns where nobody's terminal sets a limit: a log file should hold whole lines


def console(stderr: bool = False) -> Console:
    """Return where people read: a terminal with its width, or a stream with long lines."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)


def say(text: str = "", style: str | None = None) -> None:
    """Print a line; long ones are wrapped by the terminal, so that they copy as one."""
    console().print(text, style=style, soft_wrap=True)


def warn(text: str) -> None:
    """Print a line to standard error."""
    console(stderr=True).print(text, style="yellow", soft_wrap=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] | None = None) -> None:
    """Print rows under headings, with a style for each row where it has one."""
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        grid.add_column(heading, overflow="fold", width=_width_of_a_name([row[number] for row in rows]))
    for number, row in enumerate(rows):
        grid.add_row(*[Text(cell) for cell in row], style=styles[number] if styles else None)
    shown = console()
    with shown.capture() as printed:
        shown.print(grid)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))


def _width_of_a_name(cells: Sequence[str]) -> int | None:
    """Return the width of a column of long names, which people copy whole and so are not cut; None: as it comes."""
    longest = max(cells, key=len, default="")
    fits = LONG_NAME <= len(longest) <= console().width // 2
    return len(longest) if fits and " " not in longest else None


@contextmanager
def step(doing: str, done: str, *, stderr: bool = False) -> Iterator[None]:
    """Show `doing` while the block runs (on a terminal, with a spinner), then `done` with the seconds it took."""
    shown, start = console(stderr), time.monotonic()
    if shown.is_terminal:
        with shown.status(Text(f"{doing} …")):
            yield
    else:
        yield
    shown.print(
        Text.assemble(("done  ", "green"), done, (f"  {time.monotonic() - start:.1f} s", "dim")),
        soft_wrap=True,
    )


def confirmed(question: str) -> bool:
    """Ask on the terminal; anything but a yes is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def interactive() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()
