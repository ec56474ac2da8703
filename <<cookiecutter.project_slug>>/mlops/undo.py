"""All or nothing: what a run made is removed again when a later step fails."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mlops.problem import Problem, Refused

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Undo:
    """The steps that take back what was done so far."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], None]]] = []

    def add(self, what: str, step: Callable[[], None]) -> None:
        """Remember how to take back `what`, which exists or is about to."""
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
            except Exception as error:  # a step that breaks must not keep the others from being taken
                left.append(f"{what} ({str(error).rstrip('.')})")
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
    with stopping_interrupts():
        try:
            yield undo
        except BaseException as failure:
            _stop_no_more()
            left = undo.run()
            if not isinstance(failure, Problem | KeyboardInterrupt):
                raise
            reason = str(failure) or "interrupted"
            outcome = f"could not be removed again: {'; '.join(left)}" if left else "nothing was left behind"
            raise Problem(f"{reason.rstrip('.')}; {outcome}. Next: {again}") from None


@contextmanager
def stopping_interrupts() -> Iterator[None]:
    """Make every signal that asks a process to stop a KeyboardInterrupt; those ignored (`nohup`) stay ignored."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _stop_no_more()
    raise KeyboardInterrupt


def _stop_no_more() -> None:
    """An impatient second Ctrl-C must not stop the clearing up, nor the processes that it starts."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
