"""Which version a new model is held against."""

import pytest

from mlops.cloud.current_version import current_version
from sandbox.server import Sandbox
from tests.cloud.registry import FilledRegistry

pytestmark = pytest.mark.slow
GROUP = "tumor-diagnosis-dev"


@pytest.fixture(autouse=True)
def _in_the_sandbox(aws: Sandbox, monkeypatch: pytest.MonkeyPatch, filled: FilledRegistry) -> None:
    monkeypatch.setattr("mlops.aws.client", lambda *_: filled.sagemaker)


def test_the_newest_approved_version_however_many_wait_since(
    registry: FilledRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a page of them: SageMaker answers an empty page then, and a token."""
    monkeypatch.setattr("mlops.cloud.current_version.PAGE", 2)
    registry.register(GROUP, ModelApprovalStatus="Approved")
    for _ in range(5):
        registry.register(GROUP)
    found = current_version("tumor-diagnosis", "dev", "us-east-1")
    assert found
    assert found.number == 1


def test_none_before_one_is_approved(registry: FilledRegistry) -> None:
    registry.register(GROUP)
    assert current_version("tumor-diagnosis", "dev", "us-east-1") is None
