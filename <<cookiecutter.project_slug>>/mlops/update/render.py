"""Rendering releases of the template, each in a process of its own, at the same time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


def render(renderings: Sequence[Rendering], scratch: Path) -> list[Path]:
    """Render into folders below `scratch` and return them. No hook runs, and nothing outside of `scratch` is written.

    Raises:
        AnswerRefused: by one of the templates.
        Problem: Cookiecutter is missing.
    """
    if find_spec("cookiecutter") is None:
        raise Problem(f"an update renders with Cookiecutter; install it: {sys.executable} -m pip install cookiecutter")
    workers: list[subprocess.Popen[str]] = []
    try:
        workers.extend(_start(rendering, scratch) for rendering in renderings)
        return [_result(rendering, worker) for rendering, worker in zip(renderings, workers, strict=True)]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _start(rendering: Rendering, scratch: Path) -> subprocess.Popen[str]:
    output = tempfile.mkdtemp(prefix="render-", dir=scratch)
    wish = {"template": str(rendering.template), "output": output, "answers": dict(rendering.answers)}
    return subprocess.Popen(
        [sys.executable, "-P", str(WORKER), json.dumps(wish)],
        # Cookiecutter notes in a person's home what it rendered: here it finds an empty one.
        env=os.environ | {"HOME": output, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _result(rendering: Rendering, worker: subprocess.Popen[str]) -> Path:
    try:
        printed, reason = worker.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Problem(f"the template {rendering.name} was not rendered within {TIMEOUT} s") from None
    if worker.returncode:
        lines = reason.strip().splitlines() or [f"it ended with code {worker.returncode}"]
        raise AnswerRefused(f"the template {rendering.name} cannot be rendered: {lines[-1]}")
    return Path(printed.splitlines()[-1])
