"""The pull request of an update: opened where the repository has a remote and nothing is left to decide."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.conftest import Repository
from tests.update.interrupting import at_git, interrupt
from tests.update.template_source import TemplateSource, git

pytestmark = pytest.mark.slow
BRANCH = "template-update/9.0.0"


@pytest.fixture
def live(aws: Sandbox, template: TemplateSource, tmp_path: Path) -> Repository:
    """A repository on CodeCommit, and a newer release of its template."""
    made = template.generate(tmp_path / "made", owner="ada@example.org")
    repository = Repository(made.path, {**aws.environment(), "PYTHONDONTWRITEBYTECODE": "1"})
    repository.mlops("setup", "--yes")
    template.edit(template.in_project("mlops/tags.py"), '"""The tags that', '"""All the tags that')
    template.release("9.0.0", "- All the tags.")
    return repository


def update(repository: Repository, template: TemplateSource, *options: str, **more: Any) -> Any:
    return repository.mlops("update", "--template", str(template.path), *options, **more)


def pull_requests(repository: Repository) -> list[dict[str, Any]]:
    """Return the pull requests that CodeCommit has of the repository."""
    listed = ["codecommit", "list-pull-requests", "--repository-name", "tumor-diagnosis", "--query", "pullRequestIds"]
    numbers = json.loads(repository.run("aws", *listed, "--output", "json").stdout)
    shown = (
        repository.run("aws", "codecommit", "get-pull-request", "--pull-request-id", n, "--output", "json")
        for n in numbers
    )
    return [json.loads(one.stdout)["pullRequest"] for one in shown]


def remote_branches(repository: Repository) -> set[str]:
    lines = repository.git("ls-remote", "--heads", "origin").splitlines()
    return {line.partition("refs/heads/")[2] for line in lines}


def test_it_is_opened_on_codecommit_and_no_other_call_is_made(
    aws: Sandbox, live: Repository, template: TemplateSource
) -> None:
    before = len(aws.calls)
    done = update(live, template)
    assert "Opened pull request 1 of tumor-diagnosis on CodeCommit." in done.stdout
    assert [call["operation"] for call in aws.calls[before:]] == ["GitPush", "CreatePullRequest"]
    [request] = pull_requests(live)
    [target] = request["pullRequestTargets"]
    assert request["title"] == f"Update the template from {_now(template)} to 9.0.0"
    assert "- All the tags." in request["description"]
    assert target["sourceReference"] == f"refs/heads/{BRANCH}"
    assert target["destinationReference"] == "refs/heads/dev"
    assert target["sourceCommit"] == live.git("rev-parse", BRANCH)


def test_squashed_there_and_pulled_nothing_is_left_to_update(live: Repository, template: TemplateSource) -> None:
    update(live, template)
    merge = [
        "codecommit",
        "merge-pull-request-by-squash",
        "--pull-request-id",
        "1",
        "--repository-name",
        "tumor-diagnosis",
    ]
    live.run("aws", *merge)
    live.git("pull", "--quiet", "--ff-only", "origin", "dev")
    assert (live.path / "mlops/tags.py").read_text("utf-8").startswith('"""All the tags')
    assert update(live, template, "--check").returncode == 0


def test_new_resources_that_the_answers_want_appear_in_setups_plan(
    aws: Sandbox, live: Repository, template: TemplateSource
) -> None:
    before = len(aws.calls)
    update(live, template, "--answer", "scenario=champion-challenger", "--no-pull-request")
    assert aws.calls[before:] == []
    live.git("switch", "--quiet", BRANCH)
    plan = live.mlops("setup", "--plan").stdout.splitlines()
    created = {line.split()[-2] for line in plan if line.startswith("create ")}
    assert created == {"tumor-diagnosis-champion", "tumor-diagnosis-challenger"}


def test_again_the_same_pull_request_is_named(aws: Sandbox, live: Repository, template: TemplateSource) -> None:
    update(live, template)
    again = update(live, template)
    assert f"The branch {BRANCH} is there already, with the same in it" in again.stdout
    assert "Opened pull request 1 of" in again.stdout
    assert len(pull_requests(live)) == 1


def test_what_the_remote_has_of_an_earlier_update_is_not_written_over(
    aws: Sandbox, live: Repository, template: TemplateSource
) -> None:
    update(live, template)
    live.git("branch", "--quiet", "-D", BRANCH)
    git(live.path, "commit", "--quiet", "--allow-empty", "--message", "dev moves on")
    done = update(live, template, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"the branch {BRANCH} is made, but no pull request: origin has the branch with something else in it; "
        f"merge its pull request, or remove it with: git push origin :{BRANCH}"
    )
    live.git("push", "--quiet", "origin", f":{BRANCH}")
    assert "Opened pull request 2 of" in update(live, template).stdout


def test_with_conflicts_nothing_is_pushed_and_the_commands_that_are_printed_work(
    aws: Sandbox, live: Repository, template: TemplateSource
) -> None:
    text = (live.path / "mlops/tags.py").read_text("utf-8")
    (live.path / "mlops/tags.py").write_text(text.replace('"""The tags that', '"""Our tags that'), "utf-8")
    git(live.path, "commit", "--quiet", "--all", "--message", "Ours")
    before = len(aws.calls)
    done = update(live, template)
    assert aws.calls[before:] == []
    assert "decide  mlops/tags.py" in done.stdout
    lines = [line.partition("   #")[0].strip() for line in done.stdout.split("Next:\n")[1].splitlines()]
    assert lines[0] == f"git switch {BRANCH}"
    for line in lines:
        script = line.replace("git commit -a", "git -c user.name=T -c user.email=t@example.org commit -q -a -m Decided")
        live.run("sh", "-euc", "sed -i.old '/^[<=>]\\{7\\}/d' mlops/tags.py && rm mlops/tags.py.old && " + script)
    assert [request["pullRequestStatus"] for request in pull_requests(live)] == ["OPEN"]


@pytest.mark.parametrize(
    ("operation", "fault", "reason"),
    [
        ("CreatePullRequest", "access-denied", "CreatePullRequest is not allowed"),
        ("GitPush", "access-denied", "git push: "),
    ],
)
def test_refused_it_leaves_the_branch_and_says_how_it_goes_on(
    aws: Sandbox, live: Repository, template: TemplateSource, operation: str, fault: str, reason: str
) -> None:
    aws.set_faults([{"service": "codecommit", "operation": operation, "call": 1, "times": None, "fault": fault}])
    done = update(live, template, check=False)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if "pull request" in line]
    assert line.startswith(f"the branch {BRANCH} is made, but no pull request: ")
    assert reason in line
    assert f"git push origin {BRANCH}" in done.stdout
    aws.set_faults([])
    assert "Opened pull request 1" in update(live, template).stdout


def test_commits_of_dev_that_were_not_pushed_are_mentioned(live: Repository, template: TemplateSource) -> None:
    git(live.path, "commit", "--quiet", "--allow-empty", "--message", "Mine")
    assert "Your dev has 1 commit that the remote's has not" in update(live, template).stderr


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_ctrl_c_while_it_is_pushed_leaves_no_branch_here_and_none_there(
    live: Repository, template: TemplateSource, tmp_path: Path, after: bool
) -> None:
    command = [sys.executable, "-m", "mlops", "update", "--template", str(template.path)]
    done = interrupt(command, live.path, at_git("push", tmp_path / "stop", after=after), live.environment)
    assert done.returncode == 1
    assert done.stderr == "interrupted; nothing was left behind. Next: mlops update\n"
    assert not live.git("branch", "--list", "template-update/*")
    assert remote_branches(live) == {"main", "dev"}


@pytest.mark.parametrize("moved", [False, True], ids=["the same", "another"])
def test_ctrl_c_while_it_is_pushed_leaves_there_what_an_earlier_update_made(
    live: Repository, template: TemplateSource, tmp_path: Path, moved: bool
) -> None:
    update(live, template)
    earlier = live.git("rev-parse", BRANCH)
    if moved:
        live.git("branch", "--quiet", "-D", BRANCH)
        git(live.path, "commit", "--quiet", "--allow-empty", "--message", "dev moves on")
    command = [sys.executable, "-m", "mlops", "update", "--template", str(template.path)]
    done = interrupt(command, live.path, at_git("push", tmp_path / "stop"), live.environment)
    assert done.stderr == "interrupted; nothing was left behind. Next: mlops update\n"
    assert live.git("ls-remote", "origin", BRANCH).split()[0] == earlier
    assert bool(live.git("branch", "--list", BRANCH)) != moved


@pytest.fixture
def on_github(template: TemplateSource, tmp_path: Path) -> Repository:
    """A repository on GitHub, whose command line is a stand-in, and a newer release of its template."""
    made = template.generate(tmp_path / "made", source_control="github", github_repository="org/tumor-diagnosis")
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
    template.edit(template.in_project("mlops/tags.py"), '"""The tags that', '"""All the tags that')
    template.release("9.0.0", "- All the tags.")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return Repository(made.path, {"PATH": path, "GH_STANDS_IN": str(github)})


def test_it_is_opened_on_github_by_gh(on_github: Repository, template: TemplateSource) -> None:
    done = update(on_github, template)
    assert "Opened https://github.com/org/tumor-diagnosis/pull/1." in done.stdout
    assert BRANCH in remote_branches(on_github)
    assert "Opened https://github.com/org/tumor-diagnosis/pull/1." in update(on_github, template).stdout


def test_without_gh_its_command_is_printed(on_github: Repository, template: TemplateSource) -> None:
    done = update(on_github, template, PATH=os.environ["PATH"])
    assert remote_branches(on_github) == {"main", "dev"}
    push, create = (line.strip() for line in done.stdout.splitlines()[-2:])
    assert push == f"git push origin {BRANCH}"
    on_github.run("sh", "-euc", f"{push} && {create}")
    assert BRANCH in remote_branches(on_github)


def _now(template: TemplateSource) -> str:
    from mlops.update.git_template import GitTemplate

    return GitTemplate(str(template.path), template.path).find(template.git("rev-parse", "HEAD~1")).name
