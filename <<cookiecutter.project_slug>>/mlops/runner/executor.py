"""What carries out the steps of an execution: this machine (`machine`), or whatever else has these methods."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from mlops.problem import Problem
from mlops.runner.graph import Step
from mlops.runner.job import Result

Coming = Callable[[], Iterator[Step]]


class Retryable(Problem):
    """An attempt failed, but another may not. `kind` is an exception type of retry policies, "Step.THROTTLING"."""

    def __init__(self, kind: str, reason: str) -> None:
        """The reason is that of the step, should it not be tried again."""
        super().__init__(reason)
        self.kind = kind


class Executor(Protocol):
    """Carries out processing, training, transform, model and registration steps; several at a time, each in a thread.

    `check`, `pause` and `execute` raise Stopped once `stop` was called.
    """

    workers: int  # how many steps at a time

    def begin(self, coming: Coming) -> None:
        """An execution starts. `coming` yields the steps that wait for nothing but what runs at that moment."""

    def find(self, step: Step, arguments: dict[str, Any]) -> Result | None:
        """Return the result of an earlier run that may be used instead."""

    def execute(self, step: Step, arguments: dict[str, Any]) -> Result:
        """Carry out one attempt at a step.

        Raises:
            Problem: it failed.
            Retryable: it failed, but another attempt may go through.
        """

    def settled(self) -> None:
        """A step is over, so others may be near."""

    def log(self, step: str) -> Path:
        """Return the file that takes what goes wrong in this program while a step runs."""

    def property_file(self, uri: str, path: str) -> Path:
        """Return where a file in the output at a URI lies on this machine; there may be none."""

    def check(self) -> None:
        """Raise Stopped if the execution is being stopped."""

    def pause(self, seconds: float) -> None:
        """Wait before another attempt."""

    def stop(self) -> None:
        """End all that runs, and let nothing new start."""

    def close(self) -> None:
        """Let go of everything; no step runs any more."""
