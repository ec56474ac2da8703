"""Faults on purpose: the n-th call of an operation fails in a named way, so that anybody can try what happens then.

The codes are each protocol's own: ThrottlingException (JSON), Throttling (query), SlowDown (S3);
AccessDeniedException or
AccessDenied with IAM's sentence (IAM User Guide, "Troubleshoot access denied error messages"); S3 "Error responses".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from sandbox.callers import expired
from sandbox.errors import AwsError


class FaultName(StrEnum):
    """How a call fails.

    `no-answer` and `hang-after` TAKE EFFECT first; `dropped` and `hang-before` do not. The hanging ones hold the
    connection open until the client goes away.
    """

    THROTTLING = "throttling"
    ACCESS_DENIED = "access-denied"
    SERVER_ERROR = "server-error"
    EXPIRED_TOKEN = "expired-token"  # noqa: S105 - a name, no secret
    NO_ANSWER = "no-answer"
    DROPPED = "dropped"
    HANG_BEFORE = "hang-before"
    HANG_AFTER = "hang-after"


AFTER_THE_EFFECT = (FaultName.NO_ANSWER, FaultName.HANG_AFTER)


@dataclass(frozen=True)
class Fault:
    """call: the first call that fails, from 1. times: how many in a row; None: from there on for ever."""

    service: str
    operation: str
    fault: FaultName
    call: int = 1
    times: int | None = 1

    def strikes(self, number: int) -> bool:
        return number >= self.call and (self.times is None or number < self.call + self.times)


class Faults:
    """The faults in force, and how often each operation was called since they were set."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = Lock()
        self._faults = list(faults)
        self._calls: Counter[tuple[str, str]] = Counter()

    def next_call(self, service: str, operation: str) -> FaultName | None:
        """Counts a call and says how it fails, if it does."""
        with self._lock:
            self._calls[service, operation] += 1
            number = self._calls[service, operation]
            for fault in self._faults:
                if (fault.service, fault.operation) == (service, operation) and fault.strikes(number):
                    return fault.fault
        return None

    def replace(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self._faults = list(faults)
            self._calls.clear()

    def restart_counting(self) -> None:
        with self._lock:
            self._calls.clear()


def fault_error(
    fault: FaultName, protocol: str, service: str, operation: str, caller: str, resources: list[str]
) -> AwsError | None:
    """The answer of a fault, or None for the faults that cut or hold the connection."""
    if fault is FaultName.EXPIRED_TOKEN:
        return expired(protocol, service)
    if fault is FaultName.THROTTLING:
        if service == "s3":
            return AwsError("SlowDown", "Please reduce your request rate.", 503)
        if protocol in ("query", "ec2", "rest-xml"):
            return AwsError("Throttling", "Rate exceeded", 400)
        return AwsError("ThrottlingException", "Rate exceeded", 429 if protocol == "rest-json" else 400)
    if fault is FaultName.ACCESS_DENIED:
        return access_denied(protocol, service, operation, caller, resources)
    if fault is FaultName.SERVER_ERROR:
        return AwsError(_internal_error(protocol, service), "We encountered an internal error. Please try again.", 500)
    return None


def _internal_error(protocol: str, service: str) -> str:
    if service == "s3":
        return "InternalError"
    return "InternalFailure" if protocol in ("query", "ec2", "rest-xml") else "InternalServerException"


_IAM_PREFIXES = {"sagemaker-runtime": "sagemaker", "sagemaker-metrics": "sagemaker", "stepfunctions": "states"}
_IAM_ACTIONS = {
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "HeadObject"): "GetObject",
}


def access_denied(protocol: str, service: str, operation: str, caller: str, resources: list[str]) -> AwsError:
    """IAM's refusal, as worded in the IAM User Guide ("Troubleshoot access denied error messages")."""
    action = f"{_IAM_PREFIXES.get(service, service)}:{_IAM_ACTIONS.get((service, operation), operation)}"
    on = f" on resource: {resources[0]}" if resources else ""
    why = f"because no identity-based policy allows the {action} action"
    message = f"User: {caller} is not authorized to perform: {action}{on} {why}"
    if service == "s3" or protocol in ("query", "ec2", "rest-xml"):
        return AwsError("AccessDenied", message, 403)
    return AwsError("AccessDeniedException", message, 403 if protocol == "rest-json" else 400)
