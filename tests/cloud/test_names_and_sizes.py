"""Names of pipelines, sizes for people, and what is known of instance types."""

import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.cloud.instances import has_local_storage
from mlops.cloud.sizes import size
from mlops.names import pipeline_name
from mlops.settings import EnvironmentName
from sandbox.sagemaker.jobs.checks import _LOCAL_STORAGE

PIPELINE = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")  # CreatePipeline, PipelineName


@pytest.mark.parametrize(("environment", "name"), [("dev", "demo-dev"), ("prod", "demo-prod")])
def test_dev_and_prod_have_one_pipeline_whatever_the_branch(environment: EnvironmentName, name: str) -> None:
    assert {pipeline_name("demo", environment, branch) for branch in ("dev", "main", None)} == {name}


def test_a_feature_branch_is_recognised_in_its_pipelines_name() -> None:
    assert re.fullmatch("demo-feature-depth-[0-9a-f]{8}", pipeline_name("demo", "feature", "feature-depth"))


@given(st.text(min_size=1, max_size=300))
def test_any_branch_has_a_legal_name(branch: str) -> None:
    name = pipeline_name("a" * 32, "feature", branch)
    assert PIPELINE.fullmatch(name)
    assert len(name) <= 32 + 9 + 32 + 9


@given(
    st.lists(st.sampled_from(["feature-a", "feature/a", "feature-A", "feature-a-", "x" * 90, "x" * 91]), unique=True)
)
def test_two_branches_never_share_a_pipeline(branches: list[str]) -> None:
    assert len({pipeline_name("demo", "feature", branch) for branch in branches}) == len(branches)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (382_900, "382.9 kB"),
        (2_340_000, "2.3 MB"),
        (7 * 10**12, "7000.0 GB"),
    ],
)
def test_sizes_are_readable(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("instance_type", "disks"),
    [
        ("ml.m5.large", False),
        ("ml.c5.xlarge", False),
        ("ml.p3.2xlarge", False),
        ("ml.c5n.xlarge", False),
        ("ml.m7i-flex.large", False),
        ("ml.inf2.xlarge", False),
        ("ml.r5d.large", True),
        ("ml.g4dn.xlarge", True),
        ("ml.p3dn.24xlarge", True),
        ("ml.p4de.24xlarge", True),
        ("ml.g5.xlarge", True),
        ("ml.trn1.2xlarge", True),
        ("ml.p6-b200.48xlarge", True),
    ],
)
def test_disks_of_its_own_are_told_by_the_family(instance_type: str, disks: bool) -> None:
    """EC2 User Guide, "Instance store volumes"."""
    assert has_local_storage(instance_type) is disks


def test_product_and_sandbox_judge_every_instance_type_alike() -> None:
    """Each has a list of its own; a type that one of them does not know would fail here."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    shapes = ("TrainingInstanceType", "ProcessingInstanceType", "TransformInstanceType")
    types = {instance_type for shape in shapes for instance_type in model.shape_for(shape).enum}
    assert {one for one in types if has_local_storage(one)} == {
        one for one in types if one.split(".")[1] in _LOCAL_STORAGE
    }
