"""Who calls: access keys that the sandbox or moto's IAM and STS issued, and nobody else.

Error codes: AWS General Reference, "Common errors" of each service (UnrecognizedClientException, InvalidClientTokenId,
ExpiredTokenException, ...) and Amazon S3 "Error responses" (InvalidAccessKeyId, ExpiredToken, SignatureDoesNotMatch).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import RLock

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.utilities.utils import PARTITION_NAMES, get_partition

from sandbox.environment import DEVELOPER_KEY
from sandbox.errors import AwsError

ACCOUNT = DEFAULT_ACCOUNT_ID
USER = "developer"
USER_ID = "AIDASANDBOXDEVELOPER1"
ALIAS = "sandbox"
# A call with this access key id is answered as AWS answers credentials that have run out.
EXPIRED_KEY = "ASIASANDBOXEXPIREDXX"


@dataclass(frozen=True)
class Caller:
    """An authenticated principal. arn: of a user or role session, or the principal of an AWS service that calls with
    no role, e.g. `events.amazonaws.com`. expires: naive UTC, None for a user's key. context: condition keys that an
    AWS service sends with each call, e.g. `aws:SourceArn`.
    """

    arn: str
    account: str
    access_key: str
    secret: str
    token: str | None = None
    expires: datetime | None = None
    context: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_service(self) -> bool:
        return self.arn.endswith(".amazonaws.com")

    def has_expired(self) -> bool:
        return self.expires is not None and self.expires <= datetime.now(UTC).replace(tzinfo=None)


class Callers:
    """All principals of a sandbox. moto's IAM takes long to load, so it is not asked before it is needed."""

    def __init__(self, secret: str, region: str) -> None:
        self._secret = secret
        self._region = region
        self._lock = RLock()
        self._seeded = False
        self._services: dict[tuple[str, ...], Caller] = {}

    def service(self, principal: str, context: Mapping[str, str]) -> Caller:
        """An AWS service that calls with no role, on behalf of the resource that `context` names."""
        identity = (principal, *(text for item in sorted(context.items()) for text in item))
        with self._lock:
            if identity not in self._services:
                key = f"ASIA{secrets.token_hex(8).upper()}"
                self._services[identity] = Caller(principal, ACCOUNT, key, secrets.token_hex(20), context=dict(context))
            return self._services[identity]

    def forwarded(self, caller: Caller, service: str) -> Caller:
        """A service, e.g. `s3`, that calls another in the name of its own caller (IAM User Guide, "Forward access
        sessions"): the same principal, and the conditions that tell."""
        with self._lock:
            identity = (caller.access_key, service)
            if identity not in self._services:
                said = {"aws:ViaAWSService": "true", "aws:CalledVia": f"{service}.amazonaws.com"}
                key, secret = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)
                self._services[identity] = replace(
                    caller, access_key=key, secret=secret, token=None, context={**caller.context, **said}
                )
            return self._services[identity]

    def seed(self) -> None:
        """An account with one IAM user, which `aws sts get-caller-identity` shows as AWS would. Seeding twice is no
        error."""
        with self._lock:
            if self._seeded:
                return
            from moto.iam.models import IAMBackend, iam_backends

            backend: IAMBackend = iam_backends[ACCOUNT][get_partition(self._region)]
            backend.create_account_alias(ALIAS)
            backend.create_user(self._region, USER).id = USER_ID
            key = backend.create_access_key(USER)
            backend.access_keys.pop(key.access_key_id)
            key.access_key_id, key.secret_access_key = DEVELOPER_KEY, self._secret
            backend.access_keys[DEVELOPER_KEY] = key
            self._seeded = True

    def forget(self) -> None:
        """After moto has forgotten everything."""
        with self._lock:
            self._seeded = False
            self._services.clear()

    def find(self, access_key: str) -> Caller | None:
        """The principal behind an access key id, or None."""
        with self._lock:
            if not self._seeded and access_key == DEVELOPER_KEY:
                arn = f"arn:{get_partition(self._region)}:iam::{ACCOUNT}:user/{USER}"
                return Caller(arn, ACCOUNT, DEVELOPER_KEY, self._secret)
            for service in self._services.values():
                if service.access_key == access_key:
                    return service
            self.seed()
            return _in_moto(access_key)

    def authenticate(self, access_key: str, token: str | None, protocol: str, service: str) -> Caller:
        """The caller of a request. Raises AwsError as the service would."""
        if access_key == EXPIRED_KEY:
            raise expired(protocol, service)
        caller = self.find(access_key)
        if caller is None or caller.token != (token or None):
            raise unknown_key(protocol, service)
        if caller.has_expired():
            raise expired(protocol, service)
        return caller


def _in_moto(access_key: str) -> Caller | None:
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    for account, partitions in list(iam_backends.items()):
        for partition in PARTITION_NAMES:
            key = partitions[partition].access_keys.get(access_key)
            if key is None or key.status != "Active":
                continue
            if key.user_name is not None:
                user = partitions[partition].users.get(key.user_name)
                if user is None or all(held.access_key_id != access_key for held in user.access_keys):
                    continue
                return Caller(user.arn, account, access_key, key.secret_access_key)
            role = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
            if role is not None:
                return Caller(
                    role.arn, account, access_key, role.secret_access_key, role.session_token, role.expiration
                )
    return None


def unknown_key(protocol: str, service: str) -> AwsError:
    if service == "s3":
        return AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    message = "The security token included in the request is invalid."
    if _speaks_xml(protocol):
        return AwsError("InvalidClientTokenId", message, 403)
    return AwsError("UnrecognizedClientException", message, 403 if protocol == "rest-json" else 400)


def expired(protocol: str, service: str) -> AwsError:
    if service == "s3":
        return AwsError("ExpiredToken", "The provided token has expired.", 400)
    message = "The security token included in the request is expired"
    if _speaks_xml(protocol):
        return AwsError("ExpiredToken", message, 403)
    return AwsError("ExpiredTokenException", message, 403 if protocol == "rest-json" else 400)


def wrong_signature(protocol: str, service: str) -> AwsError:
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    if _speaks_xml(protocol):
        return AwsError("SignatureDoesNotMatch", message, 403)
    return AwsError("InvalidSignatureException", message, 403 if protocol == "rest-json" else 400)


def no_credentials(protocol: str, service: str) -> AwsError:
    if service == "s3":
        return AwsError("AccessDenied", "Access Denied", 403)
    if _speaks_xml(protocol):
        return AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return AwsError(
        "MissingAuthenticationTokenException", "Missing Authentication Token", 403 if protocol == "rest-json" else 400
    )


def _speaks_xml(protocol: str) -> bool:
    return protocol in ("query", "ec2", "rest-xml")
