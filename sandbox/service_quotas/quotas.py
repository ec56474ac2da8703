"""The quotas that are in force in the sandbox, and the refusal of what would exceed one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sandbox.errors import AwsError
from sandbox.service_quotas.table import ACROSS, Quota, Usage, quota_name, sagemaker_quotas


class Quotas:
    """SageMaker's quotas of instances. One for each sandbox: every account and region in it has the same."""

    def __init__(self) -> None:
        self._set: dict[str, float] = {}

    @cached_property
    def all(self) -> dict[str, Quota]:
        """By name."""
        return {quota.name: quota for quota in sagemaker_quotas()}

    def value(self, name: str) -> float:
        """What is applied now, in instances. Raises KeyError for a name that no quota has."""
        return self._set.get(name, self.all[name].applied)

    def set(self, name: str, value: float) -> None:
        """As if AWS had granted it. Raises KeyError for a name that no quota has, ValueError for a negative value."""
        if name not in self.all:
            raise KeyError(f"no quota is called {name!r}; they are called like 'ml.m5.large for {Usage.TRAINING}'")
        if value < 0:
            raise ValueError(f"a quota cannot be {value}")
        self._set[name] = value

    def forget(self) -> None:
        """Back to the values of the table."""
        self._set.clear()

    def require(self, usage: Usage, instance_type: str, count: int, in_use: Mapping[str, int]) -> None:
        """Whether `count` more instances may start, next to those in use for the same usage (by instance type).

        Raises ResourceLimitExceeded, first for the instance type, then for all types together. Source:
        ResourceLimitExceeded of CreateTrainingJob and others; the words are those that public issues quote.
        """
        for name, used in (
            (quota_name(instance_type, usage), in_use.get(instance_type, 0)),
            (ACROSS[usage], sum(in_use.values())),
        ):
            if used + count > self.value(name):
                raise _exceeded(name, self.value(name), used, count)


def _exceeded(name: str, limit: float, used: int, count: int) -> AwsError:
    return AwsError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{name}' is {limit:.0f} Instances, with current utilization of {used} "
        f"Instances and a request delta of {count} Instances. Please use AWS Service Quotas to request an increase "
        "for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this "
        "quota.",
    )
