"""Executions: what runs, in which order, as whom, and what a failure leaves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.pipelines.conftest import BUCKET, Account
from tests.sandbox.pipelines.steps import (
    FOREVER,
    condition,
    create,
    fail,
    get,
    processing,
    register,
    run,
    steps_of,
    succeeded,
    training,
)

pytestmark = pytest.mark.slow

TRAIN = "open('model/weights', 'w').write('1')"


WRITE = "import json; json.dump({'auc': {'value': 0.9}}, open('output/out/scores.json', 'w'))"


SCORES = [{"PropertyFileName": "Scores", "OutputName": "out", "FilePath": "scores.json"}]


MODEL = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")


AUC = {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Scores"), "Path": "auc.value"}}


def whole(account: Account, **options: Any) -> list[dict[str, Any]]:
    """Train, evaluate, and register what is good enough."""
    evaluate = processing(account, "Evaluate", WRITE, outputs=["out"], inputs={"model": MODEL}, PropertyFiles=SCORES)
    train = training(account, "Train", TRAIN)
    for step in (train, evaluate):
        step.update(options)
    gate = condition("Gate", AUC, get("Parameters.Wanted"), [register("Register", MODEL)], [fail("Refused", "too bad")])
    return [train, evaluate, gate]


WANTED = [{"Name": "Wanted", "Type": "Float", "DefaultValue": 0.9}]


@pytest.fixture
def group(account: Account) -> None:
    account.sagemaker.create_model_package_group(ModelPackageGroupName="group")


@pytest.mark.usefixtures("group")
def test_a_pipeline_trains_and_registers_a_version(account: Account) -> None:
    create(account, *whole(account), parameters=WANTED)
    execution = run(account)
    assert succeeded(account, execution)
    arn = execution["PipelineExecutionArn"]
    assert re.fullmatch(r"arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/[a-z0-9]{12}", arn)
    identity = arn.rpartition("/")[2]
    steps = steps_of(account, execution)
    assert {name: step["StepStatus"] for name, step in steps.items()} == dict.fromkeys(
        ("Train", "Evaluate", "Gate", "Register"), "Succeeded"
    )
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"]
    assert re.fullmatch(rf"arn:.*:training-job/pipelines-{identity}-Train-[a-zA-Z0-9]{{10}}", job)
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    version = account.sagemaker.describe_model_package(
        ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert version["MetadataProperties"] == {"GeneratedBy": arn}
    uri = version["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert uri == f"s3://{BUCKET}/models/{job.rpartition('/')[2]}/output/model.tar.gz"
    assert account.keys("executions/") == [f"executions/{identity}/Evaluate/out/scores.json"]
    tags = account.sagemaker.list_tags(ResourceArn=job)["Tags"]
    assert tags == [{"Key": "sagemaker:pipeline-execution-arn", "Value": arn}]


@pytest.mark.usefixtures("group")
def test_every_step_is_a_call_of_the_pipeline_s_role(account: Account) -> None:
    create(account, *whole(account), parameters=WANTED)
    identity = run(account)["PipelineExecutionArn"].rpartition("/")[2]
    session = f"arn:aws:sts::123456789012:assumed-role/job/sagemaker-pipeline-{identity}"
    for operation, step in (
        ("CreateTrainingJob", "Train"),
        ("DescribeTrainingJob", "Train"),
        ("CreateProcessingJob", "Evaluate"),
        ("CreateModelPackage", "Register"),
    ):
        assert [call["role"] for call in account.calls(operation)] == [f"{session}-{step}"]
    resources = account.calls("CreateTrainingJob")[0]["resource"]
    assert [arn.split(":")[5].split("/")[0] for arn in resources] == ["training-job", "role"]


@pytest.mark.usefixtures("group")
def test_the_same_again_is_found_in_the_cache_of_the_pipeline(account: Account) -> None:
    steps = whole(account, CacheConfig=FOREVER)
    create(account, *steps, parameters=WANTED)
    first = run(account)
    second = run(account)
    assert succeeded(account, second)
    found = steps_of(account, second)
    source = {"SourcePipelineExecutionArn": first["PipelineExecutionArn"]}
    assert {name: step.get("CacheHitResult") for name, step in found.items()} == {
        "Train": source,
        "Evaluate": source,
        "Gate": None,
        "Register": None,
    }
    assert found["Train"]["Metadata"] == steps_of(account, first)["Train"]["Metadata"]
    assert len(account.calls("CreateTrainingJob")) == 1
    told = account.told("SageMaker Model Building Pipeline Execution Step Status Change")
    assert [event.get("cacheHitResult") for event in told if event["stepName"] == "Train"] == [
        *(None, None, None),
        {"sourcePipelineExecutionArn": first["PipelineExecutionArn"]},
    ]
    create(account, *steps, parameters=WANTED, name="other")  # "Step caching is only scoped for individual pipelines"
    assert "CacheHitResult" not in steps_of(account, run(account, "other"))["Train"]
    steps[0]["Arguments"]["HyperParameters"] = {"depth": "2"}
    create(account, *steps, parameters=WANTED)
    assert "CacheHitResult" not in steps_of(account, run(account))["Train"]


def test_a_step_of_an_execution_that_failed_is_not_reused(account: Account) -> None:
    """ "... successful when the run itself and the entire pipeline are both successful" (Caching pipeline steps)."""
    one = processing(account, "One", CacheConfig=FOREVER)
    create(account, one, condition("Gate", get("Parameters.Good"), "yes", [], [fail("No", "x")]) | {"DependsOn": ["One"]},
           parameters=[{"Name": "Good", "Type": "String"}])  # fmt: skip
    assert run(account, parameters={"Good": "no"})["PipelineExecutionStatus"] == "Failed"
    assert "CacheHitResult" not in steps_of(account, run(account, parameters={"Good": "yes"}))["One"]
    assert "CacheHitResult" in steps_of(account, run(account, parameters={"Good": "no"}))["One"]


@pytest.mark.usefixtures("group")
def test_a_fail_step_says_why(account: Account) -> None:
    create(account, *whole(account), parameters=WANTED)
    execution = run(account, parameters={"Wanted": "0.95"})
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = steps_of(account, execution)
    assert set(steps) == {"Train", "Evaluate", "Gate", "Refused"}  # what is not taken is not listed
    assert steps["Gate"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert steps["Refused"]["Metadata"] == {"Fail": {"ErrorMessage": "too bad"}}
    summary = account.sagemaker.list_pipeline_executions(PipelineName="p")["PipelineExecutionSummaries"][0]
    assert summary["PipelineExecutionFailureReason"] == execution["FailureReason"]


def test_a_job_that_fails_is_the_reason_of_its_step(account: Account) -> None:
    bad = training(account, "Train", "open('output/failure', 'w').write('no rows'); raise SystemExit(1)")
    create(account, bad, processing(account, "After", DependsOn=["Train"]))
    execution = run(account)
    steps = steps_of(account, execution)
    assert list(steps) == ["Train"]
    assert steps["Train"]["FailureReason"] == "ClientError: AlgorithmError: no rows, exit code: 1"
    last = account.told("SageMaker Model Building Pipeline Execution Step Status Change")[-1]
    assert (last["currentStepStatus"], last["failureReason"]) == ("Failed", steps["Train"]["FailureReason"])


def test_a_call_that_is_refused_is_the_reason_of_its_step(account: Account) -> None:
    create(account, processing(account, "One", arguments={"RoleArn": get("Parameters.Role")}),
           parameters=[{"Name": "Role", "Type": "String"}])  # fmt: skip
    execution = run(account, parameters={"Role": "arn:aws:iam::123456789012:role/none"})
    assert steps_of(account, execution)["One"]["FailureReason"].startswith(
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: Could not assume role arn:aws:iam::"
    )


LIMIT = "SageMaker.RESOURCE_LIMIT"


RETRY = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 30, "MaxAttempts": 2}


@pytest.mark.parametrize(
    ("fault", "operation", "policies", "times", "attempts", "status"),
    [
        ("throttling", "CreateProcessingJob", [RETRY], 2, 3, "Succeeded"),
        ("throttling", "CreateProcessingJob", [RETRY], 3, 3, "Failed"),
        ("throttling", "CreateProcessingJob", [RETRY | {"MaxAttempts": 0}], 1, 1, "Failed"),
        ("throttling", "CreateProcessingJob", [], 2, 3, "Succeeded"),  # "retries on this type of error automatically"
        ("server-error", "CreateProcessingJob", [], 1, 2, "Succeeded"),
        ("dropped", "CreateProcessingJob", [], 1, 1, "Succeeded"),
        ("dropped", "CreateProcessingJob", [], 2, 2, "Succeeded"),
        ("no-answer", "CreateProcessingJob", [], 1, 1, "Succeeded"),
        ("access-denied", "CreateProcessingJob", [RETRY], 1, 1, "Failed"),
        ("server-error", "GetObject", [], 3, 1, "Failed"),
        ("server-error", "GetObject", [RETRY | {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"]}], 3, 2, "Succeeded"),
    ],
)
def test_retry_policies(
    account: Account, fault: str, operation: str, policies: list[Any], times: int, attempts: int, status: str
) -> None:
    create(account, processing(account, "One", RetryPolicies=policies))
    service = "s3" if operation == "GetObject" else "sagemaker"
    account.sandbox.set_faults([{"service": service, "operation": operation, "fault": fault, "times": times}])
    execution = run(account)
    step = steps_of(account, execution)["One"]
    assert (step["AttemptCount"], execution["PipelineExecutionStatus"]) == (attempts, status)
    if fault == "no-answer":  # the job of the first call is the step's
        assert len(account.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]) == 1
    if fault == "access-denied":
        assert "is not authorized to perform: sagemaker:CreateProcessingJob" in step["FailureReason"]
    if operation == "GetObject" and status == "Failed":
        arn = execution["PipelineExecutionArn"]
        assert step["FailureReason"] == (
            "InternalServerError: We encountered an internal error. Please try again.\nRetry not appropriate on "
            f"execution of step with PipelineExecutionArn {arn} and StepId One. No retry policy configured for the "
            "exception type SAGEMAKER_JOB_INTERNAL_ERROR."
        )


@pytest.mark.parametrize(("policies", "attempts"), [([], 1), ([RETRY | {"ExceptionType": [LIMIT]}], 3)])
def test_a_quota_that_is_exceeded_is_the_reason_of_its_step(
    account: Account, policies: list[Any], attempts: int
) -> None:
    """Retry Policy for Pipeline Steps: SageMaker.RESOURCE_LIMIT is tried again only where a policy says so."""
    account.sandbox.set_quota("ml.m5.large for training job usage", 0)
    create(account, training(account, "Train", "", RetryPolicies=policies))
    execution = run(account)
    step = steps_of(account, execution)["Train"]
    assert (execution["PipelineExecutionStatus"], step["AttemptCount"]) == ("Failed", attempts)
    assert step["FailureReason"].startswith(
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: The account-level service limit "
        "'ml.m5.large for training job usage' is 0 Instances"
    )
    assert ("No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT" in step["FailureReason"]) == (
        not policies
    )


@pytest.mark.usefixtures("group")
def test_a_version_whose_answer_is_lost_is_registered_once(account: Account) -> None:
    create(account, register("Register", f"s3://{BUCKET}/m"))
    account.sandbox.set_faults([{"service": "sagemaker", "operation": "CreateModelPackage", "fault": "no-answer"}])
    execution = run(account)
    assert succeeded(account, execution)
    assert len(account.sagemaker.list_model_packages(ModelPackageGroupName="group")["ModelPackageSummaryList"]) == 1


@pytest.mark.parametrize("most", [1, 2])
def test_steps_run_at_the_same_time_up_to_the_limit(account: Account, most: int) -> None:
    """Each of two steps waits for a file of the other, so alone neither ends."""
    meet = """
import os, pathlib, sys, time
mine, other = (pathlib.Path(os.environ[name]) for name in ('MINE', 'OTHER'))
mine.touch()
end = time.monotonic() + 1.5
while not other.exists():
    if time.monotonic() > end: raise SystemExit(7)
    time.sleep(0.01)
"""
    folder = account.sandbox._folder
    places = [str(folder / name) for name in ("a", "b")]
    steps = [
        processing(account, name, meet, arguments={"Environment": {"MINE": mine, "OTHER": other}})
        for name, mine, other in (("A", *places), ("B", *reversed(places)))
    ]
    create(account, *steps, ParallelismConfiguration={"MaxParallelExecutionSteps": most})
    execution = run(account)
    assert execution["PipelineExecutionStatus"] == ("Succeeded" if most == 2 else "Failed")


def test_a_property_that_is_not_there_is_the_reason(account: Account) -> None:
    scores = [{"PropertyFileName": "Scores", "OutputName": "out", "FilePath": "missing.json"}]
    create(account, processing(account, "Evaluate", WRITE, outputs=["out"], PropertyFiles=scores),
           condition("Gate", AUC, 1))  # fmt: skip
    steps = steps_of(account, run(account))
    assert steps["Gate"]["FailureReason"] == "step Evaluate did not write missing.json, which the pipeline reads"
