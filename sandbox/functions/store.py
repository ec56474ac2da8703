"""Functions of all accounts and regions, in memory; their code, unpacked, on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any
from uuid import uuid4

from sandbox.calls import Call
from sandbox.errors import AwsError

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:[a-z-]+:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)
_SETTLES_AFTER = 2.0  # seconds that AWS takes to make a new or a changed function usable, about


@dataclass(frozen=True)
class Code:
    """An unpacked deployment package. sha256: Base64, of the archive."""

    folder: Path
    sha256: str
    size: int


@dataclass
class Function:
    """settings: what CreateFunction got, with AWS's defaults. reserved: concurrency, None for none of its own.
    event_config: of asynchronous invocations, None for the defaults."""

    name: str
    arn: str
    account: str
    region: str
    code: Code
    settings: dict[str, Any]
    tags: dict[str, str]
    policy: list[dict[str, Any]] = field(default_factory=list)
    policy_revision: str = field(default_factory=lambda: str(uuid4()))
    reserved: int | None = None
    event_config: dict[str, Any] | None = None
    running: int = 0
    state: str = "Pending"
    revision: str = field(default_factory=lambda: str(uuid4()))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    changed: float = field(default_factory=monotonic)
    is_settled: bool = False

    def change(self) -> None:
        """After an update: another revision, and unusable for further updates until it is settled."""
        self.revision, self.modified = str(uuid4()), datetime.now(UTC)
        self.changed, self.is_settled = monotonic(), False

    def settle(self, now: bool = False) -> None:
        """AWS makes a function usable in the background. Here that is done when somebody asks for its state, so that
        waiters do not wait, and code that has no waiter is refused as by AWS."""
        if now or monotonic() - self.changed > _SETTLES_AFTER:
            self.is_settled, self.state = True, "Active"

    @property
    def log_group(self) -> str:
        return str(self.settings["LoggingConfig"]["LogGroup"])


class Registry:
    """Hold the lock while you use what it returns."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._all: dict[tuple[str, str], dict[str, Function]] = {}

    def mine(self, call: Call) -> dict[str, Function]:
        return self._all.setdefault((call.caller.account, call.region), {})

    def find(self, call: Call) -> Function:
        """By FunctionName and Qualifier of the call. Raises ResourceNotFoundException."""
        name, qualifier = named(call)
        found = self.mine(call).get(name)
        arn = call.arn("lambda", f"function:{name}") + (f":{qualifier}" if qualifier else "")
        if found is None or (qualifier or LATEST) != LATEST:
            raise not_found(f"Function not found: {arn}")
        return found

    def by_arn(self, arn: str) -> Function | None:
        parts = arn.split(":")
        return self._all.get((parts[4], parts[3]), {}).get(parts[6]) if len(parts) >= 7 else None

    def every(self) -> list[Function]:
        return [function for functions in self._all.values() for function in functions.values()]

    def clear(self) -> None:
        with self.lock:
            self._all.clear()


def name_in(name_or_arn: str) -> str:
    """The function's name in any of the forms that AWS takes."""
    found = _NAME.fullmatch(name_or_arn)
    return found["name"] if found else name_or_arn


def named(call: Call) -> tuple[str, str | None]:
    """Name and qualifier, from a name, a partial or a whole ARN, and Qualifier (API Reference, "Name formats")."""
    given, qualifier = call.params["FunctionName"], call.params.get("Qualifier")
    found = _NAME.fullmatch(given)
    if found is None:
        raise AwsError("ValidationException", f"'{given}' is no name and no ARN of a function")
    if found["region"] and found["region"] != call.region:
        raise not_found(f"Functions from '{found['region']}' are not reachable in this region ('{call.region}')")
    if found["account"] and found["account"] != call.caller.account:
        raise AwsError("AccessDeniedException", f"{call.caller.arn} may not use functions of {found['account']}", 403)
    if found["qualifier"] and qualifier and found["qualifier"] != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    if len(found["name"]) > 64:
        raise invalid(
            f"1 validation error detected: Value '{found['name']}' at 'functionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64"
        )
    return found["name"], found["qualifier"] or qualifier


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404)
