"""The account stack's policies and two projects' roles in a sandbox's IAM, as `make account` and registration leave them.

Only what IAM holds: the template's managed policies are made by name, and the registration function runs here.
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
    with patch.dict(os.environ, sandbox.environment()):
        iam = boto3.client("iam")
        managed = {name: _policy(iam, template, name) for name in ("Boundary", "DataScientist", "Approver")}
        registered = [_register(project, managed["Boundary"]) for project in (OWN, OTHER)]
        people = {"scientist": managed["DataScientist"], "approver": managed["Approver"]}
        key_policy = _resolve(template["Resources"]["Key"]["Properties"]["KeyPolicy"])
        return Stack(registered[0], {who: _person(iam, who, policy) for who, policy in people.items()}, key_policy)


def _register(project: str, boundary: str) -> dict[str, str]:
    environment = {
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
    with patch.dict(os.environ, environment):
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


def _person(iam: Any, name: str, policy: str) -> str:
    """The role of a permission set, with one of the stack's policies."""
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
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
    "Register.Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:mlops-account-register",
}


def _resolve(value: Any) -> Any:
    """CloudFormation's functions, as far as the policies use them; of a condition the first side (OwnKey is true)."""
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return _REFERENCES[value["Ref"]]
    if "Fn::GetAtt" in value:
        return _REFERENCES[".".join(value["Fn::GetAtt"])]
    if "Fn::If" in value:
        return _resolve(value["Fn::If"][1])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        for name, known in _REFERENCES.items():
            text = text.replace(f"${{{name}}}", known)
        assert "${" not in text, text
        return text
    return {key: _resolve(item) for key, item in value.items()}
