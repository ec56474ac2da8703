"""A running `mlops serve`, and the repository that it was started in."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.sweeps import nightly

NONE: Mapping[str, str] = MappingProxyType({})
# By day two, which hold each task and each framework.
COMBINATIONS = [
    ("classification", "scikit-learn"),
    ("regression", "xgboost"),
    pytest.param("classification", "xgboost", marks=nightly),
    pytest.param("regression", "scikit-learn", marks=nightly),
]


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    content_type: str | None
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Server:
    """A running `mlops serve`."""

    process: "subprocess.Popen[str]"
    ready: str  # the line that it printed
    url: str
    log: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def ask(self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] = NONE) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = body.encode() if isinstance(body, str) else body
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheader("Content-Type"), answer.read())
        finally:
            connection.close()

    def invoke(self, body: bytes | str, content_type: str = "text/csv", accept: str = "application/json") -> Answer:
        return self.ask("POST", "/invocations", body, {"Content-Type": content_type, "Accept": accept})

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(10)


@dataclass(frozen=True)
class ModelRepository:
    """A generated repository in which commands run as its people run them."""

    path: Path

    def mlops(
        self, *arguments: str | Path, stdin: bytes = b"", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "mlops", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.path, env={**os.environ, **environment}, input=stdin, capture_output=True, timeout=120
        )
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def refusal(self, *arguments: str | Path, stdin: bytes = b"", **environment: str) -> str:
        """The one line with which a command fails."""
        done = self.mlops(*arguments, stdin=stdin, **environment)
        assert done.returncode == 1, done
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.rstrip("\n")

    @contextmanager
    def serving(self, *arguments: str | Path, **environment: str) -> Iterator[Server]:
        command = [sys.executable, "-m", "mlops", "serve", "--port", "0", *map(str, arguments)]
        process = subprocess.Popen(
            command,
            cwd=self.path,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        log: list[str] = []
        errors = process.stderr
        reader = threading.Thread(target=lambda: log.extend(errors))  # a full pipe would stop the server
        reader.start()
        try:
            ready = process.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+", ready)
            if not url:
                process.wait(10)
                reader.join(10)
                pytest.fail(f"no server: {ready}{''.join(log)}")
            yield Server(process, ready, url[0], log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(10)
            reader.join(10)
            process.stdout.close()
            errors.close()


@dataclass(frozen=True)
class Trained:
    """A repository, a model of its code, and the answers that it must give."""

    repository: ModelRepository
    archive: Path
    cases: list[dict[str, Any]]
    rows: list[str]  # of data/, as they stand there; the first names the columns


def predictions(answer: Answer) -> Any:
    """The predictions in an answer of JSON."""
    assert answer.status == 200, answer
    assert answer.content_type == "application/json"
    return json.loads(answer.body)["predictions"]
