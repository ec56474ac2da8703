"""The definitions that the tests of this folder look at."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mlops.definition.parameters import Structure, defaults
from tests.conftest import SOURCE
from tests.pipeline.cases import CASES

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def built() -> dict[str, dict[str, Any]]:
    """The definition of each case, its parameters with the defaults that the settings give."""
    definitions = build({name: asdict(Structure.of(case)) for name, case in CASES.items()})
    for name, definition in definitions.items():
        values = defaults(CASES[name])
        for parameter in definition["Parameters"]:
            if parameter["Name"] in values:
                parameter["DefaultValue"] = values[parameter["Name"]]
    return definitions


def build(structures: dict[str, Any], **environment: str) -> dict[str, dict[str, Any]]:
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    done = subprocess.run(
        [sys.executable, HERE / "build_definitions.py"],
        input=json.dumps(structures),
        env={**os.environ, "PYTHONPATH": str(SOURCE), "SAGEMAKER_VALIDATE_ROLE": "false", **variables, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return result
