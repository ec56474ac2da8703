"""What a job prints, sent to CloudWatch Logs while it runs: real calls, with the job role's credentials.

Source: Developer Guide, "CloudWatch Logs for Amazon SageMaker AI": one group for a kind of jobs, and in it a stream
`[job]/algo-1-[epoch timestamp]`. As on AWS, a role that may not write logs costs the job its log, and nothing else.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_PERIOD = 0.25  # seconds between two looks at what was printed
_LONGEST = 256 * 1024 - 26  # bytes of an event (CloudWatch Logs User Guide, "CloudWatch Logs quotas")
_BATCH = 1_000  # events in one call, which may hold 10 000 and 1 MB


class Shipment:
    """Sends a growing file to a log stream until it is closed; then what is left of it."""

    def __init__(self, logs: Any, group: str, job: str, file: Path) -> None:
        self._logs, self._group, self._file = logs, group, file
        self._stream = f"{job}/algo-1-{int(time.time())}"
        self._sent = 0
        self._opened = False
        self._over = Event()
        self._thread = Thread(target=self._send, name=f"log of {job}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        with contextlib.suppress(BotoCoreError, ClientError):
            while not self._over.wait(_PERIOD):
                self._send_lines(last=False)
            self._send_lines(last=True)

    def _send_lines(self, *, last: bool) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._sent)
            new = file.read()
        whole = new if last else new[: new.rfind(b"\n") + 1]
        self._sent += len(whole)
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in _lines(whole)]
        if events and not self._opened:
            self._open()
        for start in range(0, len(events), _BATCH):
            self._logs.put_log_events(
                logGroupName=self._group, logStreamName=self._stream, logEvents=events[start : start + _BATCH]
            )

    def _open(self) -> None:
        with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_group(logGroupName=self._group)
        self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        self._opened = True


def _lines(text: bytes) -> Iterator[str]:
    """Lines that say something (an event must have a message), in pieces that an event can hold."""
    for line in text.splitlines():
        for start in range(0, len(line), _LONGEST):
            piece = line[start : start + _LONGEST].decode("utf-8", "replace")
            if piece.strip():
                yield piece
