"""Jobs as processes: started in a group of their own, logged, timed, and ended with all that they started."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE = 3  # seconds between asking a process to end and ending it
MARK = "MLOPS_JOB"  # variable by which a job's processes are known
PROC = "/proc"
SPARE = Path(__file__).with_name("spare_worker.py")


class Stopped(Exception):
    """The run is being stopped: nothing new is started."""


class TimedOut(Exception):
    """A job ran longer than it may."""


class NoCapacity(Exception):
    """The machine could not start a process: what SageMaker calls a capacity error."""


@dataclass(frozen=True)
class _Job:
    process: subprocess.Popen[bytes]
    mark: str

    def end(self) -> None:
        """End whatever is left of the job: a container takes all of its processes with it, too."""
        self.signal(signal.SIGKILL)
        while strays := list(self._strays()):
            for stray in strays:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(stray, signal.SIGKILL)

    def becomes(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> bool:
        """Have a spare interpreter run a script, and tell whether it is one that can."""
        if command[0] == sys.executable and command[1].endswith(".py") and self.process.stdin:
            what = {"words": command[1:], "folder": str(folder), "log": str(log)}
            line = json.dumps(what | {"environment": {**environment, MARK: self.mark}})
            with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
                stdin.write(line.encode("utf-8") + b"\n")
                stdin.flush()
                return True
        self.dismiss()
        return False

    def dismiss(self) -> None:
        """End a spare interpreter."""
        with self.process:
            self.end()

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _strays(self) -> Iterator[int]:
        """Yield processes that left the job's group; only Linux tells what they were started with."""
        for name in filter(str.isdigit, os.listdir(PROC) if os.path.isdir(PROC) else []):
            with contextlib.suppress(OSError), open(f"{PROC}/{name}/environ", "rb", buffering=0) as environ:
                if self.mark.encode() in environ.read():
                    yield int(name)


class Processes:
    """All processes of one run."""

    def __init__(self) -> None:
        """Start with none."""
        self._running: set[_Job] = set()
        self._spare: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def run(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        limit: float | None,
    ) -> int:
        """Run a command in a folder until it ends, append what it prints to a log, and return its code.

        Args:
            name: that of the job, for which an interpreter may be waiting already.
            limit: seconds after which it is ended, if any.

        Raises:
            NoCapacity: it could not be started for want of memory or processes.
            Stopped: the run was stopped.
            TimedOut: it ran longer than `limit`, and was ended.
        """
        job = self._start(name, command, folder, environment, log)
        late = threading.Event()

        def end_late() -> None:
            late.set()
            _end([job], GRACE)

        timer = threading.Timer(limit or 0, end_late)
        timer.daemon = True
        if limit:
            timer.start()
        try:
            code = job.process.wait()  # without a limit of its own: with one, Popen asks again and again
        finally:
            timer.cancel()
            job.end()
            with self._lock:
                self._running.discard(job)
        self.check()
        if late.is_set():
            raise TimedOut
        return code

    def check(self) -> None:
        """Raise Stopped if the run is being stopped. What ended meanwhile may have ended halfway, whatever its code."""
        if self._stopping.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped.

        Raises:
            Stopped: it was.
        """
        self._stopping.wait(seconds)
        self.check()

    def stop(self, grace: float | None = None) -> None:
        """End all processes, and let no other start.

        `grace` is how many seconds they have between being asked to end and being ended, if not the usual ones.
        """
        self._stopping.set()
        with self._lock:
            running = [*self._running, *self._spare.values()]
        _end(running, GRACE if grace is None else grace)

    def spare(self, name: str, folder: Path, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start an interpreter that imports modules and then waits to become the job of this name.

        It only saves time: where it cannot be had, the job starts without it. `folder` holds the code of the job.
        """
        with tempfile.TemporaryFile() as output, self._lock, contextlib.suppress(NoCapacity):
            if not self._stopping.is_set() and name not in self._spare:
                command = [sys.executable, "-P", str(SPARE), str(folder), *modules]
                self._spare[name] = _spawn(command, Path.cwd(), environment, subprocess.PIPE, output)

    @property
    def spares(self) -> set[str]:
        """The jobs for which an interpreter waits."""
        return set(self._spare)

    def close(self) -> None:
        """End the interpreters that were not needed."""
        with self._lock:
            for job in self._spare.values():
                job.dismiss()
            self._spare.clear()

    def _start(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
    ) -> _Job:
        with log.open("ab") as output, self._lock:
            self.check()
            job = self._spare.pop(name, None)
            if job is None or not job.becomes(command, folder, environment, log):
                job = _spawn(command, folder, environment, subprocess.DEVNULL, output)
            self._running.add(job)
            return job


def _spawn(command: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: int, output: IO[bytes]) -> _Job:
    mark = uuid.uuid4().hex
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, MARK: mark},
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end what it started as well
        )
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.ENOMEM}:
            raise NoCapacity(error.strerror) from None
        raise
    return _Job(process, mark)


def _end(jobs: Sequence[_Job], grace: float) -> None:
    """Ask jobs to end, and end them: after some seconds, or at once if Ctrl-C is pressed again."""
    try:
        for job in jobs:
            job.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        for job in jobs:
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.process.wait(max(0.0, deadline - time.monotonic()))
    finally:
        for job in jobs:
            job.end()
