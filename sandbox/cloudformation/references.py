"""What in a template refers to what: checked before anything is created, and the order in which resources are made.

Source: User Guide, "Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn attribute", "Conditions"; the words are those of the
service, as its users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from sandbox.cloudformation.errors import invalid, lacking

if TYPE_CHECKING:
    from sandbox.cloudformation.template import Template

PSEUDO = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
]
FUNCTIONS = ["And", "Base64", "Equals", "FindInMap", "GetAtt", "If", "Join", "Not", "Or", "Select", "Split", "Sub"]
_LACKING = ["Cidr", "GetAZs", "ImportValue", "Length", "ToJsonString", "Transform"]
RULE_FUNCTIONS = [
    "And",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "Equals",
    "Not",
    "Or",
    "RefAll",
    "ValueOf",
    "ValueOfAll",
]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True)
class Reference:
    """target: a parameter, pseudo parameter, resource; or, with condition, a condition. attribute: for Fn::GetAtt."""

    target: str
    attribute: str | None = None
    condition: bool = False


def function_of(node: Any) -> tuple[str, Any] | None:
    """("Fn::Join", its arguments) where a node is a function call, ("Ref", name) included."""
    if isinstance(node, dict) and len(node) == 1:
        name, arguments = next(iter(node.items()))
        if name == "Ref" or name.startswith("Fn::"):
            return name, arguments
    return None


def references(node: Any) -> Iterator[Reference]:
    """All references below a node. Raises AwsError for calls that are not well-formed."""
    called = function_of(node)
    if called is None:
        for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from references(item)
        return
    name, arguments = called
    if name == "Ref":
        if not isinstance(arguments, str):
            raise invalid("Template format error: every Ref object must have a single String value.")
        yield Reference(arguments)
    elif name == "Fn::GetAtt":
        yield Reference(*get_att(arguments))
    elif name == "Fn::Sub":
        text, variables = sub(arguments)
        for variable in sub_variables(text):
            if variable not in variables:
                target, _, attribute = variable.partition(".")
                yield Reference(target, attribute or None)
        yield from references(list(variables.values()))
    elif name == "Fn::If":
        if not isinstance(arguments, list) or len(arguments) != 3 or not isinstance(arguments[0], str):
            raise invalid(
                "Template error: Fn::If requires a list argument with three parameters, the first a condition name"
            )
        yield Reference(arguments[0], condition=True)
        yield from references(arguments[1:])
    else:
        yield from references(arguments)


def get_att(arguments: Any) -> tuple[str, str]:
    if isinstance(arguments, str):
        arguments = arguments.split(".", 1)
    if (
        not isinstance(arguments, list)
        or len(arguments) != 2
        or not all(isinstance(part, str) and part for part in arguments)
    ):
        if isinstance(arguments, list) and len(arguments) == 2 and function_of(arguments[1]):
            raise lacking("functions in the attribute name of Fn::GetAtt")
        raise invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource "
            "name and the resource attribute"
        )
    return arguments[0], arguments[1]


def sub(arguments: Any) -> tuple[str, Mapping[str, Any]]:
    """Text and variables of Fn::Sub."""
    if isinstance(arguments, str):
        return arguments, {}
    if (
        isinstance(arguments, list)
        and len(arguments) == 2
        and isinstance(arguments[0], str)
        and isinstance(arguments[1], dict)
    ):
        return arguments[0], arguments[1]
    raise invalid(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. "
        "Specify a string as first "
        "argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def sub_variables(text: str) -> list[str]:
    found = [name.strip() for name in _VARIABLE.findall(text) if not name.startswith("!")]
    if any(not re.fullmatch(r"[A-Za-z0-9_.:]+", name) for name in found):
        raise invalid(
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, "
            "underscores, periods, and colons"
        )
    return found


def depends_on(resource: Mapping[str, Any]) -> list[str]:
    given = resource.get("DependsOn", [])
    return [given] if isinstance(given, str) else list(given)


def check_references(template: Template) -> None:
    """Raises AwsError for names that nothing has, functions that are not there, and circles."""
    for resource in template.resources.values():
        _known_functions(resource.get("Properties"), FUNCTIONS)
        _resolved(
            template, [*references(resource.get("Properties")), *map(Reference, depends_on(resource))], "Resources"
        )
        for name in depends_on(resource):
            if name not in template.resources:
                raise invalid(_unresolved([name], "Resources"))
    for output in template.outputs.values():
        _known_functions(output, FUNCTIONS)
        _resolved(template, references(output["Value"]), "Outputs")
    for name, condition in template.conditions.items():
        _known_functions(condition, ["And", "Equals", "FindInMap", "If", "Join", "Not", "Or", "Select", "Split", "Sub"])
        if not (isinstance(condition, dict) and ("Condition" in condition or function_of(condition))):
            raise invalid(
                "Template format error: Conditions can only be boolean operations on parameters and other conditions"
            )
        _only_parameters(template, name, condition)
    order_of({name: sorted(_conditions_in(condition)) for name, condition in template.conditions.items()}, "conditions")
    creation_order(template)


def _known_functions(node: Any, allowed: Iterable[str]) -> None:
    called = function_of(node)
    if called and called[0] != "Ref":
        name = called[0].removeprefix("Fn::")
        if name in _LACKING or name.startswith("ForEach"):
            raise lacking(f"the function Fn::{name}")
        if name not in allowed:
            raise invalid(
                f"Template error: encountered unsupported function: Fn::{name} Supported functions are: "
                f"[{', '.join('Fn::' + known for known in allowed)}]"
            )
    if isinstance(node, str) and "{{resolve:" in node:
        raise lacking("dynamic references ({{resolve:…}})")
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _known_functions(item, allowed)


def _resolved(template: Template, found: Iterable[Reference], section: str) -> None:
    missing = []
    for reference in found:
        if reference.condition:
            if reference.target not in template.conditions:
                raise invalid(
                    f"Template error: unresolved condition dependency {reference.target} in the {section} "
                    "block of the template"
                )
        elif reference.attribute is not None:
            if reference.target not in template.resources:
                raise invalid(
                    f"Template error: instance of Fn::GetAtt references undefined resource {reference.target}"
                )
        elif (
            reference.target not in PSEUDO
            and reference.target not in template.parameters
            and reference.target not in template.resources
        ):
            missing.append(reference.target)
    if missing:
        raise invalid(_unresolved(dict.fromkeys(missing), section))


def _unresolved(names: Iterable[str], section: str) -> str:
    unresolved = f"Unresolved resource dependencies [{', '.join(names)}]"
    return f"Template format error: {unresolved} in the {section} block of the template"


def _only_parameters(template: Template, name: str, condition: Any) -> None:
    for reference in references(condition):
        known = template.conditions if reference.condition else {*template.parameters, *PSEUDO}
        if reference.attribute is not None or reference.target not in known:
            raise invalid(
                f"Template format error: Unresolved dependencies [{reference.target}]. Cannot reference "
                "resources in the Conditions block of the template"
            )
    for used in _conditions_in(condition):
        if used not in template.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {used} in the Conditions block "
                f"of the template ({name})"
            )


def _conditions_in(node: Any) -> set[str]:
    if isinstance(node, dict) and set(node) == {"Condition"} and isinstance(node["Condition"], str):
        return {node["Condition"]}
    items: Iterable[Any] = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return {name for item in items for name in _conditions_in(item)}


def dependencies(template: Template, logical_id: str, node: Any) -> list[str]:
    """The resources that must be there before this one; node: its properties, or what conditions left of them."""
    named = [reference.target for reference in references(node) if not reference.condition]
    wanted = [*named, *depends_on(template.resources[logical_id])]
    return [name for name in dict.fromkeys(wanted) if name in template.resources]


def creation_order(template: Template) -> list[str]:
    return order_of(
        {name: dependencies(template, name, template.properties(name)) for name in template.resources}, "resources"
    )


def order_of(graph: Mapping[str, Iterable[str]], what: str) -> list[str]:
    """Those without dependencies first, else as they stand. Raises AwsError for a circle."""
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise invalid(f"Circular dependency between {what}: [{', '.join(sorted(set(error.args[1])))}]") from error
