"""A process that has loaded what every function needs, and makes one more for each invocation by forking.

Starting Python and importing boto3 takes some 0.4 s, a fork a few milliseconds. The forked processes are as apart from
one another as fresh ones; nothing but Lambda's runtime is loaded in the process that they come from.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


@dataclass
class Child:
    """One invocation's process. status: its exit code, negative for a signal, once `ended` is set."""

    pid: int
    status: int | None = None
    ended: Event = field(default_factory=Event)

    def kill(self) -> None:
        """With everything that it started: it leads a group of its own."""
        if not self.ended.is_set():
            for kill in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    kill(self.pid, signal.SIGKILL)


class ForkServer:
    """runtime: the folder with the packages of Lambda's runtime."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._children: dict[int, Child] = {}

    def start(self) -> None:
        """Returns at once: what is loaded is loaded behind it. Starting twice is no error."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    # Isolated, and without site-packages: what Lambda does not have cannot be imported.
                    [sys.executable, "-I", "-S", "-B", str(BOOTSTRAP), str(theirs.fileno()), str(self._runtime)],
                    stdin=subprocess.DEVNULL,
                    cwd=self._runtime,
                    env={},
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            self._born: SimpleQueue[Child | None] = SimpleQueue()
            Thread(target=self._listen, args=(self._control, self._born), daemon=True).start()

    def fork(self, order: int, log: int, say: int) -> Child:
        """A process that reads the file descriptor `order`, and writes to the others. Raises RuntimeError where the
        server has died."""
        self.start()
        with self._lock:
            socket.send_fds(self._control, [b"f"], [order, log, say])
            child = self._born.get()
        if child is None:
            raise RuntimeError("the process that runs functions has died")
        return child

    def kill_all(self) -> None:
        for child in list(self._children.values()):
            child.kill()

    def stop(self) -> None:
        """The server ends its children, and itself, when nobody is left who could ask it for more."""
        with self._lock:
            if self._process is not None:
                with suppress(OSError):
                    self._control.shutdown(socket.SHUT_RDWR)
                self._control.close()
                self._process.wait()
                self._process = None

    def _listen(self, control: socket.socket, born: SimpleQueue[Child | None]) -> None:
        with suppress(OSError), control.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                said = json.loads(line)
                if "born" in said:
                    child = self._children[said["born"]] = Child(said["born"])
                    born.put(child)
                else:
                    child = self._children.pop(said["ended"])
                    child.status = said["status"]
                    child.ended.set()
        born.put(None)
        for child in list(self._children.values()):
            child.ended.set()
        self._children.clear()
