"""Bringing a pipeline up to date, by those who may: each call of it against the deployed policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from mlops.cloud import pipelines
from sandbox import Sandbox
from tests.permissions.account import ACCOUNT, OWN, REGION, Stack, deploy
from tests.permissions.engine import Engine
from tests.permissions.trial import Deployed, assert_all_allowed

pytestmark = pytest.mark.slow

pytest.importorskip("account", reason="the account stack is not in this repository yet")

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "Refused", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
}


@pytest.fixture(scope="module")
def stack(running_sandbox: Sandbox) -> Iterator[Stack]:
    running_sandbox.set_faults([])
    running_sandbox.reset()
    yield deploy(running_sandbox)
    running_sandbox.reset()


@pytest.mark.parametrize(
    ("who", "environment", "name"),
    [("nonprod-ci", "dev", f"{OWN}-dev"), ("scientist", "feature", f"{OWN}-feature-colours-1a2b3c4d")],
)
def test_a_newer_template_changes_one_tag(
    running_sandbox: Sandbox,
    stack: Stack,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
    environment: str,
    name: str,
) -> None:
    """Who may tag is told by the tags of the request: a request with the changed one alone is nobody's."""
    role = {**stack.roles, **stack.people}[who]
    client = _client(running_sandbox, role)
    monkeypatch.setattr("mlops.aws.client", lambda *_: client)
    ours = pipelines.Pipelines(REGION)

    def as_of(template: str) -> pipelines.Pipeline:
        tags = {"mlops:project": OWN, "mlops:environment": environment, "mlops:template": template}
        return pipelines.Pipeline(name, json.dumps(DEFINITION), stack.roles["nonprod-job"], tags, "Tumor")

    running_sandbox.clear_calls()
    assert ours.bring_up_to_date(as_of("0.3.0"), ours.describe(name)) == "created"
    assert ours.bring_up_to_date(as_of("0.3.0"), ours.describe(name)) is None
    assert [call["operation"] for call in running_sandbox.calls] == [
        *("DescribePipeline", "CreatePipeline"),
        *("DescribePipeline", "ListTags"),
    ]
    ours.bring_up_to_date(as_of("0.4.0"), ours.describe(name))
    assert running_sandbox.calls[-1]["operation"] == "AddTags"
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/{name}"
    found = {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=arn)["Tags"]}
    assert found["mlops:template"] == "0.4.0"
    assert_all_allowed(running_sandbox.calls, engine, Deployed(running_sandbox))


def _client(aws: Sandbox, role: str) -> Any:
    """SageMaker's client of a build under a project's role, or of a person who has logged in."""
    if "/mlops/" in role:
        caller = aws.inside.assume(role, "codebuild.amazonaws.com", "session")
        keys = (caller.access_key, caller.secret, caller.token)
    else:
        sts = boto3.client(
            "sts",
            endpoint_url=aws.url,
            region_name=REGION,
            aws_access_key_id=aws.endpoint.access_key,
            aws_secret_access_key=aws.endpoint.secret,
        )
        found = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
        keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    return boto3.Session(*keys, region_name=REGION).client("sagemaker", endpoint_url=aws.url)
