# ruff: noqa: N802 - methods are named as AWS names its operations
"""STS: moto assumes roles that do not exist and asks no trust policy; AWS does not."""

from __future__ import annotations

from typing import Any

from sandbox.authorization.request_context import request_context
from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.role_trust import UnreadableTrust, trusts_principal


class Sts:
    """Checks before moto's own answer."""

    complete = False

    def AssumeRole(self, call: Call) -> dict[str, Any]:
        """A role that is not there is refused as one that does not trust the caller: nobody is to learn which (IAM
        User Guide, "Troubleshoot IAM roles"). Whether the caller's own policies allow the call is not asked."""
        from moto.iam.models import iam_backends

        arn = call.params["RoleArn"]
        roles = [role for partitions in iam_backends.values() for role in partitions[call.partition].roles.values()]
        role = next((role for role in roles if role.arn == arn), None)
        if role is None or not _is_trusted(call, role.assume_role_policy_document):
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


def _is_trusted(call: Call, policy: str) -> bool:
    """The caller is meant by its own ARN, by its role's, and by its account's (IAM User Guide, "AWS JSON policy
    elements: Principal")."""
    account = call.caller.account
    context = {
        **request_context(call, "sts"),
        "sts:RoleSessionName": call.params["RoleSessionName"],
        **({"sts:ExternalId": call.params["ExternalId"]} if call.params.get("ExternalId") else {}),
    }
    names = {call.caller.arn, context["aws:PrincipalArn"], account, f"arn:{call.partition}:iam::{account}:root"}
    try:
        return trusts_principal(policy, names, context)
    except UnreadableTrust as error:
        raise NotImplementedInSandbox("sts", "AssumeRole", f"cannot read {error}") from error
