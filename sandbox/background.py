"""What goes on behind the answers: deliveries of events, asynchronous invocations, jobs, executions of pipelines.

AWS answers at once and works afterwards. Whoever works in the sandbox after an answer says so here, so that a test can
wait until all is quiet, and so that a reset ends it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any


class Ended(Exception):
    """The sandbox forgets everything: stop what you are doing, and tell nobody."""


class Background:
    """Counts what is under way. One for each sandbox, on Inside."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._under_way = 0
        self._end = Event()
        self._stop_work: list[Callable[[], None]] = []

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The sandbox is not quiet while the block runs."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def start(self, work: Callable[..., None], *arguments: Any) -> None:
        """Run on a thread of its own; the sandbox is not quiet from now until the end of it."""
        self._count(1)
        Thread(target=self._run, args=(work, arguments), name=work.__qualname__, daemon=True).start()

    def sleep(self, seconds: float) -> None:
        """Raises Ended when the sandbox is reset or stopped meanwhile."""
        if self._end.wait(seconds):
            raise Ended

    def when_ending(self, stop: Callable[[], None]) -> None:
        """Have `stop` called at each reset and at the end: it ends processes, and returns soon."""
        self._stop_work.append(stop)

    def wait_until_quiet(self, timeout: float) -> bool:
        """Whether nothing was under way at some moment within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, timeout)

    def end(self, timeout: float = 10) -> None:
        """End all that is under way; what does not end within `timeout` seconds is left to itself."""
        self._end.set()
        deadline = monotonic() + timeout
        # Work that had not started its process yet may start it after the first time.
        while True:
            for stop in self._stop_work:
                stop()
            if self.wait_until_quiet(0.05) or monotonic() > deadline:
                break
        self._end.clear()

    def _run(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            work(*arguments)
        except Ended:
            pass
        except Exception:  # a mistake of the sandbox's: there is no caller to tell
            if not self._end.is_set():
                traceback.print_exc()
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self._under_way += change
            self._changed.notify_all()
