"""Where a build's source and buildspec come from (User Guide, "Source version sample", "Buildspec file name and storage
location")."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

SHOW = """version: 0.2
phases:
  build:
    commands:
      - cat file.txt
      - echo $CODEBUILD_SOURCE_VERSION $CODEBUILD_RESOLVED_SOURCE_VERSION $CODEBUILD_SOURCE_REPO_URL
"""


@pytest.fixture
def repository(clone, project):
    """A repository `demo` with a buildspec, and a project of it; its clone."""
    work = clone()
    work.commit("buildspec.yml", SHOW)
    work.commit("file.txt", "first\n")
    work.git("push", "-q", "origin", "main")
    project(source={"type": "CODECOMMIT", "location": work.git("remote", "get-url", "origin").stdout.strip()})
    return work


def test_the_pushed_commit_is_cloned_as_the_service_role(sandbox, repository, finished, printed):
    head = repository.git("rev-parse", "HEAD").stdout.strip()
    sandbox.clear_calls()
    build = finished()
    url = build["source"]["location"]
    assert (build["buildStatus"], build["resolvedSourceVersion"]) == ("SUCCEEDED", head)
    assert "sourceVersion" not in build
    assert printed(build) == ["first", f"{head} {url}"]
    (pull,) = (call for call in sandbox.calls if call["operation"] == "GitPull")
    assert ":assumed-role/build-role/AWSCodeBuild-" in pull["role"]
    assert pull["resource"] == "arn:aws:codecommit:us-east-1:123456789012:demo"


def test_a_version_is_a_commit_a_branch_or_a_tag(repository, finished, printed):
    first = repository.git("rev-parse", "HEAD").stdout.strip()
    repository.git("tag", "v1")
    repository.git("checkout", "-q", "-b", "dev")
    second = repository.commit("file.txt", "second\n")
    repository.git("push", "-q", "origin", "dev", "v1")
    for version, commit, content in (
        (first, first, "first"),
        ("dev", second, "second"),
        ("refs/heads/dev", second, "second"),
        ("v1", first, "first"),
        ("refs/tags/v1", first, "first"),
    ):
        build = finished(sourceVersion=version)
        assert (build["sourceVersion"], build["resolvedSourceVersion"]) == (version, commit)
        assert printed(build)[0] == content
        assert printed(build)[1].startswith(f"{version} {commit} ")


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("nowhere", "reference not found for primary source and source version nowhere"),
        ("0" * 40, f"object not found for primary source and source version {'0' * 40}"),
        ("--help", "reference not found for primary source and source version --help"),
    ],
)
def test_a_version_that_is_not_there_fails_the_download(repository, finished, phases, context, version, why):
    build = finished(sourceVersion=version)
    assert context(build, "DOWNLOAD_SOURCE") == ("CLIENT_ERROR", why)
    assert build["buildStatus"] == "FAILED"
    assert list(phases(build).items())[-3:] == [
        ("DOWNLOAD_SOURCE", "FAILED"),
        ("FINALIZING", "SUCCEEDED"),
        ("COMPLETED", ""),
    ]


def test_a_repository_that_is_not_there_fails_the_download(repository, finished, context):
    url = repository.git("remote", "get-url", "origin").stdout.strip()
    build = finished(sourceLocationOverride=url.replace("demo", "other"), sourceVersion="refs/heads/main")
    why = "repository not found for primary source and source version refs/heads/main"
    assert context(build, "DOWNLOAD_SOURCE") == ("CLIENT_ERROR", why)


def test_a_refused_pull_fails_the_download(sandbox, repository, finished, context):
    sandbox.set_faults([{"service": "codecommit", "operation": "GitPull", "fault": "access-denied", "times": None}])
    assert context(finished(), "DOWNLOAD_SOURCE")[0] == "CLIENT_ERROR"


def test_the_aws_url_of_a_repository_means_the_sandbox_s(repository, finished, printed):
    url = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo"
    build = finished(sourceLocationOverride=url)
    assert printed(build)[1].endswith(url)


def test_a_buildspec_that_is_not_there(repository, finished, context):
    code, message = context(finished(buildspecOverride="ci/other.yml"), "DOWNLOAD_SOURCE")
    assert code == "YAML_FILE_ERROR"
    assert message.startswith("stat /")
    assert message.endswith("/v1/repos/demo/ci/other.yml: no such file or directory")
    repository.git("rm", "-q", "buildspec.yml")
    repository.git("commit", "-q", "-m", "gone")
    repository.git("push", "-q", "origin", "main")
    assert context(finished(), "DOWNLOAD_SOURCE") == ("YAML_FILE_ERROR", "YAML file does not exist")


def test_another_buildspec_of_the_source_or_of_the_request(repository, finished, printed):
    repository.commit("ci/other.yml", "version: 0.2\nphases: {build: {commands: [echo other]}}\n")
    repository.git("push", "-q", "origin", "main")
    assert printed(finished(buildspecOverride="ci/other.yml")) == ["other"]
    inline = "version: 0.2\nphases:\n  build:\n    commands: [echo inline]\n"
    assert printed(finished(buildspecOverride=inline)) == ["inline"]
    build = finished(sourceTypeOverride="NO_SOURCE", buildspecOverride=inline)
    assert (build["source"]["type"], build.get("resolvedSourceVersion")) == ("NO_SOURCE", None)


def test_git_of_the_build_is_let_in_by_the_credential_helper_alone(sandbox, repository, finished):
    fetch = "phases:\n  build:\n    commands:\n      - git fetch -q origin\n"
    assert finished(buildspecOverride=f"version: 0.2\n{fetch}")["buildStatus"] == "FAILED"
    allowed = f"version: 0.2\nenv:\n  git-credential-helper: yes\n{fetch}"
    assert finished(buildspecOverride=allowed)["buildStatus"] == "SUCCEEDED"
