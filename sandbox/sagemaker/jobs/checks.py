"""What is refused when a job is created, beyond what botocore's shapes say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.kms import find_key, require_usable
from sandbox.sagemaker.jobs.store import Kind
from sandbox.sagemaker.runner import Problem, requests
from sandbox.sagemaker.store import invalid

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*([:@].+)?")
_KEY_ID = re.compile(r"(arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)/.+)|(alias/.+)|[0-9a-f-]{36}|mrk-[0-9a-f]{32}")
# EC2 User Guide, "Instance store volumes": families whose instances all have some (SageMaker's own families only).
_LOCAL_STORAGE = {"g4dn", "g5", "g6", "g6e", "g7", "g7e", "p3dn", "p4d", "p4de", "p5", "p5e", "p5en", "r5d"}
_LOCAL_STORAGE |= {"p6-b200", "p6-b300", "p6e-gb200", "trn1", "trn1n", "trn2"}


def check_that_it_can_run(call: Call, kind: Kind) -> None:
    """Raises NotImplementedInSandbox for what AWS would do and mlops' runner does not."""
    try:
        requests.check(call.params[f"{kind.word}JobName"], kind.word, call.params)
    except Problem as problem:
        raise NotImplementedInSandbox("sagemaker", call.operation, str(problem)) from None


def check_image(image: str) -> None:
    """Words: as users of CreateProcessingJob quote them. The image is not pulled."""
    if not _IMAGE.fullmatch(image):
        raise invalid(
            f"Invalid image URI {image}. "
            "Please provide a valid Amazon Elastic Container Registry path of the Docker image to run."
        )


def check_volume(call: Call, machine: Mapping[str, Any]) -> None:
    """ResourceConfig, ProcessingClusterConfig, TransformResources: "You can't request a VolumeKmsKeyId when using an
    instance type with local storage." """
    key, kind = machine.get("VolumeKmsKeyId"), machine["InstanceType"]
    if not key:
        return
    if kind.split(".")[1] in _LOCAL_STORAGE:
        raise invalid(f"VolumeKmsKeyId cannot be used with {kind}: it is an instance type with local storage.")
    check_key(call, key)


def check_key(call: Call, key: str | None) -> None:
    """A key of KMS by ID, ARN, alias or ARN of an alias (OutputDataConfig, KmsKeyId). Empty is none: SageMaker then
    uses the key of Amazon S3 for the account of the role. Raises ValidationException for one that is not there."""
    if not key:
        return
    if not _KEY_ID.fullmatch(key) or not _is_usable(call, key):
        raise invalid(f"Invalid KMS key: {key} does not exist in {call.region}, or is disabled.")


def _is_usable(call: Call, key: str) -> bool:
    try:
        require_usable(find_key(call.caller.account, call.region, key))
    except AwsError:
        return False
    return True


def check_network(call: Call, network: Mapping[str, Any] | None) -> None:
    """VpcConfig: subnets and security groups that exist, of one VPC. The codes are EC2's, the sentence is ours."""
    if not network:
        return
    from moto.ec2.models import ec2_backends

    backend = ec2_backends[call.caller.account][call.region]
    subnets = {subnet.id: subnet for subnet in backend.describe_subnets()}
    found: list[tuple[str, str, Any]] = [("subnet", name, subnets.get(name)) for name in network["Subnets"]]
    found += [
        ("security group", name, backend.get_security_group_from_id(name)) for name in network["SecurityGroupIds"]
    ]
    missing = next((f"The {what} ID '{name}' does not exist" for what, name, item in found if item is None), None)
    if missing:
        raise invalid(missing)
    if len({item.vpc_id for _, _, item in found}) > 1:
        raise invalid("The subnets and security groups of a VpcConfig must belong to the same VPC")


def check_unique(what: str, names: Iterable[str]) -> None:
    """Names of inputs, outputs and channels: two of one name would lie in one folder."""
    seen = list(names)
    twice = next((name for name in seen if seen.count(name) > 1), None)
    if twice is not None:
        raise invalid(f"Duplicate {what}: {twice}")


def required(call: Call, *names: str) -> None:
    """Members that botocore's shape leaves open for kinds of jobs that the sandbox has not."""
    for name in names:
        part: Any = call.params
        for key in name.split("."):
            part = part.get(key) if isinstance(part, Mapping) else None
        if part in (None, "", []):
            raise invalid(
                f"1 validation error detected: Value null at '{_path(name)}' failed to satisfy constraint: "
                "Member must not be null"
            )


def _path(name: str) -> str:
    return ".".join(part[:1].lower() + part[1:] for part in name.split("."))
