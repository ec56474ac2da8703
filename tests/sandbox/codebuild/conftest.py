"""What the tests of CodeBuild share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.lambda_functions import make_role

ENVIRONMENT = {
    "type": "LINUX_CONTAINER",
    "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}


@pytest.fixture
def codebuild(shared_client) -> Any:
    return shared_client("codebuild")


@pytest.fixture
def role(shared_client) -> str:
    return make_role(shared_client("iam"), "build-role", "codebuild.amazonaws.com")


@pytest.fixture
def project(codebuild, role) -> Callable[..., dict[str, Any]]:
    """project(buildspec, name="demo", source={...}, **settings) -> what CreateProject answers."""

    def make(buildspec: str = "", name: str = "demo", source: Any = None, **settings: Any) -> dict[str, Any]:
        inline = {"type": "NO_SOURCE", "buildspec": textwrap.dedent(buildspec)}
        given = {
            "name": name,
            "source": source or inline,
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": ENVIRONMENT,
            "serviceRole": role,
            **settings,
        }
        answer: dict[str, Any] = codebuild.create_project(**given)["project"]
        return answer

    return make


@pytest.fixture
def finished(sandbox, codebuild) -> Callable[..., dict[str, Any]]:
    """finished(**StartBuild) -> the build, once the sandbox is quiet."""

    def run(project_name: str = "demo", **params: Any) -> dict[str, Any]:
        identity = codebuild.start_build(projectName=project_name, **params)["build"]["id"]
        sandbox.wait_until_quiet()
        (build,) = codebuild.batch_get_builds(ids=[identity])["builds"]
        return dict(build)

    return run


@pytest.fixture
def log_of(shared_client) -> Callable[[dict[str, Any]], list[str]]:
    """log_of(build) -> its lines in CloudWatch Logs."""

    def read(build: dict[str, Any]) -> list[str]:
        where = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
        events = shared_client("logs").get_log_events(**where, startFromHead=True)["events"]
        return [event["message"].removesuffix("\n") for event in events]

    return read


@pytest.fixture
def printed(log_of) -> Callable[[dict[str, Any]], list[str]]:
    """printed(build) -> what its commands printed."""
    return lambda build: [line for line in log_of(build) if not line.startswith("[Container]")]


@pytest.fixture
def phases() -> Callable[[dict[str, Any]], dict[str, str]]:
    """phases(build) -> name and status of each phase, in their order."""
    return lambda build: {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


@pytest.fixture
def context() -> Callable[[dict[str, Any], str], tuple[str, str]]:
    """context(build, "BUILD") -> status code and message of the phase's context."""

    def find(build: dict[str, Any], phase: str) -> tuple[str, str]:
        (found,) = (each for each in build["phases"] if each["phaseType"] == phase)
        (told,) = found["contexts"]
        return told["statusCode"], told["message"]

    return find
