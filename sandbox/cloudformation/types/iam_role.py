"""AWS::IAM::Role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, picked, tag_changes
from sandbox.cloudformation.types.policies import document, without
from sandbox.cloudformation.work import Work


class Role(Handler):
    type = "AWS::IAM::Role"
    name = "RoleName"
    attributes = ("Arn", "RoleId")
    handled = dict.fromkeys(
        [
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        ]
    )

    def create(self, work: Work, wanted: Properties) -> None:
        iam, name = work.client("iam"), wanted.get("RoleName") or work.generated_name(64)
        tags = {"Tags": as_list(wanted["Tags"])} if wanted.get("Tags") else {}
        given = picked(wanted, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary")
        trust = document(wanted["AssumeRolePolicyDocument"])
        made = work.once(
            lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **given, **tags),
            "EntityAlreadyExists",
        )
        role = (made or iam.get_role(RoleName=name))["Role"]
        work.made(name, Arn=role["Arn"], RoleId=role["RoleId"])
        self._policies(iam, name, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        iam, name = work.client("iam"), work.physical_id
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=document(new["AssumeRolePolicyDocument"]))
        if any(old.get(key) != new.get(key) for key in ("Description", "MaxSessionDuration")):
            given = {
                "Description": new.get("Description", ""),
                "MaxSessionDuration": new.get("MaxSessionDuration", 3600),
            }
            iam.update_role(RoleName=name, **given)
        if old.get("PermissionsBoundary") != new.get("PermissionsBoundary"):
            if "PermissionsBoundary" in new:
                iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=new["PermissionsBoundary"])
            else:
                iam.delete_role_permissions_boundary(RoleName=name)
        self._policies(iam, name, old, new)
        added, removed = tag_changes(old, new)
        if added:
            iam.tag_role(RoleName=name, Tags=as_list(added))
        if removed:
            iam.untag_role(RoleName=name, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        """With what the stack gave it; IAM refuses the deletion of a role that was given more (DeleteConflict)."""
        iam = work.client("iam")
        self._policies(iam, work.physical_id, held, {})
        iam.delete_role(RoleName=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("iam").get_role(RoleName=name)
        return True

    def _policies(self, iam: Any, role: str, old: Properties, new: Properties) -> None:
        before, after = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
        for arn in sorted(after - before):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        held = {policy["PolicyName"]: policy["PolicyDocument"] for policy in old.get("Policies", [])}
        wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
        for name in sorted(wanted):
            if held.get(name) != wanted[name]:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document(wanted[name]))
        for arn in sorted(before - after):
            without(iam.detach_role_policy, RoleName=role, PolicyArn=arn)
        for name in sorted(set(held) - set(wanted)):
            without(iam.delete_role_policy, RoleName=role, PolicyName=name)
