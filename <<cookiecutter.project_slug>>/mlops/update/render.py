"""Rendering releases of the template, each in a process of its own, at the same time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from mlops.problem import Problem

WORKER = Path(__file__).with_name("render_worker.py")
TIMEOUT = 300  # seconds; a render takes one


@dataclass(frozen=True)
class Rendering:
    """What to render: a release's name for messages, the folder of its template, and the answers."""

    name: str
    template: Path
    answers: Mapping[str, Any]


class AnswerRefused(Problem):
    """The template does not take an answer; says which and why."""


class Renderer:
    """A process that renders once. It imports Cookiecutter while this one unpacks the template.

    No hook runs, and nothing outside of the scratch folder is written.
    """

    def __init__(self, scratch: Path) -> None:
        """Start it.

        Raises:
            Problem: Cookiecutter is missing.
        """
        if find_spec("cookiecutter") is None:
            raise Problem(
                f"an update renders with Cookiecutter; install it: {sys.executable} -m pip install cookiecutter"
            )
        self._output = tempfile.mkdtemp(prefix="render-", dir=scratch)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            # Cookiecutter notes in a person's home what it rendered: here it finds an empty one.
            env=os.environ | {"HOME": self._output, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, rendering: Rendering) -> None:
        """Let it render, and go on meanwhile."""
        self._name = rendering.name
        wish = {"template": str(rendering.template), "output": self._output, "answers": dict(rendering.answers)}
        assert self._process.stdin  # noqa: S101
        with suppress(BrokenPipeError), self._process.stdin as stdin:  # if it has ended, `result` says why
            json.dump(wish, stdin)
        self._process.stdin = None  # or `communicate` would flush what is closed

    def result(self) -> Path:
        """Wait for the render, and return its folder.

        Raises:
            AnswerRefused: by the template.
            Problem: it takes too long.
        """
        try:
            printed, reason = self._process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Problem(f"the template {self._name} was not rendered within {TIMEOUT} s") from None
        if self._process.returncode:
            lines = reason.strip().splitlines() or [f"it ended with code {self._process.returncode}"]
            raise AnswerRefused(f"the template {self._name} cannot be rendered: {lines[-1]}")
        return Path(printed.splitlines()[-1])
