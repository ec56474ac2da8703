"""Builds that run (User Guide, "Buildspec syntax", "Build phase transitions", "Environment variables in build
environments")."""

from __future__ import annotations

import os
import time

import pytest

from sandbox.codebuild.work import Work
from tests.sandbox.codebuild.conftest import ENVIRONMENT

pytestmark = pytest.mark.slow

CONTAINER = ("PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS")
ALL = dict.fromkeys(("SUBMITTED", "QUEUED", *CONTAINER, "FINALIZING"), "SUCCEEDED") | {"COMPLETED": ""}


def spec(*commands: str) -> str:
    lines = "".join(f"      - |\n        {command}\n" for command in commands)
    return f"version: 0.2\nphases:\n  build:\n    commands:\n{lines}"


def test_a_build_goes_through_all_phases_and_writes_its_log(sandbox, project, finished, phases, log_of, role):
    project(spec("echo hello"))
    build = finished()
    assert (build["buildStatus"], build["buildComplete"], build["currentPhase"]) == ("SUCCEEDED", True, "COMPLETED")
    assert phases(build) == ALL
    assert (build["id"], build["buildNumber"]) == (f"demo:{build['logs']['streamName']}", 1)
    assert build["logs"]["groupName"] == "/aws/codebuild/demo"
    assert (build["initiator"], build["serviceRole"]) == ("developer", role)
    lines = log_of(build)
    assert "hello" in lines
    assert any(line.endswith("Running command echo hello") for line in lines)
    assert any(line.endswith("Phase complete: BUILD State: SUCCEEDED") for line in lines)
    session = f"assumed-role/build-role/AWSCodeBuild-{build['logs']['streamName']}"
    by_role = {call["operation"] for call in sandbox.calls if (call["role"] or "").endswith(session)}
    assert by_role == {"CreateLogStream", "CreateLogGroup", "PutLogEvents"}


def test_commands_share_one_shell(project, finished, printed):
    """Buildspec version 0.2: folders and variables carry over, whether they are exported or not."""
    project(
        """
        version: 0.2
        phases:
          install:
            commands:
              - PLAIN=one
              - export EXPORTED=two
              - mkdir below && cd below
          build:
            commands:
              - echo $PLAIN $EXPORTED $(basename $PWD)
              - sh -c 'echo "[$PLAIN] $EXPORTED"'
              - read line || echo no input
        """
    )
    assert printed(finished()) == ["one two below", "[] two", "no input"]


@pytest.mark.parametrize("shell", ["/bin/sh", "bash"])
def test_after_exit_the_folder_and_exported_variables_are_still_there(project, finished, printed, shell):
    project(
        f"""
        version: 0.2
        env: {{shell: {shell}, exported-variables: [TEXT]}}
        phases:
          build:
            commands:
              - export TEXT="it's
                two lines" && mkdir below && cd below
              - exit 1
            finally:
              - echo "$TEXT" in $(basename $PWD), $0
          post_build:
            commands:
              - set -e; false; echo never
        """
    )
    build = finished()
    (line,) = printed(build)
    assert line.startswith("it's two lines in below, ")
    assert build["exportedEnvironmentVariables"] == [{"name": "TEXT", "value": "it's two lines"}]
    assert [phase["phaseStatus"] for phase in build["phases"] if phase["phaseType"].endswith("BUILD")] == [
        "SUCCEEDED",
        "FAILED",
        "FAILED",
    ]


def test_what_a_command_leaves_running_ends_with_the_build(project, finished, printed):
    project(spec("sleep 47 & echo $!"))
    build = finished()
    assert build["buildStatus"] == "SUCCEEDED"
    assert not _runs(int(printed(build)[0]))


def test_a_build_leaves_no_file_open(project, finished):
    project(spec("exit 1"))
    finished()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        finished()
    assert len(os.listdir("/proc/self/fd")) < before + 5


def test_what_the_sandbox_has_not_ends_in_a_fault(project, finished, context):
    project("version: 0.2\nphases: {build: {commands: [ls]}}\nartifacts: {files: [a]}\n")
    build = finished()
    assert (build["buildStatus"], context(build, "DOWNLOAD_SOURCE")[0]) == ("FAULT", "NotImplementedInSandbox")


def test_the_environment_is_clean_and_documented(sandbox, project, finished, printed, monkeypatch):
    monkeypatch.setenv("OF_THE_SANDBOX", "secret")
    project(spec("env | sort"))
    build = finished()
    found = dict(line.split("=", 1) for line in printed(build) if "=" in line)
    assert "OF_THE_SANDBOX" not in found
    assert found["CODEBUILD_BUILD_ID"] == build["id"]
    assert found["CODEBUILD_BUILD_ARN"] == build["arn"]
    assert found["CODEBUILD_BUILD_NUMBER"] == "1"
    assert found["CODEBUILD_BUILD_SUCCEEDING"] == "1"
    assert found["CODEBUILD_INITIATOR"] == "developer"
    assert found["CODEBUILD_LOG_PATH"] == build["logs"]["streamName"]
    assert found["CODEBUILD_PROJECT_ARN"] == "arn:aws:codebuild:us-east-1:123456789012:project/demo"
    assert found["CODEBUILD_SRC_DIR"] == found["PWD"]
    assert int(found["CODEBUILD_START_TIME"]) == int(build["startTime"].timestamp() * 1000)
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    assert found["AWS_ACCESS_KEY_ID"] == "***"  # hidden in logs
    assert "CODEBUILD_SOURCE_VERSION" not in found
    assert not os.path.exists(found["PWD"])


def test_the_build_acts_as_its_role(sandbox, project, finished, aws_cli):
    project(spec(f"{aws_cli} codecommit list-repositories"))
    assert finished()["buildStatus"] == "SUCCEEDED"
    (call,) = (call for call in sandbox.calls if call["operation"] == "ListRepositories")
    assert ":assumed-role/build-role/AWSCodeBuild-" in call["role"]


def test_a_failed_build_phase_is_followed_by_post_build(project, finished, phases, context, printed):
    project(
        """
        version: 0.2
        phases:
          build:
            commands:
              - exit 3
              - echo never
            finally:
              - echo finally
          post_build:
            commands:
              - echo succeeding $CODEBUILD_BUILD_SUCCEEDING
        """
    )
    build = finished()
    assert build["buildStatus"] == "FAILED"
    assert phases(build) == ALL | {"BUILD": "FAILED"}
    why = "Error while executing command: exit 3. Reason: exit status 3"
    assert context(build, "BUILD") == ("COMMAND_EXECUTION_ERROR", why)
    assert context(build, "POST_BUILD") == ("", "")
    assert printed(build) == ["finally", "succeeding 0"]


@pytest.mark.parametrize(
    ("failing", "wish", "after"),
    [
        ("install", "", ["FINALIZING", "COMPLETED"]),
        ("pre_build", "", ["FINALIZING", "COMPLETED"]),
        ("pre_build", "on-failure: CONTINUE", ["BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"]),
        ("build", "on-failure: ABORT", ["UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"]),
        ("post_build", "", ["UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"]),
    ],
)
def test_what_follows_a_failed_phase(project, finished, phases, failing, wish, after):
    project(f"version: 0.2\nphases:\n  {failing}:\n    {wish}\n    commands:\n      - 'false'\n")
    build = finished()
    names = list(phases(build))
    assert (build["buildStatus"], phases(build)[failing.upper()]) == ("FAILED", "FAILED")
    assert names[names.index(failing.upper()) + 1 :] == after


def test_variables_of_the_build_win_over_the_project_s_and_those_over_the_buildspec_s(
    shared_client, project, finished, printed, codebuild
):
    ssm = shared_client("ssm")
    for name in ("/a", "/b"):
        ssm.put_parameter(Name=name, Value=f"secret{name[1:]}", Type="SecureString")
    buildspec = """
        version: 0.2
        env:
          variables: {A: spec, B: spec, C: spec, N: 010, Y: yes}
          parameter-store: {P: /a}
          exported-variables: [A, LATE]
        phases:
          build:
            commands:
              - echo $A $B $C $N $Y
              - echo ${#P} ${#Q} $P
              - LATE='a b'
        """
    variables = [{"name": "B", "value": "project"}, {"name": "A", "value": "project"}]
    stored = {"name": "Q", "value": "/b", "type": "PARAMETER_STORE"}
    project(buildspec, environment={**ENVIRONMENT, "environmentVariables": [*variables, stored]})
    build = finished(environmentVariablesOverride=[{"name": "A", "value": "build"}])
    assert printed(build) == ["build project spec 010 yes", "7 7 ***"]
    assert build["exportedEnvironmentVariables"] == [{"name": "A", "value": "build"}, {"name": "LATE", "value": "a b"}]


def test_a_parameter_that_is_not_there_fails_the_build(project, finished, context):
    project("version: 0.2\nenv:\n  parameter-store:\n    P: /nowhere\nphases:\n  build:\n    commands: [ls]\n")
    build = finished()
    assert context(build, "DOWNLOAD_SOURCE") == ("Decrypted Variables Error", "parameter does not exist: /nowhere")


def test_a_role_that_may_not_write_logs_gets_no_further_than_the_queue(sandbox, project, finished, phases, context):
    project(spec("echo hello"))
    sandbox.set_faults([{"service": "logs", "operation": "CreateLogStream", "fault": "access-denied", "times": None}])
    build = finished()
    assert phases(build) == {"SUBMITTED": "SUCCEEDED", "QUEUED": "FAILED", "COMPLETED": ""}
    code, message = context(build, "QUEUED")
    assert code == "ACCESS_DENIED"
    assert "does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build" in message


def test_a_stopped_build_leaves_no_process(sandbox, codebuild, project, phases, tmp_path):
    project(spec(f"setsid sleep 47 & echo $! >{tmp_path}/pid; sleep 47"))
    identity = codebuild.start_build(projectName="demo")["build"]["id"]
    deadline = time.monotonic() + 10
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stopped = codebuild.stop_build(id=identity)["build"]
    assert (stopped["buildStatus"], stopped["buildComplete"]) == ("STOPPED", True)
    assert list(phases(stopped).items())[-2:] == [("BUILD", "STOPPED"), ("COMPLETED", "")]
    assert not _runs(int((tmp_path / "pid").read_text()))
    assert codebuild.stop_build(id=identity)["build"]["buildStatus"] == "STOPPED"


def test_a_build_that_takes_too_long_times_out(sandbox, monkeypatch, project, finished, phases, context):
    monkeypatch.setattr(Work, "minute", 0.1)
    project(spec("sleep 47"), timeoutInMinutes=5)
    build = finished()
    assert (build["buildStatus"], phases(build)["BUILD"]) == ("TIMED_OUT", "TIMED_OUT")
    assert context(build, "BUILD")[0] == "BUILD_TIMED_OUT"


def test_a_reset_ends_builds(sandbox, codebuild, project, tmp_path):
    project(spec(f"echo $$ >{tmp_path}/pid; sleep 47"))
    codebuild.start_build(projectName="demo")
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    sandbox.reset()
    sandbox.wait_until_quiet(1)
    assert not _runs(int((tmp_path / "pid").read_text()))
    assert codebuild.list_builds()["ids"] == []


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
