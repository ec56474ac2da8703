# ruff: noqa: N802 - methods are named as AWS names its operations
"""Tags of SageMaker resources: of the registry's own, and of those that moto keeps.

Sources: AddTags, ListTags, DeleteTags in the API Reference; "Tag naming limits and requirements" in the Tagging AWS
Resources User Guide (unique keys, no `aws:` prefix, at most 50 a resource).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from sandbox.calls import Call
from sandbox.errors import NotImplementedInSandbox
from sandbox.sagemaker.store import Registries, invalid

MOST_TAGS = 50
_OURS = ("processing-job", "training-job", "transform-job", "model", "pipeline")


class TagOperations:
    registries: Registries

    def own_tags(self, arn: str) -> MutableMapping[str, str] | None:
        """The tags of a job, a model or a pipeline, to be changed in place; None if there is none."""
        raise NotImplementedError

    def AddTags(self, call: Call) -> dict[str, Any]:
        """Adds or overwrites; answers all tags of the resource."""
        with self.registries.lock:
            tags = self._tags(call, call.params["ResourceArn"])
            tags.update(check_new_tags(call.params["Tags"], tags))
            self._keep(call, tags)
            return {"Tags": _as_list(tags)}

    def ListTags(self, call: Call) -> dict[str, Any]:
        """One page: a resource has at most 50 tags, the least that MaxResults can be."""
        with self.registries.lock:
            return {"Tags": _as_list(self._tags(call, call.params["ResourceArn"]))}

    def DeleteTags(self, call: Call) -> None:
        with self.registries.lock:
            tags = self._tags(call, call.params["ResourceArn"])
            for key in call.params["TagKeys"]:
                tags.pop(key, None)
            self._keep(call, tags)

    def _tags(self, call: Call, arn: str) -> MutableMapping[str, str]:
        """The tags of a resource. Raises ValidationException if there is none."""
        kind = arn.split(":", 5)[5].partition("/")[0]
        if kind == "model-package-group":
            return self.registries.group(call, arn).tags
        if kind == "model-package":
            package = self.registries.package(call, arn)
            if package.group is not None:
                raise invalid(
                    f"{arn} is a model version: it uses the tags of its model package group and has none of its own"
                )
            return package.tags
        own = self.own_tags(arn)
        if own is not None:
            return own
        if kind in _OURS:
            raise invalid(f"Could not find {arn}.")
        return {tag["Key"]: tag["Value"] for tag in getattr(_of_moto(call, arn), "tags", None) or []}

    def _keep(self, call: Call, tags: Mapping[str, str]) -> None:
        arn = call.params["ResourceArn"]
        if not arn.split(":", 5)[5].startswith("model-package") and self.own_tags(arn) is None:
            _of_moto(call, arn).tags = _as_list(tags)


def check_new_tags(given: list[dict[str, str]], held: Mapping[str, str]) -> dict[str, str]:
    """Tags to add to those held. Raises ValidationException for keys given twice, `aws:` keys, and more than 50 in
    all."""
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags) != len(given):
        raise invalid("Duplicate tag keys found. Please note that Tag keys are unique per resource.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    if len({*held, *tags}) > MOST_TAGS:
        raise invalid(f"A resource can have at most {MOST_TAGS} tags.")
    return tags


def _as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _of_moto(call: Call, arn: str) -> Any:
    from moto.sagemaker.models import sagemaker_backends

    parts = arn.split(":", 5)
    backend = sagemaker_backends[call.caller.account][call.region]
    try:
        found = backend._get_resource_from_arn(arn) if parts[3:5] == [call.region, call.caller.account] else None
    except (AttributeError, ValueError) as error:
        raise NotImplementedInSandbox(
            "sagemaker", call.operation, f"it keeps no tags of {parts[5].partition('/')[0]}"
        ) from error
    except Exception as error:
        raise invalid(f"Could not find {arn}.") from error
    if found is None:
        raise invalid(f"Could not find {arn}.")
    return found
