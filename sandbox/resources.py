"""Which ARNs and condition keys a call touches, for the call log: what an IAM policy would be evaluated with.

Source of the ARN formats: Service Authorization Reference, "Resource types defined by ..." of each service. The
sandbox's own services say it themselves; this is for those that moto answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.calls import Call

_SAGEMAKER = {
    "TrainingJobName": "training-job",
    "ProcessingJobName": "processing-job",
    "TransformJobName": "transform-job",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "PipelineName": "pipeline",
    "ProjectName": "project",
    "ModelPackageName": "model-package",
    "DomainId": "domain",
    "ModelCardName": "model-card",
}
# service -> parameter -> resource part; {} is the parameter's value.
_REGIONAL: dict[str, dict[str, str]] = {
    "sagemaker": {name: f"{kind}/{{}}" for name, kind in _SAGEMAKER.items()},
    "sagemaker-runtime": {"EndpointName": "endpoint/{}"},
    "lambda": {"FunctionName": "function:{}"},
    "dynamodb": {"TableName": "table/{}"},
    "logs": {"logGroupName": "log-group:{}"},
    "events": {"Name": "rule/{}", "Rule": "rule/{}", "EventBusName": "event-bus/{}"},
    "codebuild": {"projectName": "project/{}", "name": "project/{}"},
    "sns": {"Name": "{}"},
    "sqs": {"QueueName": "{}"},
    "ecr": {"repositoryName": "repository/{}"},
    "kms": {"KeyId": "key/{}"},
    "cloudformation": {"StackName": "stack/{}/*"},
    "cloudwatch": {"AlarmName": "alarm:{}"},
    "secretsmanager": {"Name": "secret:{}", "SecretId": "secret:{}"},
    "stepfunctions": {"name": "stateMachine:{}"},
    "codepipeline": {"name": "{}", "pipelineName": "{}"},
}
_IAM = {
    "RoleName": "role/{}",
    "UserName": "user/{}",
    "PolicyName": "policy/{}",
    "GroupName": "group/{}",
    "InstanceProfileName": "instance-profile/{}",
}
_ARN_SERVICE = {"sagemaker-runtime": "sagemaker", "stepfunctions": "states"}


def describe(call: Call) -> None:
    """Fill call.resources and call.context from the parameters."""
    call.resources.extend(_named(call))
    # ARNs given as such: the resource itself, or a role that is passed (iam:PassRole).
    call.resources.extend(
        value for value in _scalars(call.params) if value.startswith("arn:") and value.count(":") >= 5
    )
    tags = request_tags(call.params)
    if tags:
        call.context.update({f"aws:RequestTag/{key}": value for key, value in tags.items()})
    keys = sorted(set(tags) | set(_tag_keys(call.params)))
    if keys:
        call.context["aws:TagKeys"] = keys


def request_tags(params: dict[str, Any]) -> dict[str, str]:
    """The tags of a request, in whichever of AWS's three forms they come."""
    given = params.get("Tags", params.get("tags", params.get("TagSet")))
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in given.items()}
    tags: dict[str, str] = {}
    for tag in given if isinstance(given, list) else []:
        if isinstance(tag, dict):
            key = tag.get("Key", tag.get("key"))
            if key is not None:
                tags[str(key)] = str(tag.get("Value", tag.get("value", "")))
    return tags


def _tag_keys(params: dict[str, Any]) -> list[str]:
    keys = params.get("TagKeys", params.get("tagKeys", []))
    return [str(key) for key in keys] if isinstance(keys, list) else []


def _named(call: Call) -> Iterator[str]:
    service, params = call.service, call.params
    if service == "s3" and isinstance(params.get("Bucket"), str):
        key = params.get("Key")
        yield f"arn:{call.partition}:s3:::{params['Bucket']}" + (f"/{key}" if key else "")
    if service == "ssm":
        names = params.get("Names", [params.get("Name") or params.get("Path")])
        for name in names:
            if isinstance(name, str) and not name.startswith("arn:"):
                yield call.arn("ssm", f"parameter/{name.lstrip('/')}")
    if service == "iam":
        for name, template in _IAM.items():
            if isinstance(params.get(name), str):
                path = (params.get("Path") or "/").strip("/")
                value = f"{path}/{params[name]}" if path else params[name]
                yield f"arn:{call.partition}:iam::{call.caller.account}:{template.format(value)}"
    for name, template in _REGIONAL.get(service, {}).items():
        value = params.get(name)
        if isinstance(value, str) and value and not value.startswith("arn:"):
            yield call.arn(_ARN_SERVICE.get(service, service), template.format(value))


def _scalars(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth < 3:
        for item in value.values():
            yield from _scalars(item, depth + 1)
    elif isinstance(value, list) and depth < 3:
        for item in value:
            yield from _scalars(item, depth + 1)
