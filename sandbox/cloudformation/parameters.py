"""The values of a template's parameters.

Source: User Guide, "Parameters" (types, constraints, AWS-specific and SSM types); the words are those of the service,
as its users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import regex
from botocore.exceptions import ClientError

from sandbox.cloudformation.errors import invalid, lacking
from sandbox.cloudformation.template import Template

_SSM = re.compile(r"AWS::SSM::Parameter::Value<(List<)?(.+?)>+")
# AWS-specific types whose values must be there: client, operation, argument, code of "not there".
_EXISTING = {
    "AWS::EC2::Subnet::Id": ("describe_subnets", "SubnetIds"),
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "GroupIds"),
    "AWS::EC2::VPC::Id": ("describe_vpcs", "VpcIds"),
}
MASK = "****"
_LONGEST = 4096


@dataclass(frozen=True)
class Parameter:
    """given: the value as text. value: what Ref answers (a list for lists). resolved: the value behind an SSM name."""

    given: str
    value: Any
    no_echo: bool
    resolved: str | None = None

    @property
    def shown(self) -> str:
        return MASK if self.no_echo else self.given


def resolve(
    template: Template,
    given: list[dict[str, Any]],
    previous: Mapping[str, Parameter] | None,
    client: Callable[[str], Any],
) -> dict[str, Parameter]:
    """previous: those of the stack that is updated, None for a new one. Raises AwsError (ValidationError)."""
    declared = template.parameters
    keys = [entry["ParameterKey"] for entry in given]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise invalid(f"Duplicate parameter keys: [{', '.join(twice)}]")
    unknown = [key for key in keys if key not in declared]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    texts = {entry["ParameterKey"]: _text(entry, previous) for entry in given}
    for name, declaration in declared.items():
        if name not in texts and "Default" in declaration:
            texts[name] = _default(declaration["Default"])
    missing = [name for name in declared if name not in texts]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _parameter(name, declaration, texts[name], client) for name, declaration in declared.items()}


def _text(entry: Mapping[str, Any], previous: Mapping[str, Parameter] | None) -> str:
    key, value = entry["ParameterKey"], entry.get("ParameterValue")
    if not entry.get("UsePreviousValue"):
        if value is None:
            raise invalid(
                f"Invalid input for parameter key {key}. Need to specify either usePreviousValue as true "
                "or a value for the parameter"
            )
        return str(value)
    if value is not None:
        raise invalid(
            f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and also a "
            "value for the parameter"
        )
    if previous is None:
        raise invalid(
            f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a "
            "parameter key of a new stack"
        )
    if key not in previous:
        raise invalid(
            f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a "
            "parameter key not in the previous template"
        )
    return previous[key].given


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        raise invalid("Template format error: Every Default member must be a string.")
    return str(value)


def _parameter(name: str, declaration: Mapping[str, Any], text: str, client: Callable[[str], Any]) -> Parameter:
    kind, no_echo = str(declaration["Type"]), str(declaration.get("NoEcho", False)).lower() == "true"
    if len(text.encode()) > _LONGEST:
        raise invalid(f"Parameter '{name}' must be at most {_LONGEST} bytes long")
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    items = [item.strip() for item in text.split(",")] if is_list else [text]
    _check_constraints(name, declaration, kind, text, items)
    ssm = _SSM.fullmatch(kind)
    if ssm:
        resolved = _from_ssm(text, client("ssm"))
        value = [item.strip() for item in resolved.split(",")] if ssm[1] or ssm[2] == "CommaDelimitedList" else resolved
        return Parameter(text, value, no_echo, resolved)
    base = kind.removeprefix("List<").removesuffix(">")
    if base in _EXISTING:
        _check_existing(name, base, items, client("ec2"))
    elif base == "AWS::SSM::Parameter::Name":
        _from_ssm(text, client("ssm"))
    elif base not in ("String", "Number", "CommaDelimitedList"):
        if not base.startswith("AWS::"):
            raise invalid(f"Template format error: Unrecognized parameter type: {kind}")
        raise lacking(f"the parameter type {kind} (parameter {name})")
    return Parameter(text, items if is_list else text, no_echo)


def _check_constraints(name: str, declaration: Mapping[str, Any], kind: str, text: str, items: list[str]) -> None:
    def refuse(told: str) -> None:
        described = declaration.get("ConstraintDescription")
        if described:
            raise invalid(f"Parameter {name} failed to satisfy constraint: {described}")
        raise invalid(f"Parameter '{name}' {told}")

    allowed = declaration.get("AllowedValues")
    if allowed is not None and any(item not in map(_default, allowed) for item in items):
        refuse(f"must be one of AllowedValues: [{', '.join(map(_default, allowed))}]")
    if "Number" in kind:
        for item in items:
            _check_number(declaration, item, refuse)
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not all(regex.fullmatch(pattern, item) for item in items):
        refuse(f"must match pattern {pattern}")
    if kind == "String":
        if len(text) < int(declaration.get("MinLength", 0)):
            refuse(f"must contain at least {declaration['MinLength']} characters")
        if len(text) > int(declaration.get("MaxLength", _LONGEST)):
            refuse(f"must contain at most {declaration['MaxLength']} characters")


def _check_number(declaration: Mapping[str, Any], item: str, refuse: Callable[[str], None]) -> None:
    try:
        number = float(item)
    except ValueError:
        refuse("must be a number.")
        return
    if number < float(declaration.get("MinValue", "-inf")):
        refuse(f"must be a number not less than {declaration['MinValue']}")
    if number > float(declaration.get("MaxValue", "inf")):
        refuse(f"must be a number not greater than {declaration['MaxValue']}")


def _from_ssm(name: str, ssm: Any) -> str:
    found = ssm.get_parameters(Names=[name]) if name else {"Parameters": []}
    if not found["Parameters"]:
        raise invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.")
    parameter = found["Parameters"][0]
    if parameter["Type"] == "SecureString":
        raise invalid(f"Parameters [{name}] referenced by template have types not supported by CloudFormation.")
    return str(parameter["Value"])


def _check_existing(name: str, kind: str, items: list[str], ec2: Any) -> None:
    """An empty value does not exist either: such a list cannot be left out (quoted by many users)."""
    operation, argument = _EXISTING[kind]
    for item in items:
        try:
            if item:
                getattr(ec2, operation)(**{argument: [item]})
                continue
        except ClientError as error:
            if not error.response["Error"]["Code"].endswith((".NotFound", ".Malformed")):
                raise
        told = f"parameter value {item} for parameter name" if item else "parameter value for parameter name"
        raise invalid(f"Parameter validation failed: {told} {name} does not exist")
