"""All processes of one build: what stands for its container, which takes everything with it when it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from sandbox.codebuild.failures import Interrupted

_PROC = Path("/proc")


class Container:
    """mark: `NAME=value` that is in the environment of each of its processes, and of nobody else's."""

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        self._over = False

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], **streams: Any
    ) -> subprocess.Popen[bytes]:
        """A process in a group of its own. streams: as of Popen. Raises Interrupted when it is over."""
        with self._lock:
            if self._over:
                raise Interrupted
            process = subprocess.Popen(command, cwd=folder, env=dict(environment), start_new_session=True, **streams)
            self._running.add(process)
            return process

    def end(self) -> None:
        """End all processes, those that left their group included, and let no other start."""
        with self._lock:
            self._over = True
            running = list(self._running)
        for process in running:
            # The number of a process that was waited for may be somebody else's by now.
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        while running and (strays := list(self._strays())):
            for stray in strays:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(stray, signal.SIGKILL)

    def close(self) -> None:
        """Give back what the processes were talked to with; only by who talked to them, and after the end."""
        for process in self._running:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
        self._running.clear()

    def _strays(self) -> Iterator[int]:
        """Only Linux tells what processes were started with; a zombie has no environment any more."""
        for entry in _PROC.iterdir() if _PROC.is_dir() else ():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if self._mark in (entry / "environ").read_bytes().split(b"\0"):
                        yield int(entry.name)
