"""The definition: what SageMaker users expect of it, and what AWS's own model of its API demands."""

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape
from cookiecutter.main import cookiecutter

from mlops.cloud.account_stack import AccountStack
from mlops.cloud.organisation import with_organisation
from mlops.definition.metadata import known_metadata
from mlops.definition.parameters import GIVEN, Structure, defaults
from mlops.laptop import store
from mlops.problem import Problem
from mlops.runner import graph
from mlops.runner.expressions import Values, parameter_values
from mlops.settings import Settings, check
from sandbox.shapes import violations
from tests.conftest import SOURCE, TEMPLATE, Repository

HERE = Path(__file__).parent

BASE: dict[str, Any] = {
    "project": {"name": "Tumor Diagnosis", "slug": "tumor-diagnosis", "owner": "a@b.c"},
    "model": {"task": "classification", "framework": "scikit-learn"},
    "serving": "realtime",
    "scenario": "baseline",
    "source_control": {"host": "codecommit", "repository": "tumor-diagnosis"},
    "data": {"path": "data/x.csv", "target": "y"},
    "training": {"hyperparameters": {"max_depth": 8, "learning_rate": 0.1, "warm_start": False, "criterion": "gini"}},
    "evaluation": {"metric": "auc", "threshold": 0.9},
    "environments": {name: {"account": None, "region": "us-east-1"} for name in ("feature", "dev", "prod")},
}


def settings(**changes: Any) -> Settings:
    """Settings with sections changed."""
    content = json.loads(json.dumps(BASE))
    for section, values in changes.items():
        content[section] = content.get(section, {}) | values
    return check(content, "mlops.yaml")


def in_region(region: str) -> dict[str, Any]:
    return {name: {"account": None, "region": region} for name in ("feature", "dev", "prod")}


CASES: dict[str, Settings] = {
    f"{task}, {framework}": settings(
        model={"task": task, "framework": framework},
        evaluation={"metric": "auc" if task == "classification" else "rmse"},
    )
    for task, framework in itertools.product(("classification", "regression"), ("scikit-learn", "xgboost"))
} | {
    "data check off": settings(data_check={"mode": "off"}),
    "comparison off": settings(evaluation={"comparison": {"gate": "off"}}),
    "data check and comparison off": settings(data_check={"mode": "off"}, evaluation={"comparison": {"gate": "off"}}),
    "China": settings(environments=in_region("cn-north-1")),
    "GovCloud": settings(environments=in_region("us-gov-west-1"), model={"framework": "xgboost"}),
    "no retries, no reuse, all hyperparameters that fit": settings(
        pipeline={"retries": 0, "cache_days": 0},
        training={"hyperparameters": {f"p{number}": "x" * 235 for number in range(60)}},
    ),
    "own containers": settings(
        model={"image_uri": "registry.example/serve:1"},
        jobs={
            "default": {"volume_gb": 50},
            "preprocess": {"image_uri": "registry.example/prepare@sha256:" + "0" * 64},
            "train": {"image_uri": "registry.example/train:1", "max_minutes": 90},
        },
    ),
    "no hyperparameters": settings(training={"hyperparameters": {}}),
}
USUAL = "classification, scikit-learn"


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


GIVEN_VALUES = {name: f"s3://bucket/{name}/" for name in GIVEN if name.endswith("Uri")} | {
    "JobRole": "arn:aws:iam::123456789012:role/mlops-tumor-diagnosis-nonprod-job",
    "ModelPackageGroup": "tumor-diagnosis-dev",
    "Commit": "0" * 40,
    "Branch": "feature/x",
    "DatasetVersion": "0" * 64,
    "TemplateVersion": "0.2.0",
}
REQUESTS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "pipelines-x"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "pipelines-x"}),
    "RegisterModel": ("CreateModelPackage", {}),
}


def requests(definition: dict[str, Any], folder: Path) -> Iterator[tuple[graph.Step, Any]]:
    """Yield each step with its arguments as SageMaker would send them, every variable replaced."""
    steps = graph.read(definition)
    values = Values(parameter_values(definition["Parameters"], GIVEN_VALUES), {"PipelineExecutionId": "abcdefghijkl"})
    comparison = {"verdict": "passed", "value": 0.98, "message": "auc is 0.98", "lineage": f"{'f' * 64}.json"}
    (folder / "comparison.json").write_text(json.dumps(comparison))
    for step in steps.values():
        arguments = values.resolve(step.arguments)
        values.properties[step.name] = {
            **arguments,
            "ModelArtifacts": {"S3ModelArtifacts": "s3://b/Train/model.tar.gz"},
        }
        for name, (_, file) in step.property_files.items():
            values.property_files[step.name, name] = folder / file
        yield step, arguments


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
@pytest.mark.slow
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
@pytest.mark.slow
def test_every_request_is_what_the_api_takes(case: str, built: dict[str, Any], tmp_path: Path) -> None:
    found = checked(built[case], tmp_path)
    expected = ["CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare", "Register"]
    left_out = {"CheckData"} if "data check" in case else set()
    left_out |= {"EvaluateCurrent"} if "comparison" in case else set()
    assert sorted(found) == sorted(set(expected) - left_out)


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


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_knows_no_account_bucket_role_or_time(case: str, built: dict[str, Any]) -> None:
    for text in texts([built[case]["Parameters"], built[case]["Steps"]]):
        assert "s3://" not in text
        assert not text.startswith("arn:")
        assert "given-at-run-time" not in text
        assert not re.search(r"20\d\d-\d\d-\d\d|\d{10,}", text) or ".dkr.ecr." in text or "@sha256:" in text, text


BUILD = """
from mlops.definition.build import definition
from mlops.settings import load_settings
definition(load_settings())
"""


@pytest.mark.slow
def test_it_is_the_same_bytes_in_two_clean_folders(clean_machine: None, tmp_path: Path) -> None:
    """Whoever builds it, wherever: it is found again by its hash, and an update of the pipeline shows real changes."""
    found = []
    for place, user in (("here", "ann"), ("some/where else", "ben")):
        folder = tmp_path / place
        cookiecutter(str(TEMPLATE), no_input=True, default_config=True, output_dir=str(folder))
        repository = Repository(
            folder / "tumor-diagnosis", {"HOME": str(folder), "USER": user, "PYTHONHASHSEED": "random"}
        )
        repository.run(sys.executable, "-c", BUILD, AWS_ACCESS_KEY_ID=user, AWS_PROFILE=user, AWS_REGION="eu-west-1")
        built = repository.path / ".mlops" / "definitions"
        found.append({name: file.read_bytes() for name, file in store.files_in(built).items()})
    assert found[0] == found[1]
    names = {name.partition("/")[2] for name in found[0]}
    assert {"definition.json", "training_driver/sourcecode.json", "training_driver/sm_train.sh"} <= names


@pytest.mark.slow
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


@pytest.mark.slow
def test_every_parameter_is_used_or_given_for_the_steps_of_the_team(built: dict[str, Any]) -> None:
    definition = built[USUAL]
    used = {text.removeprefix("Parameters.") for text in texts(definition["Steps"]) if text.startswith("Parameters.")}
    declared = {parameter["Name"] for parameter in definition["Parameters"]}
    assert declared - used == {"ModelCodeUri"}
    assert used <= declared


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_partitions_have_their_own_registries(built: dict[str, Any], tmp_path: Path) -> None:
    images = {}
    for case in (USUAL, "China", "GovCloud"):
        arguments = {step.name: resolved for step, resolved in requests(built[case], tmp_path)}
        images[case] = arguments["Train"]["AlgorithmSpecification"]["TrainingImage"]
    assert ".us-east-1.amazonaws.com/" in images[USUAL]
    assert ".cn-north-1.amazonaws.com.cn/" in images["China"]
    assert images["GovCloud"].endswith(".us-gov-west-1.amazonaws.com/sagemaker-xgboost:3.2-0")


@pytest.mark.slow
def test_hyperparameters_reach_training_as_parameters(built: dict[str, Any], tmp_path: Path) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}
    texts = {"max_depth": "8", "learning_rate": "0.1", "warm_start": "false", "criterion": "gini"}
    assert arguments["Train"]["HyperParameters"] == texts


@pytest.mark.slow
def test_a_registered_version_says_where_it_comes_from(built: dict[str, Any], tmp_path: Path) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}
    metadata = arguments["Register"]["CustomerMetadataProperties"]
    assert metadata["commit"] == "0" * 40
    assert metadata["execution"] == "abcdefghijkl"
    assert metadata["metric_auc"] == "0.98"
    assert metadata["lineage_uri"] == f"s3://bucket/ArtifactsUri//abcdefghijkl/Compare/lineage/{'f' * 64}.json"
    assert set(metadata) == {
        "branch", "commit", "dataset_uri", "dataset_version", "execution", "lineage_uri", "metric_auc", "settings_uri",
        "template_version",
    }  # fmt: skip
    assert arguments["Refused"]["ErrorMessage"] == "auc is 0.98"


@pytest.mark.slow
def test_what_a_version_is_registered_with_is_what_was_checked_before_the_run(
    built: dict[str, Any], tmp_path: Path
) -> None:
    """A key that only the definition knows would be refused after training."""
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}
    registered = arguments["Register"]["CustomerMetadataProperties"]
    known = known_metadata(GIVEN_VALUES, "auc")
    assert known.keys() == registered.keys()
    assert {key: len(known[key]) for key in ("lineage_uri", "execution")} == {
        key: len(registered[key]) for key in ("lineage_uri", "execution")
    }
    exact = known.keys() - {"lineage_uri", "execution", "metric_auc"}
    assert {key: known[key] for key in exact} == {key: registered[key] for key in exact}


@pytest.mark.slow
def test_a_registered_version_has_its_scores_baselines_and_sample_payload(
    built: dict[str, Any], tmp_path: Path
) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}["Register"]
    folder = "s3://bucket/ArtifactsUri//abcdefghijkl"

    def source(place: str) -> dict[str, Any]:
        return {"Statistics": {"ContentType": "application/json", "S3Uri": f"{folder}/{place}"}}

    scores = source("Evaluate/evaluation/evaluation.json")
    assert arguments["ModelMetrics"]["ModelQuality"] == scores
    rows = source("Compare/lineage/baseline.json")
    assert arguments["DriftCheckBaselines"] == {"ModelQuality": scores, "ModelDataQuality": rows}
    assert arguments["SamplePayloadUrl"] == "s3://bucket/SamplePayloadUri/"
    assert arguments["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv", "application/json"]


@pytest.mark.slow
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


@pytest.mark.slow
def test_steps_that_read_the_data_run_again_when_other_data_lie_in_the_same_place(built: dict[str, Any]) -> None:
    for step in graph.read(built[USUAL]).values():
        inputs = step.arguments.get("ProcessingInputs", [])
        if any(entry["S3Input"]["S3Uri"] == {"Get": "Parameters.DataUri"} for entry in inputs):
            assert step.arguments["Environment"] == {"DATASET_VERSION": {"Get": "Parameters.DatasetVersion"}}
            continue
        assert "Environment" not in step.arguments or step.type == "Training"


@pytest.mark.slow
def test_compare_is_told_what_the_lineage_holds(
    built: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SOURCE / "mlops" / "jobs"))
    import compare  # type: ignore[import-not-found]

    arguments = {step.name: resolved for step, resolved in requests(built["own containers"], tmp_path)}["Compare"]
    told = compare.parse_arguments(arguments["AppSpecification"]["ContainerArguments"])
    assert told.hyperparameter == ["max_depth=8", "learning_rate=0.1", "warm_start=false", "criterion=gini"]
    assert (told.image, told.image_digest) == ("registry.example/train:1", "unknown")
    assert (told.dataset_uri, told.dataset_version) == ("s3://bucket/DataUri/", "0" * 64)
    assert (told.validation_fraction, told.test_fraction, told.seed) == (0.2, 0.2, 42)
    kept = {output["OutputName"]: output["S3Output"] for output in arguments["ProcessingOutputConfig"]["Outputs"]}
    assert str(told.lineage_dir) == kept["lineage"]["LocalPath"]
    laid = {entry["InputName"]: entry["S3Input"] for entry in arguments["ProcessingInputs"]}
    assert str(told.model_dir) == laid["model"]["LocalPath"]
    assert laid["model"]["S3Uri"] == "s3://b/Train/model.tar.gz"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_container_arguments_are_within_the_limits(case: str, built: dict[str, Any], tmp_path: Path) -> None:
    # CreateProcessingJob, AppSpecification: at most 100 arguments of at most 256 characters.
    for step, arguments in requests(built[case], tmp_path):
        if step.type == "Processing":
            words = arguments["AppSpecification"]["ContainerArguments"]
            assert len(words) <= 100
            assert all(isinstance(word, str) and 0 < len(word) <= 256 for word in words)


def test_a_hyperparameter_cannot_take_the_name_of_a_parameter() -> None:
    with pytest.raises(Problem, match="the hyperparameter 'Seed' has the name of a parameter of the pipeline"):
        defaults(settings(training={"hyperparameters": {"Seed": 1}}))


def test_hyperparameters_that_do_not_fit_into_the_lineage_are_refused_before_the_run() -> None:
    # One argument each: "--hyperparameter=layers=" takes 24 of its 256 characters.
    defaults(settings(training={"hyperparameters": {"layers": "x" * 232}}))
    too_long = r"^the hyperparameter 'layers' is 1 characters too long for the lineage of a version, name and value"
    for text in ("x" * 233, "x" * 231 + "🧪"):
        with pytest.raises(Problem, match=too_long):
            defaults(settings(training={"hyperparameters": {"layers": text}}))
    defaults(settings(training={"hyperparameters": {f"p{number}": number for number in range(60)}}))
    with pytest.raises(Problem, match=r"^there are 61 hyperparameters; the lineage of a version holds 60: keep"):
        defaults(settings(training={"hyperparameters": {f"p{number}": number for number in range(61)}}))


def test_a_value_changes_no_structure_but_a_structural_setting_does() -> None:
    usual = Structure.of(CASES[USUAL])
    values = settings(
        data={"target": "z", "seed": 7, "test_fraction": 0.3, "path": "data/y.parquet"},
        training={"hyperparameters": BASE["training"]["hyperparameters"] | {"max_depth": 3}},
        evaluation={"threshold": 0.1, "gate": "warn"},
        jobs={"train": {"instance_type": "ml.m5.4xlarge"}},
    )
    assert Structure.of(values) == usual
    for change in (
        {"training": {"hyperparameters": {"other": 1}}},
        {"data_check": {"mode": "off"}},
        {"evaluation": {"metric": "f1"}},
        {"jobs": {"train": {"image_uri": "registry.example/x:1"}}},
        {"environments": in_region("eu-west-1")},
        {"pipeline": {"retries": 5}},
    ):
        assert Structure.of(settings(**change)) != usual
