"""One command in a sandbox of its own: its exit code, its signals, and nothing left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from sandbox.connection import stopping
from sandbox.environment import shell_lines
from sandbox.server import Sandbox

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127


def run_in_sandbox(command: list[str], *, call_log: Path | None, faults: Path | None, region: str) -> int:
    """CMD's exit code (128 + n if signal n ended it; 127 not found, 126 not executable; 2 for options that cannot be
    used).

    The port is open before CMD starts and moto is loaded while CMD starts, so CMD does not wait for it.
    """
    sandbox = _prepared(call_log, faults, region, port=0)
    if sandbox is None:
        return 2
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, frame: FrameType | None) -> None:
        if child is not None and child.poll() is None and not _terminal_sent_it(number):
            child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        sandbox.listen()
        try:
            child = subprocess.Popen(command, env=sandbox.environment(), preexec_fn=_end_with_parent(before))
        except FileNotFoundError:
            print(f"sandbox: command not found: {command[0]}", file=sys.stderr)
            return _NOT_FOUND
        except OSError as error:
            print(f"sandbox: {command[0]}: {error.strerror}", file=sys.stderr)
            return _NOT_EXECUTABLE
        finally:
            sandbox.serve()
        code = child.wait()
    finally:
        sandbox.abandon()
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def serve_until_stopped(port: int, *, call_log: Path | None, faults: Path | None, region: str) -> int:
    """0 after SIGINT or SIGTERM; 1 if the port is taken, 2 for options that cannot be used."""
    sandbox = _prepared(call_log, faults, region, port)
    if sandbox is None:
        return 2
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: received.append(signum))
    try:
        sandbox.start()
    except OSError as error:
        print(f"sandbox: port {port}: {error.strerror}", file=sys.stderr)
        return 1
    sandbox.wait_until_ready()
    sandbox.events.keep_time(stopping)
    print("\n".join(shell_lines(sandbox.endpoint)), flush=True)
    address = sandbox.endpoint.url
    print(f"# The sandbox is at {address}. In another shell: {_env_hint(address)}", flush=True)
    while not received:
        signal.pause()
    sandbox.stop()
    return 0


def _env_hint(address: str) -> str:
    return f'eval "$(python -m sandbox env --port {address.rsplit(":", 1)[1]})"'


def _prepared(call_log: Path | None, faults: Path | None, region: str, port: int) -> Sandbox | None:
    """A sandbox that has not been started, or None after one line that says what is wrong."""
    wanted: list[Any] = []
    if faults is not None:
        from sandbox.fault_file import BadFaults, read_faults

        try:
            wanted = list(read_faults(faults))
        except BadFaults as error:
            print(f"sandbox: {error}", file=sys.stderr)
            return None
    if call_log is not None:
        try:
            call_log.open("a").close()
        except OSError as error:
            print(f"sandbox: call log {call_log}: {error.strerror}", file=sys.stderr)
            return None
    return Sandbox(region=region, faults=wanted, call_log=call_log, port=port)


def _terminal_sent_it(number: int) -> bool:
    """Ctrl-C and Ctrl-\\ go to the terminal's whole foreground group: CMD has had them already."""
    if number not in (signal.SIGINT, signal.SIGQUIT):
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _end_with_parent(handlers: dict[signal.Signals, Any]) -> Callable[[], None]:
    """What CMD does first: handlers as they were before the sandbox's, and (on Linux) an end with the sandbox's,
    should that be killed outright. Runs between fork and exec, where no thread has been started yet."""
    ignored = [number for number, handler in handlers.items() if handler is signal.SIG_IGN]
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        if libc is not None:
            libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(_NOT_EXECUTABLE)

    return prepare
