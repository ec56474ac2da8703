"""The requests of a definition are ones that AWS takes: held against AWS's own model of its API."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape

from mlops.cloud.account_stack import AccountStack
from mlops.cloud.organisation import with_organisation
from mlops.definition.parameters import defaults
from mlops.runner.expressions import parameter_values
from sandbox.shapes import violations
from tests.pipeline.cases import CASES, GIVEN_VALUES, requests

pytestmark = pytest.mark.slow
REQUESTS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "pipelines-x"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "pipelines-x"}),
    "RegisterModel": ("CreateModelPackage", {}),
}
# An organisation that prescribes all it can, and as much of it as `make account` takes.
KEY = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-" + "0" * 32
DEMANDING = AccountStack(
    version="0.4.0",
    interface=1,
    bucket="b" * 63,
    kms_key=KEY,
    registration_function="mlops-account-register",
    role_path="/mlops/",
    subnets=tuple(f"subnet-{number:017x}" for number in range(16)),
    security_groups=tuple(f"sg-{number:017x}" for number in range(5)),
    tags={f"{number:02}{'k' * 126}": "v" * 256 for number in range(40)},
    package_index="https://" + "i" * 248,
)
OWN_TAGS = {f"mlops:{name}": "x" * 256 for name in ("project", "environment", "owner", "template")}


def checked(definition: dict[str, Any], folder: Path) -> list[str]:
    """The steps that call an API; each was held against the API's own model."""
    service = botocore.session.get_session().get_service_model("sagemaker")
    names = []
    for step, arguments in requests(definition, folder):
        if step.type not in REQUESTS:
            continue
        operation, name = REQUESTS[step.type]
        shape = service.operation_model(operation).input_shape
        assert isinstance(shape, StructureShape)
        assert violations(shape, arguments | name) == []  # an unknown member raises
        names.append(step.name)
    return names


@pytest.mark.parametrize("case", CASES)
def test_every_request_is_still_one_with_what_an_organisation_lays_over_it(
    case: str, built: dict[str, Any], tmp_path: Path
) -> None:
    """And the definition is one that CreatePipeline takes."""
    values = parameter_values(built[case]["Parameters"], GIVEN_VALUES)
    definition = with_organisation(built[case], DEMANDING, OWN_TAGS, values)
    assert checked(definition, tmp_path) == checked(built[case], tmp_path)
    assert len(json.dumps(definition)) <= 1048576  # CreatePipeline, PipelineDefinition
    for name, _ in defaults(CASES[case]).items():
        assert re.fullmatch(r"[A-Za-z0-9\-_]{1,256}", name)  # StartPipelineExecution, PipelineParameters
    assert len(definition["Parameters"]) <= 200


@pytest.mark.parametrize("case", CASES)
def test_every_request_is_what_the_api_takes(case: str, built: dict[str, Any], tmp_path: Path) -> None:
    found = checked(built[case], tmp_path)
    expected = ["CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare", "Register"]
    left_out = {"CheckData"} if "data check" in case else set()
    left_out |= {"EvaluateCurrent"} if "comparison" in case else set()
    assert sorted(found) == sorted(set(expected) - left_out)


@pytest.mark.parametrize("case", CASES)
def test_container_arguments_are_within_the_limits(case: str, built: dict[str, Any], tmp_path: Path) -> None:
    # CreateProcessingJob, AppSpecification: at most 100 arguments of at most 256 characters.
    for step, arguments in requests(built[case], tmp_path):
        if step.type == "Processing":
            words = arguments["AppSpecification"]["ContainerArguments"]
            assert len(words) <= 100
            assert all(isinstance(word, str) and 0 < len(word) <= 256 for word in words)
