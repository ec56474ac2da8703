"""What the account holds already, read from moto without loading it: what was never loaded is empty."""

from __future__ import annotations

import sys
from typing import Any, Protocol

from sandbox.callers import Caller

_GLOBAL = ("iam", "s3")


class Place(Protocol):
    """Who calls, and where: what a call and a push have in common."""

    @property
    def region(self) -> str: ...

    @property
    def caller(self) -> Caller: ...

    @property
    def partition(self) -> str: ...


def backend(name: str, call: Place, account: str | None = None) -> Any:
    """moto's backend of one service, e.g. `dynamodb`, or None if nothing was ever asked of it."""
    module = sys.modules.get(f"moto.{name}.models")
    if module is None:
        return None
    place = call.partition if name in _GLOBAL else call.region
    return getattr(module, f"{name}_backends")[account or call.caller.account][place]


def role(call: Place, name_or_arn: str) -> Any:
    """An IAM role of any account, or None."""
    account = name_or_arn.split(":")[4] if name_or_arn.startswith("arn:") else None
    iam = backend("iam", call, account)
    roles = iam.roles.values() if iam else []
    return next((role for role in roles if name_or_arn in (role.name, role.arn)), None)


def user(call: Place, name: str) -> Any:
    """An IAM user of the caller's account, or None."""
    iam = backend("iam", call)
    return iam.users.get(name) if iam else None
