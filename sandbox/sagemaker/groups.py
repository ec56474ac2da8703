# ruff: noqa: N802 - methods are named as AWS names its operations
"""Model package groups."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.sagemaker.listing import listed
from sandbox.sagemaker.store import Group, Registries, group_arn, invalid, user_context
from sandbox.sagemaker.tags import check_new_tags


class GroupOperations:
    registries: Registries

    def CreateModelPackageGroup(self, call: Call) -> dict[str, Any]:
        """A second one of the same name is refused: ValidationException, "Model Package Group already exists: arn:..."
        (observed by many users of the API; the operation declares only ResourceLimitExceeded)."""
        params = call.params
        tags = check_new_tags(params.get("Tags") or [], {})
        arn = group_arn(call, params["ModelPackageGroupName"])
        with self.registries.lock:
            groups = self.registries.of(call).groups
            if arn in groups:
                raise invalid(f"Model Package Group already exists: {arn}")
            groups[arn] = Group(
                name=params["ModelPackageGroupName"],
                arn=arn,
                description=params.get("ModelPackageGroupDescription"),
                tags=tags,
                created_by=user_context(call),
                managed_configuration=params.get("ManagedConfiguration"),
            )
        return {"ModelPackageGroupArn": arn}

    def DescribeModelPackageGroup(self, call: Call) -> dict[str, Any]:
        with self.registries.lock:
            group = self.registries.group(call, call.params["ModelPackageGroupName"])
            return {**_summary(group), "CreatedBy": group.created_by}

    def ListModelPackageGroups(self, call: Call) -> dict[str, Any]:
        """CrossAccount shows what other accounts share: nothing here."""
        with self.registries.lock:
            groups = (
                []
                if call.params.get("CrossAccountFilterOption") == "CrossAccount"
                else self.registries.of(call).groups.values()
            )
            shown, token = listed(
                call, groups, name=lambda item: item.name, created=lambda item: item.created, tie=lambda item: item.name
            )
        return {"ModelPackageGroupSummaryList": [_summary(group) for group in shown], "NextToken": token}

    def DeleteModelPackageGroup(self, call: Call) -> None:
        """Refused while versions exist: the operation declares ConflictException, and the Developer Guide ("Delete a
        Model Group") says to delete the group's versions first."""
        with self.registries.lock:
            group = self.registries.group(call, call.params["ModelPackageGroupName"])
            registry = self.registries.of(call)
            if any(package.group is group for package in registry.packages.values()):
                raise AwsError(
                    "ConflictException",
                    f"Model Package Group {group.arn} cannot be deleted because it still contains Model Packages",
                )
            del registry.groups[group.arn]


def _summary(group: Group) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "ModelPackageGroupDescription": group.description,
        "CreationTime": group.created,
        "ModelPackageGroupStatus": "Completed",
        "ManagedConfiguration": group.managed_configuration,
    }
