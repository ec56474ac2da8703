"""Denials that organisations put on their accounts (service control policies): jobs without network, key or tags.

Sources: AWS whitepaper "Build a Secure Enterprise Machine Learning Platform on AWS", "Governance and control" (Null on
sagemaker:VolumeKmsKey, sagemaker:VpcSubnets); SageMaker Developer Guide, "Amazon SageMaker AI identity-based policy
examples"; AWS Organizations User Guide, "Require a tag on specified created resources".

CreateModelPackage is in none: a version in a group refuses tags, so that no project could ever register one.
"""

from __future__ import annotations

from typing import Any

_JOBS = ["sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob"]
_TAGGED = [
    "sagemaker:CreateModel",
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:CreatePipeline",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateTransformJob",
]


def _deny(sid: str, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


NETWORK = {
    "subnets": _deny("JobsInOurSubnets", [*_JOBS, "sagemaker:CreateModel"], {"Null": {"sagemaker:VpcSubnets": "true"}}),
    "security-groups": _deny(
        "JobsInOurSecurityGroups",
        [*_JOBS, "sagemaker:CreateModel"],
        {"Null": {"sagemaker:VpcSecurityGroupIds": "true"}},
    ),
}
KEY = {
    "volumes": _deny(
        "VolumesWithOurKey",
        [*_JOBS, "sagemaker:CreateTransformJob", "sagemaker:CreateEndpointConfig"],
        {"Null": {"sagemaker:VolumeKmsKey": "true"}},
    ),
    "output": _deny(
        "OutputWithOurKey",
        [*_JOBS, "sagemaker:CreateTransformJob"],
        {"Null": {"sagemaker:OutputKmsKey": "true"}},
    ),
}
MANDATORY_TAG = {
    "cost-center": _deny("EverythingHasACostCenter", _TAGGED, {"Null": {"aws:RequestTag/CostCenter": "true"}}),
    "roles": _deny("RolesHaveACostCenter", ["iam:CreateRole"], {"Null": {"aws:RequestTag/CostCenter": "true"}}),
}
GUARDRAILS = {**NETWORK, **KEY, **MANDATORY_TAG}


def only_in(subnets: list[str]) -> dict[str, Any]:
    """Denies every other subnet than these, for whoever names any."""
    return _deny(
        "NoOtherSubnets",
        [*_JOBS, "sagemaker:CreateModel"],
        {
            "Null": {"sagemaker:VpcSubnets": "false"},
            "ForAnyValue:StringNotEquals": {"sagemaker:VpcSubnets": subnets},
        },
    )
