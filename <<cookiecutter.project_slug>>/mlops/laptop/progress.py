"""The steps of a run as people see them: a table that moves on a terminal, a line for each step elsewhere."""

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mlops.runner.execution import StepRun
from mlops.terminal import console

MARKS = {"Succeeded": ("done", "green"), "Failed": ("failed", "red"), "Stopped": ("stopped", "yellow")}
WIDTH = 16


class Progress:
    """Listens to an execution."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Show nothing yet."""
        self._console: Console = console(stderr)
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live = Live(console=self._console, refresh_per_second=8, transient=True, get_renderable=self._table)

    def __enter__(self) -> "Progress":
        """Begin to show."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Leave only what is done."""
        self._live.stop()

    def started(self, step: StepRun) -> None:
        """Show that a step runs."""
        with self._lock:
            self._running[step.name] = time.monotonic()

    def ended(self, step: StepRun) -> None:
        """Print what became of a step."""
        with self._lock:
            self._running.pop(step.name, None)
        word, colour = MARKS.get(step.status, (step.status, ""))
        if step.status == "Failed" and step.type == "Fail":
            word, colour = "refused", "red"
        seconds = "reused" if step.cached else f"{step.seconds:.1f} s"
        line = Text.assemble((f"{word:<8}", colour), f"{step.name:<{WIDTH}}", (f"{seconds:>8}", "dim"))
        self._console.print(line, soft_wrap=True)

    def _table(self) -> Table:
        grid = Table.grid(padding=(0, 1))
        with self._lock:
            for name, since in self._running.items():
                spinner = Spinner("dots", style="blue")
                grid.add_row(
                    spinner,
                    Text("     ") + Text(f"{name:<{WIDTH}}"),
                    Text(f"{time.monotonic() - since:6.1f} s", style="dim"),
                )
        return grid
