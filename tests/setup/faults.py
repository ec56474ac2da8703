"""What goes wrong on the way: faults of AWS, calls that hang, signals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.server import Sandbox


@contextmanager
def faults(sandbox: Sandbox, *wanted: dict[str, Any]) -> Iterator[None]:
    """The faults, while the block runs."""
    sandbox.set_faults(list(wanted))
    try:
        yield
    finally:
        sandbox.set_faults([])


def fault(call: tuple[str, str, int], name: str, times: int | None = 1) -> dict[str, Any]:
    """The fault that strikes a call (service, operation, which one)."""
    service, operation, number = call
    return {"service": service, "operation": operation, "call": number, "times": times, "fault": name}


def until_it_hangs(sandbox: Sandbox, call: tuple[str, str, int], name: str, start: int) -> None:
    """Wait until the sandbox holds the call's connection open. The first `start` entries of its log are older."""
    service, operation, number = call
    for _ in range(3000):
        if any((entry.get("fault"), entry["operation"]) == (name, operation) for entry in sandbox.calls[start:]):
            return
        # One that hangs before its effect is written down when it ends, but counted when it comes.
        if name == "hang-before" and sandbox._faults._calls[service, operation] >= number:
            return
        time.sleep(0.01)
    raise AssertionError(f"{operation} never came")


def let_go(sandbox: Sandbox, start: int, number: int = 1) -> None:
    """End the calls that hang before their effect, the `number` first ones of the block: clients try again."""
    from sandbox.connection import stopping

    stopping.set()
    while sum(entry.get("fault") == "hang-before" for entry in sandbox.calls[start:]) < number:
        time.sleep(0.01)
    stopping.clear()


def end(group: int, number: signal.Signals) -> None:
    """Send a signal as its usual sender does: a terminal to all processes, `kill` to one; a power cut ends all."""
    if number is signal.SIGTERM:
        os.kill(group, number)
    else:
        os.killpg(group, number)


def calls_since(sandbox: Sandbox, start: int) -> list[tuple[str, str, int]]:
    """The AWS calls after the first `start`: service, operation, and the how manieth of its kind."""
    counted: dict[tuple[str, str], int] = {}
    calls = []
    for entry in sandbox.calls[start:]:
        kind = entry["service"], entry["operation"]
        counted[kind] = counted.get(kind, 0) + 1
        calls.append((*kind, counted[kind]))
    return calls
