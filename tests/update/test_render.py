"""Renders are processes of their own, which begin before anybody knows what to render."""

import subprocess
import sys
from pathlib import Path

import pytest

from mlops.update import render
from mlops.update.render import AnswerRefused, Renderer, Rendering
from tests.conftest import SOURCE


def test_a_process_that_ends_before_it_was_told_what_to_do_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "worker.py"
    broken.write_text("raise ImportError('half of Cookiecutter is missing')\n", "utf-8")
    monkeypatch.setattr(render, "WORKER", broken)
    more_than_a_pipe_holds = {"owner": "x" * 2**20}
    with Renderer(tmp_path) as renderer:
        renderer.start(Rendering("1.1.0", tmp_path, more_than_a_pipe_holds))
        with pytest.raises(AnswerRefused) as refused:
            renderer.result()
    assert str(refused.value) == ("the template 1.1.0 cannot be rendered: ImportError: half of Cookiecutter is missing")


def test_a_process_that_is_not_needed_ends(tmp_path: Path) -> None:
    with Renderer(tmp_path) as renderer:
        pass
    assert renderer._process.returncode


def test_an_update_loads_no_library_of_aws() -> None:
    """A tenth of its time; only a pull request on CodeCommit needs one."""
    script = "import sys, mlops.cli, mlops.update.update, mlops.update.git_template; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=SOURCE, capture_output=True, text=True, check=True)
    assert not {"boto3", "botocore"} & set(done.stdout.split())
