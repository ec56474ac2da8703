"""What the tests of Lambda share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.lambda_functions import make_function, make_role


@pytest.fixture
def functions(client) -> Any:
    return client("lambda")


@pytest.fixture
def role(client) -> str:
    return make_role(client("iam"))


@pytest.fixture
def function(client) -> Callable[..., str]:
    """function(code, name="demo", **settings) -> the ARN of an active function."""
    return lambda code, **settings: make_function(client, code, **settings)


@pytest.fixture
def invoke(functions) -> Callable[..., tuple[Any, str | None]]:
    """invoke({...}) -> (payload, FunctionError)."""

    def call(event: Any = None, **params: Any) -> tuple[Any, str | None]:
        answer = functions.invoke(**{"FunctionName": "demo", "Payload": json.dumps(event), **params})
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    return call


@pytest.fixture
def queue(client) -> Callable[[str], str]:
    """queue("name") -> its ARN."""

    def make(name: str, policy: Any = None) -> str:
        attributes = {"Policy": json.dumps(policy)} if policy else {}
        client("sqs").create_queue(QueueName=name, Attributes=attributes)
        return f"arn:aws:sqs:us-east-1:123456789012:{name}"

    return make


@pytest.fixture
def messages(sandbox, client) -> Callable[[str], list[dict[str, Any]]]:
    """messages("name") -> what is in the queue once the sandbox is quiet."""

    def receive(name: str) -> list[dict[str, Any]]:
        sandbox.wait_until_quiet()
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return list(answer.get("Messages", []))

    return receive
