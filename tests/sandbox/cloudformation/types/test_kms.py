"""Keys and aliases, made, changed and removed, as KMS's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.types.resources import KEY, ROOT, gone, policy, resource, tagged

pytestmark = pytest.mark.slow


def test_key_and_alias(stacks, client):
    kms, changeable = client("kms"), policy(["kms:Decrypt", "kms:PutKeyPolicy"], **ROOT)
    template = {
        "K": resource(
            "KMS::Key",
            Description="one",
            EnableKeyRotation=True,
            KeyPolicy=policy("kms:*", **ROOT),
            Tags=tagged(team="ml"),
            PendingWindowInDays=7,
        ),
        "A": resource("KMS::Alias", AliasName="alias/demo", TargetKeyId={"Ref": "K"}),
        "L": KEY,
    }
    stacks.create(template)
    key = stacks.physical("K")
    found = kms.describe_key(KeyId="alias/demo")["KeyMetadata"]
    assert (found["KeyId"], found["Description"], found["KeyState"]) == (key, "one", "Enabled")
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]) == policy("kms:*", **ROOT)
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "ml"}]
    template["K"]["Properties"] |= {
        "Description": "two",
        "EnableKeyRotation": False,
        "KeyPolicy": changeable,
        "Tags": tagged(cost="1"),
        "Enabled": False,
    }
    template["A"]["Properties"]["TargetKeyId"] = {"Ref": "L"}
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["Description"], found["KeyState"]) == ("two", "Disabled")
    assert kms.describe_key(KeyId="alias/demo")["KeyMetadata"]["KeyId"] == stacks.physical("L")
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]) == changeable
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "cost", "TagValue": "1"}]
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    gone(kms.describe_key, KeyId="alias/demo")


def test_a_key_rotates_only_while_it_is_enabled(stacks, client):
    """As the registry's own handler of the type orders, and words, it."""
    key = resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT), Enabled=False, EnableKeyRotation=True)
    assert stacks.create({"K": key})["StackStatus"] == "CREATE_COMPLETE"
    key["Properties"]["EnableKeyRotation"] = False
    assert stacks.update({"K": key})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "You cannot modify the EnableKeyRotation property when the Enabled property is false" in stacks.reason(
        "K", "UPDATE_FAILED"
    )
    key["Properties"]["Enabled"] = True
    assert stacks.update({"K": key})["StackStatus"] == "UPDATE_COMPLETE"
    assert not client("kms").get_key_rotation_status(KeyId=stacks.physical("K"))["KeyRotationEnabled"]


def test_a_key_that_nobody_could_change_any_more_is_not_made(stacks):
    """CreateKey, BypassPolicyLockoutSafetyCheck: by default such a policy is refused."""
    locked = resource("KMS::Key", KeyPolicy=policy("kms:Decrypt", **ROOT))
    assert stacks.create({"K": locked})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "will not allow you to update the key policy in the future" in stacks.reason("K", "CREATE_FAILED")


def test_a_keys_specification_is_not_changed(stacks):
    key = resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT))
    stacks.create({"K": key})
    key["Properties"]["KeySpec"] = "RSA_2048"
    key["Properties"]["KeyUsage"] = "SIGN_VERIFY"
    assert stacks.update({"K": key})["StackStatus"] in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")
    assert "HandlerErrorCode: NotUpdatable" in stacks.reason("K", "UPDATE_FAILED")
