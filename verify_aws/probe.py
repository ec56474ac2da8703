"""A role that may nearly nothing, whose sessions may less still: so AWS itself says what it asks permission for.

IAM User Guide, "Session policies": a session may do what both the role's policy and the session's allow.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError

from account import aws
from verify_aws.trial import Trial

PATIENCE = 60.0  # seconds until IAM has told all of AWS about a new role
DENIED = {"AccessDenied", "AccessDeniedException"}
Statement = Mapping[str, Any]


class NotAnswered(Exception):
    """Permissions cannot be tried here; says why."""


class Probe:
    """What a session that may only so much is told. Answers are AWS's codes of errors; "" is success."""

    def __init__(self, role: str, region: str) -> None:
        self._role, self._region = role, region

    def try_call(self, service: str, operation: str, request: Mapping[str, Any], *allowed: Statement) -> str:
        """Call an operation of a service (by boto3's names) in a session that may do what `allowed` says."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(allowed)})
        assumed = aws.client("sts").assume_role(RoleArn=self._role, RoleSessionName="verify-aws", Policy=document)
        keys = assumed["Credentials"]
        client = boto3.client(
            service,
            region_name=self._region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        try:
            getattr(client, operation)(**request)
        except ClientError as error:
            return aws.code(error)
        return ""


def allow(actions: str, *resources: str) -> Statement:
    """A statement; actions with spaces between them."""
    return {"Effect": "Allow", "Action": actions.split(), "Resource": list(resources)}


def name(trial: Trial) -> str:
    """The role's name."""
    return f"{trial.slug}-probe"


@contextmanager
def probing(trial: Trial, *allowed: Statement) -> Iterator[Probe]:
    """A role that the caller alone can take and that may do what `allowed` says; it goes at the end.

    Raises:
        NotAnswered: IAM has not heard of it after a minute, or refuses nobody.
    """
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": _principal(iam, trial)}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name(trial),
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        Tags=[{"Key": "mlops:project", "Value": trial.slug}],
    )["Role"]["Arn"]
    try:
        look = allow("iam:GetRole", "*")
        document = json.dumps({"Version": "2012-10-17", "Statement": [look, *allowed]})
        iam.put_role_policy(RoleName=name(trial), PolicyName="probe", PolicyDocument=document)
        probe = Probe(role, trial.region)
        _wait(probe, trial, look)
        yield probe
    finally:
        forget(trial)


def forget(trial: Trial) -> None:
    """Remove the role, if it is there."""
    iam = aws.client("iam")
    for remove, request in ((iam.delete_role_policy, {"PolicyName": "probe"}), (iam.delete_role, {})):
        try:
            remove(RoleName=name(trial), **request)
        except iam.exceptions.NoSuchEntityException:
            continue


def _principal(iam: Any, trial: Trial) -> str:
    """The caller as a trust policy names it: a session is its role, whose path only IAM knows."""
    resource = trial.principal.split(":", 5)[5]
    if resource.startswith("assumed-role/"):
        return str(iam.get_role(RoleName=resource.split("/")[1])["Role"]["Arn"])
    return trial.principal


def _wait(probe: Probe, trial: Trial, look: Statement) -> None:
    """Controls: what is allowed succeeds, what is not allowed is refused. Else no other answer would mean anything."""
    question = ("iam", "get_role", {"RoleName": name(trial)})
    start = time.monotonic()
    while True:
        try:
            if probe.try_call(*question, look) == "":
                break
        except ClientError as error:
            if aws.code(error) not in DENIED:
                raise
        if time.monotonic() - start > PATIENCE:
            raise NotAnswered(f"after {PATIENCE:.0f} s the role {name(trial)} still cannot be used")
        time.sleep(2)
    if probe.try_call(*question, allow("iam:ListRoles", "*")) not in DENIED:
        raise NotAnswered("permissions are not enforced here: what a session may not do succeeds")
