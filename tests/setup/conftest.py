"""What the tests of setup, teardown and doctor share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter
from stage import Account, Clone

from sandbox.server import Sandbox

TEMPLATE = Path(__file__).resolve().parents[2]
OWNER = "vision@hospital.org"  # not the example: that one is warned about


@pytest.fixture
def account(aws: Sandbox) -> Account:
    """The sandbox's account, empty."""
    return Account(aws)


@pytest.fixture(scope="module")
def stage(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """One champion-challenger repository for many commands."""
    folder = tmp_path_factory.mktemp("stage")
    answers = {"scenario": "champion-challenger", "owner": OWNER}
    path = cookiecutter(
        str(TEMPLATE), no_input=True, default_config=True, output_dir=str(folder), extra_context=answers
    )
    clone = Clone(Path(path), Account(running_sandbox), folder)
    yield clone
    clone.close()


@pytest.fixture
def clone(stage: Clone, aws: Sandbox) -> Clone:
    """The repository of the stage as it was generated, and an empty account."""
    stage.restore()
    aws.set_faults([])
    return stage
