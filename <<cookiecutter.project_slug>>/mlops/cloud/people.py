"""Who did something, as SageMaker notes it (UserContext in the API Reference)."""

import re
from collections.abc import Mapping
from typing import Any

# What IAM Identity Center calls the role of a permission set ("Permission set provisioning").
SINGLE_SIGN_ON = re.compile(r"^AWSReservedSSO_(.+)_[0-9a-f]{16}$")


def name_of(who: Mapping[str, Any] | None) -> str:
    """Return who it was: a person where AWS knows one, else a role; empty where nobody is noted."""
    who = who or {}
    identity = who.get("IamIdentity") or {}
    known = who.get("UserProfileName") or identity.get("SourceIdentity")
    return str(known) if known else _of_arn(str(identity.get("Arn") or ""))


def _of_arn(arn: str) -> str:
    resource = arn.split(":", 5)[-1]
    kind, _, name = resource.partition("/")
    if kind != "assumed-role":
        return name.rpartition("/")[2] or resource
    role, _, session = name.partition("/")
    permission_set = SINGLE_SIGN_ON.match(role)
    role = permission_set[1] if permission_set else role
    # Sessions of services have the service's name: the role says more.
    return f"{session} ({role})" if session and session != "SageMaker" else role
