"""SigV4 checked with botocore's own signer, so a wrong secret or an altered request fails here as it does on AWS.

Source: AWS Signature Version 4 (IAM User Guide, "Create a signed AWS API request"); S3's variant keeps the path as
it is and hashes what `x-amz-content-sha256` says. CodeCommit's git passwords: awscli/customizations/codecommit.py.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core.request import Request

from sandbox.errors import AwsError

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Scope:
    """What a signature says about itself. signature is None where the sandbox does not check it (presigned URLs)."""

    access_key: str
    region: str
    signing_name: str
    signed_headers: tuple[str, ...] = ()
    signature: str | None = None
    token: str | None = None


def scope_of(request: Request) -> Scope | None:
    """The signature's scope, or None for an unsigned request. Raises AwsError for one that cannot be read."""
    header = request.headers.get("Authorization", "")
    if header.startswith(_ALGORITHM):
        return _from_header(header, request.headers.get("X-Amz-Security-Token"))
    query = parse_qs(request.query_string.decode("latin-1"))
    if "X-Amz-Credential" in query:
        key, _, region, service, _ = (query["X-Amz-Credential"][0].split("/") + [""] * 5)[:5]
        return Scope(key, region, service, token=_first(query, "X-Amz-Security-Token"))
    if "AWSAccessKeyId" in query and "Signature" in query:  # signature version 2, still what boto3 presigns for S3
        return Scope(query["AWSAccessKeyId"][0], "", "s3", token=_first(query, "x-amz-security-token"))
    return None


def _first(query: dict[str, list[str]], name: str) -> str | None:
    return query[name][0] if name in query else None


def _from_header(header: str, token: str | None) -> Scope:
    try:
        fields = dict(part.strip().split("=", 1) for part in header[len(_ALGORITHM) :].split(","))
        access_key, _, region, service, _ = fields["Credential"].rsplit("/", 4)
        signed = tuple(fields["SignedHeaders"].split(";"))
        return Scope(access_key, region, service, signed, fields["Signature"], token)
    except (KeyError, ValueError) as error:
        raise AwsError(
            "IncompleteSignatureException", f"The Authorization header is not readable: {header!r}"
        ) from error


def is_signed_by(scope: Scope, secret: str, request: Request, body: bytes) -> bool:
    """Whether the request was signed with this secret, and carries the body that was signed."""
    if scope.signature is None:
        return True
    timestamp = request.headers.get("X-Amz-Date", "")
    claimed = request.headers.get("X-Amz-Content-SHA256", "")
    is_hash = len(claimed) == 64 and not claimed.startswith("STREAMING")
    if is_hash and not hmac.compare_digest(claimed, hashlib.sha256(body).hexdigest()):
        return False
    auth_class = S3SigV4Auth if scope.signing_name == "s3" else SigV4Auth
    auth = auth_class(Credentials(scope.access_key, secret, scope.token), scope.signing_name, scope.region)
    headers = {name: request.headers.get(name, "") for name in scope.signed_headers}
    signable = AWSRequest(method=request.method, url=request.raw_url, data=body, headers=headers)
    signable.context["timestamp"] = timestamp
    to_sign = auth.string_to_sign(signable, auth.canonical_request(signable))
    return hmac.compare_digest(auth.signature(to_sign, signable), scope.signature)


def git_password(access_key: str, secret: str, region: str, host: str, path: str, timestamp: str) -> str:
    """CodeCommit's password for a git URL. timestamp: YYYYMMDDTHHMMSS. host: without a port. path: with its leading
    slash."""
    auth = SigV4Auth(Credentials(access_key, secret), "codecommit", region)
    request = AWSRequest()
    request.context["timestamp"] = timestamp
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    return f"{timestamp}Z{auth.signature(auth.string_to_sign(request, canonical), request)}"


def is_git_password(password: str, access_key: str, secret: str, region: str, host: str, path: str) -> bool:
    """Whether a password was made with this secret in the last 15 minutes.

    Source of the window: CodeCommit User Guide, "Troubleshooting the credential helper": the generated password is
    temporary, and "after about 15 minutes" access with a stored one fails.
    """
    timestamp = password[:15]
    try:
        made = datetime.strptime(timestamp, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    if abs(datetime.now(UTC) - made) > timedelta(minutes=15):
        return False
    return hmac.compare_digest(git_password(access_key, secret, region, host, path, timestamp), password)
