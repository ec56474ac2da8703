"""SageMaker's condition keys, and the grants that jobs need on the caller's keys.

Sources: Service Authorization Reference, Amazon SageMaker; SageMaker Developer Guide, "Amazon SageMaker API
Permissions" (kms:CreateGrant).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.authorization.arns import each, key_arn
from sandbox.authorization.check import Check, given
from sandbox.calls import Call

# Where each request holds what a key says: paths through its members.
_VPC = ("VpcConfig", "NetworkConfig.VpcConfig")
_CLUSTERS = ("ResourceConfig", "ProcessingResources.ClusterConfig", "TransformResources", "ProductionVariants")
_ISOLATION = ("EnableNetworkIsolation", "NetworkConfig.EnableNetworkIsolation")
_BETWEEN_CONTAINERS = (
    "EnableInterContainerTrafficEncryption",
    "NetworkConfig.EnableInterContainerTrafficEncryption",
)
_OUTPUT_KEYS = ("OutputDataConfig.KmsKeyId", "ProcessingOutputConfig.KmsKeyId", "TransformOutput.KmsKeyId")
_CREATES_RESOURCE = ("CreateTrainingJob", "CreateProcessingJob", "CreateTransformJob", "CreateModel")


def sagemaker_context(call: Call) -> dict[str, Any]:
    """The condition keys of one request. Multivalued keys are lists even of one."""
    params, operation = call.params, call.operation
    if operation in ("CreateModelPackage", "UpdateModelPackage"):
        return _version_context(params)
    if operation not in (*_CREATES_RESOURCE, "CreateEndpointConfig"):
        return {}
    context = given(
        **{
            "sagemaker:VpcSubnets": _first(params, *(f"{path}.Subnets" for path in _VPC)),
            "sagemaker:VpcSecurityGroupIds": _first(params, *(f"{path}.SecurityGroupIds" for path in _VPC)),
            "sagemaker:NetworkIsolation": _flag(_first(params, *_ISOLATION)),
        }
    )
    if operation == "CreateModel":
        return context
    context |= given(
        **{
            "sagemaker:InstanceTypes": sorted(set(_instance_types(params))),
            **_both_names("sagemaker:VolumeKmsKey", _volume_key(call)),
        }
    )
    if operation == "CreateEndpointConfig":
        return context | given(**{"sagemaker:ModelArn": _models(call)})
    context |= given(**_both_names("sagemaker:OutputKmsKey", _key(call, _first(params, *_OUTPUT_KEYS))))
    if operation == "CreateTransformJob":
        return context | {"sagemaker:ModelArn": call.arn("sagemaker", f"model/{params['ModelName']}")}
    limit = _first(params, "StoppingCondition.MaxRuntimeInSeconds")
    return context | given(
        **{
            "sagemaker:InterContainerTrafficEncryption": _flag(_first(params, *_BETWEEN_CONTAINERS)),
            "sagemaker:MaxRuntimeInSeconds": None if limit is None else str(limit),
        }
    )


def _version_context(params: Mapping[str, Any]) -> dict[str, Any]:
    metadata = params.get("CustomerMetadataProperties") or {}
    context = {f"sagemaker:CustomerMetadataProperties/{key}": value for key, value in metadata.items()}
    return context | given(
        **{
            "sagemaker:ModelApprovalStatus": params.get("ModelApprovalStatus"),
            "sagemaker:CustomerMetadataPropertiesToRemove": params.get("CustomerMetadataPropertiesToRemove"),
            "sagemaker:ModelLifeCycle:Stage": _first(params, "ModelLifeCycle.Stage"),
            "sagemaker:ModelLifeCycle:StageStatus": _first(params, "ModelLifeCycle.StageStatus"),
        }
    )


def grants(call: Call) -> Iterator[Check]:
    """A job whose volume is encrypted with a customer's key: SageMaker makes itself a grant in the caller's name. It
    would also do if the job's role may; the stricter is asked."""
    if call.operation not in ("CreateTrainingJob", "CreateProcessingJob", "CreateTransformJob"):
        return
    key = _volume_key(call)
    if key:
        context = {
            "kms:GrantIsForAWSResource": "true",
            "kms:ViaService": f"sagemaker.{call.region}.amazonaws.com",
            "kms:CallerAccount": call.caller.account,
        }
        yield Check("kms:CreateGrant", key, context)


def _both_names(name: str, key: str | None) -> dict[str, str | None]:
    """VolumeKmsKey and OutputKmsKey are deprecated for VolumeKmsKeyArn and OutputKmsKeyArn (Service Authorization
    Reference, September 2026); policies with either are in use."""
    return {name: key, f"{name}Arn": key}


def _volume_key(call: Call) -> str | None:
    paths = [f"{path}.VolumeKmsKeyId" for path in _CLUSTERS]
    if call.operation == "CreateEndpointConfig":
        paths.append("KmsKeyId")
    return _key(call, _first(call.params, *paths))


def _key(call: Call, given_key: Any) -> str | None:
    return key_arn(call, str(given_key)) if given_key else None


def _instance_types(params: Mapping[str, Any]) -> Iterator[str]:
    for path in _CLUSTERS:
        for cluster in each(_first(params, path)):
            for group in (cluster, *each(cluster.get("InstanceGroups"))):
                if group.get("InstanceType"):
                    yield group["InstanceType"]


def _models(call: Call) -> list[str]:
    variants = each(call.params.get("ProductionVariants"))
    return [call.arn("sagemaker", f"model/{name}") for variant in variants if (name := variant.get("ModelName"))]


def _first(params: Mapping[str, Any], *paths: str) -> Any:
    """The first of these dotted paths that the request has."""
    for path in paths:
        value: Any = params
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def _flag(value: Any) -> str | None:
    return None if value is None else str(bool(value)).lower()
