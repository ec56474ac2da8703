"""AWS::KMS::Key and AWS::KMS::Alias."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, changed, picked, tag_changes
from sandbox.cloudformation.types.policies import document
from sandbox.cloudformation.work import Work, invalid_request, not_updatable

# Template Reference, AWS::KMS::Key: "If you change the value of … on an existing KMS key, the update request fails".
_FIXED = ("KeySpec", "KeyUsage", "MultiRegion")


class Key(Handler):
    type = "AWS::KMS::Key"
    attributes = ("Arn", "KeyId")
    handled = dict.fromkeys(
        ["Description", "Enabled", "EnableKeyRotation", "KeyPolicy", *_FIXED, "PendingWindowInDays", "Tags"]
    )

    def create(self, work: Work, wanted: Properties) -> None:
        kms = work.client("kms")
        policy = {"Policy": document(wanted["KeyPolicy"])} if "KeyPolicy" in wanted else {}
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in as_list(wanted.get("Tags"))]
        made = kms.create_key(**picked(wanted, "Description", *_FIXED), **policy, **({"Tags": tags} if tags else {}))
        key = made["KeyMetadata"]
        work.made(key["KeyId"], Arn=key["Arn"], KeyId=key["KeyId"])
        self._switch(kms, work.physical_id, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        kms, key = work.client("kms"), work.physical_id
        fixed = [name for name in changed(old, new) if name in _FIXED]
        if fixed:
            raise not_updatable(f"You cannot update the {fixed[0]} property of a KMS key")
        if old.get("Description") != new.get("Description"):
            kms.update_key_description(KeyId=key, Description=new.get("Description", ""))
        if old.get("KeyPolicy") != new.get("KeyPolicy"):
            if "KeyPolicy" not in new:
                raise not_updatable("KeyPolicy cannot be removed from a KMS key")
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(new["KeyPolicy"]))
        self._switch(kms, key, old, new)
        added, removed = tag_changes(old, new)
        if added:
            kms.tag_resource(KeyId=key, Tags=[{"TagKey": name, "TagValue": value} for name, value in added.items()])
        if removed:
            kms.untag_resource(KeyId=key, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        """A key waits for its deletion, 30 days unless told otherwise."""
        kms = work.client("kms")
        if kms.describe_key(KeyId=work.physical_id)["KeyMetadata"]["KeyState"] != "PendingDeletion":
            kms.schedule_key_deletion(KeyId=work.physical_id, PendingWindowInDays=held.get("PendingWindowInDays", 30))

    def _switch(self, kms: Any, key: str, old: Properties, new: Properties) -> None:
        """Rotation is set while the key is enabled, as the registry's own handler of the type does it."""
        was_enabled, enabled = old.get("Enabled", True), new.get("Enabled", True)
        rotate = new.get("EnableKeyRotation", False)
        rotation_differs = old.get("EnableKeyRotation", False) != rotate
        if rotation_differs:  # in a rollback it may never have been changed
            rotation_differs = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] != rotate
        if rotation_differs and not was_enabled and not enabled:
            raise invalid_request(
                "You cannot modify the EnableKeyRotation property when the Enabled property is false. "
                "Set Enabled to true to modify the EnableKeyRotation property."
            )
        if enabled and not was_enabled:
            kms.enable_key(KeyId=key)
        if rotation_differs:
            (kms.enable_key_rotation if rotate else kms.disable_key_rotation)(KeyId=key)
        if was_enabled and not enabled:
            kms.disable_key(KeyId=key)


class Alias(Handler):
    type = "AWS::KMS::Alias"
    name = "AliasName"
    handled = {"AliasName": None, "TargetKeyId": None}  # noqa: RUF012

    def create(self, work: Work, wanted: Properties) -> None:
        work.once(lambda: work.client("kms").create_alias(**wanted), "AlreadyExistsException")
        work.made(wanted["AliasName"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        work.client("kms").update_alias(**new)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("kms").delete_alias(AliasName=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("kms").describe_key(KeyId=name)
        return True
