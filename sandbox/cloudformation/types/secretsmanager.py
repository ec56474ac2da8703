"""AWS::SecretsManager::Secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, changed, picked, tag_changes
from sandbox.cloudformation.work import Work


class Secret(Handler):
    """Ref is the ARN. A password is generated once, and again when how it is made changes."""

    type = "AWS::SecretsManager::Secret"
    name = "Name"
    attributes = ("Id",)
    handled = dict.fromkeys(["Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        manager, name = work.client("secretsmanager"), wanted.get("Name") or work.generated_name(64)
        given = picked(wanted, "Description", "KmsKeyId")
        tags = {"Tags": as_list(wanted["Tags"])} if wanted.get("Tags") else {}
        text = self._text(manager, wanted)
        made = manager.create_secret(Name=name, **({"SecretString": text} if text is not None else {}), **given, **tags)
        work.made(made["ARN"], Id=made["ARN"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        manager, arn, differing = work.client("secretsmanager"), work.physical_id, changed(old, new)
        given: dict[str, Any] = {key: new.get(key, "") for key in ("Description", "KmsKeyId") if key in differing}
        if {"GenerateSecretString", "SecretString"} & set(differing):
            text = self._text(manager, new)
            given |= {"SecretString": text} if text is not None else {}
        if given:
            manager.update_secret(SecretId=arn, **given)
        added, removed = tag_changes(old, new)
        if added:
            manager.tag_resource(SecretId=arn, Tags=as_list(added))
        if removed:
            manager.untag_resource(SecretId=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        """Without a time to recover it, so that the same stack can be made again."""
        work.client("secretsmanager").delete_secret(SecretId=work.physical_id, ForceDeleteWithoutRecovery=True)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("secretsmanager").describe_secret(SecretId=name)
        return True

    def _text(self, manager: Any, wanted: Properties) -> str | None:
        how = dict(wanted.get("GenerateSecretString", {}))
        if "GenerateSecretString" not in wanted:
            return wanted.get("SecretString")
        template, key = how.pop("SecretStringTemplate", None), how.pop("GenerateStringKey", None)
        password = str(manager.get_random_password(**how)["RandomPassword"])
        return json.dumps({**json.loads(template), key: password}) if template and key else password
