"""The pipeline goes through, from the raw data to a registered version, in a copy of this repository."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mlops.definition.build import definition
from mlops.own_repository import ROOT
from mlops.settings import Settings

LARGE = 20_000_000  # bytes of data; `mlops run` itself is the test of more
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".mlops", ".*_cache", "__pycache__")

pytestmark = pytest.mark.skipif(
    find_spec("sagemaker") is None, reason="building the definition needs the SageMaker SDK"
)


@pytest.fixture(scope="module")
def runs(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The records of a first run, and of one with nothing changed. A model may fail the gate: that is another test."""
    if (ROOT / settings.data.path).stat().st_size > LARGE:
        pytest.skip(f"{settings.data.path} has more than {LARGE // 1_000_000} MB: mlops run takes minutes")
    definition(settings)  # is built here, and kept for later runs
    copy = tmp_path_factory.mktemp("pipeline") / ROOT.name
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    shutil.copytree(ROOT / ".mlops" / "definitions", copy / ".mlops" / "definitions")
    options = ["--json", "--set", "evaluation.gate=warn", "--set", "evaluation.comparison.gate=warn"]
    return [_run(copy, *options) for _ in range(2)]


def _run(folder: Path, *options: str) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "mlops", "run", *options]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {"folder": folder, **json.loads(done.stdout)}


def test_every_step_goes_through_and_a_version_is_registered(runs: list[dict[str, Any]]) -> None:
    first = runs[0]
    assert {step["name"]: step["reason"] for step in first["steps"] if step["reason"]} == {}
    assert first["version"] == 1
    assert (first["folder"] / ".mlops" / "runs" / "1" / "report.html").exists()


def test_the_model_brings_its_inference_code(runs: list[dict[str, Any]]) -> None:
    folder = runs[0]["folder"] / ".mlops" / runs[0]["outputs"]["Train"]["model"]
    with tarfile.open(folder / "model.tar.gz") as archive:
        assert "code/inference.py" in archive.getnames()


def test_with_nothing_changed_every_job_is_reused(runs: list[dict[str, Any]]) -> None:
    """One that never is has something new in its arguments each time; SageMaker could not reuse it either."""
    jobs = [step for step in runs[1]["steps"] if step["type"] in {"Processing", "Training"}]
    assert [step["name"] for step in jobs if not step["cached"]] == []


def test_the_definition_is_for_any_account(settings: Settings) -> None:
    """Account, bucket and role are parameters, so the same definition runs in every environment."""
    text = definition(settings).text
    assert not re.search(r"(?<![0-9.])\d{12}(?!\.dkr\.ecr|[0-9.])", text)
    assert not re.search(r"arn:aws[\w-]*:(iam|s3):", text)
