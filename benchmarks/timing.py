"""Measure commands in turn, so that a machine that slows down slows all of them."""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

MEMORY, ROOM = "/dev/shm", 500_000_000  # noqa: S108


@dataclass(frozen=True)
class Contender:
    """A command to measure; `prepare` runs before each start of it and is not counted."""

    name: str
    command: list[str]
    cwd: Path
    environment: Mapping[str, str]
    prepare: Callable[[], None]


def environment() -> dict[str, str]:
    """Return the environment of people, whose Python keeps compiled modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def memory() -> str | None:
    """Return a folder in memory, where there is one with room, else None.

    Where many files were deleted, ext4 takes long to make new ones for minutes (`recently_deleted` in its ialloc.c):
    unpacking a template took 0.23 s below a busy /tmp, and 0.06 s in another folder of the same disk. One command does
    not meet that; twenty in a row do.
    """
    return MEMORY if Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


def call(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> float:
    """Run a command, and return the seconds that it took.

    Raises:
        SystemExit: it ended badly; says what it printed.
    """
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    elapsed = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return elapsed


def measure(contenders: list[Contender], runs: int) -> list[list[float]]:
    """Return the seconds of each run of each contender, whole processes, after one run that warms up."""
    seconds: list[list[float]] = [[] for _ in contenders]
    for run in range(runs + 1):
        for contender, taken in zip(contenders, seconds, strict=True):
            contender.prepare()
            elapsed = call(contender.command, contender.cwd, contender.environment)
            if run:
                taken.append(elapsed)
    return seconds


def report(
    title: str, contenders: list[Contender], seconds: list[list[float]], bound: float | None, notes: list[str]
) -> None:
    """Print each contender's times and how it compares with the last one, the floor or a peer."""
    floor = statistics.median(seconds[-1])
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("", "median", "min", "max", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    for contender, taken in zip(contenders, seconds, strict=True):
        middle = statistics.median(taken)
        figures = [f"{1000 * figure:.0f} ms" for figure in (middle, min(taken), max(taken))]
        table.add_row(contender.name, *figures, f"{middle / floor:.2f}")
    console = Console(highlight=False)
    console.print(table)
    goal = f"; the goal is a ratio of at most {bound}" if bound else ""
    console.print(f"{len(seconds[0])} runs each, in turn{goal}.")
    for note in notes:
        console.print(note)
    console.print()
