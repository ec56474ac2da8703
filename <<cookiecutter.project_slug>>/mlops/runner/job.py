"""What all jobs share: a folder in the place of the container's `/opt/ml`, inputs laid into it, a process, a log."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlops.problem import Problem
from mlops.runner.processes import Processes, TimedOut

CONTAINER = "/opt/ml"
IN_CONTAINER = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")  # no /opt/mlflow, no s3://bucket/opt/ml
PYTHON = re.compile(r"(/[\w/.-]+/)?python3?(\.\d+)?")
LOG_LINES = 12  # of a failed job that people see at once
REASON = 1024  # characters (DescribeTrainingJob, FailureReason)


class JobFailed(Problem):
    """A job ended with an error: the script's last line is the reason. It is not tried again.

    `code` is that of its process, if it had one.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        """Say why."""
        super().__init__(reason)
        self.code = code


class JobTimedOut(JobFailed):
    """A job ran longer than its request allows."""


class Place(Protocol):
    """Where inputs come from and outputs go to: the store of this machine, or S3."""

    def fetch(self, uri: str, folder: Path) -> None:
        """Lay copies of what is at a URI into a folder: a single file under its name, else all that is below.

        Raises:
            FileNotFoundError: nothing is there.
        """

    def keep(self, folder: Path, uri: str) -> str:
        """Keep the content of a folder that a job leaves, and return the URI under which it is found from now on.

        Raises:
            ValueError: it holds something that cannot be kept; says what.
        """


@dataclass
class Result:
    """What a step leaves: what its Describe call would answer, the URI of each output, and its log.

    The log's place is that from the folder of all runs: the repository may be moved.
    """

    properties: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    log: str | None = None


def inherited() -> dict[str, str]:
    """Return the variables that every job gets from this process."""
    # What this process was told about its own modules is no business of the job's.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    kept["PYTHONUNBUFFERED"] = "1"  # what a job printed before it was ended is the best hint there is
    return kept


@dataclass(frozen=True)
class Job:
    """One attempt at one step."""

    step: str
    name: str
    folder: Path
    log: Path
    place: Place
    processes: Processes
    environment: Mapping[str, str] = field(default_factory=inherited)  # what it gets beside its own variables

    def inside(self, path: str) -> Path:
        """Return where a path of the container lies on this machine."""
        return self.folder / path.lstrip("/")

    def mapped(self, text: str) -> str:
        """Return a text with the container's paths replaced.

        Raises:
            Problem: it is a number or the like, which the services refuse.
        """
        if not isinstance(text, str):
            raise Problem(f"step {self.step} passes {text!r} where SageMaker takes texts; use a String or a Join")
        return IN_CONTAINER.sub(lambda _: str(self.inside(CONTAINER)), text)

    def command(self, words: Sequence[str]) -> list[str]:
        """Return a command with the container's paths replaced, and its Python by this one."""
        program, *rest = [self.mapped(word) for word in words]
        return [sys.executable if PYTHON.fullmatch(program) else program, *rest]

    def lay_in(self, uri: str, path: str) -> Path:
        """Make an input available at a path of the container."""
        target = self.prepare(path)
        try:
            self.place.fetch(uri, target)
        except FileNotFoundError as error:
            raise JobFailed(f"step {self.step} finds no input for {path}: {error}") from None
        return target

    def prepare(self, path: str) -> Path:
        """Make an empty folder at a path of the container."""
        target = self.inside(path)
        target.mkdir(parents=True, exist_ok=True)
        return target

    def keep(self, path: str, uri: str) -> str:
        """Keep what the job left at a path of the container, and return where.

        Raises:
            JobFailed: there is something that is no file.
        """
        folder = self.prepare(path)  # the job may have removed it
        try:
            return self.place.keep(folder, uri)
        except ValueError as error:
            raise JobFailed(f"step {self.step} leaves in {path} {error}") from None

    def run(self, command: Sequence[str], folder: Path, variables: Mapping[str, str], limit: float | None) -> None:
        """Run a command as the job's process.

        Raises:
            JobFailed: it ended with another code than 0, or did not end in time.
        """
        mapped = {name: self.mapped(value) for name, value in variables.items()}
        try:
            code = self.processes.run(self.step, command, folder, {**self.environment, **mapped}, self.log, limit)
        except TimedOut:
            minutes = (limit or 0) / 60
            raise JobTimedOut(
                f"step {self.step} ran longer than {minutes:g} minutes; "
                "raise max_minutes in `jobs` of mlops.yaml, or make it faster"
            ) from None
        if code:
            raise JobFailed(f"step {self.step} failed: {_reason(self.log, code)}", code)

    def clear(self) -> None:
        """Remove the job's folder, but not its log."""
        shutil.rmtree(self.folder / CONTAINER.split("/")[1], ignore_errors=True)


def last_lines(log: Path, count: int = LOG_LINES) -> list[str]:
    """Return the last lines of a log that say anything."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64_000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in lines if line.strip()][-count:]


def _reason(log: Path, code: int) -> str:
    lines = last_lines(log, 1)
    if code < 0:
        return f"it was ended by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    if not lines:
        return f"it ended with code {code} and printed nothing"
    reason = lines[0][:REASON]
    if reason.startswith("ModuleNotFoundError"):
        return f"{reason}; name its package in model/requirements.txt and run: make install"
    if IN_CONTAINER.search(reason):
        return f"{reason}; on a laptop {CONTAINER} lies elsewhere: take the folder from an argument or an SM_ variable"
    return reason
