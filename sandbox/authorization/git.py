"""git against CodeCommit: one action for a push, one for a fetch, on the repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.utilities.utils import get_partition

from sandbox.authorization.request_context import request_context
from sandbox.callers import Caller


@dataclass(frozen=True)
class _Connection:
    caller: Caller
    region: str

    @property
    def partition(self) -> str:
        return get_partition(self.region)


def git_authorizations(
    operation: str, repository_arn: str, context: Mapping[str, Any], caller: Caller, region: str
) -> list[dict[str, Any]]:
    """operation: `GitPush` or `GitPull`. context: the repository's tags, and of a push codecommit:References
    (CodeCommit User Guide, "Limit pushes and merges to branches")."""
    everywhere = request_context(_Connection(caller, region), "codecommit")
    keys = {**everywhere, "aws:ResourceAccount": repository_arn.split(":")[4], **context}
    return [{"action": f"codecommit:{operation}", "resource": repository_arn, "context": keys}]
