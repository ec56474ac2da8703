"""AWS's own schemas of resource types, from the CloudFormation registry, as cfn-lint brings them along.

Source: `aws-cloudformation/resource-provider-enhanced-schemas`; what each member means: CloudFormation CLI User Guide,
"Resource type schema" (createOnlyProperties, readOnlyProperties, primaryIdentifier, tagging, handlers).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def _folder() -> Path:
    spec = find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("CloudFormation in the sandbox needs the package cfn-lint: make install")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@cache
def _types(region: str) -> Mapping[str, str]:
    """Each type that the region has, and the name of its schema's file."""
    found: dict[str, str] = json.loads((_folder() / "providers" / f"{region}.json").read_text("utf-8"))
    return found


def is_known(type_name: str, region: str) -> bool:
    """Whether AWS has the type in that region."""
    return type_name in _types(region)


@cache
def schema_of(type_name: str, region: str) -> Mapping[str, Any]:
    """Raises KeyError for a type that AWS does not have there."""
    name = _types(region)[type_name]
    found: dict[str, Any] = json.loads((_folder() / "resources" / f"{name}.json").read_text("utf-8"))
    return found


def _top_level(schema: Mapping[str, Any], member: str) -> Iterator[str]:
    for pointer in schema.get(member, ()):
        parts = pointer.split("/")[2:]
        if len(parts) == 1:
            yield parts[0]


@cache
def create_only(type_name: str, region: str) -> frozenset[str]:
    """Properties whose change needs a new physical resource ("Update requires: Replacement")."""
    return frozenset(_top_level(schema_of(type_name, region), "createOnlyProperties"))


@cache
def read_only(type_name: str, region: str) -> frozenset[str]:
    """What Fn::GetAtt can ask for; nested ones with dots."""
    pointers = schema_of(type_name, region).get("readOnlyProperties", ())
    return frozenset(pointer.removeprefix("/properties/").replace("/", ".") for pointer in pointers)


@cache
def tags_property(type_name: str, region: str) -> str | None:
    """The property that stack tags are merged into, or None for a type without tags."""
    tagging = schema_of(type_name, region).get("tagging") or {}
    return str(tagging["tagProperty"]).removeprefix("/properties/") if tagging.get("taggable") else None


def tags_are_a_map(type_name: str, region: str) -> bool:
    name = tags_property(type_name, region)
    schema = schema_of(type_name, region)
    return name is not None and follow(schema["properties"][name], schema).get("type") == "object"


def follow(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A node of a schema with its `$ref` followed."""
    while "$ref" in node:
        found: Any = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node
