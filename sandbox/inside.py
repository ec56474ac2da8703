"""What AWS's services do with one another, on the customer's behalf: take a role, call an API, emit an event.

A service that acts for a customer (a job that reads S3, a function, a stack) makes real calls to this very sandbox, as
the role or the person that it acts for: they are checked, can fail, and stand in the call log like any other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

import botocore.session
from botocore.config import Config
from moto.utilities.utils import get_partition

from sandbox.background import Background
from sandbox.callers import Caller, Callers
from sandbox.role_trust import trusts
from sandbox.service_quotas import Quotas

# botocore's own retries meet what is momentary, as those of AWS's services do.
_ATTEMPTS = 3
# Profiles and files of the person who runs the sandbox are no business of AWS's services (botocore's session variables:
# name in the configuration, variables of the environment, default, conversion).
_NOBODY_S: dict[str, tuple[None, list[str], str | None, None]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}
_HOUR = 3600


class CannotAssume(Exception):
    """A role is not there, or does not trust the service. Each service words that in its own way."""


@dataclass(frozen=True)
class Event:
    """What a service tells EventBridge. detail_type and the members of detail are AWS's own."""

    source: str
    detail_type: str
    detail: Mapping[str, Any]
    resources: tuple[str, ...]
    account: str
    region: str
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


class Inside:
    """One for each sandbox, handed to the services that need it.

    folder: below it each service makes one of its own for files and processes. emit: EventBridge's, once it is there;
    returns at once, and delivers behind. background: what is under way behind the answers. quotas: SageMaker's, of
    instances.
    """

    def __init__(self, url: str, region: str, folder: Path, callers: Callers) -> None:
        self.url = url
        self.region = region
        self.folder = folder
        self.emit: Callable[[Event], None] = lambda event: None
        self.background = Background()
        self.quotas = Quotas()
        self._callers = callers
        self._session = botocore.session.Session(_NOBODY_S)
        self._making_client = RLock()  # a session is not safe to use from several threads, its clients are

    def assume(self, role_arn: str, principal: str, session_name: str, **context: str) -> Caller:
        """Take a role as a service does, for an hour.

        principal: e.g. `sagemaker.amazonaws.com`. context: condition keys by their last part, e.g. SourceArn=…;
        aws:SourceAccount is that of the role. Raises CannotAssume, UnreadableTrust.
        """
        from moto.iam.models import iam_backends
        from moto.sts.models import sts_backends

        partition = get_partition(self.region)
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        backend = iam_backends[account][partition] if account in iam_backends else None
        role = next((role for role in backend.roles.values() if role.arn == role_arn), None) if backend else None
        keys = {"aws:SourceAccount": account} | {f"aws:{name}": value for name, value in context.items()}
        if role is None or not trusts(role.assume_role_policy_document, principal, keys):
            raise CannotAssume(role_arn)
        session = sts_backends[account][partition].assume_role(self.region, session_name, role_arn, "", _HOUR, "")
        return Caller(
            session.arn,
            account,
            session.access_key_id,
            session.secret_access_key,
            session.session_token,
            session.expiration,
        )

    def as_service(self, principal: str, source_arn: str) -> Caller:
        """An AWS service that acts with no role, for a resource: what the other side's resource policy is asked about.

        principal: e.g. `events.amazonaws.com`. source_arn: e.g. of the rule.
        """
        account = source_arn.split(":")[4] if source_arn.count(":") >= 5 else ""
        return self._callers.service(principal, {"aws:SourceArn": source_arn, "aws:SourceAccount": account})

    def forwarded(self, caller: Caller, service: str) -> Caller:
        """Who a service, e.g. `s3`, is when it calls another in the name of its own caller."""
        return self._callers.forwarded(caller, service)

    def invoke_as_service(self, function_arn: str, principal: str, source_arn: str, payload: bytes) -> None:
        """Queue an invocation, as EventBridge, S3 or SNS do. Raises botocore's ClientError, AccessDeniedException
        where the function's resource policy has no statement that allows it."""
        client = self.client("lambda", self.as_service(principal, source_arn))
        client.invoke(FunctionName=function_arn, InvocationType="Event", Payload=payload)

    def client(self, service: str, caller: Caller, region: str | None = None, attempts: int = _ATTEMPTS) -> Any:
        """A boto client of this sandbox that calls as `caller`."""
        with self._making_client:
            return self._session.create_client(
                service,
                region_name=region or self.region,
                endpoint_url=self.url,
                aws_access_key_id=caller.access_key,
                aws_secret_access_key=caller.secret,
                aws_session_token=caller.token,
                config=Config(
                    connect_timeout=5,
                    read_timeout=120,
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    proxies={},
                ),
            )

    def credentials(self, caller: Caller, region: str | None = None) -> dict[str, str]:
        """The variables by which a process calls this sandbox as `caller`."""
        named = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": caller.access_key,
            "AWS_SECRET_ACCESS_KEY": caller.secret,
            "AWS_REGION": region or self.region,
            "AWS_DEFAULT_REGION": region or self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return named | ({"AWS_SESSION_TOKEN": caller.token} if caller.token else {})
