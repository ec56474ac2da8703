"""Definitions of a few steps, and executions of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from tests.sandbox.pipelines.conftest import BUCKET, ENDED, IMAGE, Account, until

Step = dict[str, Any]
FOREVER = {"Enabled": True, "ExpireAfter": "P1D"}
SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def get(path: str) -> Step:
    """A reference."""
    return {"Get": path}


def output(step: str, name: str = "out") -> Step:
    """The URI of what a processing step leaves."""
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def processing(account: Account, name: str, script: str = "", *, outputs: Sequence[str] = (), **step: Any) -> Step:
    """A step that runs a script; its outputs lie in a folder of the execution."""
    arguments = account.processing(script, inputs=step.pop("inputs", {}), outputs=dict.fromkeys(outputs, ""))
    for part in arguments["ProcessingOutputConfig"]["Outputs"]:
        place = [f"s3://{BUCKET}/executions", get("Execution.PipelineExecutionId"), name, part["OutputName"]]
        part["S3Output"]["S3Uri"] = {"Std:Join": {"On": "/", "Values": place}}
    del arguments["ProcessingJobName"]
    return {"Name": name, "Type": "Processing", "Arguments": arguments | step.pop("arguments", {}), **step}


def training(account: Account, name: str, script: str, **step: Any) -> Step:
    """A step that trains with a script."""
    arguments = account.training(script)
    del arguments["TrainingJobName"]
    return {"Name": name, "Type": "Training", "Arguments": arguments | step.pop("arguments", {}), **step}


def register(name: str, model: Any, group: Any = "group", **step: Any) -> Step:
    """A step that registers a version."""
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments, **step}


def condition(name: str, left: Any, right: Any, then: Sequence[Step] = (), otherwise: Sequence[Step] = ()) -> Step:
    """A step that goes one way or the other."""
    equal = {"Type": "Equals", "LeftValue": left, "RightValue": right}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [equal], "IfSteps": [*then], "ElseSteps": [*otherwise]},
    }


def fail(name: str, message: Any) -> Step:
    """A step that ends the execution."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def definition(*steps: Step, parameters: Sequence[Step] = (), **more: Any) -> str:
    """A definition as text."""
    return json.dumps({"Version": "2020-12-01", "Parameters": [*parameters], "Steps": [*steps], **more})


def create(account: Account, *steps: Step, name: str = "p", parameters: Sequence[Step] = (), **options: Any) -> str:
    """Create a pipeline, or update it, and return its ARN."""
    text = definition(*steps, parameters=parameters)
    known = {pipeline["PipelineName"] for pipeline in account.sagemaker.list_pipelines()["PipelineSummaries"]}
    act = account.sagemaker.update_pipeline if name in known else account.sagemaker.create_pipeline
    arn: str = act(PipelineName=name, PipelineDefinition=text, RoleArn=account.role, **options)["PipelineArn"]
    return arn


def start(account: Account, name: str = "p", parameters: dict[str, str] | None = None, **options: Any) -> str:
    """Start an execution, and return its ARN."""
    given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
    options.setdefault("ClientRequestToken", uuid.uuid4().hex)
    arn: str = account.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given, **options)[
        "PipelineExecutionArn"
    ]
    return arn


def ended(account: Account, execution: str) -> dict[str, Any]:
    """Wait for an execution to end."""
    found: dict[str, Any] = until(
        lambda: account.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution),
        lambda found: found["PipelineExecutionStatus"] in ENDED,
        60,
    )
    return found


def run(account: Account, name: str = "p", parameters: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    """Start an execution and wait for its end."""
    return ended(account, start(account, name, parameters, **options))


def steps_of(account: Account, execution: dict[str, Any] | str) -> dict[str, Step]:
    """The steps of an execution, by name, in the order of their start."""
    arn = execution if isinstance(execution, str) else execution["PipelineExecutionArn"]
    listed = account.sagemaker.list_pipeline_execution_steps(
        PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
    )
    return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


def succeeded(account: Account, execution: dict[str, Any]) -> bool:
    """Whether it went through; a failure shows why not."""
    reasons = {name: step.get("FailureReason") for name, step in steps_of(account, execution).items()}
    assert execution["PipelineExecutionStatus"] == "Succeeded", (execution.get("FailureReason"), reasons)
    return True
