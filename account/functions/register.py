"""Registers a model repository: makes, repairs, shows and removes the four roles of its project.

One file, boto3 only: `make account` puts it into the stack as it is. The roles `mlops-<slug>-{nonprod,prod}-{ci,job}`
have the account's permissions boundary; nonprod is feature and dev. A job role is that of pipelines and their jobs, a
ci role submits pipelines. A call does all that it should, or changes nothing. Policies that others attach stay.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

INTERFACE = 1  # of this function and the repositories; each side takes its own and the one before
ENVIRONMENTS = {"nonprod": ("feature", "dev"), "prod": ("prod",)}
GROUPS = {"nonprod": ("feature", "dev"), "prod": ("prod", "champion", "challenger")}
SERVICES = {"ci": "codebuild.amazonaws.com", "job": "sagemaker.amazonaws.com"}
JOBS = ("processing-job/pipelines-*", "training-job/pipelines-*", "transform-job/pipelines-*")
MODELS = "model/pipelines-*"
IMAGES = ("sagemaker-scikit-learn", "sagemaker-xgboost")
LOGS = ("ProcessingJobs", "TrainingJobs", "TransformJobs")
VARIABLES = ("PARTITION", "AWS_REGION", "ACCOUNT", "VERSION", "BUCKET", "KEY", "ROLE_PATH", "BOUNDARY")
LISTS = ("SUBNETS", "SECURITY_GROUPS", "TAGS")  # variables too, with commas
POLICY = "mlops"  # the one inline policy of each role
ROOT_COMMIT = "mlops:root-commit"
ADMINISTRATORS = ":$LATEST"  # called by its ARN with this: to IAM another one, which no policy of the stack allows
NEW = timedelta(minutes=15)  # so long, a setup that fails takes back what it made
FORMS = {  # of each text in a call: what it must match, in signs and in words
    "action": ("register|describe|remove", "register, describe or remove"),
    "host": ("codecommit|github", "codecommit or github"),
    "owner": (r"[\w .:/=+@-]{0,256}", "a tag value: up to 256 letters, numbers, spaces and _.:/=+-@"),  # IAM API, Tag
    "project": (
        r"(?=.{1,32}$)(?!(.*-)?(feature|dev|prod|champion|challenger)(-|$))[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "a slug: up to 32 small letters, digits and single hyphens, no part feature, dev, prod, champion or challenger",
    ),
    "repository": (r"(?a:([\w.-]{1,100}/)?[\w.-]{1,100})", "the name of a repository"),
    "root_commit": ("[0-9a-f]{40}", "a commit id: 40 hexadecimal digits"),
    "template": (r"(?a:[\w.+-]{1,64})", "a release, such as 0.4.0"),
}
SOURCE = {"host", "repository"}  # of those, what stands in source_control

Document = dict[str, Any]
Undo = list[tuple[str, Callable[[], object]]]


class Refused(Exception):
    """What was asked cannot be done: one line for people."""


@dataclass(frozen=True)
class Account:
    """What the stack knows, from the function's environment. subnets and security_groups: ids, both or neither."""

    partition: str
    region: str
    number: str
    version: str
    bucket: str
    key: str  # ARN
    path: str
    boundary: str  # ARN
    subnets: list[str]
    security_groups: list[str]
    tags: dict[str, str]

    @classmethod
    def here(cls) -> Account:
        """Read the environment."""
        texts = (os.environ[name] for name in VARIABLES)
        subnets, groups, tags = ([part.strip() for part in os.environ[name].split(",") if part] for name in LISTS)
        return cls(*texts, subnets, groups, dict(tag.split("=", 1) for tag in tags))  # type: ignore[arg-type, call-arg]

    def arns(self, service: str, *resources: str, under: str = "") -> list[str]:
        place = f"arn:{self.partition}:{service}:{self.region}:{self.number}:{under}"
        return [place + resource for resource in resources]

    def role(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.number}:role{self.path}{name}"


@dataclass(frozen=True)
class Request:
    """What a repository asks for, checked."""

    action: str
    project: str
    root_commit: str
    owner: str
    template: str
    host: str
    repository: str

    @classmethod
    def read(cls, event: Any) -> Request:
        """Raises Refused, naming what is wrong."""
        texts = dict(event) if isinstance(event, dict) else {}
        _check_interface(texts.pop("interface", None))
        given = texts.pop("source_control", None)
        source = given if isinstance(given, dict) else {}
        if wrong := (texts.keys() ^ FORMS.keys() - SOURCE) | (source.keys() ^ SOURCE):
            raise Refused(f"the call lacks, or has too much: {', '.join(sorted(map(str, wrong)))}")
        texts |= source
        for name, (form, words) in FORMS.items():
            if not isinstance(texts[name], str) or not re.fullmatch(form, texts[name]):
                raise Refused(f"{name} must be {words}; it is {texts[name]!r}")
        if texts["host"] == "codecommit" and texts["repository"] != texts["project"]:  # the ci roles may pull from it
            raise Refused(f"repository must be {texts['project']}, as the project; it is {texts['repository']!r}")
        return cls(**texts)


def _check_interface(interface: object) -> None:
    if type(interface) is int and max(1, INTERFACE - 1) <= interface <= INTERFACE:
        return
    newer = isinstance(interface, int) and interface > INTERFACE
    who = "this account's stack is older: `make account`" if newer else "the repository is older: `mlops update`"
    raise Refused(f"the interface {interface!r} is not spoken here, {INTERFACE} is; {who}")


@dataclass(frozen=True)
class Role:
    """A role as it should be, or, from `_look`, as it is."""

    name: str
    path: str
    trust: Document
    boundary: str
    tags: dict[str, str]
    policies: dict[str, Document]
    made: datetime | None = field(default=None, compare=False)


Roles = dict[str, Role]
Found = dict[str, Role | None]


def handler(event: Any, context: Any) -> Document:
    """Answer a call. What cannot be done is `refused`, with everything as it was."""
    account = Account.here()
    answer: Document = {"interface": INTERFACE, "version": account.version}
    actions = {"register": _register, "describe": _describe, "remove": _remove}
    try:
        request = Request.read(event)
        which = [(tier, kind) for tier in ENVIRONMENTS for kind in SERVICES]
        roles = {f"{tier}-{kind}": _wanted(account, request, tier, kind) for tier, kind in which}
        client = boto3.client("iam", config=Config(retries={"mode": "standard", "total_max_attempts": 4}))
        with _all_or_nothing() as undo:
            found = {label: _look(client, role.name) for label, role in roles.items()}
            _check_ownership(request, roles, found)
            if request.action == "remove" and not context.invoked_function_arn.endswith(ADMINISTRATORS):
                _check_new(found)
            there, said = actions[request.action](client, roles, found, undo)
            arns = {label: account.role(role.name) if label in there else None for label, role in roles.items()}
            return answer | {"roles": arns} | said
    except Refused as refusal:
        return answer | {"refused": str(refusal)}


def _describe(client: Any, roles: Roles, found: Found, undo: Undo) -> tuple[list[str], Document]:
    """`differs` names the roles that `register` would make or repair."""
    differs = [label for label in roles if found[label] != roles[label]]
    return [label for label in roles if found[label]], {"changed": [], "differs": differs}


def _register(client: Any, roles: Roles, found: Found, undo: Undo) -> tuple[list[str], Document]:
    changed = [label for label in roles if found[label] != roles[label]]
    for label in changed:
        before = found[label]
        if before:
            undo.append((before.name, partial(_restore, client, before)))
            _bring_to(client, roles[label], before)
        else:
            undo.append((roles[label].name, partial(_delete, client, roles[label])))
            _create(client, roles[label])
    return list(roles), {"changed": changed}


def _remove(client: Any, roles: Roles, found: Found, undo: Undo) -> tuple[list[str], Document]:
    there = {label: role for label, role in found.items() if role}
    for role in there.values():
        attached = client.list_attached_role_policies(RoleName=role.name)["AttachedPolicies"]
        if attached:
            names = ", ".join(policy["PolicyName"] for policy in attached)
            raise Refused(f"the role {role.name} has policies that others attached; detach {names} first")
    for role in there.values():
        undo.append((role.name, partial(_restore, client, role)))
        _delete(client, role)
    return [], {"changed": list(there)}


def _look(client: Any, name: str) -> Role | None:
    try:
        role = client.get_role(RoleName=name)["Role"]
    except client.exceptions.NoSuchEntityException:
        return None
    pages = client.get_paginator("list_role_policies").paginate(RoleName=name)
    names = [policy for page in pages for policy in page["PolicyNames"]]
    policies = {each: client.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in names}
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
    return Role(name, role["Path"], role["AssumeRolePolicyDocument"], boundary, tags, policies, role["CreateDate"])


def _check_ownership(request: Request, roles: Roles, found: Found) -> None:
    for label, role in found.items():
        if role and (role.tags.get(ROOT_COMMIT), role.path) != (request.root_commit, roles[label].path):
            its = f"its tag {ROOT_COMMIT} is {role.tags.get(ROOT_COMMIT, 'missing')}, its path {role.path}"
            raise Refused(f"the role {role.name} belongs to another repository: {its}; take another project_slug")


def _check_new(found: Found) -> None:
    """A root commit is no secret: who may call this could remove any project's roles."""
    for role in found.values():
        if role and role.made and datetime.now(UTC) - role.made > NEW:
            raise Refused(f"the role {role.name} is in use since {role.made:%Y-%m-%d}; an administrator removes it")


def _create(client: Any, role: Role) -> None:
    named = {"RoleName": role.name, "Path": role.path, "AssumeRolePolicyDocument": json.dumps(role.trust)}
    bounded = {"PermissionsBoundary": role.boundary} if role.boundary else {}
    try:
        client.create_role(**named, **bounded, Tags=_as_list(role.tags), Description="Made by mlops-account")
    except client.exceptions.EntityAlreadyExistsException:  # its answer was lost, or another call does the same
        if not _ours(client, role):
            raise
    for name, policy in role.policies.items():
        client.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(policy))


def _bring_to(client: Any, role: Role, now: Role) -> None:
    """Make a role what it should be. Its boundary first, and never away: without it nobody may touch its policies."""
    name = role.name
    if now.boundary != role.boundary and role.boundary:
        client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=role.boundary)
    if now.trust != role.trust:
        client.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(role.trust))
    for policy, document in role.policies.items():
        if now.policies.get(policy) != document:
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    for policy in now.policies.keys() - role.policies.keys():
        client.delete_role_policy(RoleName=name, PolicyName=policy)
    if surplus := now.tags.keys() - role.tags.keys():
        client.untag_role(RoleName=name, TagKeys=sorted(surplus))
    if role.tags.items() - now.tags.items():
        client.tag_role(RoleName=name, Tags=_as_list(role.tags))


def _delete(client: Any, role: Role) -> None:
    """What is not there, or another's by now, is no error: an answer may have been lost."""
    if made := _ours(client, role):
        for policy in made.policies:
            with suppress(client.exceptions.NoSuchEntityException):
                client.delete_role_policy(RoleName=role.name, PolicyName=policy)
        with suppress(client.exceptions.NoSuchEntityException):
            client.delete_role(RoleName=role.name)


def _ours(client: Any, role: Role) -> Role | None:
    made = _look(client, role.name)
    return made if made and made.tags.get(ROOT_COMMIT) == role.tags[ROOT_COMMIT] else None


def _restore(client: Any, before: Role) -> None:
    now = _look(client, before.name)
    _bring_to(client, before, now) if now else _create(client, before)


@contextmanager
def _all_or_nothing() -> Iterator[Undo]:
    """Collects how to take back what is done, and takes it back, last first, where AWS fails. Raises Refused."""
    undo: Undo = []
    try:
        yield undo
    except (ClientError, BotoCoreError) as failure:
        left = []
        for name, take_back in reversed(undo):
            try:
                take_back()
            except (ClientError, BotoCoreError):
                left.append(name)
        outcome = f"left half-made: {', '.join(left)}" if left else "nothing was changed"
        raise Refused(f"{failure}; {outcome}; call again") from failure


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# What the roles may do: Service Authorization Reference; SageMaker Developer Guide, "How to use … execution roles".


def _wanted(account: Account, request: Request, tier: str, kind: str) -> Role:
    own_account = {"StringEquals": {"aws:SourceAccount": account.number}}  # no other customer's job or build
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICES[kind]}, "Action": "sts:AssumeRole"}
    tags = {"project": request.project, "environment": tier, "owner": request.owner, "template": request.template}
    statements = _job(account, request, tier) if kind == "job" else _ci(account, request, tier)
    tags = account.tags | {f"mlops:{name}": tag for name, tag in tags.items()} | {ROOT_COMMIT: request.root_commit}
    policies = {POLICY: _document(*statements, *_shared(account, request, tier))}
    name = f"mlops-{request.project}-{tier}-{kind}"
    return Role(name, account.path, _document(trust | {"Condition": own_account}), account.boundary, tags, policies)


def _job(account: Account, request: Request, tier: str) -> Iterator[Document]:
    """A pipeline names its jobs `pipelines-<execution>-…`; whose they are says the tag that they are made with."""
    made = account.arns("sagemaker", *JOBS, MODELS)
    tagged = _tags("aws:RequestTag", request, tier)
    yield _allow("sagemaker", "CreateModel CreateProcessingJob CreateTrainingJob CreateTransformJob", made, tagged)
    # Tags only while it makes them: later ones would turn another project's job into its own.
    yield _allow("sagemaker", "AddTags", made, tagged | {"Null": {"sagemaker:TaggingAction": "false"}})
    own = _tags("aws:ResourceTag", request, tier)
    yield _allow("sagemaker", "StopProcessingJob StopTrainingJob StopTransformJob", made[:-1], own)
    yield _allow("sagemaker", "DescribeModel", made[-1], own)
    groups = [f"{request.project}-{name}" for name in ENVIRONMENTS[tier]]
    registry = account.arns("sagemaker", *groups, under="model-package-group/")
    registry += account.arns("sagemaker", *(f"{name}/*" for name in groups), under="model-package/")
    # Only people approve for production: what a pipeline registers there waits for them.
    waits = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    yield _allow("sagemaker", "CreateModelPackage", registry, waits if tier == "prod" else {})
    yield _allow("kms", "CreateGrant", account.key, {"Bool": {"kms:GrantIsForAWSResource": "true"}})  # for disks
    yield _allow("kms", "Encrypt", account.key)  # for outputs, says the guide; S3 itself asks for GenerateDataKey
    yield from _images(account, request, "BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer")
    yield _allow("ecr", "GetAuthorizationToken", "*")
    write = "CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents"
    yield _allow("logs", write, account.arns("logs", "*", under="log-group:/aws/sagemaker/"))
    yield _allow("cloudwatch", "PutMetricData", "*", {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}})
    if account.subnets and account.security_groups:
        yield from _network(account)


def _ci(account: Account, request: Request, tier: str) -> Iterator[Document]:
    names = [f"{request.project}-{name}" + "-*" * (name == "feature") for name in ENVIRONMENTS[tier]]
    pipelines = account.arns("sagemaker", *names, under="pipeline/")
    executions = [f"{pipeline}/execution/*" for pipeline in pipelines]
    yield _allow("sagemaker", "AddTags CreatePipeline", pipelines, _tags("aws:RequestTag", request, tier))
    use = "DescribePipeline ListPipelineExecutions ListTags StartPipelineExecution UpdatePipeline"
    yield _allow("sagemaker", use, pipelines)
    follow = "DescribePipelineDefinitionForExecution DescribePipelineExecution ListPipelineExecutionSteps"
    change = "ListPipelineParametersForExecution RetryPipelineExecution StopPipelineExecution"
    yield _allow("sagemaker", f"{follow} {change}", executions)
    yield _allow("sagemaker", "ListModelPackageGroups ListPipelines", "*")
    yield _allow("iam", "ListAccountAliases", "*")
    yield from _images(account, request, "BatchGetImage DescribeImages")
    groups = account.arns("logs", *(f"{name}*" for name in LOGS), under="log-group:/aws/sagemaker/")
    yield _allow("logs", "DescribeLogStreams FilterLogEvents GetLogEvents", groups)
    parameters = account.arns("ssm", "", "/*", under="parameter/mlops/account")
    yield _allow("ssm", "GetParameter GetParameters GetParametersByPath", parameters)
    yield _allow("servicequotas", "GetServiceQuota", account.arns("servicequotas", "sagemaker/*"))
    defaults = "GetAWSDefaultServiceQuota ListAWSDefaultServiceQuotas ListServiceQuotas"
    yield _allow("servicequotas", defaults, "*")
    if request.host == "codecommit":
        yield _allow("codecommit", "GitPull", account.arns("codecommit", request.repository))


def _shared(account: Account, request: Request, tier: str) -> Iterator[Document]:
    """What both a pipeline and who submits it need: the project's files, versions and jobs, and the job role."""
    bucket, files = f"arn:{account.partition}:s3:::{account.bucket}", f"{tier}/{request.project}/*"
    objects = "AbortMultipartUpload GetObject GetObjectVersion ListMultipartUploadParts PutObject"
    yield _allow("s3", objects, f"{bucket}/{files}")
    yield _allow("s3", "ListBucket ListBucketVersions", bucket, {"StringLike": {"s3:prefix": files}})
    by_s3 = {"StringLike": {"kms:ViaService": f"s3.{account.region}.amazonaws.com*"}}  # in China it ends in .cn
    yield _allow("kms", "Decrypt GenerateDataKey", account.key, by_s3)
    yield _allow("kms", "DescribeKey", account.key)
    own = _tags("aws:ResourceTag", request, tier)
    describe = "DescribeProcessingJob DescribeTrainingJob DescribeTransformJob"
    yield _allow("sagemaker", describe, account.arns("sagemaker", *JOBS), own)
    groups = [f"{request.project}-{name}" for name in GROUPS[tier]]
    versions = account.arns("sagemaker", *(f"{name}/*" for name in groups), under="model-package/")
    yield _allow("sagemaker", "DescribeModelPackage ListModelPackages", versions)
    described = account.arns("sagemaker", *groups, under="model-package-group/")
    yield _allow("sagemaker", "DescribeModelPackageGroup ListTags", described)
    to_sagemaker = {"StringEquals": {"iam:PassedToService": SERVICES["job"]}}
    yield _allow("iam", "PassRole", account.role(f"mlops-{request.project}-{tier}-job"), to_sagemaker)


def _images(account: Account, request: Request, actions: str) -> Iterator[Document]:
    """SageMaker publishes its images in another account for each region; own ones carry the project's tag, or `all`."""
    public = [f"arn:{account.partition}:ecr:{account.region}:*:repository/{name}" for name in IMAGES]
    yield _allow("ecr", actions, public)
    own = {"StringEquals": {"aws:ResourceTag/mlops:project": [request.project, "all"]}}
    yield _allow("ecr", actions, account.arns("ecr", "repository/*"), own)


def _network(account: Account) -> Iterator[Document]:
    """Network interfaces in the organisation's subnets alone; another account may share them, and ids are unique."""
    place, interfaces = f"arn:{account.partition}:ec2:{account.region}", account.arns("ec2", "network-interface/*")
    subnets = [f"{place}:*:subnet/{subnet}" for subnet in account.subnets]
    groups = [f"{place}:*:security-group/{group}" for group in account.security_groups]
    yield _allow("ec2", "CreateNetworkInterface", interfaces + subnets + groups)
    changes = "CreateNetworkInterfacePermission DeleteNetworkInterface DeleteNetworkInterfacePermission"
    yield _allow("ec2", changes, interfaces, {"ArnLike": {"ec2:Subnet": subnets}})
    look = "DescribeDhcpOptions DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs"
    yield _allow("ec2", look, "*")


def _tags(key: str, request: Request, tier: str) -> Document:
    values = {"project": request.project, "environment": list(ENVIRONMENTS[tier])}
    return {"StringEquals": {f"{key}/mlops:{name}": value for name, value in values.items()}}


def _allow(service: str, actions: str, resources: str | list[str], condition: Document | None = None) -> Document:
    named = [f"{service}:{action}" for action in actions.split()]
    statement = {"Effect": "Allow", "Action": named, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
