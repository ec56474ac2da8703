"""Tables, made, changed and removed, as DynamoDB's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.types.resources import gone, resource, tagged

pytestmark = pytest.mark.slow


def test_table(stacks, client):
    dynamodb, of = client("dynamodb"), {"TableName": "t"}
    keys = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    more = {
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    template = {
        "T": resource(
            "DynamoDB::Table",
            **of,
            **keys,
            **more,
            TimeToLiveSpecification={"AttributeName": "until", "Enabled": True},
            Tags=tagged(team="ml"),
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = dynamodb.describe_table(**of)["Table"]
    assert (found["BillingModeSummary"]["BillingMode"], found["SSEDescription"]["Status"]) == (
        "PAY_PER_REQUEST",
        "ENABLED",
    )
    recovery = dynamodb.describe_continuous_backups(**of)["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"
    ]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_time_to_live(**of)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "until",
    }
    template["T"] = resource(
        "DynamoDB::Table",
        **of,
        **keys,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
        DeletionProtectionEnabled=True,
    )
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = dynamodb.describe_table(**of)["Table"]
    assert (found["ProvisionedThroughput"]["ReadCapacityUnits"], found["DeletionProtectionEnabled"]) == (2, True)
    assert dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"] == []
    assert stacks.delete()["StackStatus"] == "DELETE_FAILED", "a table that is protected"
    dynamodb.update_table(**of, DeletionProtectionEnabled=False)
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    gone(dynamodb.describe_table, **of)
