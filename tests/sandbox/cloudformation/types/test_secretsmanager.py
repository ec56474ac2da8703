"""Secrets, made, changed and removed, as Secrets Manager's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.types.resources import gone, resource, tagged

pytestmark = pytest.mark.slow


def test_secret(stacks, client):
    manager = client("secretsmanager")
    template = {
        "S": resource(
            "SecretsManager::Secret",
            Name="s",
            GenerateSecretString={
                "SecretStringTemplate": '{"user": "a"}',
                "GenerateStringKey": "password",
                "PasswordLength": 20,
            },
            Tags=tagged(team="ml"),
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    secret = json.loads(manager.get_secret_value(SecretId="s")["SecretString"])
    assert (secret["user"], len(secret["password"])) == ("a", 20)
    template["S"]["Properties"] = {"Name": "s", "SecretString": "plain", "Description": "d"}
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert manager.get_secret_value(SecretId="s")["SecretString"] == "plain"
    assert "team" not in {tag["Key"] for tag in manager.describe_secret(SecretId="s")["Tags"]}
    stacks.delete()
    gone(manager.describe_secret, SecretId="s")
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
