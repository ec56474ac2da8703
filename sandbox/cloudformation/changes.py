"""What an update would change: the content of a change set.

Source: API Reference, ResourceChange, ResourceChangeDetail, ResourceTargetDefinition; User Guide, "Example
change sets".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloudformation import schemas
from sandbox.cloudformation.desired import Desired
from sandbox.cloudformation.functions import UNKNOWN
from sandbox.cloudformation.references import references
from sandbox.cloudformation.stack import Change, Resource, Stack, Wanted
from sandbox.cloudformation.types.handler import changed

_POLICIES = ("DeletionPolicy", "Metadata", "UpdateReplacePolicy")


@dataclass
class Changes:
    """desired properties are those that can be known before the deployment."""

    stack: Stack
    wanted: Wanted
    found: list[Change] = field(default_factory=list)
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    _by_name: dict[str, Change] = field(default_factory=dict)

    def compute(self) -> Changes:
        self._desired = Desired(self.stack, self.wanted, self._value)
        order = self._desired.order()
        for logical_id in order:
            change = self._change(logical_id)
            if change is not None:
                self._by_name[logical_id] = change
        for logical_id, resource in self.stack.resources.items():
            if logical_id not in order:
                kept = resource.deletion_policy.startswith("Retain")
                policy = "Retain" if kept else "Delete"
                self._by_name[logical_id] = Change(
                    "Remove", logical_id, resource.type, resource.physical_id, policy_action=policy
                )
        self.found = list(self._by_name.values())
        return self

    @property
    def outputs_differ(self) -> bool:
        return self._desired.outputs() != self.stack.outputs

    def _value(self, logical_id: str, attribute: str | None) -> Any:
        """Of a resource that stays: its Ref; and its attributes, unless it is changed itself."""
        change, resource = self._by_name.get(logical_id), self.stack.resources.get(logical_id)
        if resource is None or (change is not None and (attribute is not None or change.replacement != "False")):
            return UNKNOWN
        return resource.physical_id if attribute is None else resource.attributes.get(attribute, UNKNOWN)

    def _change(self, logical_id: str) -> Change | None:
        self.properties[logical_id] = self._desired.properties(logical_id)
        held = self.stack.resources.get(logical_id)
        if held is None:
            return Change("Add", logical_id, self.wanted.template.type_of(logical_id))
        details = [*self._properties(logical_id, held), *self._policies(logical_id, held)]
        if not details:
            return None
        targets = [detail["Target"] for detail in details]
        recreations = {target["RequiresRecreation"] for target in targets}
        replacement = (
            "True" if "Always" in recreations else "Conditional" if "Conditionally" in recreations else "False"
        )
        change = Change("Modify", logical_id, held.type, held.physical_id, replacement)
        change.scope = list(dict.fromkeys(target["Attribute"] for target in targets))
        change.details = details
        if replacement == "True":
            change.policy_action = "ReplaceAndRetain" if held.update_replace_policy == "Retain" else "ReplaceAndDelete"
        return change

    def _properties(self, logical_id: str, held: Resource) -> list[dict[str, Any]]:
        region, new = self.stack.region, self.properties[logical_id]
        fixed, tags = schemas.create_only(held.type, region), schemas.tags_property(held.type, region)
        details = []
        for name in changed(held.properties, new):
            unknown = _holds_unknown(new.get(name))
            recreation = ("Conditionally" if unknown else "Always") if name in fixed else "Never"
            target = {"Attribute": "Tags"} if name == tags else {"Attribute": "Properties", "Name": name}
            target["RequiresRecreation"] = recreation
            for source in self._sources(logical_id, name):
                details.append({"Target": target, "Evaluation": "Dynamic" if unknown else "Static", **source})
        return details

    def _sources(self, logical_id: str, name: str) -> list[dict[str, str]]:
        """Why a property changes: its text, a parameter, or another resource."""
        before = self.stack.is_
        node = self._desired.template.properties(logical_id).get(name)
        old_properties = self.stack.resources[logical_id].declared.get("Properties") or {}
        found: list[dict[str, str]] = []
        for reference in dict.fromkeys(references(node)):
            target = reference.target
            if reference.condition:
                continue
            if target in self.wanted.parameters:
                old = before.parameters.get(target) if before else None
                if old is None or old.value != self.wanted.parameters[target].value:
                    found.append({"ChangeSource": "ParameterReference", "CausingEntity": target})
            elif target in self._by_name:
                attribute = f".{reference.attribute}" if reference.attribute else ""
                source = "ResourceAttribute" if attribute else "ResourceReference"
                found.append({"ChangeSource": source, "CausingEntity": f"{target}{attribute}"})
        if old_properties.get(name) != node or not found:
            found.append({"ChangeSource": "DirectModification"})
        return found

    def _policies(self, logical_id: str, held: Resource) -> list[dict[str, Any]]:
        declared: Mapping[str, Any] = self._desired.declared(logical_id)
        return [
            {
                "Target": {"Attribute": name, "RequiresRecreation": "Never"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for name in _POLICIES
            if held.declared.get(name) != declared.get(name)
        ]


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_holds_unknown, value.values() if isinstance(value, dict) else value))
    return value is UNKNOWN
