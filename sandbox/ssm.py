# ruff: noqa: N802 - methods are named as AWS names its operations
"""Parameter Store: names, sizes and types, before moto keeps the parameters.

Source: Systems Manager API Reference, PutParameter (Name, Value, Type, AllowedPattern, KeyId, Tier); Systems Manager
User Guide, "Understanding requirements and constraints for parameter names" and "Managing parameter tiers".
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError
from sandbox.kms import find_key, require_usable

_CHARACTERS = re.compile(r"[a-zA-Z0-9_.\-/]+")
_DEEPEST = 15
_LONGEST_ARN = 1011
_STANDARD, _ADVANCED = 4096, 8192
_MOST_TAGS = 50


class Ssm:
    """Checks before moto's own answer."""

    complete = False

    def PutParameter(self, call: Call) -> dict[str, Any]:
        """Raises ValidationException and what PutParameter declares."""
        params = call.params
        _check_name(call, params["Name"])
        _check_value(params)
        _check_type(call)
        _check_pattern(params)
        _check_tags(params.get("Tags") or [])
        if params.get("Type") == "SecureString":
            _check_key(call, params.get("KeyId"))
        return TO_MOTO

    def GetParametersByPath(self, call: Call) -> dict[str, Any]:
        """Path: "Hierarchies start with a forward slash (/)". NextToken: InvalidNextToken."""
        path = call.params["Path"]
        if not path.startswith("/") or not _CHARACTERS.fullmatch(path):
            raise _invalid(
                "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a "
                'forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive).'
            )
        if _depth(path) > _DEEPEST:
            raise _too_deep()
        return self._paged(call)

    def DescribeParameters(self, call: Call) -> dict[str, Any]:
        return self._paged(call)

    def GetParameterHistory(self, call: Call) -> dict[str, Any]:
        return self._paged(call)

    def AddTagsToResource(self, call: Call) -> dict[str, Any]:
        _check_tags(call.params["Tags"])
        return TO_MOTO

    def describe(self, call: Call) -> None:
        """What the general rules find."""

    def reset(self) -> None:
        """Nothing is kept here."""

    @staticmethod
    def _paged(call: Call) -> dict[str, Any]:
        """moto's tokens are numbers, and it breaks on others. Raises InvalidNextToken."""
        token = call.params.get("NextToken")
        if token is not None and not re.fullmatch("[0-9]{1,9}", token):
            raise AwsError("InvalidNextToken", "The specified token isn't valid.")
        return TO_MOTO


def _check_name(call: Call, name: str) -> None:
    """Prefixes aws and ssm are moto's to refuse."""
    if not _CHARACTERS.fullmatch(name):
        raise _invalid(
            "Parameter name must be a fully qualified name: it can consist of letters, numbers and the symbols .-_ , "
            "and of sub-paths divided by slashes"
        )
    if "/" in name and not name.startswith("/"):
        raise _invalid("Parameter name must be a fully qualified name.")
    if name.endswith("/") or "//" in name:
        raise _invalid("Parameter name: a sub-path cannot be empty")
    if _depth(name) > _DEEPEST:
        raise _too_deep()
    if len(call.arn("ssm", f"parameter/{name.lstrip('/')}")) > _LONGEST_ARN:
        raise _invalid(f"Parameter name is too long: with its ARN it may have {_LONGEST_ARN} characters")


def _depth(name: str) -> int:
    return name.strip("/").count("/") + 1 if name.startswith("/") else 1


def _check_value(params: dict[str, Any]) -> None:
    value, tier = params["Value"], params.get("Tier", "Standard")
    if not value:
        raise _invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1."
        )
    size = len(value.encode())
    if size > _STANDARD and tier == "Standard":
        raise _invalid(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )
    if size > _ADVANCED:
        raise _invalid("Advanced tier parameters support a maximum parameter value of 8192 characters.")
    if "{{" in value:
        raise _invalid('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')


def _check_type(call: Call) -> None:
    """Source: "Parameter Store doesn't support changing a parameter type": HierarchyTypeMismatchException."""
    from moto.ssm.models import ssm_backends

    wanted = call.params.get("Type")
    existing = ssm_backends[call.caller.account][call.region]._parameters.get(call.params["Name"])
    if wanted and existing and call.params.get("Overwrite") and existing[-1].parameter_type != wanted:
        raise AwsError(
            "HierarchyTypeMismatchException",
            "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you can't change a "
            "parameter from a String type to a SecureString type. You must create a new, unique parameter.",
        )


def _check_pattern(params: dict[str, Any]) -> None:
    """For a StringList the pattern is that of each item."""
    pattern = params.get("AllowedPattern")
    if not pattern:
        return
    try:
        allowed = re.compile(pattern)
    except re.error as error:
        raise AwsError(
            "InvalidAllowedPatternException", "The request doesn't meet the regular expression requirement."
        ) from error
    items = params["Value"].split(",") if params.get("Type") == "StringList" else [params["Value"]]
    if not all(allowed.search(item) for item in items):
        raise AwsError(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )


def _check_tags(tags: list[dict[str, str]]) -> None:
    """Tags: at most 50; "aws:" is reserved."""
    if any(tag["Key"].lower().startswith("aws:") for tag in tags):
        raise _invalid("Tag keys that begin with aws: are reserved")
    if len(tags) > _MOST_TAGS:
        raise AwsError("TooManyTagsError", "The Tags parameter includes too many tags.")


def _check_key(call: Call, named: str | None) -> None:
    """KeyId: by default the AWS managed key of the account. Raises InvalidKeyId."""
    if named is None:
        return
    try:
        require_usable(find_key(call.caller.account, call.region, named))
    except AwsError as error:
        raise AwsError("InvalidKeyId", f"{error.message} (Service: AWSKMS; Error Code: {error.code})") from error


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _too_deep() -> AwsError:
    return AwsError("HierarchyLevelLimitExceededException", "A parameter hierarchy can have at most fifteen levels.")
