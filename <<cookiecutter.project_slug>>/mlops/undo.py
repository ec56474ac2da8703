"""All or nothing: what a run made is removed again when a later step fails."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from mlops.problem import Problem, Refused


class Undo:
    """The steps that take back what was done so far."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], None]]] = []

    def add(self, what: str, step: Callable[[], None]) -> None:
        """Remember how to take back `what`, which now exists."""
        self._steps.append((what, step))

    @contextmanager
    def making(self, what: str, step: Callable[[], None]) -> Iterator[None]:
        """Remember how to take back what the block makes, also if it breaks off and nobody knows how far it came.

        Only a plain refusal is forgotten: then nothing was made, and what is there now is another run's.
        """
        self._steps.append((what, step))
        try:
            yield
        except Refused:
            self._steps.pop()
            raise

    def run(self) -> list[str]:
        """Take everything back, the newest first, whatever happens; return what could not be, with the reason."""
        left = []
        while self._steps:
            what, step = self._steps.pop()
            try:
                step()
            except Problem as problem:
                left.append(f"{what} ({problem})")
        return left


@contextmanager
def all_or_nothing(again: str) -> Iterator[Undo]:
    """Undo what the block did if it fails or is interrupted (Ctrl-C, SIGTERM, SIGHUP).

    Args:
        again: the command that tries once more, for the message.

    Raises:
        Problem: the reason, and what is left where undoing failed too.
    """
    undo = Undo()
    try:
        with _termination_as_interrupt():
            yield undo
    except (Problem, KeyboardInterrupt) as failure:
        reason = str(failure) or "interrupted."
        with _uninterrupted():
            left = undo.run()
        if left:
            raise Problem(f"{reason} Could not be removed again: {'; '.join(left)}. Next: {again}") from None
        raise Problem(f"{reason} Nothing was left behind; next: {again}") from None
    except BaseException:
        with _uninterrupted():
            undo.run()
        raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    with _handlers({signal.SIGTERM: _interrupt, signal.SIGHUP: _interrupt}):
        yield


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """An impatient second Ctrl-C must not stop the clearing up."""
    ignore = signal.SIG_IGN
    with _handlers({signal.SIGINT: ignore, signal.SIGTERM: ignore, signal.SIGHUP: ignore}):
        yield


@contextmanager
def _handlers(handlers: dict[signal.Signals, Any]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
