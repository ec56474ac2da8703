"""CodeBuild's condition keys: what a request says of a project or overrides for a build.

Source: Service Authorization Reference, "AWS CodeBuild"; CodeBuild User Guide, "AWS CodeBuild condition keys": keys of
whole sections and of the buildspec tell that the request has them, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.authorization.check import given
from sandbox.calls import Call

_PRESENT = "true"
# Member of StartBuild -> the same of CreateProject, as path.
_OVERRIDES = {
    "artifactsOverride": ("artifacts",),
    "buildspecOverride": ("source", "buildspec"),
    "cacheOverride": ("cache",),
    "computeTypeOverride": ("environment", "computeType"),
    "encryptionKeyOverride": ("encryptionKey",),
    "environmentTypeOverride": ("environment", "type"),
    "environmentVariablesOverride": ("environment", "environmentVariables"),
    "imageOverride": ("environment", "image"),
    "imagePullCredentialsTypeOverride": ("environment", "imagePullCredentialsType"),
    "logsConfigOverride": ("logsConfig",),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "serviceRoleOverride": ("serviceRole",),
    "sourceLocationOverride": ("source", "location"),
    "sourceTypeOverride": ("source", "type"),
}


def codebuild_context(call: Call) -> dict[str, Any]:
    """The keys of CreateProject, UpdateProject and StartBuild; other operations that the sandbox has have none."""
    if call.operation == "StartBuild":
        return _keys(_as_project(call.params))
    if call.operation not in ("CreateProject", "UpdateProject"):
        return {}
    limit = call.params.get("concurrentBuildLimit")
    return _keys(call.params) | given(**{"codebuild:concurrentBuildLimit": None if limit is None else str(limit)})


def _as_project(params: Mapping[str, Any]) -> dict[str, Any]:
    project: dict[str, Any] = {}
    for name, value in params.items():
        if name in _OVERRIDES:
            *holders, last = _OVERRIDES[name]
            holder = project.setdefault(holders[0], {}) if holders else project
            holder[last] = value
    return project


def _keys(project: Mapping[str, Any]) -> dict[str, Any]:
    sections = ("artifacts", "cache", "environment", "logsConfig", "source")
    keys: dict[str, Any] = {f"codebuild:{name}": _PRESENT for name in sections if project.get(name)}
    source, environment = project.get("source") or {}, project.get("environment") or {}
    if source.get("buildspec") is not None:
        keys["codebuild:source.buildspec"] = _PRESENT
    texts = {
        "artifacts": ("location",),
        "cache": ("location", "type"),
        "environment": ("computeType", "image", "imagePullCredentialsType", "type"),
        "source": ("location",),
    }
    for section, names in texts.items():
        holder = project.get(section) or {}
        keys |= given(**{f"codebuild:{section}.{name}": holder.get(name) for name in names})
    if environment.get("privilegedMode") is not None:
        keys["codebuild:environment.privilegedMode"] = str(bool(environment["privilegedMode"])).lower()
    variables = environment.get("environmentVariables") or []
    if variables:
        name = "codebuild:environment.environmentVariables"
        keys[name] = _PRESENT
        keys[f"{name}.name"] = [variable["name"] for variable in variables]
        keys[f"{name}.value"] = [variable["value"] for variable in variables]
        keys |= {f"{name}/{variable['name']}.value": variable["value"] for variable in variables}
    return keys | given(**{f"codebuild:{name}": project.get(name) for name in ("encryptionKey", "serviceRole")})
