"""Small Lambda functions for the tests: packed, with a role, and made in the sandbox."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from typing import Any

from botocore.exceptions import ClientError


def zipped(code: str, **files: str) -> bytes:
    """A deployment package with `code` as main.py; further files by their name without .py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {"main": code, **files}.items():
            archive.writestr(f"{name}.py", textwrap.dedent(text))
    return buffer.getvalue()


def make_role(iam: Any, name: str = "function-role", principal: str = "lambda.amazonaws.com") -> str:
    """A role that `principal` may take."""
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    except ClientError:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def make_function(client: Any, code: str, name: str = "demo", **settings: Any) -> str:
    """An active function whose handler is main.handler; its ARN. client: the fixture of that name."""
    functions = client("lambda")
    given = {
        "FunctionName": name,
        "Role": make_role(client("iam")),
        "Runtime": "python3.13",
        "Handler": "main.handler",
        "Code": {"ZipFile": zipped(code)},
        **settings,
    }
    arn = functions.create_function(**given)["FunctionArn"]
    functions.get_function(FunctionName=name)
    return str(arn)
