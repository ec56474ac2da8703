"""What CloudFormation checks when a change set is made, so that a deployment need not fail half-way.

Source: User Guide, "Validate stack deployments" (property syntax, resource name conflicts), and the words that users
quote: "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. …", "Resource of type
'AWS::S3::Bucket' with identifier 'x' already exists."
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloudformation.changes import Changes
from sandbox.cloudformation.properties import faults_of
from sandbox.cloudformation.stack import Change, Validation
from sandbox.cloudformation.types import HANDLERS

_HOOKS = {
    "PROPERTY_VALIDATION": "AWS::EarlyValidation::PropertyValidation",
    "NAME_CONFLICT_VALIDATION": "AWS::EarlyValidation::ResourceExistenceCheck",
}


def validate(changes: Changes, client: Callable[[str], Any]) -> Iterator[Validation]:
    """All findings; each fails the change set."""
    region = changes.stack.region
    for change in changes.found:
        if change.action == "Remove":
            continue
        properties = changes.properties[change.logical_id]
        for where, what in faults_of(change.type, region, properties):
            path = f"/Resources/{change.logical_id}/Properties{where.removeprefix('#')}"
            yield Validation("PROPERTY_VALIDATION", change.logical_id, change.type, f"{where}: {what}", path)
        if change.action == "Add":
            yield from _name_conflict(change, properties, client)


def _name_conflict(change: Change, properties: dict[str, Any], client: Callable[[str], Any]) -> Iterator[Validation]:
    handler = HANDLERS[change.type]
    name = properties.get(handler.name) if handler.name else None
    if not isinstance(name, str):
        return
    try:
        taken = handler.exists(client, name)
    except (BotoCoreError, ClientError):
        # Not there; or not to be seen, and then the deployment finds out.
        return
    if taken:
        told = f"Resource of type '{change.type}' with identifier '{name}' already exists."
        path = f"/Resources/{change.logical_id}/Properties/{handler.name}"
        yield Validation("NAME_CONFLICT_VALIDATION", change.logical_id, change.type, told, path)


def reason(found: list[Validation]) -> str:
    hooks = ", ".join(dict.fromkeys(_HOOKS[validation.name] for validation in found))
    return (
        f"The following hook(s)/validation failed: [{hooks}]. To troubleshoot Early Validation errors, "
        "use the DescribeEvents "
        "API for detailed failure information."
    )
