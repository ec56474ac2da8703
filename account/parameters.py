"""The stack's parameters: from a file, from the command line, and as they were."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from account.problem import Problem

# Tagging AWS resources: what all services take. A comma would end the tag here. Keys that begin with mlops: are ours:
# by them policies tell projects apart.
_TAG = re.compile(r"(?!(?i:aws|mlops):)[\w .:/+@-]{1,128}=[\w .:/=+@-]{0,256}")
_MOST_TAGS = 40  # a resource takes 50 (Tagging AWS resources), of which some are ours and SageMaker's own
_LONGEST_TAGS = 2048  # characters; all variables of a function take 4 KB (Lambda quotas), and its network is in them
_FIXED = {
    "RolePath": "the roles of projects are under it",
    "KmsKeyArn": "what is in the bucket is encrypted under the one that it has, and no role could read it any more",
}
_MOST = {"SubnetIds": 16, "SecurityGroupIds": 5}  # SageMaker API Reference, VpcConfig


def read(file: Path | None, pairs: Sequence[str]) -> dict[str, str]:
    """What people gave: `pairs` (Name=Value) win over the file (YAML: texts, lists, or a mapping for tags).

    Raises:
        Problem: the file cannot be used, or a pair is none.
    """
    given = _from_file(file) if file else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Problem(f"{pair!r} is no parameter: write --set Name=Value")
        given[name] = value
    return given


def _from_file(file: Path) -> dict[str, str]:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Problem(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise Problem(f"{file} must hold parameters, one a line, such as RolePath: /mlops/")
    return {str(name): _text(file, str(name), value) for name, value in content.items()}


def _text(file: Path, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{key}={_plain(file, name, text)}" for key, text in value.items())
    if isinstance(value, list):
        return ",".join(_plain(file, name, item) for item in value)
    return _plain(file, name, value)


def _plain(file: Path, name: str, value: Any) -> str:
    if not isinstance(value, str):  # 0123 and yes would arrive as something else
        raise Problem(f"{file}: {name} has the value {value!r}, which is no text; put it into quotes")
    return value


def settle(declared: Mapping[str, Any], before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The value of each parameter that the template declares: as given, else as it was, else the default.

    Raises:
        Problem: a name or a value that the template does not take.
    """
    if unknown := sorted(given.keys() - declared.keys()):
        raise Problem(f"there is no parameter {', '.join(unknown)}; there are {', '.join(declared)}")
    values = {name: given.get(name, before.get(name, form.get("Default", ""))) for name, form in declared.items()}
    for name, value in values.items():
        form = declared[name]
        if not re.fullmatch(form.get("AllowedPattern", ".*"), value) or len(value) > form.get("MaxLength", 4096):
            raise Problem(f"{name} is {value!r}; it must be {form.get('ConstraintDescription', 'shorter')}")
    for name, why in _FIXED.items():
        if name in before and values[name] != before[name]:
            was, wanted = (value or "empty" for value in (before[name], values[name]))
            raise Problem(f"{name} is {was} and cannot become {wanted}: {why}; remove the projects and the stack first")
    if bool(values["SubnetIds"]) != bool(values["SecurityGroupIds"]):
        raise Problem("SubnetIds and SecurityGroupIds go together: SageMaker takes both or neither")
    for name, most in _MOST.items():
        if (count := values[name].count(",") + 1) > most:
            raise Problem(f"{name} names {count}; SageMaker takes at most {most} for a job")
    tags(values)
    return values


def tags(values: Mapping[str, str]) -> dict[str, str]:
    """The tags that the organisation wants on everything.

    Raises:
        Problem: one is no Key=Value that every AWS service takes, or they are too many or too long.
    """
    found = [tag.strip() for tag in values["MandatoryTags"].split(",") if tag.strip()]
    for tag in found:
        if not _TAG.fullmatch(tag):
            raise Problem(
                f"MandatoryTags holds {tag!r}: write Key=Value with letters, numbers, spaces and _.:/=+-@; keys that "
                "begin with aws: or mlops: are taken"
            )
    if len(found) > _MOST_TAGS or len(values["MandatoryTags"]) > _LONGEST_TAGS:
        size = f"{len(found)} tags of {len(values['MandatoryTags'])} characters"
        raise Problem(f"MandatoryTags holds {size}; at most {_MOST_TAGS} of {_LONGEST_TAGS} together")
    return dict(tag.split("=", 1) for tag in found)
