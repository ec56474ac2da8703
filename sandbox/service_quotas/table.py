"""SageMaker's quotas of instances: their names, codes and values.

Names: AWS General Reference, "Amazon SageMaker AI endpoints and quotas": `<type> for <usage>` for each instance type of
the API, and one name for all types together. Codes: those that public scripts and guides pass to `--quota-code`; the
rest are made from the name. Values: sandbox/LENIENCIES.md, section "Service Quotas".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sandbox.service_names import model_of


class Usage(StrEnum):
    """What instances are used for, as the names of the quotas say it."""

    TRAINING = "training job usage"
    SPOT_TRAINING = "spot training job usage"
    PROCESSING = "processing job usage"
    TRANSFORM = "transform job usage"
    ENDPOINT = "endpoint usage"


@dataclass(frozen=True)
class Quota:
    """One quota. default: of a new account. applied: of the sandbox's account, unless a test sets another."""

    name: str
    code: str
    default: float
    applied: float


# Where the API says which instance types there are.
_ENUMS = {
    Usage.TRAINING: "TrainingInstanceType",
    Usage.SPOT_TRAINING: "TrainingInstanceType",
    Usage.PROCESSING: "ProcessingInstanceType",
    Usage.TRANSFORM: "TransformInstanceType",
    Usage.ENDPOINT: "ProductionVariantInstanceType",
}
ACROSS = {
    Usage.TRAINING: "Number of instances across all training jobs",
    Usage.SPOT_TRAINING: "Number of instances across all spot training jobs",
    Usage.PROCESSING: "Number of instances across all processing jobs",
    Usage.TRANSFORM: "Number of instances across all transform jobs",
    Usage.ENDPOINT: "Number of instances across active endpoints",
}
_NEW_ACCOUNT_ACROSS = 4
_APPLIED_ACROSS = 20

# A new account may use no instance at all but these (AWS's defaults as read from it in 2026).
_NEW_ACCOUNT = {
    "ml.m5.large for spot training job usage": 4,
    "ml.t3.medium for processing job usage": 4,
    "ml.t3.large for processing job usage": 4,
    "ml.t2.medium for endpoint usage": 2,
    "ml.m6g.large for endpoint usage": 2,
    "ml.m6g.xlarge for endpoint usage": 1,
}
# The sandbox's account is one that asked for more, once: for small CPU instances alone.
_GRANTED_FAMILIES = ("t2", "t3", "m4", "m5", "m6i", "m7i", "c4", "c5", "c6i", "c7i", "r5", "m6g", "c6g")
_GRANTED_SIZES = ("medium", "large", "xlarge", "2xlarge", "4xlarge")
_GRANTED = {
    Usage.TRAINING: 15,
    Usage.SPOT_TRAINING: 10,
    Usage.PROCESSING: 16,
    Usage.TRANSFORM: 8,
    Usage.ENDPOINT: 8,
}
_CODES = {
    "Number of instances across all training jobs": "L-00C91CB5",
    "Number of instances across all processing jobs": "L-F311B08F",
    "Number of instances across all transform jobs": "L-60D2A6F0",
    "Number of instances across active endpoints": "L-7A3DF611",
    "ml.m5.large for training job usage": "L-611FA074",
    "ml.m5.large for spot training job usage": "L-29688C85",
    "ml.m5.large for processing job usage": "L-8541302D",
    "ml.m5.large for transform job usage": "L-236AE59F",
    "ml.m5.large for endpoint usage": "L-614B09FD",
    "ml.m5.xlarge for training job usage": "L-CCE2AFA6",
    "ml.m5.xlarge for spot training job usage": "L-4CEE6BA6",
    "ml.m5.xlarge for processing job usage": "L-0307F515",
    "ml.m5.xlarge for transform job usage": "L-7939E4EC",
    "ml.m5.xlarge for endpoint usage": "L-2F737F8D",
    "ml.c5.xlarge for spot training job usage": "L-6FA0D387",
    "ml.c5.xlarge for processing job usage": "L-486519E6",
    "ml.c5.xlarge for transform job usage": "L-09C9B23C",
    "ml.t3.medium for processing job usage": "L-0CE343FE",
    "ml.t2.medium for endpoint usage": "L-29C181D7",
    "ml.g4dn.xlarge for training job usage": "L-3F53BF0F",
    "ml.g5.2xlarge for training job usage": "L-2D6DEB3C",
    "ml.g5.2xlarge for spot training job usage": "L-CAEE7DB7",
    "ml.p5.48xlarge for training job usage": "L-82E1C851",
}


def quota_name(instance_type: str, usage: Usage) -> str:
    """E.g. `ml.m5.large for training job usage`."""
    return f"{instance_type} for {usage}"


def sagemaker_quotas() -> Iterator[Quota]:
    """All of them, in the order of their codes."""
    yield from sorted(_quotas(), key=lambda quota: quota.code)


def _quotas() -> Iterator[Quota]:
    for usage, name in ACROSS.items():
        yield Quota(name, _code(name), _NEW_ACCOUNT_ACROSS, _APPLIED_ACROSS)
        for instance_type in model_of("sagemaker").shape_for(_ENUMS[usage]).enum:
            name = quota_name(instance_type, usage)
            default = _NEW_ACCOUNT.get(name, 0)
            _, family, size = instance_type.split(".")
            granted = family in _GRANTED_FAMILIES and size in _GRANTED_SIZES
            yield Quota(name, _code(name), default, _GRANTED[usage] if granted else default)


def _code(name: str) -> str:
    return _CODES.get(name) or f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
