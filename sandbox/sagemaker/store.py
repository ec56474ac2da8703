"""The model registry: model package groups and model packages, by account and region.

Kept here rather than in moto, which replaces metadata on update, ignores client tokens and believes unknown ARNs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError


def now() -> datetime:
    return datetime.now(UTC)


def invalid(message: str) -> AwsError:
    """SageMaker's answer to nearly everything that is wrong (its operations declare few errors)."""
    return AwsError("ValidationException", message)


@dataclass
class Group:
    """A model package group. versions: how many were ever made in it; a number is never used twice."""

    name: str
    arn: str
    description: str | None
    tags: dict[str, str]
    created_by: dict[str, Any]
    managed_configuration: dict[str, Any] | None = None
    created: datetime = field(default_factory=now)
    versions: int = 0


@dataclass
class Package:
    """A model package: a version in a group, or one with a name of its own. given: what CreateModelPackage was
    given."""

    arn: str
    given: dict[str, Any]
    created_by: dict[str, Any]
    group: Group | None = None
    version: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    modified: datetime | None = None
    modified_by: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """What NameContains looks at: a version has no name but its group's."""
        return self.group.name if self.group else str(self.given["ModelPackageName"])


@dataclass
class Registry:
    """One account's registry in one region. packages: by ARN. tokens: client token -> (what it was used for, ARN)."""

    groups: dict[str, Group] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)


class Registries:
    """All registries of a sandbox. lock: held for each operation, so that two calls never see half of a third."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], Registry] = {}
        self.lock = RLock()

    def of(self, call: Call) -> Registry:
        return self._by_place.setdefault((call.caller.account, call.region), Registry())

    def clear(self) -> None:
        with self.lock:
            self._by_place.clear()

    def group(self, call: Call, name_or_arn: str) -> Group:
        """Raises ValidationException ("ModelPackageGroup arn:... does not exist.", the words by which
        AWS's own CloudFormation resource provider for SageMaker recognises it)."""
        arn = group_arn(call, name_or_arn)
        found = self.of(call).groups.get(arn)
        if found is None:
            raise invalid(f"ModelPackageGroup {arn} does not exist.")
        return found

    def package(self, call: Call, name_or_arn: str) -> Package:
        """Raises ValidationException."""
        arn = package_arn(call, name_or_arn)
        found = self.of(call).packages.get(arn)
        if found is None:
            raise invalid(f"ModelPackage {arn} does not exist.")
        return found


def group_arn(call: Call, name_or_arn: str) -> str:
    return (
        name_or_arn if name_or_arn.startswith("arn:") else call.arn("sagemaker", f"model-package-group/{name_or_arn}")
    )


def package_arn(call: Call, name_or_arn: str) -> str:
    return (
        name_or_arn if name_or_arn.startswith("arn:") else call.arn("sagemaker", f"model-package/{name_or_arn.lower()}")
    )


def user_context(call: Call) -> dict[str, Any]:
    """Who made it, as DescribeModelPackageGroup shows an IAM identity (UserContext, IamIdentity)."""
    return {"IamIdentity": {"Arn": call.caller.arn, "PrincipalId": call.caller.access_key}}
