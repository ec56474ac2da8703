"""IAM by trial: the deployed policies, evaluated over what was really called.

with Engine() as engine:
    assert_all_allowed(sandbox.calls, engine, Deployed(sandbox))
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.exceptions import ClientError

from sandbox import Sandbox
from sandbox.ecr.sagemaker_images import ACCOUNTS
from tests.permissions.engine import Decision, Document, Engine, Policies, Request

# AWS's own image registries let every account pull ("Pull a SageMaker image" needs no more than one's own permission).
OF_AWS = set(ACCOUNTS.values())
FOR_EVERYBODY_TO_PULL: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
            ],
            "Resource": "*",
        }
    ],
}


@dataclass(frozen=True)
class Denied:
    """One authorization that AWS would have refused. operation: e.g. `sagemaker CreateModel`."""

    operation: str
    request: Request
    reason: str

    def __str__(self) -> str:
        keys = ", ".join(f"{key}={value}" for key, value in sorted(self.request.context.items()))
        asked = f"{self.request.action} on {self.request.resource}"
        return f"{self.operation}: {self.request.principal} may not {asked} ({self.reason}; {keys})"


def policies_of(sandbox: Sandbox, arn: str) -> Policies:
    """The policies of a role (or user), inline and managed, and its permissions boundary, as the account holds them."""
    iam = _client(sandbox, "iam")
    name = arn.rpartition("/")[2]
    inline = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
        for policy in page["PolicyNames"]
    }
    managed = {
        policy["PolicyName"]: _managed(iam, policy["PolicyArn"])
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        for policy in page["AttachedPolicies"]
    }
    boundary = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary")
    return Policies(
        identity={**inline, **managed},
        boundary=_managed(iam, boundary["PermissionsBoundaryArn"]) if boundary else None,
    )


class Deployed:
    """What a sandbox holds of policies, each read once. service_control: the organisation's denials, if any."""

    def __init__(self, sandbox: Sandbox, service_control: Mapping[str, Document] | None = None) -> None:
        self._sandbox = sandbox
        self._service_control = service_control or {}
        self.of_principal = functools.cache(self._of_principal)
        self.of_resource = functools.cache(self._of_resource)
        self._of_bucket = functools.cache(self._read_of_bucket)

    def _of_principal(self, arn: str) -> Policies:
        return replace(policies_of(self._sandbox, arn), service_control=self._service_control)

    def _of_resource(self, arn: str) -> Document | None:
        """The policy of a bucket or a key; a key that is not there has the one by which IAM decides alone."""
        service, resource = arn.split(":")[2], arn.split(":", 5)[-1]
        if service == "ecr" and arn.split(":")[4] in OF_AWS:
            return FOR_EVERYBODY_TO_PULL
        if service == "kms" and resource.startswith("key/"):
            kms = _client(self._sandbox, "kms")
            try:
                found = kms.get_key_policy(KeyId=resource.partition("/")[2], PolicyName="default")["Policy"]
            except kms.exceptions.NotFoundException:
                return key_policy_by_iam(arn.split(":")[4])
            return dict(json.loads(found))
        if service == "s3":
            return self._of_bucket(resource.partition("/")[0])
        return None

    def _read_of_bucket(self, name: str) -> Document | None:
        try:
            return dict(json.loads(_client(self._sandbox, "s3").get_bucket_policy(Bucket=name)["Policy"]))
        except ClientError:
            return None


def key_policy_by_iam(account: str) -> Document:
    """KMS Developer Guide, "Default key policy": leaves it to the policies of the account's principals."""
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def denied(
    calls: Iterable[Mapping[str, Any]],
    engine: Engine,
    deployed: Deployed,
    judged: Callable[[str], bool] = lambda arn: ":role/" in arn,
) -> list[Denied]:
    """Every authorization of the log that these policies refuse, whether the call then succeeded or not.

    judged: which principals, by ARN; by default the roles, as the sandbox's own user stands for an administrator.
    Raises AssertionError for calls whose authorizations the sandbox does not know.
    """
    found: list[Denied] = []
    for call in calls:
        operation = f"{call['service']} {call['operation']}"
        if call["authorization"] is None:
            raise AssertionError(f"{operation}: add it to sandbox/authorization/, its actions are not known there")
        for asked in call["authorization"]:
            principal = asked["context"].get("aws:PrincipalArn", "")
            if not judged(principal):
                continue
            request = Request(
                principal=call["role"],
                action=asked["action"],
                resource=asked["resource"],
                context=asked["context"],
                account=asked["context"].get("aws:ResourceAccount", ""),
                resource_policy=deployed.of_resource(asked["resource"]) if asked["resource"] != "*" else None,
            )
            decision: Decision = engine.decide(deployed.of_principal(principal), request)
            if not decision.allowed:
                found.append(Denied(operation, request, decision.reason))
    return found


def assert_all_allowed(calls: Iterable[Mapping[str, Any]], engine: Engine, deployed: Deployed) -> None:
    """Fails with one line for each authorization that is refused."""
    refused = denied(list(calls), engine, deployed)
    assert not refused, "\n".join(["AWS would refuse:", *dict.fromkeys(map(str, refused))])


def _client(sandbox: Sandbox, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=sandbox.url,
        region_name=sandbox.region,
        aws_access_key_id=sandbox.endpoint.access_key,
        aws_secret_access_key=sandbox.endpoint.secret,
    )


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: Document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document
