"""Whether the account may start the instances that a pipeline asks for: known before anything is sent.

Source: Service Quotas, "Amazon SageMaker": "<instance type> for <training job|processing job|transform job> usage".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.cloud.organisation import steps_of
from mlops.problem import Problem

MACHINES = {  # step type -> where its request names the machines, what the quota calls it
    "Processing": (("ProcessingResources", "ClusterConfig"), "processing job"),
    "Training": (("ResourceConfig",), "training job"),
    "Transform": (("TransformResources",), "transform job"),
}


@dataclass(frozen=True)
class Demand:
    """The instances that one step asks for."""

    step: str
    quota: str  # "ml.m5.large for training job usage"
    instances: int


def demands(definition: Mapping[str, Any], values: Mapping[str, Any]) -> list[Demand]:
    """Return what each job of a definition asks for; `values` are those of the pipeline's parameters."""
    found = []
    for step in steps_of(definition):
        if step["Type"] not in MACHINES:
            continue
        path, usage = MACHINES[step["Type"]]
        machines = step["Arguments"]
        for part in path:
            machines = machines[part]
        instance_type, count = (_value(machines[name], values) for name in ("InstanceType", "InstanceCount"))
        found.append(Demand(step["Name"], f"{instance_type} for {usage} usage", int(count)))
    return found


def _value(value: Any, values: Mapping[str, Any]) -> Any:
    return values[value["Get"].removeprefix("Parameters.")] if isinstance(value, dict) else value


class Unknown(Exception):
    """These credentials may not read the quotas; says so in one line."""


def applied(region: str) -> dict[str, float]:
    """Return the account's quotas for instances, by name.

    Raises:
        Unknown: not allowed, or there is no such service in the region.
    """
    try:
        pages = (
            aws.client("service-quotas", region)
            .get_paginator("list_service_quotas")
            .paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 100})
        )
        return {
            quota["QuotaName"]: quota["Value"]
            for page in pages
            for quota in page["Quotas"]
            if quota["QuotaName"].startswith("ml.")
        }
    except (ClientError, BotoCoreError) as error:
        raise Unknown(aws.explain(error)) from None


def check(demanded: list[Demand], quotas: Mapping[str, float], region: str) -> None:
    """Hold what each step asks for against the quotas. Steps at the same time wait for each other, if need be.

    Raises:
        Problem: a step could never start; names it, its quota and what to do.
    """
    for demand in demanded:
        quota = quotas.get(demand.quota)
        if quota is not None and quota < demand.instances:
            instance_type = demand.quota.split()[0]
            raise Problem(
                f"step {demand.step} asks for {demand.instances} x {instance_type}, and the quota "
                f"{demand.quota!r} of this account is {quota:g} in {region}; take another in `jobs` of mlops.yaml, "
                "or ask for more in the console: Service Quotas, Amazon SageMaker"
            )


def at_once(demanded: list[Demand], quotas: Mapping[str, float]) -> int | None:
    """Return how many steps may run at the same time so that none is refused for want of quota; None: any number."""
    fitting = []
    for quota in {demand.quota for demand in demanded} & quotas.keys():
        instances = [demand.instances for demand in demanded if demand.quota == quota]
        if sum(instances) > quotas[quota]:
            fitting.append(int(quotas[quota]) // max(instances))
    return min(fitting, default=None)
