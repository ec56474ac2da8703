"""What a template, with its parameters, says that each resource and output is to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloudformation import schemas
from sandbox.cloudformation.functions import NO_VALUE, UNKNOWN, Functions, as_text
from sandbox.cloudformation.properties import convert
from sandbox.cloudformation.references import dependencies, order_of
from sandbox.cloudformation.stack import Resource, Stack, Wanted
from sandbox.cloudformation.types.handler import as_list, as_map


class Desired:
    """value(logical id, attribute): a resource's Ref (attribute None) or attribute."""

    def __init__(self, stack: Stack, wanted: Wanted, value: Callable[[str, str | None], Any]) -> None:
        self._stack = stack
        self._wanted = wanted
        self.template = wanted.template
        mappings = self.template.section("Mappings")
        self._functions = Functions(mappings, wanted.names, wanted.conditions, value)

    def order(self) -> list[str]:
        """The resources whose conditions hold, each after those that it needs."""
        active = [name for name in self.template.resources if self.is_active(name)]
        graph = {name: [other for other in self.dependencies(name) if other in active] for name in active}
        return order_of(graph, "resources")

    def is_active(self, logical_id: str) -> bool:
        condition = self.declared(logical_id).get("Condition")
        return condition is None or self._wanted.conditions[condition]

    def declared(self, logical_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.template.resources[logical_id]
        return found

    def taken(self, logical_id: str) -> Any:
        """Its properties in the template, without the branches that no condition takes."""
        return self._functions.taken(self.template.properties(logical_id))

    def dependencies(self, logical_id: str) -> tuple[str, ...]:
        return tuple(dependencies(self.template, logical_id, self.taken(logical_id)))

    def resource(self, logical_id: str) -> Resource:
        """Without properties: those may need resources that are not there yet."""
        type_name, declared = self.template.type_of(logical_id), self.declared(logical_id)
        return Resource(logical_id, type_name, declared=declared, depends_on=self.dependencies(logical_id))

    def properties(self, logical_id: str) -> dict[str, Any]:
        """Resolved, converted and tagged. Raises AwsError."""
        type_name, region = self.template.type_of(logical_id), self._stack.region
        resolved = self._functions.value(self.template.properties(logical_id))
        return self._tagged(logical_id, type_name, convert(type_name, region, resolved))

    def _tagged(self, logical_id: str, type_name: str, properties: dict[str, Any]) -> dict[str, Any]:
        """With the stack's tags, which the template's own override."""
        name = schemas.tags_property(type_name, self._stack.region)
        own = properties.get(name) if name else None
        if name is None or own is UNKNOWN or not isinstance(own, (dict, list, type(None))):
            return properties
        if isinstance(own, list) and not all(isinstance(tag, dict) and "Key" in tag for tag in own):
            return properties
        tags = {**self._wanted.tags, **as_map(own)}
        if tags:
            is_map = schemas.tags_are_a_map(type_name, self._stack.region)
            properties[name] = tags if is_map else as_list(tags)
        return properties

    def taken_outputs(self) -> list[Any]:
        """The values of the outputs whose conditions hold, as taken() has properties."""
        return [self._functions.taken(output["Value"]) for output in self._active_outputs().values()]

    def _active_outputs(self) -> dict[str, Any]:
        conditions = self._wanted.conditions
        outputs = self.template.outputs.items()
        return {name: output for name, output in outputs if conditions.get(output.get("Condition"), True)}

    def outputs(self) -> list[dict[str, Any]]:
        """As DescribeStacks shows them. Raises AwsError."""
        found = []
        for name, output in self._active_outputs().items():
            value = self._functions.value(output["Value"])
            if value is NO_VALUE:
                continue
            text = value if value is UNKNOWN else as_text(value, f"The Value field of output {name}")
            described = {"Description": output["Description"]} if "Description" in output else {}
            found.append({"OutputKey": name, "OutputValue": text, **described})
        return found
