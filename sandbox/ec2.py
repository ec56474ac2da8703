# ruff: noqa: N802 - methods are named as AWS names its operations
"""EC2's look-ups of subnets and security groups: moto's, except for the refusals.

Source: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API" (InvalidSubnetID.Malformed,
InvalidGroupId.Malformed, InvalidGroup.NotFound).
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError

_SUFFIX = r"[0-9a-f]{8}([0-9a-f]{9})?"


class Ec2:
    """Checks before moto's own answer."""

    complete = False

    def DescribeSubnets(self, call: Call) -> dict[str, Any]:
        _check_ids(call.params.get("SubnetIds"), "subnet", "InvalidSubnetID.Malformed")
        return TO_MOTO

    def DescribeSecurityGroups(self, call: Call) -> dict[str, Any]:
        """moto's words for a group that is not there are broken."""
        from moto.ec2.models import ec2_backends

        wanted = call.params.get("GroupIds") or []
        _check_ids(wanted, "sg", "InvalidGroupId.Malformed")
        backend = ec2_backends[call.caller.account][call.region]
        for group in wanted:
            if backend.get_security_group_from_id(group) is None:
                raise AwsError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        return TO_MOTO

    def describe(self, call: Call) -> None:
        """Service Authorization Reference, EC2: the Describe operations name no resource, and so are on `*`."""

    def reset(self) -> None:
        """Nothing is kept here."""


def _check_ids(ids: list[str] | None, kind: str, code: str) -> None:
    for value in ids or []:
        if not re.fullmatch(f"{kind}-{_SUFFIX}", value):
            raise AwsError(code, f'Invalid id: "{value}" (expecting "{kind}-...")')
