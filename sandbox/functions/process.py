"""One invocation in a process of its own: Lambda's environment and nothing else, a time limit, logs.

Source: Lambda Developer Guide, "Defined runtime environment variables", "Understanding the Lambda execution environment
lifecycle" (10 s for the initialisation), "Lambda runtimes: included SDK versions" (boto3 and what it needs, no more).
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from threading import Lock, Thread
from time import monotonic, time
from typing import IO

from sandbox.functions.fork_server import ForkServer

# What Lambda's Python runtime can import beside the standard library and the function's own package.
_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
_INIT_TIME = 10.0
_READY = b"ready\n"
_LARGEST_RESPONSE = 6 * 1024 * 1024 + 100


@dataclass
class Order:
    """What to run. event: JSON. timeout: seconds."""

    request_id: str
    invoked_arn: str
    event: str
    timeout: int
    memory: int
    task_root: Path
    environment: Mapping[str, str]


@dataclass
class Outcome:
    """payload: JSON. error: `Unhandled`, or None for a success. log: milliseconds since 1970 and text."""

    payload: str
    error: str | None
    log: list[tuple[int, str]] = field(default_factory=list)


class Processes:
    """Starts the processes, and ends them. folder: for what they need on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runtime = folder / "runtime"
        self._lock = Lock()
        self._server = ForkServer(self._runtime)

    def prepare(self) -> None:
        """Returns at once, and makes the first invocation a fast one."""
        with self._lock:
            if not self._runtime.exists():
                _link_packages(self._runtime)
        self._server.start()

    def run(self, order: Order) -> Outcome:
        """Waits for the outcome; nothing of the process is left afterwards."""
        self.prepare()
        scratch = Path(mkdtemp(dir=self._folder))
        say_read, say_write = os.pipe()
        log_read, log_write = os.pipe()
        try:
            with _message(order, self._environment(order, scratch)) as message:
                started = monotonic()
                log = [(_now(), f"START RequestId: {order.request_id} Version: $LATEST")]
                child = self._server.fork(message.fileno(), log_write, say_write)
        finally:
            os.close(say_write)
            os.close(log_write)
        reader = Thread(target=_read_log, args=(log_read, log), daemon=True)
        reader.start()
        try:
            said, ready_at, in_time = _listen(say_read, started, order.timeout)
            if in_time:
                child.ended.wait(1)  # for its exit status
        finally:
            child.kill()
            child.ended.wait(5)
            os.close(say_read)
            shutil.rmtree(scratch, ignore_errors=True)
        reader.join(5)
        ended = monotonic()
        outcome = _outcome(order, said, in_time, child.status, log)
        began = ready_at or started
        _report(log, order, ended - began, began - started, outcome, in_time)
        outcome.log = log
        return outcome

    def kill_all(self) -> None:
        """End what runs now, with everything that it started."""
        self._server.kill_all()

    def stop(self) -> None:
        self._server.stop()

    def _environment(self, order: Order, scratch: Path) -> dict[str, str]:
        """HOME and TMPDIR are not Lambda's: they keep the function from the files of whoever runs the sandbox."""
        return {
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(order.task_root),
            "LAMBDA_RUNTIME_DIR": str(self._runtime),
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            **order.environment,
        }


def _link_packages(runtime: Path) -> None:
    """A folder with what Lambda's runtime has, and none of the other packages of the sandbox's environment."""
    runtime.mkdir(parents=True)
    for name in _RUNTIME_PACKAGES:
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            path = Path(found.origin)
            path = path.parent if path.name == "__init__.py" else path
            (runtime / path.name).symlink_to(path)


def _message(order: Order, environment: Mapping[str, str]) -> IO[bytes]:
    """A file without a name: an event may be too large for a pipe that nobody reads yet."""
    message = TemporaryFile()  # noqa: SIM115 - the caller closes it
    content = {
        "request_id": order.request_id,
        "invoked_arn": order.invoked_arn,
        "event": order.event,
        "timeout": order.timeout,
        "environment": environment,
    }
    message.write(json.dumps(content).encode())
    message.seek(0)
    return message


def _listen(say: int, started: float, timeout: int) -> tuple[bytes, float | None, bool]:
    """What the process said, when it was ready, and whether it ended by itself."""
    said, ready_at = b"", None
    deadline = started + _INIT_TIME
    while (left := deadline - monotonic()) > 0:
        readable, _, _ = select.select([say], [], [], left)
        if not readable:
            break
        piece = os.read(say, 1 << 16)
        said += piece
        if ready_at is None and said.startswith(_READY):
            ready_at = monotonic()
            deadline = ready_at + timeout
        answer = said.removeprefix(_READY)
        if not piece or answer.endswith(b"\n"):
            return answer, ready_at, True
    return b"", ready_at, False


def _outcome(order: Order, said: bytes, in_time: bool, status: int | None, log: list[tuple[int, str]]) -> Outcome:
    if not in_time:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log.append((_now(), f"{at} {order.request_id} Task timed out after {order.timeout:.2f} seconds"))
        words = f"Task timed out after {order.timeout:.2f} seconds"
        return _failed(order, "Sandbox.Timedout", words)
    try:
        answer = json.loads(said)
    except ValueError:
        words = f"Runtime exited with error: {_how(status)}" if status else "Runtime exited without providing a reason"
        log.append((_now(), f"RequestId: {order.request_id} Error: {words}\nRuntime.ExitError"))
        return _failed(order, "Runtime.ExitError", words)
    if "error" in answer:
        log.append((_now(), answer["log"]))
        return Outcome(answer["error"], "Unhandled")
    if len(answer["result"].encode()) > _LARGEST_RESPONSE:
        words = f"Response payload size exceeded maximum allowed payload size ({_LARGEST_RESPONSE} bytes)."
        error = {"errorMessage": words, "errorType": "Function.ResponseSizeTooLarge"}
        return Outcome(json.dumps(error), "Unhandled")
    return Outcome(answer["result"], None)


def _failed(order: Order, kind: str, words: str) -> Outcome:
    message = f"RequestId: {order.request_id} Error: {words}"
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}), "Unhandled")


def _how(status: int | None) -> str:
    return f"signal: {signal.Signals(-status).name}" if status and status < 0 else f"exit status {status}"


def _report(
    log: list[tuple[int, str]], order: Order, took: float, init: float, outcome: Outcome, in_time: bool
) -> None:
    status = "" if outcome.error is None else ("\tStatus: error" if in_time else "\tStatus: timeout")
    log.append((_now(), f"END RequestId: {order.request_id}"))
    log.append(
        (
            _now(),
            f"REPORT RequestId: {order.request_id}\tDuration: {took * 1000:.2f} ms\tBilled Duration: "
            f"{int((took + init) * 1000) + 1} ms\tMemory Size: {order.memory} MB\tInit Duration: {init * 1000:.2f} ms"
            f"{status}",
        )
    )


def _read_log(log_read: int, log: list[tuple[int, str]]) -> None:
    with os.fdopen(log_read, "rb") as stream:
        for line in stream:
            log.append((_now(), line.decode("utf-8", "replace").rstrip("\n")))


def _now() -> int:
    return int(time() * 1000)
