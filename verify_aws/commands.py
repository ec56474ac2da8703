"""The commands that people type, run and shown."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from account.problem import Problem
from account.terminal import say

PATIENCE = 60.0  # seconds for a command to end that was told to


@dataclass(frozen=True)
class Command:
    """One that ran. seconds: how long it took."""

    shown: str
    code: int
    seconds: float


class Commands:
    """Runs commands one after the other, and remembers how each ended."""

    def __init__(self) -> None:
        self.done: list[Command] = []

    def python(self, folder: Path, module: str, *arguments: str) -> None:
        """Run `python -m module …`; what it prints is shown.

        Raises:
            Problem: it failed.
        """
        self.run(folder, sys.executable, "-m", module, *arguments)

    def answer(self, folder: Path, module: str, *arguments: str) -> str:
        """The same, and return what it printed to standard output.

        Raises:
            Problem: it failed.
        """
        return self._run(folder, (sys.executable, "-m", module, *arguments), subprocess.PIPE)

    def run(self, folder: Path, *words: str) -> None:
        """Run any command.

        Raises:
            Problem: it failed.
        """
        self._run(folder, words, None)

    def _run(self, folder: Path, words: Sequence[str], stdout: int | None) -> str:
        shown = shlex.join(["python" if word == sys.executable else word for word in words])
        say(f"\n$ {shown}", "bold")
        sys.stdout.flush()
        start = time.monotonic()
        # A session of its own: Ctrl-C is for this program, which tells the command, and must not end a removal.
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate()
        except KeyboardInterrupt:
            _end(process)
            raise
        finally:
            self.done.append(Command(shown, process.poll() or 0, time.monotonic() - start))
        if process.returncode:
            raise Problem(f"`{shown}` ended with {process.returncode}")
        return printed or ""


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
