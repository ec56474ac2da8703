# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeBuild's operations on builds. Each docstring's rule is from the operation's page in the API Reference."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.calls import Call
from sandbox.codebuild.description import described
from sandbox.codebuild.projects import ProjectOperations, page
from sandbox.codebuild.rules import check_settings, invalid
from sandbox.codebuild.store import STOPPED, Build, Project, new_build_id, now
from sandbox.codebuild.work import Work
from sandbox.errors import AwsError, NotImplementedInSandbox

TOKEN_LIVES = timedelta(minutes=5)
_MOST_SORTED = 100
# Override of StartBuild -> where it goes in the project's settings.
_OVERRIDES = {
    "artifactsOverride": ("artifacts",),
    "cacheOverride": ("cache",),
    "logsConfigOverride": ("logsConfig",),
    "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",),
    "encryptionKeyOverride": ("encryptionKey",),
    "sourceVersion": ("sourceVersion",),
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"),
    "gitCloneDepthOverride": ("source", "gitCloneDepth"),
    "gitSubmodulesConfigOverride": ("source", "gitSubmodulesConfig"),
    "environmentTypeOverride": ("environment", "type"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "imagePullCredentialsTypeOverride": ("environment", "imagePullCredentialsType"),
}
_OTHERS = {"projectName", "idempotencyToken", "environmentVariablesOverride"}


class BuildOperations(ProjectOperations):
    def StartBuild(self, call: Call) -> dict[str, Any]:
        """A token is valid for five minutes: the same request again is answered with the same build, another one is
        refused. A project's limit of concurrent builds refuses, it does not queue (User Guide, "Builds in AWS
        CodeBuild")."""
        with self.store.lock:
            project = self.project(call, call.params["projectName"])
            known = self._by_token(call)
            if known is not None:
                return {"build": described(known)}
            settings = _overridden(call, project)
            check_settings(call, settings)
            limit = settings.get("concurrentBuildLimit")
            if limit is not None and len(self._running(project, call)) >= limit:
                message = f"Cannot have more than {limit} active builds for the project"
                raise AwsError("AccountLimitExceededException", message)
            build = self._new(call, project, settings)
            work = Work(self.inside, build)
            self.store.add_build(build)
            token = call.params.get("idempotencyToken")
            if token:
                self.store.tokens[call.caller.account, call.region, token] = (now(), dict(call.params), build)
        work.start()
        return {"build": described(build)}

    def StopBuild(self, call: Call) -> dict[str, Any]:
        """Attempts to stop a build; one that is complete stays as it is."""
        build = self._build(call, call.params["id"])
        Work.stop(build, STOPPED)
        return {"build": described(build)}

    def BatchGetBuilds(self, call: Call) -> dict[str, Any]:
        """Those not found are listed, not refused."""
        found, missing = [], []
        for identity in dict.fromkeys(call.params["ids"]):
            build = self.store.build(call.caller.account, call.region, identity)
            (found.append(described(build)) if build else missing.append(identity))
        return {"builds": found, "buildsNotFound": missing}

    def ListBuildsForProject(self, call: Call) -> dict[str, Any]:
        """By build number, descending unless asked otherwise. With more than 100 builds, a sort order is an error."""
        project = self.project(call, call.params["projectName"])
        builds = [build for build in self._all(call) if build.project == project.name]
        if call.params.get("sortOrder") and len(builds) > _MOST_SORTED:
            raise invalid("Invalid sort order: the project has more than 100 builds")
        if call.params.get("sortOrder") != "ASCENDING":
            builds.reverse()
        shown, token = page(call, [build.id for build in builds])
        return {"ids": shown, "nextToken": token}

    def ListBuilds(self, call: Call) -> dict[str, Any]:
        """By build id if a sort order is given; the newest first, if none is."""
        order = call.params.get("sortOrder")
        ids = [build.id for build in reversed(self._all(call))]
        if order:
            ids.sort(reverse=order == "DESCENDING")
        shown, token = page(call, ids)
        return {"ids": shown, "nextToken": token}

    def end_builds(self) -> None:
        """The sandbox forgets everything: end all processes, and tell nobody."""
        for build in self.store.all_builds():
            build.abandoned = True
            Work.end_processes(build)

    def _by_token(self, call: Call) -> Build | None:
        """The build that came of the same request. Raises InvalidInputException for another request."""
        token = call.params.get("idempotencyToken")
        known = self.store.tokens.get((call.caller.account, call.region, token)) if token else None
        if known is None or now() - known[0] > TOKEN_LIVES:
            return None
        if known[1] != call.params:
            raise invalid("Request parameters do not match those of the earlier request with this idempotency token")
        return known[2]

    def _new(self, call: Call, project: Project, settings: dict[str, Any]) -> Build:
        identity = new_build_id(project.name)
        session = f"AWSCodeBuild-{identity.partition(':')[2]}"
        caller = self.take(call, settings["serviceRole"], project.arn, session)
        project.builds += 1
        return Build(
            id=identity,
            arn=call.arn("codebuild", f"build/{identity}"),
            number=project.builds,
            project=project.name,
            region=call.region,
            account=call.caller.account,
            initiator=_initiator(call.caller.arn),
            settings=settings,
            caller=caller,
        )

    def _running(self, project: Project, call: Call) -> list[Build]:
        return [build for build in self._all(call) if build.project == project.name and not build.complete]

    def _all(self, call: Call) -> list[Build]:
        return self.store.builds(call.caller.account, call.region)

    def _build(self, call: Call, identity: str) -> Build:
        found = self.store.build(call.caller.account, call.region, identity)
        if found is None:
            arn = call.arn("codebuild", f"build/{identity}")
            raise AwsError("ResourceNotFoundException", f"Build {arn} does not exist")
        return found


def _initiator(arn: str) -> str:
    """A user's name, or what real builds of a role's session have: `role/session`."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    return rest if kind == "assumed-role" else rest.rpartition("/")[2] or arn


def _overridden(call: Call, project: Project) -> dict[str, Any]:
    """The project's settings with those of this build."""
    settings: dict[str, Any] = {name: _copied(value) for name, value in project.given.items()}
    for name, value in call.params.items():
        if name in _OVERRIDES:
            *holders, last = _OVERRIDES[name]
            holder = settings[holders[0]] if holders else settings
            holder[last] = value
        elif name not in _OTHERS and value not in (None, False, [], 0):
            raise NotImplementedInSandbox("codebuild", "StartBuild", name)
    if settings["source"]["type"] == "NO_SOURCE" and call.params.get("sourceTypeOverride"):
        if "sourceLocationOverride" not in call.params:
            settings["source"].pop("location", None)
        if "sourceVersion" not in call.params:
            settings.pop("sourceVersion", None)
    variables = {each["name"]: each for each in settings["environment"]["environmentVariables"]}
    for each in call.params.get("environmentVariablesOverride") or []:
        variables[each["name"]] = {"type": "PLAINTEXT", **each}
    settings["environment"]["environmentVariables"] = list(variables.values())
    return settings


def _copied(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
