"""The pull request of an update: opened where the repository has a remote and nothing is left to decide."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from mlops.update.git_template import GitTemplate
from sandbox.server import Sandbox
from tests.conftest import Repository
from tests.update.in_process import update
from tests.update.interrupting import at_git, interrupt
from tests.update.template_source import TemplateSource, git

pytestmark = pytest.mark.slow
BRANCH = "template-update/9.0.0"
NAME = "tumor-diagnosis"


@pytest.fixture(scope="module")
def newer(template_now: TemplateSource, tmp_path_factory: pytest.TempPathFactory) -> TemplateSource:
    """This repository's template with a newer release. No test changes it."""
    template = template_now.copy(tmp_path_factory.mktemp("newer") / "template")
    template.edit(template.in_project("mlops/tags.py"), '"""The tags that', '"""All the tags that')
    template.release("9.0.0", "- All the tags.")
    return template


@pytest.fixture(scope="module")
def set_up(
    running_sandbox: Sandbox, template_now: TemplateSource, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    """A repository on CodeCommit. Tests change copies of it."""
    made = template_now.generate(tmp_path_factory.mktemp("made"), owner="ada@example.org")
    repository = Repository(made.path, {**running_sandbox.environment(), "PYTHONDONTWRITEBYTECODE": "1"})
    repository.mlops("setup", "--yes")
    return repository


@pytest.fixture
def live(aws: Sandbox, set_up: Repository, tmp_path: Path) -> Repository:
    """A copy of it, which CodeCommit has in a repository without pull requests."""
    repository = Repository(shutil.copytree(set_up.path, tmp_path / NAME), set_up.environment)
    codecommit(aws).create_repository(repositoryName=NAME)
    repository.git("push", "--quiet", "origin", "main", "dev")
    return repository


def codecommit(aws: Sandbox) -> Any:
    with patch.dict(os.environ, aws.environment()):
        return boto3.Session().client("codecommit")


def pull_requests(aws: Sandbox) -> list[dict[str, Any]]:
    """Return the pull requests that CodeCommit has of the repository."""
    client = codecommit(aws)
    numbers = client.list_pull_requests(repositoryName=NAME)["pullRequestIds"]
    return [client.get_pull_request(pullRequestId=number)["pullRequest"] for number in numbers]


def remote_branches(repository: Repository) -> dict[str, str]:
    """Return the branches of the remote and their commits."""
    lines = repository.git("ls-remote", "--heads", "origin").splitlines()
    return {name.removeprefix("refs/heads/"): commit for commit, name in map(str.split, lines)}


def push_an_earlier_update(repository: Repository) -> str:
    """Have another update in the remote's branch, as from another clone; return its commit."""
    earlier = git(repository.path, "commit-tree", "dev^{tree}", "-p", "dev", "-m", "An earlier update")
    repository.git("push", "--quiet", "origin", f"{earlier}:refs/heads/{BRANCH}")
    return earlier


def test_it_is_opened_on_codecommit_once_and_squashed_there_nothing_is_left_to_update(
    aws: Sandbox, live: Repository, newer: TemplateSource
) -> None:
    before = len(aws.calls)
    done = live.mlops("update", "--template", str(newer.path))
    assert "Opened pull request 1 of tumor-diagnosis on CodeCommit." in done.stdout
    assert [call["operation"] for call in aws.calls[before:]] == ["GitPush", "CreatePullRequest"]
    [request] = pull_requests(aws)
    [target] = request["pullRequestTargets"]
    now = GitTemplate(str(newer.path), newer.path).find("HEAD~1").name
    assert request["title"] == f"Update the template from {now} to 9.0.0"
    assert "- All the tags." in request["description"]
    assert target["sourceReference"] == f"refs/heads/{BRANCH}"
    assert target["destinationReference"] == "refs/heads/dev"
    assert target["sourceCommit"] == live.git("rev-parse", BRANCH)

    again = update(live, newer)
    assert f"The branch {BRANCH} is there already, with the same in it" in again.stdout
    assert "Opened pull request 1 of" in again.stdout
    assert len(pull_requests(aws)) == 1

    codecommit(aws).merge_pull_request_by_squash(pullRequestId="1", repositoryName=NAME)
    live.git("pull", "--quiet", "--ff-only", "origin", "dev")
    assert (live.path / "mlops/tags.py").read_text("utf-8").startswith('"""All the tags')
    assert update(live, newer, "--check").returncode == 0


def test_new_resources_that_the_answers_want_appear_in_setups_plan(
    aws: Sandbox, live: Repository, newer: TemplateSource
) -> None:
    live.mlops("setup", "--yes")
    before = len(aws.calls)
    update(live, newer, "--answer", "scenario=champion-challenger", "--no-pull-request")
    assert aws.calls[before:] == []
    live.git("switch", "--quiet", BRANCH)
    plan = live.mlops("setup", "--plan").stdout.splitlines()
    created = {line.split()[-2] for line in plan if line.startswith("create ")}
    assert created == {"tumor-diagnosis-champion", "tumor-diagnosis-challenger"}


def test_what_the_remote_has_of_an_earlier_update_is_not_written_over(
    aws: Sandbox, live: Repository, newer: TemplateSource
) -> None:
    earlier = push_an_earlier_update(live)
    done = update(live, newer)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"the branch {BRANCH} is made, but no pull request: origin has the branch with something else in it; "
        f"merge its pull request, or remove it with: git push origin :{BRANCH}"
    )
    assert remote_branches(live)[BRANCH] == earlier
    assert not pull_requests(aws)
    live.git("push", "--quiet", "origin", f":{BRANCH}")
    assert "Opened pull request 1 of" in update(live, newer).stdout


def test_with_conflicts_nothing_is_pushed_and_the_commands_that_are_printed_work(
    aws: Sandbox, live: Repository, newer: TemplateSource
) -> None:
    text = (live.path / "mlops/tags.py").read_text("utf-8")
    (live.path / "mlops/tags.py").write_text(text.replace('"""The tags that', '"""Our tags that'), "utf-8")
    git(live.path, "commit", "--quiet", "--all", "--message", "Ours")
    before = len(aws.calls)
    done = update(live, newer)
    assert aws.calls[before:] == []
    assert "decide  mlops/tags.py" in done.stdout
    lines = [line.partition("   #")[0].strip() for line in done.stdout.split("Next:\n")[1].splitlines()]
    assert lines[0] == f"git switch {BRANCH}"
    for line in lines:
        script = line.replace("git commit -a", "git -c user.name=T -c user.email=t@example.org commit -q -a -m Decided")
        live.run("sh", "-euc", "sed -i.old '/^[<=>]\\{7\\}/d' mlops/tags.py && rm mlops/tags.py.old && " + script)
    assert [request["pullRequestStatus"] for request in pull_requests(aws)] == ["OPEN"]


def test_refused_it_leaves_the_branch_and_says_how_it_goes_on(
    aws: Sandbox, live: Repository, newer: TemplateSource
) -> None:
    for operation, reason in (
        ("GitPush", "git push: "),
        ("CreatePullRequest", "CreatePullRequest is not allowed"),
    ):
        aws.set_faults(
            [{"service": "codecommit", "operation": operation, "call": 1, "times": None, "fault": "access-denied"}]
        )
        done = update(live, newer)
        assert done.returncode == 1
        assert f"The branch {BRANCH} is made" in done.stdout
        [line] = [line for line in done.stderr.splitlines() if "pull request" in line]
        assert line.startswith(f"the branch {BRANCH} is made, but no pull request: ")
        assert reason in line
        assert f"git push origin {BRANCH}" in done.stdout
        assert (BRANCH in remote_branches(live)) is (operation == "CreatePullRequest")
        aws.set_faults([])
        if operation == "GitPush":
            live.git("branch", "--quiet", "-D", BRANCH)
    assert "Opened pull request 1" in update(live, newer).stdout


@pytest.fixture(scope="module")
def for_github(template_now: TemplateSource, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository that goes to GitHub. Tests change copies of it."""
    answers = {"source_control": "github", "github_repository": "org/tumor-diagnosis"}
    return template_now.generate(tmp_path_factory.mktemp("for-github"), **answers)


@pytest.fixture
def on_github(for_github: Repository, tmp_path: Path) -> Repository:
    """A copy of it on GitHub, whose command line is a stand-in."""
    made = Repository(shutil.copytree(for_github.path, tmp_path / NAME))
    program, github = tmp_path / "bin/gh", tmp_path / "github"
    program.parent.mkdir()
    stand_in = (Path(__file__).parents[1] / "setup/stand_in_gh.py").read_text("utf-8")
    program.write_text(f"#!{sys.executable} -IS\n{stand_in}")
    program.chmod(0o755)
    bare = github / "org/tumor-diagnosis.git"
    bare.mkdir(parents=True)
    git(bare, "init", "--quiet", "--bare")
    facts = {"clone_url": bare.as_uri(), "default_branch": "main", "description": ""}
    (github / "org/tumor-diagnosis.json").write_text(json.dumps(facts))
    made.git("remote", "add", "origin", bare.as_uri())
    made.git("push", "--quiet", "origin", "main", "dev")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return Repository(made.path, {"PATH": path, "GH_STANDS_IN": str(github)})


def test_it_is_opened_on_github_by_gh_with_commits_of_dev_that_were_not_pushed(
    on_github: Repository, newer: TemplateSource
) -> None:
    git(on_github.path, "commit", "--quiet", "--allow-empty", "--message", "Mine")
    done = update(on_github, newer)
    assert "Opened https://github.com/org/tumor-diagnosis/pull/1." in done.stdout
    assert "Your dev has 1 commit that the remote's has not" in done.stderr
    assert BRANCH in remote_branches(on_github)
    assert "Opened https://github.com/org/tumor-diagnosis/pull/1." in update(on_github, newer).stdout


def test_without_gh_its_command_is_printed(on_github: Repository, newer: TemplateSource) -> None:
    done = update(Repository(on_github.path), newer)
    assert remote_branches(on_github).keys() == {"main", "dev"}
    push, create = (line.strip() for line in done.stdout.splitlines()[-2:])
    assert push == f"git push origin {BRANCH}"
    on_github.run("sh", "-euc", f"{push} && {create}")
    assert BRANCH in remote_branches(on_github)


def interrupt_the_push(repository: Repository, template: TemplateSource, folder: Path, *, after: bool = False) -> None:
    """Press Ctrl-C before or after the branch is pushed, and assert the one line."""
    command = [sys.executable, "-m", "mlops", "update", "--template", str(template.path)]
    with patch.dict(os.environ, repository.environment):
        done = interrupt(command, repository.path, at_git("push", folder, after=after), {})
    assert done.returncode == 1
    assert done.stderr == "interrupted; nothing was left behind. Next: mlops update\n"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_ctrl_c_while_it_is_pushed_leaves_no_branch_here_and_none_there(
    on_github: Repository, newer: TemplateSource, tmp_path: Path, after: bool
) -> None:
    interrupt_the_push(on_github, newer, tmp_path / "stop", after=after)
    assert not on_github.git("branch", "--list", "template-update/*")
    assert remote_branches(on_github).keys() == {"main", "dev"}


def test_ctrl_c_while_it_is_pushed_leaves_there_what_an_earlier_update_made(
    on_github: Repository, newer: TemplateSource, tmp_path: Path
) -> None:
    earlier = push_an_earlier_update(on_github)
    interrupt_the_push(on_github, newer, tmp_path / "another")
    assert remote_branches(on_github)[BRANCH] == earlier
    assert not on_github.git("branch", "--list", BRANCH)

    on_github.git("push", "--quiet", "origin", f":{BRANCH}")
    update(on_github, newer)
    same = on_github.git("rev-parse", BRANCH)
    interrupt_the_push(on_github, newer, tmp_path / "same")
    assert remote_branches(on_github)[BRANCH] == same
    assert on_github.git("rev-parse", BRANCH) == same
