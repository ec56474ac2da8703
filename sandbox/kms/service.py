# ruff: noqa: N802 - methods are named as AWS names its operations
"""KMS as the front sees it: states, rotation, aliases and policies here, the cryptography moto's."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError
from sandbox.kms.keys import DISABLED, PENDING, backend, find_key, require_not_pending, require_usable
from sandbox.kms.policy import check_key_policy
from sandbox.patterns import matches
from sandbox.resources import describe

_ALIAS = r"^alias/[a-zA-Z0-9/_-]+$"
_WAIT_DAYS = range(7, 31)
_DEFAULT_WAIT_DAYS = 30
_DEFAULT_ROTATION_DAYS = 365
_POLICY = "default"
_MOST_TAGS = 50
_TAG = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"


class Kms:
    """Checks before moto's own answer, and answers where moto's is wrong."""

    complete = False

    def __init__(self) -> None:
        # When rotation was switched on, and its period in days. moto knows only whether it is on.
        self._rotation: WeakKeyDictionary[Any, tuple[datetime, int]] = WeakKeyDictionary()

    def CreateKey(self, call: Call) -> dict[str, Any]:
        """Policy: "If you provide a key policy, it must meet the following criteria". Tags: TagException."""
        check_key_policy(call)
        _check_tags(call)
        return TO_MOTO

    def PutKeyPolicy(self, call: Call) -> None:
        """Key states: allowed in every state. KeyId is no alias. The one policy is called default, and need not be
        named."""
        key = self._key(call)
        _check_policy_name(call)
        check_key_policy(call)
        key.policy = call.params["Policy"]

    def GetKeyPolicy(self, call: Call) -> dict[str, Any]:
        """As PutKeyPolicy."""
        key = self._key(call)
        _check_policy_name(call)
        return {"Policy": key.policy, "PolicyName": _POLICY}

    def CreateAlias(self, call: Call) -> dict[str, Any]:
        """AliasName: "The alias name must begin with alias/ […] cannot begin with alias/aws/"; the target is a key of
        this region that is not pending deletion."""
        _check_alias(call)
        return TO_MOTO

    def UpdateAlias(self, call: Call) -> dict[str, Any]:
        """As CreateAlias."""
        _check_alias(call)
        return TO_MOTO

    def DeleteAlias(self, call: Call) -> dict[str, Any]:
        """Aliases of AWS managed keys are AWS's."""
        if call.params["AliasName"].startswith("alias/aws/"):
            raise AwsError("NotAuthorizedException", "")
        return TO_MOTO

    def ScheduleKeyDeletion(self, call: Call) -> dict[str, Any]:
        """PendingWindowInDays: "a minimum of 7 days, a maximum of 30 […] default 30". KMSInvalidStateException for a
        key that is pending already. The answer names the key by its ARN."""
        days = call.params.get("PendingWindowInDays", _DEFAULT_WAIT_DAYS)
        if days not in _WAIT_DAYS:
            raise AwsError("ValidationException", "PendingWindowInDays must be between 7 and 30 days")
        key = self._key(call)
        require_not_pending(key)
        key.key_state, key.enabled = PENDING, False
        key.deletion_date = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=days)
        return {
            "KeyId": key.arn,
            "DeletionDate": key.deletion_date.replace(tzinfo=UTC),
            "KeyState": PENDING,
            "PendingWindowInDays": days,
        }

    def CancelKeyDeletion(self, call: Call) -> dict[str, Any]:
        """Source: "If this operation succeeds, the key state of the KMS key is Disabled." Any other state is
        refused."""
        key = self._key(call)
        if key.key_state != PENDING:
            raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        key.key_state, key.deletion_date = DISABLED, None
        return {"KeyId": key.arn}

    def EnableKey(self, call: Call) -> None:
        """Key states: not while pending deletion. moto takes no ARN here."""
        key = self._key(call)
        require_not_pending(key)
        key.key_state, key.enabled = "Enabled", True

    def DisableKey(self, call: Call) -> None:
        """As EnableKey."""
        key = self._key(call)
        require_not_pending(key)
        key.key_state, key.enabled = DISABLED, False

    def EnableKeyRotation(self, call: Call) -> None:
        """Symmetric keys alone; RotationPeriodInDays 90 to 2560, by default 365, or what it was."""
        key = self._key(call)
        require_usable(key)
        if key.key_spec != "SYMMETRIC_DEFAULT" or key.origin != "AWS_KMS":
            raise AwsError("UnsupportedOperationException", "")
        _, before = self._rotation.get(key, (None, _DEFAULT_ROTATION_DAYS))
        self._rotation[key] = (datetime.now(UTC), call.params.get("RotationPeriodInDays", before))
        key.key_rotation_status = True

    def DisableKeyRotation(self, call: Call) -> None:
        key = self._key(call)
        require_usable(key)
        key.key_rotation_status = False

    def GetKeyRotationStatus(self, call: Call) -> dict[str, Any]:
        """Source: "KMS does not rotate the key material of a disabled or pending key": the status of a pending one is
        false."""
        key = self._key(call)
        if not key.key_rotation_status or key.key_state == PENDING:
            return {"KeyId": key.arn, "KeyRotationEnabled": False}
        since, days = self._rotation.get(key, (datetime.now(UTC), _DEFAULT_ROTATION_DAYS))
        return {
            "KeyId": key.arn,
            "KeyRotationEnabled": True,
            "RotationPeriodInDays": days,
            "NextRotationDate": since + timedelta(days=days),
        }

    def TagResource(self, call: Call) -> dict[str, Any]:
        require_not_pending(self._key(call))
        _check_tags(call)
        return TO_MOTO

    def UntagResource(self, call: Call) -> dict[str, Any]:
        require_not_pending(self._key(call))
        return TO_MOTO

    def UpdateKeyDescription(self, call: Call) -> dict[str, Any]:
        require_not_pending(self._key(call))
        return TO_MOTO

    def CreateGrant(self, call: Call) -> dict[str, Any]:
        require_usable(self._key(call))
        return TO_MOTO

    def _use(self, call: Call) -> dict[str, Any]:
        """Key states: cryptographic operations want an enabled key."""
        require_usable(find_key(call.caller.account, call.region, call.params["KeyId"]))
        return TO_MOTO

    Encrypt = GenerateDataKey = GenerateDataKeyWithoutPlaintext = RotateKeyOnDemand = _use
    GenerateMac = VerifyMac = Sign = Verify = GetPublicKey = _use

    def Decrypt(self, call: Call) -> dict[str, Any]:
        """The key is the one that the ciphertext was made with; KeyId is optional."""
        _require_usable_behind(call, call.params["CiphertextBlob"])
        return TO_MOTO

    def ReEncrypt(self, call: Call) -> dict[str, Any]:
        _require_usable_behind(call, call.params["CiphertextBlob"])
        require_usable(find_key(call.caller.account, call.region, call.params["DestinationKeyId"]))
        return TO_MOTO

    def describe(self, call: Call) -> None:
        """Service Authorization Reference, KMS: a call is on the key, also where it names an alias (and on the alias,
        where it is about that); kms:EncryptionContext:<key>, kms:EncryptionContextKeys."""
        describe(call)
        named = call.params.get("KeyId") or call.params.get("TargetKeyId")
        if isinstance(named, str):
            try:
                key = find_key(call.caller.account, call.region, named)
            except AwsError:
                return
            prefix = key.arn.rsplit(":", 1)[0]
            call.resources[:] = [key.arn]
            call.context.update({f"aws:ResourceTag/{name}": value for name, value in _tags(call, key).items()})
            if "AliasName" in call.params:
                call.resources.append(f"{prefix}:{call.params['AliasName']}")
        given = call.params.get("EncryptionContext") or {}
        call.context.update({f"kms:EncryptionContext:{name}": value for name, value in given.items()})
        if given:
            call.context["kms:EncryptionContextKeys"] = sorted(given)

    def reset(self) -> None:
        self._rotation.clear()

    @staticmethod
    def _key(call: Call) -> Any:
        return find_key(call.caller.account, call.region, call.params["KeyId"], alias=False)


def _check_policy_name(call: Call) -> None:
    """PolicyName: "If no policy name is specified, the default value is default. The only valid value is default." """
    if call.params.get("PolicyName", _POLICY) != _POLICY:
        raise AwsError("NotFoundException", "No such policy exists")


def _check_alias(call: Call) -> None:
    name, target = call.params["AliasName"], call.params["TargetKeyId"]
    if name.startswith("alias/aws/"):
        raise AwsError("NotAuthorizedException", "")
    if not name.startswith("alias/"):
        raise AwsError("ValidationException", "Invalid identifier")
    if not matches(_ALIAS, name):
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'aliasName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_ALIAS}",
        )
    if "alias/" in target:
        raise AwsError("ValidationException", "Aliases must refer to keys. Not aliases")
    require_not_pending(find_key(call.caller.account, call.region, target, alias=False))


def _check_tags(call: Call) -> None:
    """TagResource: at most 50 tags, "You cannot use the aws: prefix". Raises TagException."""
    tags = {tag["TagKey"]: tag["TagValue"] for tag in call.params.get("Tags") or []}
    if any(key.lower().startswith("aws:") for key in tags):
        raise AwsError("TagException", "Tag keys that begin with aws: are reserved")
    if not all(matches(_TAG, text) for pair in tags.items() for text in pair) or len(tags) > _MOST_TAGS:
        raise AwsError("TagException", "A tag has characters that are not allowed, or there are more than 50 tags")


def _tags(call: Call, key: Any) -> dict[str, str]:
    tags = backend(call.caller.account, call.region).list_resource_tags(key.id)["Tags"]
    return {tag["TagKey"]: tag["TagValue"] for tag in tags}


def _require_usable_behind(call: Call, blob: str | bytes) -> None:
    """moto's ciphertexts begin with the id of their key; what does not is refused by moto."""
    raw = base64.b64decode(blob) if isinstance(blob, str) else blob
    key = backend(call.caller.account, call.region).keys.get(raw[:36].decode("ascii", "replace"))
    if key is not None:
        require_usable(key)
