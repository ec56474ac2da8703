"""One question that AWS asks IAM: may this principal do this action on this resource, under these conditions?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Check:
    """action: as policies name it, e.g. `s3:PutObject`. resource: an ARN, or `*` where the action names none; an ARN
    may end in `*` where AWS itself does not know the rest yet. context: the condition keys of this action alone."""

    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)


def given(**keys: Any) -> dict[str, Any]:
    """Condition keys that are in the request at all: an absent key must be absent, for the operator Null."""
    return {key: value for key, value in keys.items() if value not in (None, "", [], {})}
