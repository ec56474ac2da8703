"""What a build prints, sent to CloudWatch Logs while it runs: real calls, as the service role.

Source: User Guide, "View detailed build information" and ProjectSource's LogsConfig: group /aws/codebuild/PROJECT and
stream ID unless the project says otherwise, where a stream name is a prefix. What is hidden: "Buildspec syntax", env.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.codebuild.failures import PhaseFailed
from sandbox.codebuild.store import Build, now

_PERIOD = 0.1  # seconds between two looks at what was printed
_LONGEST = 256 * 1024 - 26  # bytes of an event (CloudWatch Logs User Guide, "CloudWatch Logs quotas")
_BATCH, _BATCH_BYTES = 1_000, 1_000_000
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


def place(build: Build) -> tuple[str, str] | None:
    """Group and stream, or None where the project wants no log there."""
    config = (build.settings.get("logsConfig") or {}).get("cloudWatchLogs") or {}
    if config.get("status") == "DISABLED":
        return None
    prefix = config.get("streamName")
    return config.get("groupName") or f"/aws/codebuild/{build.project}", (f"{prefix}/" if prefix else "") + build.uuid


class BuildLog:
    """file: where commands print to. client: of CloudWatch Logs, as the role; None for no log there."""

    def __init__(self, file: Path, client: Any, build: Build) -> None:
        self.file = file
        file.touch()
        self._client, self._build = client, build
        self._hidden: list[str] = []
        self._sent = 0
        self._lock = Lock()
        self._over = Event()
        self._thread: Thread | None = None

    def open(self) -> None:
        """Make the stream, and the group if it is not there. Raises PhaseFailed with ACCESS_DENIED, as users of
        CodeBuild quote it: such a build gets no further."""
        where = place(self._build)
        if where is None or self._client is None:
            return
        group, stream = where
        try:
            try:
                self._client.create_log_stream(logGroupName=group, logStreamName=stream)
            except self._client.exceptions.ResourceNotFoundException:
                with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):
                    self._client.create_log_group(logGroupName=group)
                self._client.create_log_stream(logGroupName=group, logStreamName=stream)
        except (ClientError, BotoCoreError) as error:
            told = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
            raise PhaseFailed(
                "ACCESS_DENIED",
                f"Service role {self._build.settings['serviceRole']} does not allow AWS CodeBuild to create Amazon "
                f"CloudWatch Logs log streams for build {self._build.arn}. Error message: {told}",
            ) from error
        self._build.log_group, self._build.log_stream = group, stream
        self._thread = Thread(target=self._ship, name=f"log of {self._build.id}", daemon=True)
        self._thread.start()

    def hide(self, values: Iterable[str]) -> None:
        """Show these as `***` from now on."""
        self._hidden = sorted({*self._hidden, *(value for value in values if value.strip())}, key=len, reverse=True)

    def say(self, text: str) -> None:
        """A line of CodeBuild's own; more than one for a command that has more."""
        text = text.rstrip("\n")
        with self._lock, self.file.open("ab") as file:
            file.write(f"[Container] {now():%Y/%m/%d %H:%M:%S.%f} {text}\n".encode())

    def close(self) -> None:
        """Send what is left."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _ship(self) -> None:
        """A role that may not write its log costs the build its log, and nothing else."""
        with contextlib.suppress(ClientError, BotoCoreError, OSError):
            while not self._over.wait(_PERIOD):
                self._send(last=False)
            self._send(last=True)

    def _send(self, *, last: bool) -> None:
        with self.file.open("rb") as file:
            file.seek(self._sent)
            new = file.read()
        whole = new if last else new[: new.rfind(b"\n") + 1]
        self._sent += len(whole)
        batch: list[dict[str, Any]] = []
        size = 0
        for message in self._messages(whole):
            if len(batch) == _BATCH or size + len(message.encode()) > _BATCH_BYTES:
                self._put(batch)
                batch, size = [], 0
            batch.append({"timestamp": int(time.time() * 1000), "message": message})
            size += len(message.encode()) + 26
        if batch:
            self._put(batch)

    def _put(self, batch: list[dict[str, Any]]) -> None:
        build = self._build
        self._client.put_log_events(logGroupName=build.log_group, logStreamName=build.log_stream, logEvents=batch)

    def _messages(self, text: bytes) -> Iterator[str]:
        """A line each, with the newline that real events of CodeBuild have."""
        for line in text.splitlines():
            for start in range(0, max(len(line), 1), _LONGEST):
                yield self._shown(line[start : start + _LONGEST].decode("utf-8", "replace")) + "\n"

    def _shown(self, line: str) -> str:
        for value in self._hidden:
            line = line.replace(value, "***")
        return _ACCESS_KEY.sub("***", line)
