# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeBuild's operations on projects. Each docstring's rule is from the operation's page in the API Reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sandbox import paging
from sandbox.callers import Caller
from sandbox.calls import Call
from sandbox.codebuild.rules import PRINCIPAL, cannot_assume, check_settings, check_tags, invalid
from sandbox.codebuild.store import Project, Store, now
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.inside import CannotAssume, Inside
from sandbox.resources import request_tags
from sandbox.role_trust import UnreadableTrust

T = TypeVar("T")
A_PAGE = 100
TIMEOUT, QUEUED_TIMEOUT = 60, 480  # minutes


class ProjectOperations:
    """store: projects and builds."""

    inside: Inside
    store: Store

    def CreateProject(self, call: Call) -> dict[str, Any]:
        """The service role must exist and trust CodeBuild already: real refusals of this call say so."""
        params, name = call.params, call.params["name"]
        given = _with_defaults(call, params)
        check_settings(call, given)
        check_tags(request_tags(params))
        project = Project(name, call.arn("codebuild", f"project/{name}"), given, request_tags(params))
        self.take(call, given["serviceRole"], project.arn, "AWSCodeBuild")
        with self.store.lock:
            if self.store.project(call.caller.account, call.region, name):
                raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {project.arn}")
            self.store.add_project(call.caller.account, call.region, project)
        return {"project": described(project)}

    def UpdateProject(self, call: Call) -> dict[str, Any]:
        """What the request names replaces what is there; concurrentBuildLimit -1 removes the limit; tags that are
        given replace all tags."""
        with self.store.lock:
            project = self.project(call, call.params["name"])
            changed = {name: value for name, value in call.params.items() if name not in ("name", "tags")}
            given = _with_defaults(call, {**project.given, **changed})
            check_settings(call, given)
            check_tags(request_tags(call.params))
            if changed.get("concurrentBuildLimit") == -1:
                del given["concurrentBuildLimit"]
            if given["serviceRole"] != project.given["serviceRole"]:
                self.take(call, given["serviceRole"], project.arn, "AWSCodeBuild")
            project.given = given
            if "tags" in call.params:
                project.tags = request_tags(call.params)
            project.modified = now()
            return {"project": described(project)}

    def DeleteProject(self, call: Call) -> None:
        """Its builds stay. A project that is not there is no error: the operation declares none."""
        with self.store.lock:
            self.store.remove_project(call.caller.account, call.region, _name(call.params["name"]))

    def BatchGetProjects(self, call: Call) -> dict[str, Any]:
        """By name or ARN; those not found are listed, not refused."""
        found, missing = [], []
        for name in dict.fromkeys(call.params["names"]):
            project = self.store.project(call.caller.account, call.region, _name(name))
            (found.append(described(project)) if project else missing.append(name))
        return {"projects": found, "projectsNotFound": missing}

    def ListProjects(self, call: Call) -> dict[str, Any]:
        """100 a page; by name, ascending, unless asked otherwise."""
        key = {"CREATED_TIME": "created", "LAST_MODIFIED_TIME": "modified"}.get(call.params.get("sortBy", ""), "name")
        projects = sorted(
            self.store.projects(call.caller.account, call.region),
            key=lambda project: (getattr(project, key), project.name),
            reverse=call.params.get("sortOrder") == "DESCENDING",
        )
        shown, token = page(call, [project.name for project in projects])
        return {"projects": shown, "nextToken": token}

    def project(self, call: Call, name: str) -> Project:
        """Raises ResourceNotFoundException."""
        found = self.store.project(call.caller.account, call.region, _name(name))
        if found is None:
            arn = call.arn("codebuild", f"project/{_name(name)}")
            raise AwsError("ResourceNotFoundException", f"Project cannot be found: {arn}")
        return found

    def take(self, call: Call, role: str, project_arn: str, session: str) -> Caller:
        """The service role, taken as CodeBuild takes it: aws:SourceArn is the project's (User Guide, "Cross-service
        confused deputy prevention"). Raises InvalidInputException."""
        try:
            return self.inside.assume(role, PRINCIPAL, session, SourceArn=project_arn)
        except CannotAssume:
            raise cannot_assume() from None
        except UnreadableTrust as error:
            raise NotImplementedInSandbox("codebuild", call.operation, str(error)) from error


def described(project: Project) -> dict[str, Any]:
    """As BatchGetProjects of real projects answers."""
    shown = {name: value for name, value in project.given.items() if name not in ("badgeEnabled", "tags")}
    return {
        **shown,
        "name": project.name,
        "arn": project.arn,
        "tags": [{"key": key, "value": value} for key, value in project.tags.items()],
        "created": project.created,
        "lastModified": project.modified,
        "badge": {"badgeEnabled": False},
        "projectVisibility": "PRIVATE",
    }


def page(call: Call, items: Sequence[T]) -> tuple[list[T], str | None]:
    """At most 100 items and the token of the next. Raises InvalidInputException for a token of nobody's making."""
    return paging.page(call, items, A_PAGE, call.params.get("nextToken") or None, invalid("Invalid next token"))


def _name(name: str) -> str:
    return name.rpartition(":project/")[2]


def _with_defaults(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """Source: the members' documentation; how real projects are answered where nothing was given."""
    environment = {"environmentVariables": [], "privilegedMode": False, "imagePullCredentialsType": "CODEBUILD"}
    given = {name: value for name, value in params.items() if name not in ("name", "tags")}
    given = {name: value for name, value in given.items() if name != "sourceVersion" or value}  # "" takes it away
    variables = [{"type": "PLAINTEXT", **each} for each in params["environment"].get("environmentVariables") or []]
    return {
        "secondarySources": [],
        "secondarySourceVersions": [],
        "secondaryArtifacts": [],
        "cache": {"type": "NO_CACHE"},
        "timeoutInMinutes": TIMEOUT,
        "queuedTimeoutInMinutes": QUEUED_TIMEOUT,
        "encryptionKey": call.arn("kms", "alias/aws/s3"),
        **given,
        "source": {"insecureSsl": False, **params["source"]},
        "environment": {**environment, **params["environment"], "environmentVariables": variables},
    }
