# ruff: noqa: N802 - methods are named as AWS names its operations
"""STS: moto assumes roles that do not exist; AWS does not."""

from __future__ import annotations

from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError


class Sts:
    """Checks before moto's own answer."""

    complete = False

    def AssumeRole(self, call: Call) -> dict[str, Any]:
        """A role that is not there is refused as one that does not trust the caller: nobody is to learn which (IAM
        User Guide, "Troubleshoot IAM roles")."""
        from moto.iam.models import iam_backends

        arn = call.params["RoleArn"]
        roles = [role for partitions in iam_backends.values() for role in partitions[call.partition].roles.values()]
        if all(role.arn != arn for role in roles):
            raise AwsError(
                "AccessDenied",
                f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                403,
            )
        return TO_MOTO

    def describe(self, call: Call) -> None:
        """Nothing that the general rules do not find."""

    def reset(self) -> None:
        """Nothing is kept here."""
