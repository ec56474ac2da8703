"""What the handler of a type is given to work with, and what becomes of its failures."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from moto.utilities.utils import get_partition

from sandbox.callers import Caller
from sandbox.cloudformation.errors import Failed
from sandbox.cloudformation.stack import Resource, Stack
from sandbox.inside import Inside

_ALPHABET = string.ascii_uppercase + string.digits
_RANDOM = 12
# What of a code says which HandlerErrorCode it is (CloudFormation CLI User Guide, "Handler error codes").
_CODES = (
    ("AccessDenied", ("AccessDenied", "Unauthorized", "Forbidden")),
    ("AlreadyExists", ("AlreadyExists", "AlreadyOwned", "ResourceConflict", "QueueAlready")),
    ("NotFound", ("NotFound", "NoSuch", "NonExistent", "DoesNotExist", "404")),
    ("Throttling", ("Throttl", "SlowDown", "TooManyRequests")),
    ("InvalidRequest", ("Validation", "Invalid", "Malformed", "BadRequest")),
)


class Stopped(Exception):
    """The sandbox forgets everything: the operation ends without a further word."""


@dataclass
class Clients:
    """Boto clients of one principal, each made once for an operation. stop: once it is set, no call is made."""

    inside: Inside
    caller: Caller
    region: str
    stop: Event = field(default_factory=Event)
    _made: dict[str, Any] = field(default_factory=dict)

    def __call__(self, service: str) -> Any:
        if service not in self._made:
            made = self._made[service] = self.inside.client(service, self.caller, self.region)
            made.meta.events.register("before-send", self._go_on)
        return self._made[service]

    def _go_on(self, **_: Any) -> None:
        if self.stop.is_set():
            raise Stopped


@dataclass
class Work:
    """Work on one resource. client("s3"): calls as the caller or as the stack's role."""

    stack: Stack
    resource: Resource
    client: Clients
    verb: str = "CREATE"

    @property
    def region(self) -> str:
        return self.stack.region

    @property
    def partition(self) -> str:
        return get_partition(self.region)

    @property
    def url_suffix(self) -> str:
        return url_suffix(self.region)

    @property
    def physical_id(self) -> str:
        """Raises Failed where the resource was never made."""
        if self.resource.physical_id is None:
            raise Failed(f"{self.resource.logical_id} has no physical id")
        return self.resource.physical_id

    def arn(self, service: str, resource: str, *, global_: bool = False) -> str:
        region = "" if global_ else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.stack.account}:{resource}"

    def made(self, physical_id: str, **attributes: Any) -> None:
        """To be called as soon as the resource is there: from now on a rollback deletes it."""
        self.resource.physical_id = physical_id
        self.resource.attributes = attributes
        self.stack.record_resource(self.resource, f"{self.verb}_IN_PROGRESS", "Resource creation Initiated")

    def generated_name(self, longest: int, lower: bool = False) -> str:
        """Stack name, logical id and random characters, cut to the length that the service allows."""
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
        room = longest - _RANDOM - 2
        logical_id = self.resource.logical_id[: max(room // 2, room - len(self.stack.name))]
        name = f"{self.stack.name[: room - len(logical_id)]}-{logical_id}-{suffix}"
        return name.lower() if lower else name

    def once(self, call: Callable[[], Any], *already: str) -> Any:
        """A creation whose answer may be lost: botocore then tries again and is told that the resource is there.

        already: the codes that say so. Returns None in that case, else the answer. Raises ClientError.
        """
        try:
            return call()
        except ClientError as error:
            retried = error.response["ResponseMetadata"].get("RetryAttempts", 0)
            if retried and error.response["Error"]["Code"] in already:
                return None
            raise


def url_suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def is_not_found(error: ClientError) -> bool:
    return handler_error_code(error) == "NotFound"


def handler_error_code(error: ClientError) -> str:
    code = str(error.response["Error"]["Code"])
    found = next((name for name, parts in _CODES if any(part in code for part in parts)), None)
    if found is None and error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= 500:
        return "ServiceInternalError"
    return found or "GeneralServiceException"


def reason_of(error: Exception, type_name: str) -> str:
    """A ResourceStatusReason, as the registry's handlers word it."""
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, ClientError):
        metadata = error.response["ResponseMetadata"]
        service = type_name.split("::")[1]
        told = (
            f"{error.response['Error'].get('Message', '')} (Service: {service}, "
            f"Status Code: {metadata.get('HTTPStatusCode')}, Request ID: {metadata.get('RequestId')})"
        )
        return _handler(told, handler_error_code(error))
    if isinstance(error, BotoCoreError):
        return _handler(str(error), "NetworkFailure" if "onnection" in str(error) else "InvalidRequest")
    return f"sandbox/ failed with {error!r}: a mistake in it"


def already_exists(type_name: str, identity: str) -> Failed:
    return Failed(
        _handler(f"Resource of type '{type_name}' with identifier '{identity}' already exists.", "AlreadyExists")
    )


def not_updatable(told: str) -> Failed:
    return Failed(_handler(told, "NotUpdatable"))


def invalid_request(told: str) -> Failed:
    return Failed(_handler(f"Invalid request provided: {told}", "InvalidRequest"))


def _handler(told: str, code: str) -> str:
    return f'Resource handler returned message: "{told}" (RequestToken: {uuid4()}, HandlerErrorCode: {code})'
