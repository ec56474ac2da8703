"""Errors, worded and encoded as each AWS protocol does it, so that the AWS CLI and boto3 show code and message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape


class AwsError(Exception):
    """An answer that AWS would give.

    code: AWS's error code, e.g. `RepositoryNameExistsException`. status: the HTTP status (most modelled client
    faults are 400). details: further members of the error shape.
    """

    def __init__(self, code: str, message: str, status: int = 400, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details


class NotImplementedInSandbox(AwsError):
    """Neither the sandbox nor moto has this. 501 because botocore retries 500, 502, 503 and 504, but not 501
    (botocore/data/_retry.json)."""

    def __init__(self, service: str, operation: str, why: str = "") -> None:
        super().__init__(
            "NotImplementedInSandbox",
            f"sandbox/ has no {service} {operation}{': ' + why if why else ''}. "
            "Call it on a real account, or add it to sandbox/ (docs/sandbox.md says how).",
            501,
        )


Answer = tuple[int, dict[str, str], bytes]


def encode_error(error: AwsError, protocol: str, service: str, request_id: str | None = None) -> Answer:
    """Status, headers and body of an error in `json`, `rest-json`, `query`, `ec2` or `rest-xml`.

    Source: Smithy's "AWS protocols" (aws.api), section "Operation error serialization" of each protocol.
    """
    identity = request_id or str(uuid4())
    headers = {"x-amzn-RequestId": identity}
    if protocol in ("json", "rest-json"):
        body: Mapping[str, Any] = {"__type": error.code, "message": error.message, **error.details}
        headers["x-amzn-ErrorType"] = error.code
        headers["Content-Type"] = "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
        return error.status, headers, json.dumps(body).encode()
    headers["Content-Type"] = "text/xml"
    code, message = escape(error.code), escape(error.message)
    if protocol == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{identity}</RequestID></Response>"
        )
    elif service in ("s3", "s3control"):
        headers["x-amz-request-id"] = identity
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{identity}</RequestId></Error>"
    else:
        fault = "Sender" if error.status < 500 else "Receiver"
        text = (
            f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{identity}</RequestId></ErrorResponse>"
        )
    return error.status, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def error_code_of(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """The error code in an answer that moto wrote, or None for a success."""
    if status < 400:
        return None
    for name, value in headers.items():
        if name.lower() == "x-amzn-errortype" and value:
            return value.split("#")[-1].split(":")[0]
    text = body.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return "Unknown"
        return str(found.get("__type") or found.get("code") or "Unknown").split("#")[-1]
    start, end = text.find("<Code>"), text.find("</Code>")
    return text[start + 6 : end] if 0 <= start < end else f"Http{status}"
