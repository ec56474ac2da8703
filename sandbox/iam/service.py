# ruff: noqa: N802 - methods are named as AWS names its operations
"""IAM as the front sees it: each operation checks what moto does not, and leaves the rest to moto.

Sources: IAM API Reference (errors of each operation); IAM User Guide, "IAM and AWS STS quotas", "Permissions boundaries
for IAM entities", "Tags for AWS Identity and Access Management resources".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError
from sandbox.iam.documents import (
    INLINE_SIZE,
    MANAGED_SIZE,
    check_identity_policy,
    check_trust_policy,
    size,
)

MOST_MANAGED_POLICIES = 10
MOST_TAGS = 50


class Iam:
    """Roles and policies. Users are not strict: only the sandbox's own is needed."""

    complete = False

    def CreateRole(self, call: Call) -> dict[str, Any]:
        params = call.params
        check_trust_policy(params["AssumeRolePolicyDocument"], _exists_for(call))
        _check_tags(params.get("Tags") or [], [])
        _check_boundary(call, params.get("PermissionsBoundary"))
        name = params["RoleName"]
        if any(role.name.lower() == name.lower() for role in _backend(call).get_roles()):
            raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
        return TO_MOTO

    def UpdateAssumeRolePolicy(self, call: Call) -> dict[str, Any]:
        check_trust_policy(call.params["PolicyDocument"], _exists_for(call))
        return TO_MOTO

    def PutRolePolicy(self, call: Call) -> dict[str, Any]:
        """All inline policies of a role together have a quota."""
        params = call.params
        check_identity_policy(params["PolicyDocument"])
        role = _role(call, params["RoleName"])
        others = {name: held for name, held in (role.policies if role else {}).items() if name != params["PolicyName"]}
        if sum(map(size, [*others.values(), params["PolicyDocument"]])) > INLINE_SIZE:
            message = f"Maximum policy size of {INLINE_SIZE} bytes exceeded for role {params['RoleName']}"
            raise AwsError("LimitExceeded", message, 409)
        return TO_MOTO

    def AttachRolePolicy(self, call: Call) -> dict[str, Any]:
        role = _role(call, call.params["RoleName"])
        held = set(role.managed_policies) if role else set()
        if len(held | {call.params["PolicyArn"]}) > MOST_MANAGED_POLICIES:
            raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {MOST_MANAGED_POLICIES}", 409)
        return TO_MOTO

    def PutRolePermissionsBoundary(self, call: Call) -> dict[str, Any]:
        _check_boundary(call, call.params["PermissionsBoundary"])
        return TO_MOTO

    def TagRole(self, call: Call) -> dict[str, Any]:
        role = _role(call, call.params["RoleName"])
        _check_tags(call.params["Tags"], [tag["Key"] for tag in role.tags] if role else [])
        return TO_MOTO

    def CreatePolicy(self, call: Call) -> dict[str, Any]:
        _check_managed(call.params["PolicyDocument"])
        _check_tags(call.params.get("Tags") or [], [])
        return TO_MOTO

    def CreatePolicyVersion(self, call: Call) -> dict[str, Any]:
        _check_managed(call.params["PolicyDocument"])
        return TO_MOTO

    def DeletePolicy(self, call: Call) -> dict[str, Any]:
        """A policy in use stays, as a boundary too, and so does one with older versions."""
        arn = call.params["PolicyArn"]
        backend = _backend(call)
        holders = [*backend.get_roles(), *backend.users.values(), *backend.groups.values()]
        bounded = [role for role in backend.get_roles() if role.permissions_boundary_arn == arn]
        if bounded or any(arn in holder.managed_policies for holder in holders):
            raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        policy = backend.managed_policies.get(arn)
        if policy is not None and len(policy.versions) > 1:
            raise AwsError(
                "DeleteConflict",
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy.",
                409,
            )
        return TO_MOTO

    def describe(self, call: Call) -> None:
        """Nothing that the general rules do not find."""

    def reset(self) -> None:
        """Nothing is kept here."""


def _check_managed(document: str) -> None:
    check_identity_policy(document)
    if size(document) > MANAGED_SIZE:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED_SIZE}", 409)


def _check_boundary(call: Call, arn: str | None) -> None:
    """A boundary is a managed policy that is there; AWS's own are taken as they come."""
    if arn and not arn.split(":")[4:5] == ["aws"] and arn not in _backend(call).managed_policies:
        raise AwsError("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)


def _check_tags(tags: Iterable[dict[str, str]], held: Iterable[str]) -> None:
    """Keys are not case-sensitive (IAM User Guide, "Tags for AWS Identity and Access Management resources")."""
    keys = [tag["Key"] for tag in tags]
    if any(key.lower().startswith("aws:") for key in keys):
        raise AwsError("InvalidInput", "Tag keys cannot begin with aws:, which is reserved for system use.", 400)
    if len({key.lower() for key in [*keys, *held]}) > MOST_TAGS:
        raise AwsError("LimitExceeded", "The number of tags has reached the maximum limit.", 409)


def _exists_for(call: Call) -> Any:
    def exists(arn: str) -> bool:
        parts = arn.split(":", 5)
        if parts[2] != "iam" or parts[4] != call.caller.account:
            return True
        backend = _backend(call)
        return any(known.arn == arn for known in (*backend.get_roles(), *backend.users.values()))

    return exists


def _role(call: Call, name: str) -> Any:
    return next((role for role in _backend(call).get_roles() if role.name == name), None)


def _backend(call: Call) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[call.caller.account][call.partition]
