"""Further types, made, changed and removed, as their services' own API tells."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.test_types import ACCOUNT, function, gone, policy, resource, tagged, trust

pytestmark = pytest.mark.slow


def test_topic_its_policy_and_subscription(stacks, client):
    sns, arn = client("sns"), f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
    template = {
        "T": resource(
            "SNS::Topic", TopicName="t", DisplayName="one", KmsMasterKeyId="alias/aws/sns", Tags=tagged(team="ml")
        ),
        "P": resource(
            "SNS::TopicPolicy", Topics=[{"Ref": "T"}], PolicyDocument=policy("sns:Publish", arn, Principal="*")
        ),
        "S": resource(
            "SNS::Subscription",
            TopicArn={"Ref": "T"},
            Protocol="sqs",
            Endpoint={"Fn::GetAtt": ["Q", "Arn"]},
            RawMessageDelivery=True,
            FilterPolicy={"a": ["b"]},
        ),
        "Q": resource("SQS::Queue"),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (found["DisplayName"], found["KmsMasterKeyId"], json.loads(found["Policy"])) == (
        "one",
        "alias/aws/sns",
        policy("sns:Publish", arn, Principal="*"),
    )
    subscription = stacks.physical("S")
    said = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert (said["RawMessageDelivery"], json.loads(said["FilterPolicy"])) == ("true", {"a": ["b"]})
    template["T"]["Properties"] |= {"DisplayName": "two", "Tags": tagged(cost="1")}
    template["S"]["Properties"] |= {"RawMessageDelivery": False}
    del template["P"]
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (found["DisplayName"], json.loads(found["Policy"])["Id"]) == ("two", "__default_policy_ID")
    assert sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["RawMessageDelivery"] == "false"
    keys = {tag["Key"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert ("team" in keys, "cost" in keys) == (False, True)
    stacks.delete()
    gone(sns.get_topic_attributes, TopicArn=arn)
    sns.create_topic(Name="t")
    assert stacks.create({"T": resource("SNS::Topic", TopicName="t")})["StackStatus"] == "ROLLBACK_COMPLETE"
    sns.get_topic_attributes(TopicArn=arn)


def test_alarm(stacks, client):
    cloudwatch = client("cloudwatch")
    settings = {
        "AlarmName": "a",
        "Namespace": "AWS/SageMaker",
        "MetricName": "ModelLatency",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": "5",
        "ComparisonOperator": "GreaterThanThreshold",
    }
    template = {
        "A": resource(
            "CloudWatch::Alarm",
            **settings,
            Dimensions=[{"Name": "EndpointName", "Value": "e"}],
            TreatMissingData="notBreaching",
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    found = cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]
    assert (found["Threshold"], found["TreatMissingData"], found["Dimensions"][0]["Value"]) == (
        5.0,
        "notBreaching",
        "e",
    )
    template["A"] = resource("CloudWatch::Alarm", **settings | {"Threshold": 7})
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    found = cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]
    assert (found["Threshold"], found["Dimensions"]) == (7.0, [])
    stacks.delete()
    assert cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"] == []


def test_model_package_group(stacks, client):
    sagemaker = client("sagemaker")
    template = {
        "G": resource(
            "SageMaker::ModelPackageGroup",
            ModelPackageGroupName="demo-prod",
            ModelPackageGroupDescription="d",
            Tags=tagged(team="ml"),
        )
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    arn = stacks.physical("G")
    assert sagemaker.describe_model_package_group(ModelPackageGroupName="demo-prod")["ModelPackageGroupArn"] == arn
    template["G"]["Properties"]["Tags"] = tagged(cost="1")
    stacks.update(template)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tagged(cost="1")
    image = {
        "Containers": [{"Image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/i:1", "ModelDataUrl": "s3://b/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    version = sagemaker.create_model_package(ModelPackageGroupName="demo-prod", InferenceSpecification=image)[
        "ModelPackageArn"
    ]
    assert stacks.delete()["StackStatus"] == "DELETE_FAILED", "a group that holds versions"
    sagemaker.delete_model_package(ModelPackageName=version)
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_repository(stacks, client):
    codecommit = client("codecommit")
    template = {
        "R": resource("CodeCommit::Repository", RepositoryName="r", RepositoryDescription="one", Tags=tagged(team="ml"))
    }
    stacks.create(template)
    found = codecommit.get_repository(repositoryName="r")["repositoryMetadata"]
    assert (found["repositoryId"], found["repositoryDescription"]) == (stacks.physical("R"), "one")
    template["R"]["Properties"] |= {"RepositoryDescription": "two", "Tags": tagged(cost="1")}
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert codecommit.get_repository(repositoryName="r")["repositoryMetadata"]["repositoryDescription"] == "two"
    assert codecommit.list_tags_for_resource(resourceArn=found["Arn"])["tags"] == {"cost": "1"}
    stacks.delete()
    gone(codecommit.get_repository, repositoryName="r")


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


def test_how_often_a_function_is_tried(stacks, client):
    lambda_ = client("lambda")
    template = {
        "R": resource("IAM::Role", AssumeRolePolicyDocument=trust()),
        "F": function(),
        "E": resource(
            "Lambda::EventInvokeConfig", FunctionName={"Ref": "F"}, Qualifier="$LATEST", MaximumRetryAttempts=1
        ),
    }
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE", stacks.events()
    assert lambda_.get_function_event_invoke_config(FunctionName="f", Qualifier="$LATEST")["MaximumRetryAttempts"] == 1
    template["E"]["Properties"]["MaximumRetryAttempts"] = 2
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert lambda_.get_function_event_invoke_config(FunctionName="f", Qualifier="$LATEST")["MaximumRetryAttempts"] == 2
    del template["E"]
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    gone(lambda_.get_function_event_invoke_config, FunctionName="f", Qualifier="$LATEST")
