"""The values that a definition leaves open: parameters, results of other steps, and functions of them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops.problem import Problem

# A.B['c'].D[0]: names, names in quotes, and places in a list.
TOKEN = re.compile(r"\.?([\w-]+)|\[['\"]([^'\"]*)['\"]\]|\[(\d+)\]")
KINDS = {"String": str, "Integer": int, "Float": float, "Boolean": bool}


@dataclass
class Values:
    """What is known so far in one execution.

    `properties` holds for each step that is done what its Describe call would answer; `property_files` the files that
    JsonGet may read, by step and name.
    """

    parameters: dict[str, Any]
    execution: dict[str, str]
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    property_files: dict[tuple[str, str], Path] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """Return a value with every expression in it replaced.

        Raises:
            Problem: an expression names what there is not.
        """
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Get"}:
            return self._get(value["Get"])
        if set(value) == {"Std:Join"}:
            join = value["Std:Join"]
            return str(join["On"]).join(_text(self.resolve(part)) for part in join["Values"])
        if set(value) == {"Std:JsonGet"}:
            return self._json_get(value["Std:JsonGet"])
        return {key: self.resolve(part) for key, part in value.items()}

    def _get(self, path: str) -> Any:
        root, _, rest = path.partition(".")
        if root == "Parameters" and rest in self.parameters:
            return self.parameters[rest]
        if root == "Execution" and rest in self.execution:
            return self.execution[rest]
        if root == "Steps":
            step, _, rest = rest.partition(".")
            if step in self.properties:
                return look_up(self.properties[step], rest, f"step {step}")
        raise Problem(f"the pipeline reads {path}, which is not there")

    def _json_get(self, function: dict[str, Any]) -> Any:
        _, step, _, name = function["PropertyFile"]["Get"].split(".", 3)
        file = self.property_files.get((step, name))
        if file is None:
            raise Problem(f"the pipeline reads the property file {name!r} of step {step}, which did not write it")
        try:
            content = json.loads(file.read_text("utf-8"), parse_constant=_no_json)
        except FileNotFoundError:
            raise Problem(f"step {step} did not write {file.name}, which the pipeline reads") from None
        except ValueError as error:
            raise Problem(f"{file.name} of step {step} is no JSON: {error}") from None
        return look_up(content, self.resolve(function["Path"]), f"{file.name} of step {step}")


def look_up(content: Any, path: str, where: str) -> Any:
    """Follow a path such as `a.b['c'][0]`; in a list, `['c']` is the element whose …Name is c.

    Raises:
        Problem: it leads nowhere.
    """
    position = 0
    while position < len(path):
        token = TOKEN.match(path, position)
        if not token:
            raise Problem(f"{path!r} is no path that can be followed here")
        position = token.end()
        key = next(group for group in token.groups() if group is not None)
        try:
            content = _child(content, key, by_place=token.group(3) is not None)
        except (LookupError, TypeError, AttributeError):
            raise Problem(f"{where} has no {path}") from None
    return content


def _child(content: Any, key: str, *, by_place: bool) -> Any:
    if isinstance(content, list):
        if by_place:
            return content[int(key)]
        return {name: item for item in content for member, name in item.items() if member.endswith("Name")}[key]
    return content[key]


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def parameter_values(declared: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each parameter: the one given, or its default.

    Raises:
        Problem: one has no value or one of another type, or one is given that is none.
    """
    unknown = set(given) - {parameter["Name"] for parameter in declared}
    if unknown:
        raise Problem(f"{sorted(unknown)[0]!r} is no parameter of the pipeline")
    values = {}
    for parameter in declared:
        name, kind = parameter["Name"], KINDS.get(parameter["Type"])
        if kind is None:
            raise Problem(f"the parameter {name} is of the type {parameter['Type']}; there are: {', '.join(KINDS)}")
        value = given.get(name, parameter.get("DefaultValue"))
        if value is None:
            raise Problem(f"the parameter {name} has no value")
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise Problem(f"the parameter {name} is {value!r}; it must be a {parameter['Type']}")
        if value not in parameter.get("EnumValues", [value]):
            raise Problem(f"the parameter {name} is {value!r}; it must be one of {', '.join(parameter['EnumValues'])}")
        values[name] = value
    return values
