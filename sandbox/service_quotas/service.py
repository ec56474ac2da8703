# ruff: noqa: N802 - methods are named as AWS names its operations
"""The operations of Service Quotas that read. Source: Service Quotas API Reference (2019-06-24)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.paging import page
from sandbox.service_quotas.quotas import Quotas
from sandbox.service_quotas.table import Quota

T = TypeVar("T")

SAGEMAKER = {"ServiceCode": "sagemaker", "ServiceName": "Amazon SageMaker"}
_MOST_RESULTS = 100


class ServiceQuotas:
    """Quotas are read here; they are changed by Sandbox.set_quota alone, as nobody reviews an increase."""

    complete = True

    def __init__(self, quotas: Quotas) -> None:
        self.quotas = quotas

    def ListServices(self, call: Call) -> dict[str, Any]:
        page, token = _page(call, [SAGEMAKER])
        return {"Services": page, "NextToken": token}

    def ListServiceQuotas(self, call: Call) -> dict[str, Any]:
        """Applied values. QuotaAppliedAtLevel: "Filters the response to return applied quota values for the ACCOUNT,
        RESOURCE, or ALL levels. ACCOUNT is the default." No quota here is one of a resource."""
        _require_sagemaker(call)
        wanted = call.params.get("QuotaCode")
        quotas = [quota for quota in self._in_order() if wanted in (None, quota.code)]
        if call.params.get("QuotaAppliedAtLevel") == "RESOURCE":
            quotas = []
        page, token = _page(call, quotas)
        return {"Quotas": [self._applied(call, quota) for quota in page], "NextToken": token}

    def GetServiceQuota(self, call: Call) -> dict[str, Any]:
        if "ContextId" in call.params:
            raise NotImplementedInSandbox("service-quotas", "GetServiceQuota", "ContextId: quotas of a resource")
        return {"Quota": self._applied(call, self._find(call))}

    def ListAWSDefaultServiceQuotas(self, call: Call) -> dict[str, Any]:
        _require_sagemaker(call)
        page, token = _page(call, self._in_order())
        return {"Quotas": [_default(call, quota) for quota in page], "NextToken": token}

    def GetAWSDefaultServiceQuota(self, call: Call) -> dict[str, Any]:
        return {"Quota": _default(call, self._find(call))}

    def describe(self, call: Call) -> None:
        """Service Authorization Reference, Service Quotas: the reading operations name no resource, and so are on
        `*`."""

    def reset(self) -> None:
        self.quotas.forget()

    def _in_order(self) -> list[Quota]:
        return list(self.quotas.all.values())

    def _find(self, call: Call) -> Quota:
        _require_sagemaker(call)
        code = call.params["QuotaCode"]
        for quota in self.quotas.all.values():
            if quota.code == code:
                return quota
        raise AwsError("NoSuchResourceException", f"The request failed because the quota {code} does not exist.")

    def _applied(self, call: Call, quota: Quota) -> dict[str, Any]:
        arn = f"arn:{call.partition}:servicequotas:{call.region}:{call.caller.account}:sagemaker/{quota.code}"
        return _shown(quota, arn, self.quotas.value(quota.name))


def _require_sagemaker(call: Call) -> None:
    code = call.params["ServiceCode"]
    if code != SAGEMAKER["ServiceCode"]:
        raise NotImplementedInSandbox("service-quotas", call.operation, f"quotas of {code}; only sagemaker's are here")


def _default(call: Call, quota: Quota) -> dict[str, Any]:
    return _shown(quota, f"arn:{call.partition}:servicequotas:{call.region}::sagemaker/{quota.code}", quota.default)


def _shown(quota: Quota, arn: str, value: float) -> dict[str, Any]:
    return {
        **SAGEMAKER,
        "QuotaArn": arn,
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def _page(call: Call, items: Sequence[T]) -> tuple[list[T], str | None]:
    """MaxResults (1 to 100) items and the token of the next page. Raises InvalidPaginationTokenException."""
    refusal = AwsError("InvalidPaginationTokenException", "Invalid pagination token.")
    return page(call, items, call.params.get("MaxResults", _MOST_RESULTS), call.params.get("NextToken"), refusal)
