"""Keys as moto holds them: finding one, and what its state allows.

Source: KMS Developer Guide, "Key states of AWS KMS keys"; KMS API Reference, errors of each operation.
"""

from __future__ import annotations

import re
from typing import Any

from moto.utilities.utils import get_partition

from sandbox.errors import AwsError

_KEY_ID = re.compile(r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
PENDING = "PendingDeletion"
DISABLED = "Disabled"


def backend(account: str, region: str) -> Any:
    """moto's KMS of one account and region."""
    from moto.kms.models import kms_backends

    return kms_backends[account][region]


def find_key(account: str, region: str, named: str, *, alias: bool = True) -> Any:
    """The key behind an id, an ARN, or (if alias) an alias or the ARN of one.

    KeyId of each operation: keys are of one region, and an ARN of another region is not found there. An ARN of another
    account is not found either: no key of this sandbox is shared. Raises NotFoundException.
    """
    prefix = f"arn:{get_partition(region)}:kms:{region}:{account}:"
    if named.startswith("arn:") and not named.startswith(prefix):
        where = f"region {region} of account {account}"
        raise AwsError("NotFoundException", f"Key '{named}' does not exist in {where}")
    short = named.removeprefix(prefix)
    moto = backend(account, region)
    if short.startswith("alias/"):
        key_id = moto.get_key_id_from_alias(short) if alias else None
        if key_id is None:
            raise AwsError("NotFoundException", f"Alias {prefix}{short} is not found.")
        return moto.keys[key_id]
    key_id = short.removeprefix("key/")
    if not _KEY_ID.fullmatch(key_id):
        raise AwsError("NotFoundException", f"Invalid keyId '{named}'")
    if key_id not in moto.keys:
        raise AwsError("NotFoundException", f"Key '{prefix}key/{key_id}' does not exist")
    return moto.keys[key_id]


def require_usable(key: Any) -> None:
    """Cryptographic operations, grants and rotation want an enabled key. Raises DisabledException,
    KMSInvalidStateException."""
    require_not_pending(key)
    if key.key_state == DISABLED:
        raise AwsError("DisabledException", f"{key.arn} is disabled.")


def require_not_pending(key: Any) -> None:
    """Raises KMSInvalidStateException."""
    if key.key_state == PENDING:
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
