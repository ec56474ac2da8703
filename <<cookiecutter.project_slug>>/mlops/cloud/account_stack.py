"""What the account stack offers to all model repositories of an account: read from SSM, never asked of people."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.problem import NotAllowed, Problem

STACK = "mlops-account"
PREFIX = "/mlops/account/"
# What repositories and the account stack agree on: the names below PREFIX, the questions to the registration function
# and the layout of the bucket. Each side speaks its own and the one before, so one that is newer by one speaks ours.
INTERFACE = 1
ACCEPTED = (INTERFACE - 1, INTERFACE, INTERFACE + 1)


class NotDeployed(Problem):
    """The account has no account stack in this region."""


class TooOld(Problem):
    """The account stack is older than this repository can use."""


@dataclass(frozen=True)
class AccountStack:
    """The stack, as it was deployed. What the organisation did not set is empty."""

    version: str  # the release of the template that it came from
    interface: int
    bucket: str
    kms_key: str  # ARN
    registration_function: str
    role_path: str  # "/mlops/"
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    package_index: str | None = None  # a URL for pip

    @property
    def vpc(self) -> dict[str, list[str]] | None:
        """The network of every job, as SageMaker's VpcConfig; None: SageMaker's own."""
        if not self.subnets:
            return None
        return {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}


def find(region: str) -> AccountStack:
    """Read what the account stack of a region publishes.

    Raises:
        NotDeployed: there is none.
        NotAllowed: these credentials may not read it.
        Problem: AWS refused otherwise, or what is there cannot be understood.
    """
    try:
        pages = aws.client("ssm", region).get_paginator("get_parameters_by_path").paginate(Path=PREFIX.rstrip("/"))
        found = {
            parameter["Name"].removeprefix(PREFIX): parameter["Value"]
            for page in pages
            for parameter in page["Parameters"]
        }
    except (ClientError, BotoCoreError) as error:
        raise (NotAllowed if aws.code(error) in aws.ACCESS_DENIED else Problem)(aws.explain(error)) from None
    if not found:
        raise NotDeployed(f"the account stack {STACK} is not deployed in {region}")
    try:
        return _read(found)
    except (KeyError, ValueError) as error:
        raise Problem(
            f"the account stack {STACK} publishes what this repository cannot read ({error}, below {PREFIX}); "
            "deploy it again with: make account"
        ) from None


def _read(found: Mapping[str, str]) -> AccountStack:
    def several(name: str) -> tuple[str, ...]:
        return tuple(part for part in found.get(name, "").split(",") if part)

    return AccountStack(
        version=found["version"],
        interface=int(found["interface"]),
        bucket=found["bucket"],
        kms_key=found["kms-key"],
        registration_function=found["registration-function"],
        role_path=found["role-path"],
        subnets=several("subnets"),
        security_groups=several("security-groups"),
        tags=dict(tag.split("=", 1) for tag in several("tags")),
        package_index=found.get("package-index"),
    )


def mismatch(stack: AccountStack) -> Problem | None:
    """Return which side is too old for the other and what to do, or None where both get along."""
    if stack.interface in ACCEPTED:
        return None
    if stack.interface < INTERFACE:
        return TooOld(
            f"the account stack ({stack.version}, interface {stack.interface}) is older than this repository can use "
            f"(interface {INTERFACE}); an administrator deploys the newer one with: make account"
        )
    return Problem(
        f"this repository (interface {INTERFACE}) is older than the account stack ({stack.version}, "
        f"interface {stack.interface}); take the newer template with: mlops update"
    )


def require(region: str) -> AccountStack:
    """Return the account stack, one that this repository can use.

    Raises:
        Problem: there is none to use, and what to do; or the two are too far apart.
    """
    try:
        stack = find(region)
    except (NotDeployed, NotAllowed) as missing:
        raise type(missing)(f"{missing}; mlops setup tells whom to ask, and for what") from None
    if apart := mismatch(stack):
        raise apart
    return stack
