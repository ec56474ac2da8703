"""IAM by trial: the deployed policies, evaluated over what was really called.

with Engine() as engine:
    assert_all_allowed(sandbox.calls, engine, deployed_policies(sandbox))
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3

from sandbox import Sandbox
from tests.permissions.engine import Decision, Document, Engine, Policies, Request

PoliciesOf = Callable[[str], Policies]


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
    iam = boto3.client(
        "iam",
        endpoint_url=sandbox.url,
        region_name=sandbox.region,
        aws_access_key_id=sandbox.endpoint.access_key,
        aws_secret_access_key=sandbox.endpoint.secret,
    )
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


def deployed_policies(sandbox: Sandbox, service_control: Mapping[str, Document] | None = None) -> PoliciesOf:
    """policies_of for this sandbox, each principal read once. service_control: the organisation's denials, if any."""

    @functools.cache
    def read(arn: str) -> Policies:
        return replace(policies_of(sandbox, arn), service_control=service_control or {})

    return read


def denied(
    calls: Iterable[Mapping[str, Any]],
    engine: Engine,
    policies: PoliciesOf,
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
            )
            decision: Decision = engine.decide(policies(principal), request)
            if not decision.allowed:
                found.append(Denied(operation, request, decision.reason))
    return found


def assert_all_allowed(calls: Iterable[Mapping[str, Any]], engine: Engine, policies: PoliciesOf) -> None:
    """Fails with one line for each authorization that is refused."""
    refused = denied(calls, engine, policies)
    assert not refused, "\n".join(["AWS would refuse:", *dict.fromkeys(map(str, refused))])


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: Document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document
