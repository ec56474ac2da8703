"""A template, and whether it is built as the CloudFormation User Guide says ("Template anatomy" and its sections)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.cloudformation import template_text
from sandbox.cloudformation.errors import invalid, lacking

_SECTIONS = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
]
_RESOURCE = ["Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"]
_NOT_HERE = {"CreationPolicy", "UpdatePolicy"}
_PARAMETER = [
    "Type",
    "Default",
    "Description",
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
]
_OUTPUT = ["Value", "Description", "Condition", "Export"]
_DELETION = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate"),
    "UpdateReplacePolicy": ("Delete", "Retain"),
}
# Quotas: User Guide, "Understand CloudFormation quotas".
MOST = {"Parameters": 200, "Mappings": 200, "Resources": 500, "Outputs": 200}
_LONGEST_DESCRIPTION = 1024


@dataclass(frozen=True)
class Template:
    """text: as it was sent. The sections are those of the document, empty where it has none."""

    text: str
    document: Mapping[str, Any]

    @classmethod
    def of(cls, text: str) -> Template:
        """Raises AwsError for a template that AWS would refuse whatever the parameters."""
        from sandbox.cloudformation.references import check_references

        template = cls(text, template_text.read(text))
        _check(template)
        check_references(template)
        return template

    def section(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document.get(name) or {}
        return found

    @property
    def parameters(self) -> dict[str, Any]:
        return self.section("Parameters")

    @property
    def conditions(self) -> dict[str, Any]:
        return self.section("Conditions")

    @property
    def resources(self) -> dict[str, Any]:
        return self.section("Resources")

    @property
    def outputs(self) -> dict[str, Any]:
        return self.section("Outputs")

    @property
    def description(self) -> str | None:
        return self.document.get("Description")

    def properties(self, logical_id: str) -> dict[str, Any]:
        return self.resources[logical_id].get("Properties") or {}

    def type_of(self, logical_id: str) -> str:
        return str(self.resources[logical_id]["Type"])


def _check(template: Template) -> None:
    document = template.document
    if "Transform" in document:
        raise lacking("transforms and macros")
    unknown = [name for name in document if name not in _SECTIONS]
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    if str(document.get("AWSTemplateFormatVersion", "2010-09-09")) != "2010-09-09":
        raise invalid(f"Template format error: {document['AWSTemplateFormatVersion']} is not a supported value.")
    description = template.description
    if not isinstance(description, str | None):
        raise invalid("Template format error: Description must be a string.")
    if description and len(description.encode()) > _LONGEST_DESCRIPTION:
        raise invalid(f"Template format error: 'Description' length is greater than {_LONGEST_DESCRIPTION}.")
    for name in _SECTIONS[2:]:
        if not isinstance(document.get(name, {}), dict):
            raise invalid(f"Template format error: {name} must be a map.")
    if not template.resources:
        raise invalid("Template format error: At least one Resources member must be defined.")
    for name, most in MOST.items():
        if len(template.section(name)) > most:
            raise invalid(
                f"Template format error: Number of {name.lower()}, {len(template.section(name))}, is "
                f"greater than maximum allowed, {most}"
            )
        for key in template.section(name):
            if not re.fullmatch(r"[A-Za-z0-9]+", key):
                raise invalid(f"Template format error: {name} name {key} is non alphanumeric.")
    both = [name for name in template.parameters if name in template.resources]
    if both:
        raise invalid(
            f"Template format error: Duplicate names [{', '.join(both)}] in the Parameters and Resources blocks"
        )
    for logical_id, resource in template.resources.items():
        _check_resource(template, logical_id, resource)
    for name, parameter in template.parameters.items():
        _members("Parameters", name, parameter, _PARAMETER, "Type")
    for name, output in template.outputs.items():
        _check_output(template, name, output)
    _check_mappings(template)


def _members(section: str, name: str, value: Any, known: list[str], required: str) -> None:
    if not isinstance(value, dict):
        raise invalid(f"Template format error: Any {section} member must be an object.")
    if required not in value:
        raise invalid(
            f"Template format error: [/{section}/{name}] Every {section} object must contain a {required} member."
        )
    unknown = [member for member in value if member not in known]
    if unknown:
        raise invalid(f"Invalid template {section.lower().removesuffix('s')} property '{unknown[0]}'")


def _check_resource(template: Template, logical_id: str, resource: Any) -> None:
    lacks = _NOT_HERE & set(resource) if isinstance(resource, dict) else None
    if lacks:
        raise lacking(f"{sorted(lacks)[0]} (resource {logical_id})")
    _members("Resources", logical_id, resource, _RESOURCE, "Type")
    if not isinstance(resource["Type"], str):
        raise invalid(f"Template format error: [/Resources/{logical_id}/Type] 'String' was expected")
    if not isinstance(resource.get("Properties") or {}, dict):
        raise invalid(f"Template format error: [/Resources/{logical_id}/Properties] must be an object.")
    for name, values in _DELETION.items():
        if name not in resource:
            continue
        if resource[name] == "Snapshot":
            raise invalid(f"Template error: resource type {resource['Type']} does not support deletion policy Snapshot")
        if resource[name] not in values:
            raise invalid(f"Template format error: Unrecognized {name} {resource[name]} for resource {logical_id}")
    condition = resource.get("Condition")
    if condition is not None and condition not in template.conditions:
        raise invalid(
            f"Template format error: Unresolved condition dependency {condition} in the Resources block of the template"
        )


def _check_output(template: Template, name: str, output: Any) -> None:
    _members("Outputs", name, output, _OUTPUT, "Value")
    if "Export" in output:
        raise lacking(f"exports (output {name}): publish the value in an SSM parameter")
    condition = output.get("Condition")
    if condition is not None and condition not in template.conditions:
        raise invalid(
            f"Template format error: Unresolved condition dependency {condition} in the Outputs block of the template"
        )


def _check_mappings(template: Template) -> None:
    for name, mapping in template.section("Mappings").items():
        if not isinstance(mapping, dict) or not all(isinstance(keys, dict) for keys in mapping.values()):
            raise invalid(f"Template format error: Every Mappings attribute must be a String or a List. ({name})")
        for keys in mapping.values():
            for value in keys.values():
                if isinstance(value, dict):
                    raise invalid(
                        f"Template format error: Every Mappings attribute must be a String or a List. ({name})"
                    )
