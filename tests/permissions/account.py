"""The account stack's policies and two projects' roles in a sandbox's IAM, as `make account` and registration leave them.

Only what IAM holds: the template's managed policies and the function's role are made by name, and the registration
function runs here, as that role.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from unittest.mock import patch

import boto3

from sandbox import Sandbox

ACCOUNT = "123456789012"
REGION = "us-east-1"
BUCKET = "mlops-account-bucket"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f3ebefd-970d-43a0-9632-21694ce81fc4"
PATH = "/mlops/"
SUBNETS = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
SECURITY_GROUPS = ["sg-0aaaaaaaaaaaaaaaa"]
TAGS = {"CostCenter": "4711"}
FUNCTION = "mlops-account-register"
OWN, OTHER = "tumor", "tumor-board"  # a name that begins with the other's finds patterns that reach too far


@dataclass(frozen=True)
class Stack:
    """roles: of the project OWN by `nonprod-ci` and the like. people: `scientist` and `approver`. All are role ARNs."""

    roles: Mapping[str, str]
    people: Mapping[str, str]
    key_policy: Mapping[str, Any]


def deploy(sandbox: Sandbox) -> Stack:
    """Make all of it. Needs the package `account`."""
    template = json.loads(import_module("account.package").package())
    # boto3 would keep the first credentials that it finds.
    with patch.dict(os.environ, sandbox.environment()), patch("boto3.DEFAULT_SESSION", None):
        iam = boto3.client("iam")
        managed = {
            name: _policy(iam, template, name)
            for name in ("Boundary", "DataScientist", "DataScientistCode", "Approver")
        }
        credentials = _function(iam, template, managed["Boundary"])
        registered = [_register(project, managed["Boundary"], credentials) for project in (OWN, OTHER)]
        scientist = (managed["DataScientist"], managed["DataScientistCode"])
        people = {"scientist": scientist, "approver": (managed["Approver"],)}
        key_policy = _resolve(template["Resources"]["Key"]["Properties"]["KeyPolicy"])
        return Stack(registered[0], {who: _person(iam, who, policies) for who, policies in people.items()}, key_policy)


def _function(iam: Any, template: Mapping[str, Any], boundary: str) -> dict[str, str]:
    """The role of the registration function, and the variables by which a process acts as it. Lambda's place is taken
    by the account itself, which the sandbox lets assume it."""
    properties = template["Resources"]["RegisterRole"]["Properties"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=FUNCTION, Path=PATH, AssumeRolePolicyDocument=document)["Role"]
    for policy in properties["Policies"]:
        statements = json.dumps(_resolve(policy["PolicyDocument"], {"Boundary": boundary}))
        iam.put_role_policy(RoleName=FUNCTION, PolicyName=policy["PolicyName"], PolicyDocument=statements)
    session = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName=FUNCTION)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def _register(project: str, boundary: str, credentials: Mapping[str, str]) -> dict[str, str]:
    environment = {
        **credentials,
        "PARTITION": "aws",
        "AWS_REGION": REGION,
        "ACCOUNT": ACCOUNT,
        "VERSION": "0.4.0",
        "BUCKET": BUCKET,
        "KEY": KEY,
        "ROLE_PATH": PATH,
        "BOUNDARY": boundary,
        "SUBNETS": ",".join(SUBNETS),
        "SECURITY_GROUPS": ",".join(SECURITY_GROUPS),
        "TAGS": ",".join(f"{key}={value}" for key, value in TAGS.items()),
    }
    asked = {
        "action": "register",
        "interface": 1,
        "project": project,
        "root_commit": "a" * 40,
        "owner": "team@example.com",
        "template": "0.4.0",
        "source_control": {"host": "codecommit", "repository": project},
    }
    with patch.dict(os.environ, environment), patch("boto3.DEFAULT_SESSION", None):
        answer = import_module("account.functions.register").handler(asked, None)
    assert "refused" not in answer, answer
    roles: dict[str, str] = answer["roles"]
    return roles


def _policy(iam: Any, template: Mapping[str, Any], name: str) -> str:
    properties = _resolve(template["Resources"][name]["Properties"])
    created = iam.create_policy(
        PolicyName=properties["ManagedPolicyName"],
        Path=properties["Path"],
        PolicyDocument=json.dumps(properties["PolicyDocument"]),
    )
    return str(created["Policy"]["Arn"])


def _person(iam: Any, name: str, policies: tuple[str, ...]) -> str:
    """The role of a permission set, with some of the stack's policies."""
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for policy in policies:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return str(arn)


# What the policies refer to: the stack's parameters are left empty.
_REFERENCES = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "RolePath": PATH,
    "Bucket": BUCKET,
    "Bucket.Arn": f"arn:aws:s3:::{BUCKET}",
    "Key.Arn": KEY,
    "Register.Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}",
    "RegisterLogs.Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{FUNCTION}:*",
}


def _resolve(value: Any, more: Mapping[str, str] | None = None) -> Any:
    """CloudFormation's functions, as far as the policies use them; of a condition the first side (OwnKey and
    OwnBoundary are true)."""
    known = {**_REFERENCES, **(more or {})}
    if isinstance(value, list):
        return [_resolve(item, more) for item in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return known[value["Ref"]]
    if "Fn::GetAtt" in value:
        return known[".".join(value["Fn::GetAtt"])]
    if "Fn::If" in value:
        return _resolve(value["Fn::If"][1], more)
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        for name, meaning in known.items():
            text = text.replace(f"${{{name}}}", meaning)
        assert "${" not in text, text
        return text
    return {key: _resolve(item, more) for key, item in value.items()}
