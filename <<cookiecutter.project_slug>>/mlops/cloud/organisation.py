"""What the organisation asks of every job: its network, its key, its tags, its package index.

The definition is built without them (the same bytes for everybody); they are laid over it on the way to AWS.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from mlops.cloud.account_stack import AccountStack
from mlops.cloud.instances import has_local_storage
from mlops.tags import as_list

Step = dict[str, Any]
NESTED = ("IfSteps", "ElseSteps")


def with_organisation(
    definition: Mapping[str, Any], stack: AccountStack, tags: Mapping[str, str], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a definition in which every job and model is in the organisation's network, under its key and tags.

    `values` are those of the pipeline's parameters, by which instance types are known.
    """
    result: dict[str, Any] = json.loads(json.dumps(definition))
    rules: dict[str, Callable[[dict[str, Any]], None]] = {
        "Processing": lambda request: _processing(request, stack, values),
        "Training": lambda request: _training(request, stack, values),
        "Transform": lambda request: _volume(request["TransformResources"], stack, values),
        "Model": lambda request: _network(request, stack),
    }
    for step in steps_of(result):
        if rule := rules.get(step["Type"]):
            rule(step["Arguments"])
            named = {tag["Key"]: tag["Value"] for tag in step["Arguments"].get("Tags", [])}
            step["Arguments"]["Tags"] = as_list({**tags, **named, **stack.tags})
    return result


def steps_of(definition: Mapping[str, Any]) -> list[Step]:
    """Return all steps, those in branches of conditions too."""
    found: list[Step] = []
    for step in definition["Steps"]:
        found.append(step)
        for branch in NESTED:
            found += steps_of({"Steps": step["Arguments"].get(branch, [])}) if step["Type"] == "Condition" else []
    return found


def _processing(request: dict[str, Any], stack: AccountStack, values: Mapping[str, Any]) -> None:
    if stack.vpc:
        request.setdefault("NetworkConfig", {})["VpcConfig"] = stack.vpc
    _volume(request["ProcessingResources"]["ClusterConfig"], stack, values)
    _package_index(request, stack)


def _training(request: dict[str, Any], stack: AccountStack, values: Mapping[str, Any]) -> None:
    _network(request, stack)
    _volume(request["ResourceConfig"], stack, values)
    _package_index(request, stack)


def _network(request: dict[str, Any], stack: AccountStack) -> None:
    if stack.vpc:
        request["VpcConfig"] = stack.vpc


def _volume(machines: dict[str, Any], stack: AccountStack, values: Mapping[str, Any]) -> None:
    """Encrypt the volume under the key, where the instance has one that can be."""
    instance_type = machines["InstanceType"]
    if isinstance(instance_type, dict):
        instance_type = values[instance_type["Get"].removeprefix("Parameters.")]
    if not has_local_storage(instance_type):
        machines["VolumeKmsKeyId"] = stack.kms_key


def _package_index(request: dict[str, Any], stack: AccountStack) -> None:
    """Have pip ask the organisation's index; it reads PIP_INDEX_URL."""
    if stack.package_index:
        request.setdefault("Environment", {}).setdefault("PIP_INDEX_URL", stack.package_index)
