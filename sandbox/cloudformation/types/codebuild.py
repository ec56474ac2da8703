"""AWS::CodeBuild::Project: its properties are the API's members with a capital first letter, but for BuildSpec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sandbox.cloudformation.types.handler import Handled, Handler, Properties, as_map
from sandbox.cloudformation.work import Work

_ARTIFACTS = dict.fromkeys(["Type"])
_CACHE = dict.fromkeys(["CacheNamespace", "Location", "Type"])
_VARIABLE = dict.fromkeys(["Name", "Type", "Value"])
_ENVIRONMENT = dict.fromkeys(["ComputeType", "Image", "ImagePullCredentialsType", "PrivilegedMode", "Type"])
_CLOUD_WATCH = dict.fromkeys(["GroupName", "Status", "StreamName"])
_SOURCE = dict.fromkeys(["BuildSpec", "GitCloneDepth", "Location", "Type"])
_RENAMED = {"BuildSpec": "buildspec"}


class Project(Handler):
    """Ref is the project's name (Template Reference, "Return values")."""

    type = "AWS::CodeBuild::Project"
    name = "Name"
    attributes = ("Arn",)
    handled: ClassVar[Handled] = {
        **dict.fromkeys(
            [
                "ConcurrentBuildLimit",
                "Description",
                "EncryptionKey",
                "Name",
                "QueuedTimeoutInMinutes",
                "ServiceRole",
                "SourceVersion",
                "Tags",
                "TimeoutInMinutes",
            ]
        ),
        "Artifacts": _ARTIFACTS,
        "Cache": _CACHE,
        "Environment": {**_ENVIRONMENT, "EnvironmentVariables": _VARIABLE},
        "LogsConfig": {"CloudWatchLogs": _CLOUD_WATCH},
        "Source": _SOURCE,
    }

    def create(self, work: Work, wanted: Properties) -> None:
        codebuild, name = work.client("codebuild"), wanted.get("Name") or work.generated_name(150)
        given = _request(wanted)
        made = work.once(lambda: codebuild.create_project(name=name, **given), "ResourceAlreadyExistsException")
        project = made["project"] if made else codebuild.batch_get_projects(names=[name])["projects"][0]
        work.made(name, Arn=project["arn"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        """What is not in the template any more goes back to what a new project has."""
        given = _request(new)
        for name, default in _DEFAULTS.items():
            if name in _request(old) and name not in given:
                given[name] = default
        work.client("codebuild").update_project(name=work.physical_id, **given)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("codebuild").delete_project(name=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        return bool(client("codebuild").batch_get_projects(names=[name])["projects"])


# What takes a setting away in UpdateProject; encryptionKey has nothing that would.
_DEFAULTS: dict[str, Any] = {
    "cache": {"type": "NO_CACHE"},
    "concurrentBuildLimit": -1,
    "description": "",
    "logsConfig": {},
    "queuedTimeoutInMinutes": 480,
    "sourceVersion": "",
    "tags": [],
    "timeoutInMinutes": 60,
}


def _request(properties: Properties) -> dict[str, Any]:
    given = {_member(name): _renamed(value) for name, value in properties.items() if name not in ("Name", "Tags")}
    if "Tags" in properties:
        given["tags"] = [{"key": key, "value": value} for key, value in as_map(properties["Tags"]).items()]
    return given


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_member(name): _renamed(part) for name, part in value.items()}
    return [_renamed(part) for part in value] if isinstance(value, list) else value


def _member(name: str) -> str:
    return _RENAMED.get(name, name[0].lower() + name[1:])
