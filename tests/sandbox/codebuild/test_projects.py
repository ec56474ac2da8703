"""Projects, and what StartBuild takes and refuses (CodeBuild API Reference, each operation's page)."""

from __future__ import annotations

import datetime

import pytest

from sandbox.codebuild import store
from tests.sandbox.codebuild.conftest import ENVIRONMENT
from tests.sandbox.lambda_functions import make_role

HELLO = "version: 0.2\nphases:\n  build:\n    commands: [echo hello]\n"
SLEEP = "version: 0.2\nphases:\n  build:\n    commands: [sleep 47]\n"
ARN = "arn:aws:codebuild:us-east-1:123456789012:project/demo"
NO_ROLE = "CodeBuild is not authorized to perform: sts:AssumeRole on service role."


def test_a_project_is_made_shown_changed_listed_and_deleted(codebuild, project, role):
    made = project(HELLO, tags=[{"key": "team", "value": "ml"}], description="one")
    assert (made["arn"], made["serviceRole"], made["description"]) == (ARN, role, "one")
    assert (made["timeoutInMinutes"], made["queuedTimeoutInMinutes"]) == (60, 480)
    assert (made["cache"], made["encryptionKey"]) == (
        {"type": "NO_CACHE"},
        "arn:aws:kms:us-east-1:123456789012:alias/aws/s3",
    )
    assert made["tags"] == [{"key": "team", "value": "ml"}]
    changed = codebuild.update_project(name="demo", description="two", timeoutInMinutes=5)["project"]
    assert (changed["description"], changed["timeoutInMinutes"], changed["tags"]) == ("two", 5, made["tags"])
    assert codebuild.update_project(name="demo", tags=[])["project"]["tags"] == []
    answer = codebuild.batch_get_projects(names=["demo", "other", ARN])
    assert [found["description"] for found in answer["projects"]] == ["two", "two"]
    assert answer["projectsNotFound"] == ["other"]
    project(HELLO, name="alpha")
    assert codebuild.list_projects()["projects"] == ["alpha", "demo"]
    assert codebuild.list_projects(sortBy="CREATED_TIME", sortOrder="DESCENDING")["projects"] == ["alpha", "demo"]
    codebuild.delete_project(name="demo")
    codebuild.delete_project(name="demo")
    assert codebuild.list_projects()["projects"] == ["alpha"]


def test_lists_come_in_pages_of_100(codebuild, project):
    for number in range(101):
        project(HELLO, name=f"p-{number:03}")
    first = codebuild.list_projects()
    rest = codebuild.list_projects(nextToken=first["nextToken"])
    assert (len(first["projects"]), rest["projects"], rest.get("nextToken")) == (100, ["p-100"], None)


def test_a_second_project_of_one_name(codebuild, project, refused, role):
    project(HELLO)
    given = {"source": {"type": "NO_SOURCE", "buildspec": HELLO}, "artifacts": {"type": "NO_ARTIFACTS"}}
    error = refused(codebuild.create_project, name="demo", environment=ENVIRONMENT, serviceRole=role, **given)
    assert error == ("ResourceAlreadyExistsException", f"Project already exists: {ARN}")


def test_a_role_that_codebuild_cannot_take(codebuild, project, refused, shared_client, role):
    given = {"name": "other", "environment": ENVIRONMENT, "artifacts": {"type": "NO_ARTIFACTS"}}
    given |= {"source": {"type": "NO_SOURCE", "buildspec": HELLO}}
    other = make_role(shared_client("iam"), "other-role")
    for arn in (other, role + "-gone"):
        code, message = refused(codebuild.create_project, serviceRole=arn, **given)
        assert (code, message.startswith(NO_ROLE)) == ("InvalidInputException", True)
    project(HELLO)
    assert refused(codebuild.start_build, projectName="demo", serviceRoleOverride=other)[0] == "InvalidInputException"
    shared_client("iam").delete_role(RoleName="build-role")
    code, message = refused(codebuild.start_build, projectName="demo")
    assert (code, message.startswith(NO_ROLE)) == ("InvalidInputException", True)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"source": {"type": "NO_SOURCE"}}, "InvalidInputException"),
        ({"source": {"type": "NO_SOURCE", "buildspec": "buildspec.yml"}}, "InvalidInputException"),
        ({"source": {"type": "CODECOMMIT"}}, "InvalidInputException"),
        ({"source": {"type": "CODECOMMIT", "location": "demo"}}, "InvalidInputException"),
        ({"source": {"type": "S3", "location": "bucket/key"}}, "NotImplementedInSandbox"),
        (
            {"source": {"type": "CODECOMMIT", "location": "https://x/v1/repos/r", "gitCloneDepth": 1}},
            "NotImplementedInSandbox",
        ),
        ({"artifacts": {"type": "S3", "location": "bucket"}}, "NotImplementedInSandbox"),
        ({"cache": {"type": "S3"}}, "InvalidInputException"),
        ({"cache": {"type": "LOCAL"}}, "NotImplementedInSandbox"),
        ({"serviceRole": "arn:aws:iam::999999999999:role/x"}, "InvalidInputException"),
        ({"serviceRole": "role"}, "InvalidInputException"),
        ({"timeoutInMinutes": 4}, "InvalidInputException"),
        ({"concurrentBuildLimit": 0}, "InvalidInputException"),
        ({"concurrentBuildLimit": 61}, "InvalidInputException"),
        ({"tags": [{"key": "aws:x", "value": "1"}]}, "InvalidInputException"),
        ({"vpcConfig": {"vpcId": "vpc-1"}}, "NotImplementedInSandbox"),
        ({"logsConfig": {"s3Logs": {"status": "ENABLED", "location": "b"}}}, "NotImplementedInSandbox"),
        ({"environment": {**ENVIRONMENT, "type": "WINDOWS_SERVER_2022_CONTAINER"}}, "NotImplementedInSandbox"),
        (
            {"environment": {**ENVIRONMENT, "environmentVariables": [{"name": "CODEBUILD_X", "value": "1"}]}},
            "InvalidInputException",
        ),
    ],
)
def test_settings_that_are_refused(codebuild, refused, role, settings, code):
    given = {
        "name": "demo",
        "source": {"type": "NO_SOURCE", "buildspec": HELLO},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": ENVIRONMENT,
        "serviceRole": role,
    }
    assert refused(codebuild.create_project, **{**given, **settings})[0] == code


def test_what_is_not_there(codebuild, refused):
    gone = ("ResourceNotFoundException", f"Project cannot be found: {ARN}")
    assert refused(codebuild.start_build, projectName="demo") == gone
    assert refused(codebuild.list_builds_for_project, projectName="demo") == gone
    assert refused(codebuild.update_project, name="demo") == gone
    assert refused(codebuild.stop_build, id="demo:1")[0] == "ResourceNotFoundException"
    assert codebuild.batch_get_builds(ids=["demo:1"])["buildsNotFound"] == ["demo:1"]
    assert refused(codebuild.list_report_groups)[0] == "NotImplementedInSandbox"


def test_a_token_lives_for_five_minutes(sandbox, codebuild, project, refused, monkeypatch):
    project(HELLO)
    first = codebuild.start_build(projectName="demo", idempotencyToken="t")["build"]["id"]
    assert codebuild.start_build(projectName="demo", idempotencyToken="t")["build"]["id"] == first
    changed = {"projectName": "demo", "idempotencyToken": "t", "sourceTypeOverride": "NO_SOURCE"}
    assert refused(codebuild.start_build, **changed)[0] == "InvalidInputException"
    later = store.now() + datetime.timedelta(minutes=5, seconds=1)
    monkeypatch.setattr("sandbox.codebuild.builds.now", lambda: later)
    assert codebuild.start_build(**changed)["build"]["id"] != first
    sandbox.wait_until_quiet()


def test_a_limit_of_concurrent_builds_refuses_and_does_not_queue(sandbox, codebuild, project, refused):
    project(SLEEP, concurrentBuildLimit=1)
    first = codebuild.start_build(projectName="demo")["build"]
    assert first["buildStatus"] == "IN_PROGRESS"
    assert refused(codebuild.start_build, projectName="demo")[0] == "AccountLimitExceededException"
    codebuild.stop_build(id=first["id"])
    second = codebuild.start_build(projectName="demo")["build"]
    assert second["buildNumber"] == 2
    assert codebuild.update_project(name="demo", concurrentBuildLimit=-1)["project"].get("concurrentBuildLimit") is None
    third = codebuild.start_build(projectName="demo")["build"]
    assert codebuild.list_builds_for_project(projectName="demo")["ids"] == [third["id"], second["id"], first["id"]]
    ascending = codebuild.list_builds_for_project(projectName="demo", sortOrder="ASCENDING")["ids"]
    assert ascending == [first["id"], second["id"], third["id"]]
    assert codebuild.list_builds(sortOrder="ASCENDING")["ids"] == sorted(ascending)
    codebuild.delete_project(name="demo")
    assert [build["id"] for build in codebuild.batch_get_builds(ids=ascending)["builds"]] == ascending
    sandbox.reset()


def test_what_iam_is_asked(sandbox, codebuild, project, role):
    project(HELLO, tags=[{"key": "team", "value": "ml"}])
    codebuild.start_build(projectName="demo", serviceRoleOverride=role)
    sandbox.wait_until_quiet()
    calls = {call["operation"]: call for call in sandbox.calls if call["service"] == "codebuild"}
    asked = {
        name: [(check["action"], check["resource"]) for check in call["authorization"]] for name, call in calls.items()
    }
    assert asked["CreateProject"] == [("codebuild:CreateProject", ARN), ("iam:PassRole", role)]
    assert asked["StartBuild"] == [("codebuild:StartBuild", ARN), ("iam:PassRole", role)]
    assert calls["StartBuild"]["authorization"][0]["context"]["aws:ResourceTag/team"] == "ml"
    assert calls["StartBuild"]["resource"] == [ARN, role]


def test_overrides_are_condition_keys(sandbox, codebuild, project, refused):
    """User Guide, "AWS CodeBuild condition keys": a policy may deny StartBuild where the request has a buildspec."""
    project(HELLO)
    codebuild.start_build(projectName="demo", idempotencyToken="t")
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    codebuild.start_build(
        projectName="demo",
        buildspecOverride=HELLO,
        environmentVariablesOverride=variables,
        cacheOverride={"type": "NO_CACHE"},
    )
    sandbox.wait_until_quiet()
    made, plain, overriding = (
        {key: value for key, value in call["authorization"][0]["context"].items() if key.startswith("codebuild:")}
        for call in sandbox.calls
        if call["service"] == "codebuild"
    )
    assert plain == {}
    assert overriding == {
        "codebuild:source": "true",
        "codebuild:source.buildspec": "true",
        "codebuild:environment": "true",
        "codebuild:environment.environmentVariables": "true",
        "codebuild:environment.environmentVariables.name": ["A", "B"],
        "codebuild:environment.environmentVariables.value": ["1", "2"],
        "codebuild:environment.environmentVariables/A.value": "1",
        "codebuild:environment.environmentVariables/B.value": "2",
        "codebuild:cache": "true",
        "codebuild:cache.type": "NO_CACHE",
    }
    assert made["codebuild:environment.image"] == ENVIRONMENT["image"]
    assert made["codebuild:serviceRole"].endswith(":role/build-role")
