"""What CodeBuild takes as a project's settings, and what of it the sandbox has.

Source: CodeBuild API Reference, CreateProject, ProjectSource, ProjectEnvironment, ProjectCache, ProjectArtifacts; User
Guide, "Quotas for AWS CodeBuild". The words of most refusals are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox

PRINCIPAL = "codebuild.amazonaws.com"
SOURCES = ("CODECOMMIT", "NO_SOURCE")
ACCOUNT_LIMIT = 60  # "Concurrently running builds" of the quotas page
ENVIRONMENTS = ("LINUX_CONTAINER", "ARM_CONTAINER")
_ROLE = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/.+")
_CLONE_URL = re.compile(r"https?://[^/]+(?:/[a-z]{2}(?:-[a-z]+)+-\d)?/v1/repos/[\w.-]{1,100}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/.*)?")
# What a project may ask for and the sandbox would only pretend to do; empty values ask for nothing.
_NOT_HERE = (
    "autoRetryLimit",
    "badgeEnabled",
    "buildBatchConfig",
    "fileSystemLocations",
    "secondaryArtifacts",
    "secondarySourceVersions",
    "secondarySources",
    "vpcConfig",
)
_NOT_IN_SOURCE = ("auth", "buildStatusConfig", "gitCloneDepth", "insecureSsl", "reportBuildStatus", "sourceIdentifier")
_NOT_IN_ENVIRONMENT = (
    "certificate",
    "computeConfiguration",
    "dockerServer",
    "fleet",
    "hostKernel",
    "registryCredential",
)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


def cannot_assume() -> AwsError:
    """As users of CreateProject and StartBuild quote it."""
    return invalid(
        "CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify that: 1) The provided "
        "service role exists, 2) The role name is case-sensitive and matches exactly, and 3) The role has the "
        "necessary trust policy configured."
    )


def check_settings(call: Call, settings: Mapping[str, Any]) -> None:
    """All settings of a project, or of a build with its overrides. Raises InvalidInputException,
    NotImplementedInSandbox."""
    _refuse(call, settings, _NOT_HERE, "")
    _check_role(call, settings["serviceRole"])
    _check_source(call, settings["source"], settings.get("sourceVersion"))
    _check_artifacts(call, settings["artifacts"])
    _check_environment(call, settings["environment"])
    _check_cache(call, settings.get("cache") or {})
    _check_logs(call, settings.get("logsConfig") or {})
    limit = settings.get("concurrentBuildLimit")
    if limit is not None and limit < 1 and limit != -1:
        raise invalid("Invalid concurrent build limit: it must be 1 or more")
    if limit is not None and limit > ACCOUNT_LIMIT:  # as users of CreateProject quote it
        raise invalid(
            f"Project-level concurrent build limit cannot exceed the account-level concurrent build limit of "
            f"{ACCOUNT_LIMIT}."
        )


def check_tags(tags: Mapping[str, str]) -> None:
    """The shapes have checked characters, lengths and how many; the prefix is AWS's own."""
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Invalid tags: keys that start with aws: are reserved")


def _check_role(call: Call, role: str) -> None:
    found = _ROLE.fullmatch(role)
    if found is None:
        raise invalid(f"Invalid service role: {role} is not the ARN of a role")
    if found[1] != call.caller.account:
        raise invalid("Invalid service role: Service role account ID does not match caller's account")


def _check_source(call: Call, source: Mapping[str, Any], version: str | None) -> None:
    kind, location = source["type"], source.get("location")
    if kind not in SOURCES:
        raise NotImplementedInSandbox("codebuild", call.operation, f"sources of type {kind}")
    _refuse(call, source, _NOT_IN_SOURCE, "source.")
    if (source.get("gitSubmodulesConfig") or {}).get("fetchSubmodules"):
        raise NotImplementedInSandbox("codebuild", call.operation, "submodules")
    if str(source.get("buildspec") or "").startswith("arn:"):
        raise NotImplementedInSandbox("codebuild", call.operation, "a buildspec in S3")
    if kind == "NO_SOURCE":
        if location:
            raise invalid("Invalid project source: location must be null for source type NO_SOURCE")
        if not is_inline(source.get("buildspec")):
            raise invalid("Invalid project source: source type NO_SOURCE needs an inline buildspec")
        if version:
            raise invalid("Invalid project source: source type NO_SOURCE has no version")
    elif not location:
        raise invalid("Invalid project source: location is required for source type CODECOMMIT")
    elif not _CLONE_URL.fullmatch(location):
        raise invalid("Invalid project source: location must be a valid CodeCommit clone URL")


def is_inline(buildspec: str | None) -> bool:
    """Whether it is the text of a buildspec rather than the path of one: a text has lines or is a JSON mapping."""
    return bool(buildspec) and ("\n" in str(buildspec) or str(buildspec).lstrip().startswith("{"))


def _check_artifacts(call: Call, artifacts: Mapping[str, Any]) -> None:
    if artifacts["type"] != "NO_ARTIFACTS":
        raise NotImplementedInSandbox("codebuild", call.operation, f"artifacts of type {artifacts['type']}")
    if artifacts.get("encryptionDisabled"):
        raise invalid("Invalid artifacts: encryptionDisabled is valid for artifacts of type S3 only")


def _check_environment(call: Call, environment: Mapping[str, Any]) -> None:
    if environment["type"] not in ENVIRONMENTS:
        raise NotImplementedInSandbox("codebuild", call.operation, f"environments of type {environment['type']}")
    if not environment["computeType"].startswith("BUILD_GENERAL1_"):
        raise NotImplementedInSandbox("codebuild", call.operation, f"compute type {environment['computeType']}")
    _refuse(call, environment, _NOT_IN_ENVIRONMENT, "environment.")
    names = [variable["name"] for variable in environment.get("environmentVariables") or []]
    for variable in environment.get("environmentVariables") or []:
        if variable.get("type") == "SECRETS_MANAGER":
            raise NotImplementedInSandbox("codebuild", call.operation, "variables of type SECRETS_MANAGER")
    if len(names) != len(set(names)):
        raise invalid("Invalid environment: names of environment variables must be unique")
    if any(name.startswith("CODEBUILD_") for name in names):
        raise invalid("Invalid environment: names that start with CODEBUILD_ are reserved")


def _check_cache(call: Call, cache: Mapping[str, Any]) -> None:
    kind = cache.get("type", "NO_CACHE")
    if kind == "LOCAL":
        raise NotImplementedInSandbox("codebuild", call.operation, "caches of type LOCAL")
    if kind == "S3" and not _BUCKET.fullmatch(cache.get("location") or ""):
        raise invalid("Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix")


def _check_logs(call: Call, logs: Mapping[str, Any]) -> None:
    if (logs.get("s3Logs") or {}).get("status") == "ENABLED":
        raise NotImplementedInSandbox("codebuild", call.operation, "logs in S3")


def _refuse(call: Call, given: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if given.get(name):
            raise NotImplementedInSandbox("codebuild", call.operation, where + name)
