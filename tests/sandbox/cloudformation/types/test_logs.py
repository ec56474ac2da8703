"""Log groups, made, changed and removed, as CloudWatch Logs's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.conftest import outputs
from tests.sandbox.cloudformation.types.resources import ACCOUNT, ROOT, policy, resource, tagged

pytestmark = pytest.mark.slow


def key_for_logs(kms):
    """A key that CloudWatch Logs may use (User Guide, "Encrypt log data in CloudWatch Logs")."""
    allowed = policy("kms:*", **ROOT)
    allowed["Statement"] += policy(
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Principal={"Service": "logs.us-east-1.amazonaws.com"},
    )["Statement"]
    return kms.create_key(Policy=json.dumps(allowed))["KeyMetadata"]["Arn"]


def test_log_group(stacks, client):
    logs, key, other = client("logs"), key_for_logs(client("kms")), key_for_logs(client("kms"))
    template = {
        "Resources": {
            "G": resource(
                "Logs::LogGroup", LogGroupName="/g", RetentionInDays="7", Tags=tagged(team="ml"), KmsKeyId=key
            )
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["G", "Arn"]}}},
    }
    stack = stacks.create(template)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/g"
    assert outputs(stack) == {"Arn": f"{arn}:*"}
    found = logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
    assert (found["retentionInDays"], found["kmsKeyId"]) == (7, key)
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"]["team"] == "ml"
    template["Resources"]["G"] = resource("Logs::LogGroup", LogGroupName="/g", Tags=tagged(cost="1"), KmsKeyId=other)
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
    assert ("retentionInDays" in found, found["kmsKeyId"]) == (False, other)
    tags = logs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert ("team" in tags, tags["cost"]) == (False, "1")
    template["Resources"]["G"] = resource("Logs::LogGroup", LogGroupName="/g")
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
    stacks.delete()
    assert logs.describe_log_groups()["logGroups"] == []
