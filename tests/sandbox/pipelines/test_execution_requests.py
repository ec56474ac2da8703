"""Executions as the API starts, stops and tries them again: parameters, tokens, and what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.sandbox.pipelines.conftest import BUCKET, Account, until
from tests.sandbox.pipelines.steps import (
    SLEEP,
    condition,
    create,
    ended,
    get,
    output,
    processing,
    run,
    start,
    steps_of,
    succeeded,
)

pytestmark = pytest.mark.slow


def test_stop_and_retry(account: Account) -> None:
    """Only what did not succeed runs again."""
    gate = account.put("gate/closed", "1")
    wait = "import os, sys, time; print('up', flush=True)\nif os.path.exists('input/gate/closed'): time.sleep(60)"
    steps = [
        processing(account, "One", "open('output/out/a', 'w')", outputs=["out"]),
        processing(account, "Two", wait, inputs={"one": output("One"), "gate": gate.rpartition("/")[0]}),
        processing(account, "Three", DependsOn=["Two"]),
    ]
    create(account, *steps)
    arn = start(account)
    until(lambda: steps_of(account, arn), lambda found: found.get("Two", {}).get("Metadata"))
    name = steps_of(account, arn)["Two"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    until(
        lambda: account.sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: "ProcessingStartTime" in job,
    )
    account.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    execution = ended(account, arn)
    assert (execution["PipelineExecutionStatus"], execution.get("FailureReason")) == ("Stopped", None)
    assert {name: step["StepStatus"] for name, step in steps_of(account, arn).items()} == {
        "One": "Succeeded",
        "Two": "Stopped",
    }
    assert account.ended(name)["ProcessingJobStatus"] == "Stopped"
    assert account.calls("StopProcessingJob")[0]["role"].endswith("-Two")
    statuses = [
        event["currentPipelineExecutionStatus"]
        for event in account.told("SageMaker Model Building Pipeline Execution Status Change")
    ]
    assert statuses == ["Executing", "Stopping", "Stopped"]
    account.s3.delete_object(Bucket=BUCKET, Key="gate/closed")
    account.put("gate/open", "1")
    assert account.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    assert succeeded(account, ended(account, arn))
    assert list(steps_of(account, arn)) == ["One", "Two", "Three"]
    assert len(account.calls("CreateProcessingJob")) == 4


def test_what_cannot_be_stopped_retried_or_deleted(account: Account, refused: Any) -> None:
    create(account, processing(account, "One", SLEEP))
    arn = start(account)
    assert refused(account.sagemaker.delete_pipeline, PipelineName="p")[0] == "ConflictException"
    assert (
        "cannot be retried: it is Executing"
        in refused(account.sagemaker.retry_pipeline_execution, PipelineExecutionArn=arn)[1]
    )
    account.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    ended(account, arn)
    assert "it is Stopped" in refused(account.sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn)[1]
    account.sagemaker.delete_pipeline(PipelineName="p")
    assert refused(account.sagemaker.describe_pipeline_execution, PipelineExecutionArn=arn)[0] == "ResourceNotFound"


def test_parameters(account: Account, refused: Any) -> None:
    parameters: list[dict[str, Any]] = [
        {"Name": "Text", "Type": "String"},
        {"Name": "Number", "Type": "Integer", "DefaultValue": 3},
        {"Name": "Flag", "Type": "Boolean", "DefaultValue": False},
        {"Name": "One", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
    create(account, condition("Gate", get("Parameters.Number"), 4), parameters=parameters)

    def why(**values: str) -> str:
        given = [{"Name": name, "Value": value} for name, value in values.items()]
        code, message = refused(account.sagemaker.start_pipeline_execution, PipelineName="p", PipelineParameters=given)
        assert code == "ValidationException"
        return str(message)

    assert "the parameter Text has no value" in why()
    assert "'Other' is no parameter" in why(Text="x", Other="y")
    assert "invalid literal for int" in why(Text="x", Number="many")
    assert "'maybe' is no Boolean" in why(Text="x", Flag="maybe")
    assert "must be one of a, b" in why(Text="x", One="c")
    execution = run(account, parameters={"Text": "x", "Number": "4"}, PipelineExecutionDisplayName="mine")
    assert (execution["PipelineExecutionDisplayName"], execution["PipelineExecutionStatus"]) == ("mine", "Succeeded")
    assert steps_of(account, execution)["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"
    listed = account.sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )
    assert {item["Name"]: item["Value"] for item in listed["PipelineParameters"]} == {
        "Text": "x",
        "Number": "4",
        "Flag": "false",
        "One": "a",
    }


def test_a_token_starts_one_execution(account: Account, refused: Any) -> None:
    create(account, condition("Gate", 1, 1))
    token = "t" * 32
    first = start(account, ClientRequestToken=token)
    assert start(account, ClientRequestToken=token) == first
    code, _ = refused(
        account.sagemaker.start_pipeline_execution,
        PipelineName="p",
        ClientRequestToken=token,
        PipelineExecutionDisplayName="other",
    )
    assert code == "ConflictException"
    assert refused(account.sagemaker.start_pipeline_execution, PipelineName="p", ClientRequestToken="short")[0] == (
        "ValidationException"
    )
    assert len(account.sagemaker.list_pipeline_executions(PipelineName="p")["PipelineExecutionSummaries"]) == 1


def test_an_execution_keeps_the_definition_that_it_began_with(account: Account) -> None:
    create(account, condition("Before", 1, 1))
    first = run(account)["PipelineExecutionArn"]
    create(account, condition("After", 1, 1))
    found = account.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=first)
    assert json.loads(found["PipelineDefinition"])["Steps"][0]["Name"] == "Before"
    assert list(steps_of(account, run(account))) == ["After"]
    account.sagemaker.update_pipeline_execution(PipelineExecutionArn=first, PipelineExecutionDescription="why")
    described = account.sagemaker.describe_pipeline_execution(PipelineExecutionArn=first)
    assert described["PipelineExecutionDescription"] == "why"


def test_a_reset_ends_executions_at_once(account: Account) -> None:
    create(account, processing(account, "One", SLEEP))
    arn = start(account)
    until(lambda: steps_of(account, arn), lambda found: found.get("One", {}).get("Metadata"))
    moment = time.monotonic()
    account.sandbox.reset()
    assert time.monotonic() - moment < 2
    account.sandbox.wait_until_quiet(0)
    assert account.sagemaker.list_pipelines()["PipelineSummaries"] == []


@pytest.mark.parametrize("operation", ["send_pipeline_execution_step_success", "send_pipeline_execution_step_failure"])
def test_callback_steps_are_refused(account: Account, refused: Any, operation: str) -> None:
    assert refused(getattr(account.sagemaker, operation), CallbackToken="a" * 10)[0] == "NotImplementedInSandbox"


def test_selective_execution_is_refused(account: Account, refused: Any) -> None:
    create(account, condition("Gate", 1, 1))
    wish = {"SelectedSteps": [{"StepName": "Gate"}]}
    code, _ = refused(account.sagemaker.start_pipeline_execution, PipelineName="p", SelectiveExecutionConfig=wish)
    assert code == "NotImplementedInSandbox"
