"""Which resources each operation is authorized on, where its parameters say so.

Source: Service Authorization Reference, "Actions defined by …" and "Resource types defined by …" of each service. A
template's `{Name}` is a parameter; several templates are several resources, each checked; `*` is an action that names
none. What is listed nowhere is unknown, and the call log says so.
"""

from __future__ import annotations

# service of botocore -> templates below arn:partition:service:region:account: -> operations
OPERATIONS: dict[str, dict[str, str]] = {
    "sagemaker": {
        "training-job/{TrainingJobName}": (
            "CreateTrainingJob DescribeTrainingJob StopTrainingJob UpdateTrainingJob DeleteTrainingJob"
        ),
        "processing-job/{ProcessingJobName}": (
            "CreateProcessingJob DescribeProcessingJob StopProcessingJob DeleteProcessingJob"
        ),
        "transform-job/{TransformJobName}": "CreateTransformJob DescribeTransformJob StopTransformJob",
        "model/{ModelName}": "CreateModel DescribeModel DeleteModel",
        "endpoint-config/{EndpointConfigName}": "CreateEndpointConfig DescribeEndpointConfig DeleteEndpointConfig",
        "endpoint/{EndpointName} endpoint-config/{EndpointConfigName}": "CreateEndpoint UpdateEndpoint",
        "endpoint/{EndpointName}": "DescribeEndpoint DeleteEndpoint UpdateEndpointWeightsAndCapacities",
        "pipeline/{PipelineName}": (
            "CreatePipeline UpdatePipeline DeletePipeline DescribePipeline StartPipelineExecution "
            "ListPipelineExecutions"
        ),
        "{PipelineExecutionArn}": (
            "StopPipelineExecution RetryPipelineExecution DescribePipelineExecution UpdatePipelineExecution "
            "DescribePipelineDefinitionForExecution ListPipelineExecutionSteps ListPipelineParametersForExecution"
        ),
        "model-package-group/{ModelPackageGroupName}": (
            "CreateModelPackageGroup DescribeModelPackageGroup DeleteModelPackageGroup PutModelPackageGroupPolicy "
            "GetModelPackageGroupPolicy DeleteModelPackageGroupPolicy"
        ),
        "model-package/{ModelPackageName}": "DescribeModelPackage DeleteModelPackage",
        "{ModelPackageArn}": "UpdateModelPackage",
        "{ModelPackageArnList}": "BatchDescribeModelPackage",
        "model-package/{ModelPackageGroupName}/*": "ListModelPackages",
        "project/{ProjectName}": "CreateProject DescribeProject UpdateProject DeleteProject",
        "domain/{DomainId}": "DescribeDomain UpdateDomain",
        "{ResourceArn}": "AddTags ListTags DeleteTags",
        "*": (
            "ListModels ListEndpoints ListEndpointConfigs ListTrainingJobs ListProcessingJobs ListTransformJobs "
            "ListPipelines ListModelPackageGroups ListProjects ListDomains Search"
        ),
    },
    "sagemaker-runtime": {
        "endpoint/{EndpointName}": "InvokeEndpoint InvokeEndpointAsync InvokeEndpointWithResponseStream",
    },
    "lambda": {
        "function:{FunctionName}": (
            "CreateFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration "
            "DeleteFunction Invoke AddPermission RemovePermission GetPolicy PublishVersion PutFunctionConcurrency "
            "GetFunctionConcurrency DeleteFunctionConcurrency PutFunctionEventInvokeConfig "
            "GetFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig CreateAlias GetAlias UpdateAlias DeleteAlias "
            "GetRuntimeManagementConfig GetFunctionCodeSigningConfig ListVersionsByFunction "
            "ListFunctionEventInvokeConfigs UpdateFunctionEventInvokeConfig"
        ),
        "{Resource}": "TagResource UntagResource ListTags",
        "*": "ListFunctions",
    },
    "events": {
        "rule/{EventBusName}/{Name}": "PutRule DescribeRule DeleteRule EnableRule DisableRule",
        "rule/{EventBusName}/{Rule}": "PutTargets RemoveTargets ListTargetsByRule",
        "event-bus/{Name}": "DescribeEventBus CreateEventBus DeleteEventBus",
        "{ResourceARN}": "TagResource UntagResource ListTagsForResource",
        "*": "ListRules ListRuleNamesByTarget ListEventBuses TestEventPattern",
    },
    # Real refusals name a group as log-group:NAME:log-stream: (elastic/apm-aws-lambda, issue 526), so that a policy
    # needs `:*` behind the group; tags alone are on the bare ARN (CloudWatch Logs, "Log group ARN formats").
    "logs": {
        "log-group:{logGroupName}:log-stream:": (
            "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy DescribeLogStreams FilterLogEvents "
            "AssociateKmsKey DisassociateKmsKey PutSubscriptionFilter DescribeSubscriptionFilters "
            "PutMetricFilter DescribeMetricFilters"
        ),
        "log-group:{logGroupName}:log-stream:{logStreamName}": (
            "CreateLogStream DeleteLogStream PutLogEvents GetLogEvents"
        ),
        "{resourceArn}": "TagResource UntagResource ListTagsForResource",
        "*": "DescribeLogGroups",
    },
    "cloudformation": {
        "stack/{StackName}/*": (
            "CreateStack UpdateStack DeleteStack CreateChangeSet ListChangeSets DescribeEvents DescribeStackEvents "
            "DescribeStackResources DescribeStackResource ListStackResources GetTemplate UpdateTerminationProtection "
            "SetStackPolicy GetStackPolicy ContinueUpdateRollback CancelUpdateStack"
        ),
        "*": "ListStacks ValidateTemplate ListExports ListImports DescribeType",
    },
    "cloudwatch": {
        "alarm:{AlarmName}": "PutMetricAlarm SetAlarmState",
        "alarm:{AlarmNames}": "DescribeAlarms DeleteAlarms EnableAlarmActions DisableAlarmActions",
        "{ResourceARN}": "TagResource UntagResource ListTagsForResource",
        "*": "PutMetricData GetMetricData GetMetricStatistics ListMetrics",
    },
    "codebuild": {
        "project/{name}": "CreateProject UpdateProject DeleteProject",
        "project/{projectName}": "StartBuild ListBuildsForProject",
        "project/{names}": "BatchGetProjects",
        "*": "ListProjects ListBuilds",
    },
    "ecr": {
        "repository/{repositoryName}": (
            "CreateRepository DeleteRepository BatchGetImage DescribeImages ListImages GetDownloadUrlForLayer "
            "BatchCheckLayerAvailability PutImage GetRepositoryPolicy SetRepositoryPolicy BatchDeleteImage"
        ),
        "repository/{repositoryNames}": "DescribeRepositories",
        "{resourceArn}": "TagResource UntagResource ListTagsForResource",
        "*": "GetAuthorizationToken",
    },
    "dynamodb": {
        "table/{TableName}": (
            "CreateTable DescribeTable UpdateTable DeleteTable PutItem GetItem UpdateItem DeleteItem "
            "UpdateTimeToLive DescribeTimeToLive UpdateContinuousBackups DescribeContinuousBackups"
        ),
        "{ResourceArn}": "TagResource UntagResource ListTagsOfResource",
        "*": "ListTables DescribeLimits",
    },
    "ssm": {
        "parameter{Name}": "PutParameter GetParameter DeleteParameter GetParameterHistory LabelParameterVersion",
        "parameter{Names}": "GetParameters DeleteParameters",
        "parameter{Path}": "GetParametersByPath",
        "parameter{ResourceId}": "AddTagsToResource ListTagsForResource RemoveTagsFromResource",
        "*": "DescribeParameters",
    },
    "service-quotas": {
        "{ServiceCode}/{QuotaCode}": "GetServiceQuota RequestServiceQuotaIncrease",
        "*": "ListServiceQuotas GetAWSDefaultServiceQuota ListAWSDefaultServiceQuotas ListServices",
    },
    "kms": {
        "{KeyId}": (
            "DescribeKey PutKeyPolicy GetKeyPolicy EnableKeyRotation DisableKeyRotation GetKeyRotationStatus "
            "ScheduleKeyDeletion CancelKeyDeletion EnableKey DisableKey UpdateKeyDescription TagResource UntagResource "
            "ListResourceTags GenerateDataKey GenerateDataKeyWithoutPlaintext Encrypt Decrypt CreateGrant ListGrants "
            "RetireGrant RevokeGrant ListKeyPolicies"
        ),
        "{AliasName} {TargetKeyId}": "CreateAlias",
        "*": "CreateKey ListKeys ListAliases",
    },
    "sns": {
        "{Name}": "CreateTopic",
        "{TopicArn}": (
            "Publish Subscribe GetTopicAttributes SetTopicAttributes DeleteTopic ListSubscriptionsByTopic "
            "AddPermission RemovePermission"
        ),
        "{ResourceArn}": "TagResource UntagResource ListTagsForResource",
        "*": "ListTopics ListSubscriptions Unsubscribe",
    },
    "sqs": {
        "{QueueName}": "CreateQueue GetQueueUrl",
        "{QueueUrl}": (
            "SendMessage ReceiveMessage DeleteMessage GetQueueAttributes SetQueueAttributes DeleteQueue PurgeQueue "
            "TagQueue UntagQueue ListQueueTags"
        ),
    },
    "iam": {
        "{RoleName}": (
            "CreateRole DeleteRole GetRole UpdateRole UpdateAssumeRolePolicy TagRole UntagRole ListRoleTags "
            "PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies AttachRolePolicy DetachRolePolicy "
            "ListAttachedRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary "
            "ListInstanceProfilesForRole UpdateRoleDescription"
        ),
        "{PolicyName}": "CreatePolicy",
        "{PolicyArn}": (
            "GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion ListPolicyVersions DeletePolicyVersion "
            "SetDefaultPolicyVersion TagPolicy UntagPolicy ListPolicyTags ListEntitiesForPolicy"
        ),
        "{UserName}": (
            "CreateUser GetUser DeleteUser CreateAccessKey ListAccessKeys DeleteAccessKey PutUserPolicy GetUserPolicy "
            "DeleteUserPolicy ListUserPolicies AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies TagUser "
            "UntagUser ListUserTags ListGroupsForUser"
        ),
        "{PolicySourceArn}": "SimulatePrincipalPolicy",
        "{OpenIDConnectProviderArn}": (
            "GetOpenIDConnectProvider DeleteOpenIDConnectProvider TagOpenIDConnectProvider "
            "UpdateOpenIDConnectProviderThumbprint AddClientIDToOpenIDConnectProvider"
        ),
        "{Url}": "CreateOpenIDConnectProvider",
        "*": (
            "ListRoles ListPolicies ListUsers ListAccountAliases GetAccountSummary GetAccountAuthorizationDetails "
            "ListOpenIDConnectProviders CreateAccountAlias DeleteAccountAlias"
        ),
    },
    "ec2": {
        "*": (
            "DescribeSubnets DescribeSecurityGroups DescribeVpcs DescribeRegions DescribeAvailabilityZones "
            "DescribeInstanceTypeOfferings DescribeNetworkInterfaces DescribeVpcEndpoints DescribeRouteTables"
        ),
    },
    "s3control": {"*": "GetPublicAccessBlock PutPublicAccessBlock DeletePublicAccessBlock"},
}

# The prefix of a service's actions, and the service in its ARNs, where they are not botocore's name.
PREFIX = {
    "sagemaker-runtime": "sagemaker",
    "service-quotas": "servicequotas",
    "s3control": "s3",
}

# Actions that are not named as their operations.
RENAMED = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("s3control", "GetPublicAccessBlock"): "GetAccountPublicAccessBlock",
    ("s3control", "PutPublicAccessBlock"): "PutAccountPublicAccessBlock",
    ("s3control", "DeletePublicAccessBlock"): "PutAccountPublicAccessBlock",
}

# Permissions are never asked for these (STS API Reference: "No permissions are required to perform this operation"; the
# web identity calls carry no signature, the role's trust policy alone decides).
UNCHECKED = {
    ("sts", "GetCallerIdentity"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "AssumeRoleWithSAML"),
}


def templates() -> dict[tuple[str, str], list[str]]:
    """(service, operation) -> the templates of its resources."""
    return {
        (service, operation): template.split()
        for service, by_template in OPERATIONS.items()
        for template, operations in by_template.items()
        for operation in operations.split()
    }
