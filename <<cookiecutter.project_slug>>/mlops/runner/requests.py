"""What of a request to SageMaker is followed here, and what means nothing on a laptop; all else is refused by name.

The members are those of botocore's CreateProcessingJob, CreateTrainingJob, CreateTransformJob and CreateModel.
"""

from collections.abc import Mapping
from typing import Any

from mlops.problem import Problem

ANY = None  # as it is: followed, or without meaning here
MACHINES = {"InstanceCount": {1}, "InstanceType": ANY, "VolumeSizeInGB": ANY, "VolumeKmsKeyId": ANY}
UNSEEN = dict.fromkeys(("RoleArn", "Tags", "ExperimentConfig", "EnableNetworkIsolation", "VpcConfig"))

# A dictionary: the members allowed. A list of one: what each element looks like. A set: the values allowed.
FOLLOWED: dict[str, Any] = {
    "Processing": UNSEEN
    | {
        "AppSpecification": dict.fromkeys(("ImageUri", "ContainerEntrypoint", "ContainerArguments")),
        "Environment": ANY,
        "NetworkConfig": ANY,
        "ProcessingInputs": [
            {
                "InputName": ANY,
                "AppManaged": {False},
                "S3Input": {
                    "S3Uri": ANY,
                    "LocalPath": ANY,
                    "S3DataType": {"S3Prefix"},
                    "S3InputMode": {"File"},
                    "S3DataDistributionType": ANY,
                    "S3CompressionType": {"None"},
                },
            }
        ],
        "ProcessingJobName": ANY,
        "ProcessingOutputConfig": {
            "KmsKeyId": ANY,
            "Outputs": [
                {
                    "OutputName": ANY,
                    "AppManaged": {False},
                    "S3Output": dict.fromkeys(("S3Uri", "LocalPath", "S3UploadMode")),
                }
            ],
        },
        "ProcessingResources": {"ClusterConfig": MACHINES},
        "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
    },
    "Training": UNSEEN
    | {
        "AlgorithmSpecification": {
            "TrainingImage": ANY,
            "TrainingImageConfig": ANY,
            "TrainingInputMode": {"File", "FastFile"},
            "ContainerEntrypoint": ANY,
            "ContainerArguments": ANY,
            "MetricDefinitions": ANY,
            "EnableSageMakerMetricsTimeSeries": ANY,
        },
        "EnableInterContainerTrafficEncryption": ANY,
        "EnableManagedSpotTraining": ANY,
        "Environment": ANY,
        "HyperParameters": ANY,
        "InfraCheckConfig": ANY,
        "InputDataConfig": [
            {
                "ChannelName": ANY,
                "ContentType": ANY,
                "CompressionType": {"None"},
                "RecordWrapperType": {"None"},
                "InputMode": {"File", "FastFile"},
                "DataSource": {
                    "S3DataSource": {"S3DataType": {"S3Prefix"}, "S3Uri": ANY, "S3DataDistributionType": ANY},
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": ANY, "KmsKeyId": ANY, "CompressionType": {"GZIP"}},
        "ProfilerConfig": ANY,
        "RemoteDebugConfig": ANY,
        "ResourceConfig": MACHINES | dict.fromkeys(("KeepAlivePeriodInSeconds", "TrainingPlanArn")),
        "RetryStrategy": ANY,
        "StoppingCondition": dict.fromkeys(("MaxRuntimeInSeconds", "MaxWaitTimeInSeconds", "MaxPendingTimeInSeconds")),
        "TrainingJobName": ANY,
    },
    "Transform": {
        "BatchStrategy": ANY,
        "DataProcessing": {"InputFilter": {"$"}, "OutputFilter": {"$"}, "JoinSource": {"None"}},
        "Environment": ANY,
        "ExperimentConfig": ANY,
        "MaxConcurrentTransforms": ANY,
        "MaxPayloadInMB": ANY,
        "ModelClientConfig": ANY,
        "ModelName": ANY,
        "Tags": ANY,
        "TransformInput": {
            "CompressionType": {"None"},
            "ContentType": ANY,
            "DataSource": {"S3DataSource": {"S3DataType": {"S3Prefix"}, "S3Uri": ANY}},
            "SplitType": {"None", "Line"},
        },
        "TransformJobName": ANY,
        "TransformOutput": dict.fromkeys(("Accept", "AssembleWith", "KmsKeyId", "S3OutputPath")),
        "TransformResources": ANY,
    },
    "Model": {
        "EnableNetworkIsolation": ANY,
        "ExecutionRoleArn": ANY,
        "ModelName": ANY,
        "PrimaryContainer": {
            "ContainerHostname": ANY,
            "Environment": ANY,
            "Image": ANY,
            "ImageConfig": ANY,
            "Mode": {"SingleModel"},
            "ModelDataUrl": ANY,
        },
        "Tags": ANY,
        "VpcConfig": ANY,
    },
    "RegisterModel": ANY,  # is kept as it is, and reads nothing but ModelDataUrl
    "Condition": {"Conditions": ANY},
    "Fail": {"ErrorMessage": ANY},
}


class Unsupported(Problem):
    """SageMaker may well do it, but this runner does not."""


def check(step: str, kind: str, arguments: Mapping[str, Any]) -> None:
    """Look at the arguments of a step, before and after the expressions in them are replaced.

    Raises:
        Unsupported: they ask for what is done on SageMaker alone.
    """
    _look(step, "", arguments, FOLLOWED[kind])


def _look(step: str, path: str, value: Any, followed: Any) -> None:
    if followed is ANY or _is_expression(value):
        return
    if isinstance(followed, dict):
        for name, part in value.items():
            where = f"{path}.{name}".lstrip(".")
            if name not in followed:
                raise Unsupported(f"step {step} asks for {where}, which cannot be followed here")
            _look(step, where, part, followed[name])
    elif isinstance(followed, list):
        for part in value:
            _look(step, path, part, followed[0])
    elif value not in followed:
        allowed = " and ".join(sorted(map(str, followed)))
        raise Unsupported(f"step {step} asks for {path} {value}, which cannot be done here; only {allowed} can")


def _is_expression(value: Any) -> bool:
    """Tell whether a value is one that only a run can know."""
    return isinstance(value, dict) and set(value) in ({"Get"}, {"Std:Join"}, {"Std:JsonGet"})
