"""Threads that work on stacks behind the answers, and their end."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from threading import Event, Lock, Thread

from sandbox.cloudformation.stack import ChangeSet, Stack
from sandbox.cloudformation.work import Stopped

# A call that hangs by a fault is not waited for: its thread ends when the call does, and makes no other.
_PATIENCE = 1  # seconds


class Workers:
    """stop: given to each thread's work, and set when all is to end."""

    def __init__(self) -> None:
        self.stop = Event()
        self._lock = Lock()
        self._threads: list[Thread] = []

    def start(self, work: Callable[[], None], subject: Stack | ChangeSet) -> None:
        """Work on a stack or change set, behind the answer."""
        stop = self.stop

        def run() -> None:
            try:
                work()
            except Stopped:
                pass
            except Exception as error:
                if not stop.is_set():
                    traceback.print_exc()  # a mistake of the sandbox's
                    _give_up(subject, f"sandbox/ failed with {error!r}: a mistake in it")

        thread = Thread(target=run, name=f"cloudformation-{subject.name}", daemon=True)
        with self._lock:
            self._threads = [held for held in self._threads if held.is_alive()]
            self._threads.append(thread)
        thread.start()

    def end(self) -> None:
        with self._lock:
            self.stop.set()
            threads, self._threads = self._threads, []
            self.stop = Event()
        for thread in threads:
            thread.join(_PATIENCE)


def _give_up(subject: Stack | ChangeSet, reason: str) -> None:
    if isinstance(subject, Stack):
        verb = subject.status.partition("_")[0]
        subject.record("UPDATE_ROLLBACK_FAILED" if verb == "UPDATE" else f"{verb}_FAILED", reason)
    else:
        subject.status, subject.reason = "FAILED", reason
