"""The values of intrinsic functions.

Source: User Guide, "Intrinsic function reference" and "Pseudo parameters reference".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloudformation.errors import invalid
from sandbox.cloudformation.references import function_of, get_att, sub


class _Word:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __deepcopy__(self, memo: Any) -> _Word:
        return self


# AWS::NoValue; and, while a change set is made, what only the deployment will tell.
NO_VALUE = _Word("AWS::NoValue")
UNKNOWN = _Word("{{changeSet:KNOWN_AFTER_APPLY}}")


def _no_resource(name: str, attribute: str | None) -> Any:
    raise invalid(
        f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
    )


@dataclass
class Functions:
    """names: values of parameters and pseudo parameters. resource(logical id, attribute): a resource's value, None for
    its Ref; may be UNKNOWN, and then so is all that is made of it."""

    mappings: Mapping[str, Any]
    names: Mapping[str, Any]
    conditions: Mapping[str, bool] = field(default_factory=dict)
    resource: Callable[[str, str | None], Any] = _no_resource

    def value(self, node: Any) -> Any:
        """Raises AwsError (ValidationError)."""
        called = function_of(node)
        if called is not None:
            name, arguments = called
            return getattr(self, "_" + name.removeprefix("Fn::").lower())(arguments)
        if isinstance(node, dict):
            values = {key: self.value(item) for key, item in node.items()}
            return {key: item for key, item in values.items() if item is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        return node

    def taken(self, node: Any) -> Any:
        """A node in which each Fn::If is replaced by the branch that its condition takes."""
        called = function_of(node)
        if called is not None and called[0] == "Fn::If":
            return self.taken(self._branch(called[1]))
        if isinstance(node, dict):
            return {key: self.taken(item) for key, item in node.items()}
        return [self.taken(item) for item in node] if isinstance(node, list) else node

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.names[name] if name in self.names else self.resource(name, None)

    def _getatt(self, arguments: Any) -> Any:
        return self.resource(*get_att(arguments))

    def _sub(self, arguments: Any) -> Any:
        text, variables = sub(arguments)
        given = {name: self.value(item) for name, item in variables.items()}
        unknown = False

        def replaced(match: re.Match[str]) -> str:
            nonlocal unknown
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            target, _, attribute = name.partition(".")
            value = (
                given[name] if name in given else (self.resource(target, attribute) if attribute else self._ref(target))
            )
            unknown = unknown or value is UNKNOWN
            return as_text(value, "Fn::Sub")

        done = re.sub(r"\$\{([^}]*)\}", replaced, text)
        return UNKNOWN if unknown else done

    def _join(self, arguments: Any) -> Any:
        if not isinstance(arguments, list) or len(arguments) != 2 or not isinstance(arguments[0], str):
            raise invalid(
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter "
                "and (2) a list of strings "
                "to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
            )
        items = self.value(arguments[1])
        if items is UNKNOWN or (isinstance(items, list) and UNKNOWN in items):
            return UNKNOWN
        if not isinstance(items, list):
            raise invalid("Template error: every Fn::Join object requires a list of strings as its second parameter")
        return arguments[0].join(as_text(item, "Fn::Join") for item in items)

    def _split(self, arguments: Any) -> Any:
        if (
            not isinstance(arguments, list)
            or len(arguments) != 2
            or not isinstance(arguments[0], str)
            or not arguments[0]
        ):
            raise invalid(
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter "
                "and (2) a string to be "
                "split or a function that returns a string to be split."
            )
        text = self.value(arguments[1])
        return UNKNOWN if text is UNKNOWN else as_text(text, "Fn::Split").split(arguments[0])

    def _select(self, arguments: Any) -> Any:
        if not isinstance(arguments, list) or len(arguments) != 2:
            raise invalid(
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
            )
        index, items = self.value(arguments[0]), self.value(arguments[1])
        if UNKNOWN in (index, items):
            return UNKNOWN
        if not isinstance(items, list) or not re.fullmatch(r"\d+", str(index)):
            raise invalid(
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
            )
        if int(index) >= len(items):
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return items[int(index)]

    def _findinmap(self, arguments: Any) -> Any:
        if not isinstance(arguments, list) or len(arguments) != 3:
            raise invalid(
                "Template error: every Fn::FindInMap object requires three parameters, the map name, map "
                "key and the attribute for return value"
            )
        keys = [as_text(self.value(item), "Fn::FindInMap") for item in arguments]
        found: Any = self.mappings
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                raise invalid(f"Template error: Unable to get mapping for {'::'.join(keys)}")
            found = found[key]
        return found

    def _base64(self, arguments: Any) -> Any:
        text = self.value(arguments)
        return UNKNOWN if text is UNKNOWN else base64.b64encode(as_text(text, "Fn::Base64").encode()).decode()

    def _if(self, arguments: Any) -> Any:
        return self.value(self._branch(arguments))

    def _branch(self, arguments: Any) -> Any:
        return arguments[1] if self.conditions[arguments[0]] else arguments[2]


def as_text(value: Any, function: str) -> str:
    """A scalar as CloudFormation writes it. Raises AwsError for a list or a map."""
    if value is UNKNOWN:
        return repr(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise invalid(f"Template error: {function} takes strings, not {value!r}")
