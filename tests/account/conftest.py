"""The registration function in this process, against the sandbox's IAM."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from account.functions import register
from sandbox.server import Sandbox
from tests.account.resolved import Resolved
from tests.conftest import TEMPLATE

ROOT = "0123456789abcdef0123456789abcdef01234567"
RELEASE: str = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["_version"]
CALL = {
    "action": "register",
    "interface": 1,
    "project": "tumor-diagnosis",
    "root_commit": ROOT,
    "owner": "ml-team@example.com",
    "template": RELEASE,
}
Registration = Callable[..., dict[str, Any]]


def asked(**changed: Any) -> dict[str, Any]:
    """CALL, changed; its repository is named as its project unless another is asked for."""
    call = CALL | changed
    return {"source_control": {"host": "codecommit", "repository": call["project"]}} | call


def function_environment(**parameters: str) -> dict[str, str]:
    """The function's environment in a stack with these parameters."""
    stack = Resolved(parameters)
    variables: dict[str, str] = stack.resources["Register"]["Properties"]["Environment"]["Variables"]
    return variables | {"AWS_REGION": stack.region}


@pytest.fixture(scope="session")
def clients(running_sandbox: Sandbox) -> Callable[[str], Any]:
    """clients("iam"): an administrator's, made once, with the retries that the function wants."""
    keys = running_sandbox.environment()
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    config = Config(retries={"mode": "standard", "total_max_attempts": 4})
    return cache(lambda service: session.client(service, endpoint_url=running_sandbox.url, config=config))


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Registration:
    """function(action="remove") -> its answer to what is asked; version="$LATEST": as administrators call it."""
    for name, value in function_environment().items():
        monkeypatch.setenv(name, value)

    def call(version: str = "", **changed: Any) -> dict[str, Any]:
        arn = "arn:aws:lambda:us-east-1:123456789012:function:mlops-account-register"
        context = SimpleNamespace(invoked_function_arn=f"{arn}:{version}" if version else arn)
        return register.handler(asked(**changed), context)

    return call


def deploy_boundary(iam: Any) -> None:
    """What the stack makes first: no role can have a boundary that is not there."""
    boundary = Resolved().resources["Boundary"]["Properties"]
    iam.create_policy(
        PolicyName=boundary["ManagedPolicyName"],
        Path=boundary["Path"],
        PolicyDocument=json.dumps(boundary["PolicyDocument"]),
    )


@pytest.fixture
def registration(
    function: Registration, aws: Sandbox, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Registration:
    """The function, with the sandbox's IAM, where the stack has left its boundary."""
    deploy_boundary(clients("iam"))
    aws.clear_calls()
    monkeypatch.setattr(boto3, "client", lambda service, config: clients(service))
    return function


@pytest.fixture
def iam(aws: Sandbox, clients: Callable[[str], Any]) -> Any:
    """IAM as an administrator sees it."""
    return clients("iam")


def state(iam: Any) -> dict[str, dict[str, Any]]:
    """All that there is about every role, by name."""
    roles = {}
    for found in iam.list_roles()["Roles"]:
        name = found["RoleName"]
        role = iam.get_role(RoleName=name)["Role"]
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
        roles[name] = {
            "path": role["Path"],
            "trust": role["AssumeRolePolicyDocument"],
            "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
            "policies": {
                policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies
            },
        }
    return roles
