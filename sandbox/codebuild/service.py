"""CodeBuild as the front sees it."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.calls import Call
from sandbox.codebuild.builds import BuildOperations
from sandbox.codebuild.store import Store
from sandbox.inside import Inside
from sandbox.resources import describe


class CodeBuild(BuildOperations):
    """All that the sandbox has of CodeBuild; every other operation is answered NotImplementedInSandbox."""

    complete = True

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.store = Store()
        inside.background.when_ending(self.end_builds)

    def describe(self, call: Call) -> None:
        """Projects are the resources of all operations but the lists (Service Authorization Reference, "AWS
        CodeBuild"); roles are those that the call passes on."""
        params = call.params
        named = [params[name] for name in ("name", "projectName") if isinstance(params.get(name), str)]
        named += [build.rpartition("/")[2].partition(":")[0] for build in params.get("ids") or [params.get("id") or ""]]
        named += params.get("names") or []
        projects = [
            each if each.startswith("arn:") else call.arn("codebuild", f"project/{each}") for each in named if each
        ]
        describe(call)
        roles = [params[name] for name in ("serviceRole", "serviceRoleOverride") if isinstance(params.get(name), str)]
        call.resources[:] = list(dict.fromkeys(projects + roles))
        for arn in call.resources:
            call.context.update(
                {f"aws:ResourceTag/{key}": value for key, value in self.resource_tags(call, arn).items()}
            )

    def resource_tags(self, call: Call, arn: str) -> Mapping[str, str]:
        """For the condition key aws:ResourceTag/…."""
        project = self.store.project(call.caller.account, call.region, arn.rpartition(":project/")[2])
        return project.tags if project and ":project/" in arn else {}

    def reset(self) -> None:
        self.end_builds()
        self.store.clear()
