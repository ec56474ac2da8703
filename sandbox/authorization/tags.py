"""Tags as conditions: those of the request, those of what exists, and the permission to tag at creation.

Sources: Service Authorization Reference ("Condition keys for …" and the resource types that carry
`aws:ResourceTag/${TagKey}`); the API Reference of each creation says which permission its tags need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.authorization import moto_state
from sandbox.authorization.check import Check
from sandbox.calls import Call
from sandbox.resources import request_tags

# What tags in a creation are authorized as. CodeBuild and CodeCommit ask for nothing more (CodeCommit permissions
# reference: CreateRepository). CloudFormation documents the action, but not that a creation asks for it: the stricter
# is chosen.
_AT_CREATION = {
    "sagemaker": "sagemaker:AddTags",
    "lambda": "lambda:TagResource",
    "events": "events:TagResource",
    "logs": "logs:TagResource",
    "cloudformation": "cloudformation:TagResource",
    "cloudwatch": "cloudwatch:TagResource",
    "dynamodb": "dynamodb:TagResource",
    "ecr": "ecr:TagResource",
    "kms": "kms:TagResource",
    "s3": "s3:TagResource",
    "sns": "sns:TagResource",
    "sqs": "sqs:TagQueue",
    "ssm": "ssm:AddTagsToResource",
    ("iam", "CreateRole"): "iam:TagRole",
    ("iam", "CreatePolicy"): "iam:TagPolicy",
    ("iam", "CreateUser"): "iam:TagUser",
    ("iam", "CreateOpenIDConnectProvider"): "iam:TagOpenIDConnectProvider",
    ("sts", "AssumeRole"): "sts:TagSession",
}
_CREATES = ("Create", "Put", "Update", "AssumeRole")
# These services have a second name for the tags of a resource.
_OWN_KEY = {"sagemaker": "sagemaker:ResourceTag", "iam": "iam:ResourceTag", "ecr": "ecr:ResourceTag"}
# Tags in these requests are no condition keys of the action (Service Authorization Reference, Amazon S3).
_WITHOUT_REQUEST_TAGS = {"PutBucketTagging", "PutObjectTagging", "PutObject", "CopyObject", "CreateMultipartUpload"}
# Tags of keys, buckets and objects are conditions only where the resource type says so.
_WITHOUT_RESOURCE_TAGS = {"s3"}


def request_tag_context(call: Call) -> dict[str, Any]:
    """aws:RequestTag/… and aws:TagKeys. Empty where the request holds no tags: the operator Null sees that."""
    if call.operation in _WITHOUT_REQUEST_TAGS:
        return {}
    tags = tags_in_request(call)
    keys = sorted({*tags, *(call.params.get("TagKeys") or call.params.get("tagKeys") or [])})
    context: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    return context | ({"aws:TagKeys": keys} if keys else {})


def tags_in_request(call: Call) -> dict[str, str]:
    """In whichever form the service has them, KMS's TagKey and TagValue and S3's configuration included."""
    params = call.params
    if call.service == "kms":
        return {tag["TagKey"]: tag["TagValue"] for tag in params.get("Tags") or []}
    if call.service == "s3":
        return request_tags(params.get("CreateBucketConfiguration") or {})
    return request_tags(params)


def tagging_at_creation(call: Call, resource: str) -> Iterator[Check]:
    """The further authorization that a creation with tags needs, on what is created."""
    tags = request_tag_context(call)
    action = _AT_CREATION.get((call.service, call.operation)) or _AT_CREATION.get(call.service)
    if not tags or action is None or not call.operation.startswith(_CREATES):
        return
    context = dict(tags)
    if call.service == "sagemaker":
        context["sagemaker:TaggingAction"] = call.operation
    if call.service == "cloudformation":
        context["cloudformation:CreateAction"] = call.operation
    yield Check(action, resource.removesuffix(":log-stream:"), context)


def resource_tag_context(call: Call, resource: str, known: Mapping[str, str] | None) -> dict[str, str]:
    """aws:ResourceTag/… of what exists. known: what the sandbox's own service says, where it keeps the resource."""
    service = resource.split(":")[2] if resource.startswith("arn:") else ""
    if service in _WITHOUT_RESOURCE_TAGS or not service:
        return {}
    tags = _in_moto(call, service, resource) if known is None else known
    context = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    if service in _OWN_KEY:
        context |= {f"{_OWN_KEY[service]}/{key}": value for key, value in tags.items()}
    return context


def _in_moto(call: Call, service: str, arn: str) -> dict[str, str]:
    name = arn.split(":", 5)[5]
    if service == "iam":
        return _of_iam(call, arn, name)
    if service == "kms":
        keys = moto_state.backend("kms", call)
        return _plain(keys.tagger.list_tags_for_resource(name.partition("/")[2])) if keys else {}
    if service == "logs":
        groups = moto_state.backend("logs", call)
        return dict(groups.tagger.get_tag_dict_for_resource(arn.partition(":log-stream:")[0])) if groups else {}
    if service == "dynamodb":
        tables = moto_state.backend("dynamodb", call)
        found = tables.tables.get(name.split("/")[1]) if tables else None
        return _plain({"Tags": found.tags}) if found else {}
    if service == "ssm":
        parameters = moto_state.backend("ssm", call)
        tags = parameters._resource_tags["Parameter"] if parameters else {}
        path = name.partition("/")[2]
        return dict(tags.get("/" + path) or tags.get(path) or {})
    return {}


def _of_iam(call: Call, arn: str, name: str) -> dict[str, str]:
    iam = moto_state.backend("iam", call, arn.split(":")[4])
    if iam is None:
        return {}
    kind = name.partition("/")[0]
    if kind == "role":
        role = moto_state.role(call, arn)
        return _plain({"Tags": role.tags}) if role else {}
    if kind == "policy":
        policy = iam.managed_policies.get(arn)
        return {key: tag["Value"] for key, tag in policy.tags.items()} if policy else {}
    return dict(iam.tagger.get_tag_dict_for_resource(arn))


def _plain(answer: Mapping[str, Any]) -> dict[str, str]:
    tags = answer["Tags"].values() if isinstance(answer["Tags"], dict) else answer["Tags"]
    return {tag.get("Key", tag.get("TagKey")): tag.get("Value", tag.get("TagValue")) for tag in tags or []}
