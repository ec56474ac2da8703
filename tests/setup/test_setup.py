"""`mlops setup`: what exists afterwards, for whom it refuses to work, and when it asks."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.setup.account import GROUPS, Account, incomplete
from tests.setup.at_a_terminal import on_a_terminal
from tests.setup.faults import calls_since
from tests.setup.stage import Clone, Quick

pytestmark = pytest.mark.slow

MOST_CALLS = 14
Render = Callable[..., Quick]


@pytest.mark.parametrize("scenario", GROUPS)
def test_everything_of_the_scenario_exists(repository: Render, account: Account, scenario: str) -> None:
    """The main job. Every later command relies on these names, tags and branches."""
    mine = repository(scenario=scenario)
    done = mine.mlops("setup")
    slug, root = mine.slug, mine.root_commit
    assert incomplete(account, mine.path, slug, root, scenario) == []
    assert account.state()["groups"].keys() == {f"{slug}-{name}" for name in GROUPS[scenario]}
    assert account.refs(slug) == {"refs/heads/main": root, "refs/heads/dev": root}
    assert mine.git("branch", "--show-current") == "dev"
    assert mine.git("status", "--short", "--branch") == "## dev...origin/dev"
    assert done.stderr == ""


@pytest.mark.slow
def test_what_lands_is_the_untouched_render_although_work_went_on(repository: Render, account: Account) -> None:
    """Updates start from the render, and CI must not start with the seeding push: later commits wait for the user's own."""
    mine = repository()
    root = mine.root_commit
    (mine.path / "notes.md").write_text("mine\n")
    mine.git("add", "notes.md")
    mine.commit("Mine")
    mine.git("tag", "mine")
    mine.mlops("setup")
    slug = mine.slug
    assert account.refs(slug) == {"refs/heads/main": root, "refs/heads/dev": root}
    assert mine.git("status", "--short", "--branch") == "## dev...origin/dev [ahead 1]"
    mine.git("push", "--quiet")
    assert account.refs(slug)["refs/heads/dev"] == mine.git("rev-parse", "HEAD")
    mine.git("switch", "--quiet", "--create", "feature-x")
    mine.git("push", "--quiet")
    assert "refs/heads/feature-x" in account.refs(slug)


@pytest.mark.slow
def test_git_settings_of_the_user_do_not_change_what_is_seeded(repository: Render, account: Account) -> None:
    """A pre-push hook, signed pushes or tags that follow would fail or widen the seeding push."""
    mine = repository()
    hook = mine.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    mine.git("-c", "user.name=A", "-c", "user.email=a@b.c", "tag", "-a", "v0", "-m", "v0", mine.root_commit)
    for key, value in {"push.gpgSign": "true", "push.followTags": "true", "remote.pushDefault": "nowhere"}.items():
        mine.git("config", key, value)
    mine.mlops("setup")
    assert account.refs(mine.slug).keys() == {"refs/heads/main", "refs/heads/dev"}


HOSTILE = 'Dr. "O\'Neil" & Söhne; $(rm -rf /) {{x}} <b>#1, 50%</b> 👩\u200d💻 \u200fשלום ' + "𝒶" * 90


@pytest.mark.slow
def test_a_hostile_name_and_owner_arrive_in_legal_tags_and_descriptions(repository: Render, account: Account) -> None:
    """SageMaker refuses a tag with a quote or a comma and a description with the joiner inside an emoji: setup would
    fail for people whose team has such a name."""
    mine = repository(project_name=HOSTILE[:90].strip(), project_slug="hostile", owner=HOSTILE)
    mine.mlops("setup")
    assert incomplete(account, mine.path, "hostile", mine.root_commit, "baseline") == []
    state = account.state()
    for resource in (*state["repositories"].values(), *state["groups"].values()):
        owner = resource["tags"]["mlops:owner"]
        assert owner.startswith("Dr. -O-Neil- - Söhne-")
        assert "שלום" in owner
        assert len(owner.encode("utf-16-le")) <= 512
        assert "O'Neil" in resource["description"]


@pytest.mark.slow
def test_a_second_run_creates_nothing(clone: Clone, aws: Sandbox) -> None:
    """People run it again when unsure: that must cost nothing and change nothing."""
    assert clone.mlops("setup").code == 0
    before, git_before, start = clone.account.state(), clone.state(), len(aws.calls)
    done = clone.mlops("setup")
    assert (done.code, done.stderr) == (0, "")
    assert "Everything else is there already." in done.stdout
    changing = [call for call in calls_since(aws, start) if not call[1].startswith(("Get", "List"))]
    assert changing == []
    assert (clone.account.state(), clone.state()) == (before, git_before)


def test_it_needs_few_calls(clone: Clone, aws: Sandbox) -> None:
    """Each call is a wait of up to a second far from the region, and one more permission to ask for."""
    start = len(aws.calls)
    clone.mlops("setup")
    calls = calls_since(aws, start)
    assert ("codecommit", "GitPush", 1) in calls
    assert len(calls) <= MOST_CALLS, calls


@pytest.mark.parametrize("option", ["--plan", "--json"])
def test_the_plan_creates_nothing(clone: Clone, aws: Sandbox, option: str) -> None:
    """A plan that acts is the worst surprise there is."""
    before, git_before = clone.account.state(), clone.state()
    done = clone.mlops("setup", option, "--yes")
    assert (done.code, done.stderr) == (0, "")
    assert (clone.account.state(), clone.state()) == (before, git_before)
    if option == "--json":
        plan = json.loads(done.stdout)
        assert (plan["account"], plan["alias"], plan["region"]) == ("123456789012", "sandbox", "us-east-1")
        assert [(action["does"], action["name"]) for action in plan["actions"]] == [
            ("create", "tumor-diagnosis (main, dev)"),
            *(("create", f"tumor-diagnosis-{name}") for name in GROUPS["champion-challenger"]),
            ("by an administrator", "see below"),
        ]
    else:
        assert "123456789012 (sandbox), us-east-1, as arn:aws:iam::123456789012:user/developer" in done.stdout
        assert "then 1 USD for each" in done.stdout


@pytest.mark.slow
def test_another_account_than_the_settings_name_is_refused(repository: Render, account: Account) -> None:
    """The wrong AWS_PROFILE is the classic: production's names in somebody's playground."""
    mine = repository()
    settings = mine.path / "mlops.yaml"
    settings.write_text(settings.read_text("utf-8").replace("account: null", 'account: "999999999999"'), "utf-8")
    before = account.state()
    for command in ("setup", "teardown"):
        line = mine.refusal(command)
        assert "123456789012 (sandbox)" in line
        assert "999999999999" in line
    assert account.state() == before


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "created"), [("n\n", False), ("\n", False), ("\x04", False), ("y\n", True)])
def test_a_person_is_asked(repository: Render, account: Account, answer: str, created: bool) -> None:
    """Nothing is created in an account without a yes from the person who sees which account it is."""
    mine = repository()
    code, printed = on_a_terminal(mine, answer, "setup")
    assert "Create this? [y/N]" in printed
    assert (code == 0) == created, printed
    assert bool(account.state()["repositories"]) == created
    assert ("nothing was created." in printed) == (not created)


@pytest.mark.slow
def test_a_shallow_clone_is_refused(repository: Render, account: Account, tmp_path: Path) -> None:
    """It has no root commit, so nothing could be recognised as ours."""
    mine = repository()
    mine.commit("Mine")
    mine.git("clone", "--quiet", "--depth=1", f"file://{mine.path}", str(tmp_path / "shallow"))
    shallow = mine.at(tmp_path / "shallow")
    assert "git fetch --unshallow" in shallow.refusal("setup")
    assert account.state()["repositories"] == {}
    shallow.git("fetch", "--quiet", "--unshallow")
    assert shallow.mlops("setup").code == 0


@pytest.mark.slow
def test_without_commits_and_without_git_it_says_how_to_begin(repository: Render, account: Account) -> None:
    """A render copied without its .git, or made with a git that failed: the advice must lead to a working setup."""
    mine = repository()
    shutil.rmtree(mine.path / ".git")
    assert "is not a git repository; make it one with: git init" in mine.refusal("setup")
    mine.git("init", "--quiet", "--initial-branch=main")
    assert "no commit yet" in mine.refusal("setup")
    assert account.state()["repositories"] == {}
    mine.git("add", "-A")
    mine.commit("Start")
    mine.mlops("setup")
    assert account.refs(mine.slug)["refs/heads/main"] == mine.root_commit


@pytest.mark.slow
def test_it_acts_on_its_own_repository_only(repository: Render, account: Account, tmp_path: Path) -> None:
    """A console script of one project's environment, started in another's folder, would create the wrong resources."""
    mine, other = repository(), tmp_path / "other"
    shutil.copytree(mine.path, other)
    script = [sys.executable, "-P", "-c", "from mlops.__main__ import main; main()", "setup"]
    module = [sys.executable, "-m", "mlops", "setup"]
    for folder, command in ((other, script), (other / "model", script), (tmp_path, script), (tmp_path, module)):
        done = mine.at(folder, PYTHONPATH=str(mine.path)).run(*command, check=False)
        assert done.returncode == 1, (folder, command)
        assert done.stderr.startswith(f"this mlops belongs to {mine.path}, and "), done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert account.state()["repositories"] == {}
    mine.at(mine.path / "model", PYTHONPATH=str(mine.path)).run(*script)
    assert mine.slug in account.state()["repositories"]


@pytest.mark.slow
def test_git_variables_of_another_repository_are_not_obeyed(
    repository: Render, account: Account, tmp_path: Path
) -> None:
    """Inside a git hook, GIT_DIR names the hook's repository: its settings and its root commit are none of ours."""
    mine, other = repository(), tmp_path / "other"
    account.git("init", "--quiet", str(other), cwd=tmp_path)
    account.git("commit", "--quiet", "--allow-empty", "--message=Other", cwd=other)
    before = (other / ".git/config").read_text()
    mine.mlops("setup", GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other), GIT_INDEX_FILE=str(other / "i"))
    assert (other / ".git/config").read_text() == before
    assert incomplete(account, mine.path, mine.slug, mine.root_commit, "baseline") == []


@pytest.mark.slow
def test_an_origin_that_leads_elsewhere_stays(repository: Render, account: Account, tmp_path: Path) -> None:
    """Teams mirror repositories: what they called origin, and where their branches go, is theirs."""
    mine = repository()
    elsewhere = tmp_path / "elsewhere.git"
    account.git("init", "--quiet", "--bare", str(elsewhere), cwd=tmp_path)
    mine.git("remote", "add", "origin", str(elsewhere))
    mine.git("remote", "add", "upstream-mlops", str(elsewhere))  # left over from another region
    mine.mlops("setup")
    slug, root = mine.slug, mine.root_commit
    assert mine.git("remote", "get-url", "origin") == str(elsewhere)
    assert mine.git("remote", "get-url", "upstream-mlops") == account.url(slug)
    assert account.refs(slug) == {"refs/heads/main": root, "refs/heads/dev": root}
    assert account.git("for-each-ref", cwd=elsewhere) == ""
    assert mine.git("rev-parse", "upstream-mlops/dev") == root


@pytest.mark.slow
def test_an_origin_that_is_the_same_place_by_ssh_is_origin(repository: Render, account: Account) -> None:
    """Most people clone from GitHub by SSH, some from CodeCommit: doctor must not call that wrong."""
    from mlops.clone import place

    same = [
        "https://github.com/my-org/churn.git",
        "https://github.com/my-org/churn",
        "https://token@github.com/my-org/churn/",
        "git@github.com:my-org/churn.git",
        "ssh://git@github.com/my-org/churn.git",
    ]
    assert {place(url) for url in same} == {"github.com/my-org/churn"}
    for other in ("git@github.com:my-org/churn2.git", "https://example.com/my-org/churn.git", "/srv/my-org/churn.git"):
        assert place(other) != "github.com/my-org/churn"
    mine = repository()
    mine.mlops("setup")
    by_ssh = account.url(mine.slug).replace("http://", "ssh://KEYID@")
    mine.git("remote", "set-url", "origin", by_ssh)
    mine.mlops("doctor")
    mine.mlops("setup")
    assert mine.git("remote") == "origin"
    assert mine.git("remote", "get-url", "origin") == by_ssh


@pytest.mark.slow
def test_in_a_linked_worktree(repository: Render, account: Account, tmp_path: Path) -> None:
    """There .git is a file, and the settings live in the main clone."""
    mine = repository()
    mine.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    linked = mine.at(tmp_path / "linked")
    linked.mlops("setup")
    assert incomplete(account, mine.path, mine.slug, mine.root_commit, "baseline") == []


@pytest.mark.slow
def test_from_a_second_clone_nothing_is_made_twice(repository: Render, account: Account, tmp_path: Path) -> None:
    """A colleague who runs it too must end with a clone that can push, and nothing else."""
    mine = repository()
    mine.mlops("setup")
    before = account.state()
    second = tmp_path / "second"
    account.git("clone", "--quiet", account.url(mine.slug), str(second), cwd=tmp_path)
    colleague = mine.at(second)
    assert "Everything else is there already." in colleague.mlops("setup").stdout
    assert account.state() == before
    colleague.git("switch", "--quiet", "dev")
    colleague.commit("Mine")
    colleague.git("push", "--quiet")
    assert account.refs(mine.slug)["refs/heads/dev"] == colleague.git("rev-parse", "HEAD")


@pytest.mark.slow
def test_the_warning_about_the_example_owner_comes_before_the_reason(repository: Render, aws: Sandbox) -> None:
    """The hook shows the last line of standard error: it must be the reason, not the warning."""
    mine = repository(owner="ml-team@example.com")
    aws.set_faults([{"service": "codecommit", "operation": "CreateRepository", "fault": "access-denied"}])
    lines = mine.mlops("setup", check=False).stderr.splitlines()
    aws.set_faults([])
    assert len(lines) == 2
    assert "ml-team@example.com" in lines[0]
    assert lines[1].startswith("CreateRepository is not allowed: ")
