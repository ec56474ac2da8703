# ruff: noqa: N802 - methods are named as AWS names its operations
"""GetTemplate, GetTemplateSummary, ValidateTemplate."""

from __future__ import annotations

import json
from typing import Any

from sandbox.calls import Call
from sandbox.cloudformation import capabilities
from sandbox.cloudformation.errors import invalid
from sandbox.cloudformation.request import Requests
from sandbox.cloudformation.store import Stacks
from sandbox.cloudformation.template import Template


class TemplateOperations:
    stacks: Stacks
    requests: Requests

    def GetTemplate(self, call: Call) -> dict[str, Any]:
        """As it was sent; nothing here processes templates."""
        if "ChangeSetName" in call.params:
            template = self.stacks.change_set(call)[1].wanted.template
        elif "StackName" in call.params:
            template = self._of_stack(call)
        else:
            raise invalid("StackName or ChangeSetName must be specified")
        return {"TemplateBody": template.text, "StagesAvailable": ["Original", "Processed"]}

    def GetTemplateSummary(self, call: Call) -> dict[str, Any]:
        template = self._of_stack(call) if call.params.get("StackName") else self.requests.template(call)
        metadata = template.section("Metadata")
        return {
            "Parameters": [_declared(name, item, summary=True) for name, item in template.parameters.items()],
            "ResourceTypes": list(dict.fromkeys(template.type_of(name) for name in template.resources)),
            **(
                {"Version": str(template.document["AWSTemplateFormatVersion"])}
                if "AWSTemplateFormatVersion" in template.document
                else {}
            ),
            **({"Metadata": json.dumps(metadata)} if metadata else {}),
            **_about(template),
        }

    def ValidateTemplate(self, call: Call) -> dict[str, Any]:
        template = self.requests.template(call)
        parameters = [_declared(name, item, summary=False) for name, item in template.parameters.items()]
        return {"Parameters": parameters, **_about(template)}

    def _of_stack(self, call: Call) -> Template:
        stack = self.stacks.get(call, call.params["StackName"])
        if stack.is_ is None:
            raise invalid(f"Stack {stack.name} has no template: it is in {stack.status}")
        return stack.is_.template


def _about(template: Template) -> dict[str, Any]:
    wanted = capabilities.required(template)
    told = {"Capabilities": wanted, "CapabilitiesReason": capabilities.reason(template)} if wanted else {}
    return told | ({"Description": template.description} if template.description else {})


def _declared(name: str, declaration: dict[str, Any], summary: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"ParameterKey": name, "NoEcho": str(declaration.get("NoEcho", False)).lower() == "true"}
    if "Default" in declaration:
        default = declaration["Default"]
        shown["DefaultValue"] = str(default).lower() if isinstance(default, bool) else str(default)
    if "Description" in declaration:
        shown["Description"] = declaration["Description"]
    if summary:
        shown["ParameterType"] = declaration["Type"]
        allowed = declaration.get("AllowedValues")
        shown["ParameterConstraints"] = {"AllowedValues": [str(item) for item in allowed]} if allowed else {}
    return shown
