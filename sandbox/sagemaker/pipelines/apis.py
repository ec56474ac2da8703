"""The API behind each type of step: what it is called with, and what is known of what it made.

Source: Developer Guide, "Pipelines steps" (each step's Arguments are the request of its API).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

JOB = ("Processing", "Training", "Transform")


@dataclass(frozen=True)
class Api:
    """create, describe: operations. path: of ARNs. name: the member of the request that the service fills in. arn: the
    member of the answer. metadata: of PipelineExecutionStepMetadata. outputs: the URIs of outputs, from what Describe
    answers."""

    create: str
    describe: str
    path: str
    name: str | None
    arn: str
    metadata: str
    outputs: Callable[[dict[str, Any]], dict[str, str]] = lambda described: {}


def _processing_outputs(described: dict[str, Any]) -> dict[str, str]:
    outputs = described.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return {output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs if "S3Output" in output}


APIS = {
    "Processing": Api(
        "CreateProcessingJob",
        "DescribeProcessingJob",
        "processing-job",
        "ProcessingJobName",
        "ProcessingJobArn",
        "ProcessingJob",
        _processing_outputs,
    ),
    "Training": Api(
        "CreateTrainingJob", "DescribeTrainingJob", "training-job", "TrainingJobName", "TrainingJobArn", "TrainingJob"
    ),
    "Transform": Api(
        "CreateTransformJob",
        "DescribeTransformJob",
        "transform-job",
        "TransformJobName",
        "TransformJobArn",
        "TransformJob",
    ),
    "Model": Api("CreateModel", "DescribeModel", "model", "ModelName", "ModelArn", "Model"),
    "RegisterModel": Api(
        "CreateModelPackage", "DescribeModelPackage", "model-package", None, "ModelPackageArn", "RegisterModel"
    ),
}
# Types that AWS has, and the sandbox has not.
NOT_HERE = {
    *("Tuning", "AutoML", "Callback", "Lambda", "EMR", "EMRServerless", "QualityCheck", "ClarifyCheck", "Endpoint"),
    *("EndpointConfig", "InferenceComponent", "ForEach", "Lineage", "Job", "Athena", "Cleanup", "HubContent"),
}
TYPES = {*APIS, "Condition", "Fail"}
EXECUTION_VARIABLES = (
    *("PipelineExecutionId", "PipelineExecutionArn", "PipelineName", "PipelineArn"),
    *("StartDateTime", "CurrentDateTime"),
)
