"""A call, as the sandbox's own services see it, and how such a service is written.

A service is a class with one method for each operation that it implements, named as AWS names it; the method takes
the call and returns the output by botocore's member names (or TO_MOTO), or raises AwsError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.core.model import OperationModel
from moto.core.serialize import get_serializer_class
from moto.utilities.utils import get_partition

from sandbox.callers import Caller
from sandbox.errors import Answer


@dataclass
class Call:
    """One validated, authenticated call. resources and context are filled by the service, for the call log."""

    service: str
    operation: str
    model: OperationModel
    protocol: str
    params: dict[str, Any]
    region: str
    caller: Caller
    resources: list[str] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        return get_partition(self.region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.caller.account}:{resource}"


# What an operation returns when it has only checked the call, and moto is to do it.
TO_MOTO: dict[str, Any] = {"": "to moto"}

Operation = Callable[[Call], dict[str, Any] | None]


class Service(Protocol):
    """What the front needs from one of the sandbox's own services."""

    # True: an operation without a method is not implemented. False: it is moto's.
    complete: bool

    def describe(self, call: Call) -> None:
        """Fill call.resources and call.context, before the call takes effect; never raises for unknown resources."""

    def reset(self) -> None:
        """Forget everything."""


def encode_output(call: Call, output: dict[str, Any] | None) -> Answer:
    """An operation's output on the wire, by moto's serializer for the protocol."""
    serializer = get_serializer_class(call.service, call.protocol)(operation_model=call.model)
    response = serializer.serialize(output or {})
    body = response["body"] or b""  # None where the payload is a member that was not given
    status = response["status_code"]
    shape = call.model.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "statusCode":  # which moto's serializers do not know
            status = (output or {}).get(name, status)
    return status, dict(response["headers"]), body.encode() if isinstance(body, str) else body
