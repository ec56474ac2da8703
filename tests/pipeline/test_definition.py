"""The definition: what SageMaker users expect of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.runner import graph
from tests.pipeline.cases import CASES, USUAL, requests

pytestmark = pytest.mark.slow


def texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)
    elif isinstance(part, str):
        yield part


@pytest.mark.parametrize("case", CASES)
def test_it_knows_no_account_bucket_role_or_time(case: str, built: dict[str, Any]) -> None:
    for text in texts([built[case]["Parameters"], built[case]["Steps"]]):
        assert "s3://" not in text
        assert not text.startswith("arn:")
        assert "given-at-run-time" not in text
        assert not re.search(r"20\d\d-\d\d-\d\d|\d{10,}", text) or ".dkr.ecr." in text or "@sha256:" in text, text


def test_every_script_is_started_so_that_sagemaker_shows_its_last_word(built: dict[str, Any]) -> None:
    """start.py leaves it as the ExitMessage; both lie in an input of the job."""
    steps = [step for step in graph.read(built[USUAL]).values() if step.type == "Processing"]
    assert len(steps) == 5
    for step in steps:
        python, start, script = step.arguments["AppSpecification"]["ContainerEntrypoint"]
        inputs = {
            entry["S3Input"]["LocalPath"]: entry["S3Input"]["S3Uri"] for entry in step.arguments["ProcessingInputs"]
        }
        assert python == "python3"
        assert start == "/opt/ml/processing/input/jobs/start.py"
        assert inputs["/opt/ml/processing/input/jobs"] == {"Get": "Parameters.JobScriptsUri"}
        assert script.rpartition("/")[0] in inputs


def test_every_parameter_is_used_or_given_for_the_steps_of_the_team(built: dict[str, Any]) -> None:
    definition = built[USUAL]
    used = {text.removeprefix("Parameters.") for text in texts(definition["Steps"]) if text.startswith("Parameters.")}
    declared = {parameter["Name"] for parameter in definition["Parameters"]}
    assert declared - used == {"ModelCodeUri"}
    assert used <= declared


def test_steps_wait_for_what_they_use_and_no_more(built: dict[str, Any]) -> None:
    steps = graph.read(built[USUAL])
    assert {name: set(step.waits_for) for name, step in steps.items()} == {
        "CheckData": set(),
        "Preprocess": set(),
        "Train": {"CheckData", "Preprocess"},
        "EvaluateCurrent": {"Preprocess"},
        "Evaluate": {"Preprocess", "Train"},
        "Compare": {"Evaluate", "EvaluateCurrent", "Train"},
        "Gate": {"Compare"},
        "Register": {"Gate", "Compare", "Evaluate", "Train"},
        "Refused": {"Gate", "Compare"},
    }


def test_jobs_are_reused_and_retried_as_the_settings_say(built: dict[str, Any]) -> None:
    for step in built[USUAL]["Steps"]:
        if step["Type"] in {"Processing", "Training"}:
            assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
            kinds = [kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]]
            service, job = ["Step.SERVICE_FAULT", "Step.THROTTLING"], ["SageMaker.JOB_INTERNAL_ERROR"]
            assert kinds == [*service, *job, "SageMaker.CAPACITY_ERROR"]
            assert {policy["MaxAttempts"] for policy in step["RetryPolicies"]} == {2}
    for step in built["no retries, no reuse, all hyperparameters that fit"]["Steps"]:
        assert not {"CacheConfig", "RetryPolicies"} & set(step)


def test_a_team_may_bring_its_own_containers_and_machines(built: dict[str, Any], tmp_path: Path) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built["own containers"], tmp_path)}
    assert arguments["Preprocess"]["AppSpecification"]["ImageUri"].startswith("registry.example/prepare@")
    assert arguments["Train"]["AlgorithmSpecification"]["TrainingImage"] == "registry.example/train:1"
    assert arguments["Train"]["StoppingCondition"]["MaxRuntimeInSeconds"] == 90 * 60
    assert arguments["Evaluate"]["AppSpecification"]["ImageUri"].endswith("sagemaker-scikit-learn:1.9-0-cpu-py3")
    assert arguments["Evaluate"]["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 50
    container = arguments["Register"]["InferenceSpecification"]["Containers"][0]
    assert container["Image"] == "registry.example/serve:1"
    assert container["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"


def test_partitions_have_their_own_registries(built: dict[str, Any], tmp_path: Path) -> None:
    images = {}
    for case in (USUAL, "China", "GovCloud"):
        arguments = {step.name: resolved for step, resolved in requests(built[case], tmp_path)}
        images[case] = arguments["Train"]["AlgorithmSpecification"]["TrainingImage"]
    assert ".us-east-1.amazonaws.com/" in images[USUAL]
    assert ".cn-north-1.amazonaws.com.cn/" in images["China"]
    assert images["GovCloud"].endswith(".us-gov-west-1.amazonaws.com/sagemaker-xgboost:3.2-0")


def test_hyperparameters_reach_training_as_parameters(built: dict[str, Any], tmp_path: Path) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}
    texts = {"max_depth": "8", "learning_rate": "0.1", "warm_start": "false", "criterion": "gini"}
    assert arguments["Train"]["HyperParameters"] == texts


@pytest.mark.parametrize("case", CASES)
def test_nothing_that_differs_between_executions_and_commits_goes_into_a_job(case: str, built: dict[str, Any]) -> None:
    """SageMaker's cache looks at what runs, its arguments, environment and inputs; where outputs go is no matter."""
    for step in graph.read(built[case]).values():
        if step.type in {"Processing", "Training"}:
            request = {name: part for name, part in step.arguments.items() if "Output" not in name}
            read = set(graph.references(request))
            assert not {path for path in read if path.startswith("Execution.")}, step.name
            names = ("Commit", "Branch", "TemplateVersion", "SettingsUri", "ModelPackageGroup", "ArtifactsUri")
            assert not read & {f"Parameters.{name}" for name in names}, step.name


def test_steps_that_read_the_data_run_again_when_other_data_lie_in_the_same_place(built: dict[str, Any]) -> None:
    for step in graph.read(built[USUAL]).values():
        inputs = step.arguments.get("ProcessingInputs", [])
        if any(entry["S3Input"]["S3Uri"] == {"Get": "Parameters.DataUri"} for entry in inputs):
            assert step.arguments["Environment"] == {"DATASET_VERSION": {"Get": "Parameters.DatasetVersion"}}
            continue
        assert "Environment" not in step.arguments or step.type == "Training"
