"""The resource types that the sandbox makes."""

from __future__ import annotations

from sandbox.cloudformation.types import (
    cloudwatch,
    codebuild,
    codecommit,
    dynamodb,
    events,
    iam_policies,
    iam_role,
    kms,
    lambda_,
    lambda_function,
    logs,
    s3_bucket,
    s3_bucket_policy,
    sagemaker,
    secretsmanager,
    sns,
    sqs,
    ssm,
)
from sandbox.cloudformation.types.handler import Handler

HANDLERS: dict[str, Handler] = {
    handler.type: handler
    for handler in (
        cloudwatch.Alarm(),
        codebuild.Project(),
        codecommit.Repository(),
        dynamodb.Table(),
        events.Rule(),
        iam_policies.ManagedPolicy(),
        iam_policies.Policy(),
        iam_role.Role(),
        kms.Alias(),
        kms.Key(),
        lambda_.EventInvokeConfig(),
        lambda_.Permission(),
        lambda_function.Function(),
        logs.LogGroup(),
        s3_bucket.Bucket(),
        s3_bucket_policy.BucketPolicy(),
        sagemaker.ModelPackageGroup(),
        secretsmanager.Secret(),
        sns.Subscription(),
        sns.Topic(),
        sns.TopicPolicy(),
        sqs.Queue(),
        sqs.QueuePolicy(),
        ssm.Parameter(),
    )
}
