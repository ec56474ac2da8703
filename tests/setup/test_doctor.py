"""`mlops doctor`: each thing that can be wrong is found, alone, with what to do about it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from mlops.doctor import image
from mlops.settings import Model, Settings
from sandbox.server import Sandbox
from tests.setup.account import Account
from tests.setup.faults import fault, faults
from tests.setup.stage import Quick

Render = Callable[..., Quick]
Finding = dict[str, str]
NO_STACK = ("account stack mlops-account", "warn")  # these accounts have none; tests/cloud has one
IMAGE = "image scikit-learn 1.9-0"  # a day comes when AWS no longer patches it: that has tests of its own


@pytest.fixture
def mine(repository: Render) -> Quick:
    """A repository that has been set up."""
    made = repository()
    made.mlops("setup")
    return made


def findings(repository: Quick, *options: str, **environment: str) -> tuple[int, list[Finding]]:
    """The exit code, and what is not in order."""
    done = repository.mlops("doctor", "--json", *options, check=False, **environment)
    assert done.stderr == "", done.stderr
    found = [finding for finding in json.loads(done.stdout) if finding["state"] != "ok"]
    return done.code, [one for one in found if (one["what"], one["state"]) not in {NO_STACK, (IMAGE, "warn")}]


@pytest.mark.slow
def test_after_setup_all_is_well(mine: Quick, account: Account) -> None:
    """A doctor that finds something after every setup is soon ignored."""
    before = account.state()
    done = mine.mlops("doctor")
    assert (done.code, done.stderr) == (0, "")
    assert "fail" not in done.stdout
    assert findings(mine) == (0, [])
    assert account.state() == before


@pytest.mark.slow
def test_without_the_account_stack_doctor_warns(mine: Quick) -> None:
    """All that is local works without it, so it is no failure."""
    done = mine.mlops("doctor", "--json")
    found = [one for one in json.loads(done.stdout) if one["state"] != "ok" and one["what"] != IMAGE]
    assert [(finding["what"], finding["state"]) for finding in found] == [NO_STACK]
    assert "is not deployed" in found[0]["detail"]
    assert "mlops setup tells whom to ask" in found[0]["fix"]


@pytest.mark.parametrize(
    ("today", "state", "detail"),
    [
        (date(2026, 11, 25), "ok", "patched until 2027-07-16"),
        (date(2027, 5, 16), "ok", "patched until 2027-07-16"),
        (date(2027, 5, 17), "warn", "patched until 2027-07-16: 60 days left"),
        (date(2027, 7, 17), "warn", "patched until 2027-07-16: over"),
    ],
)
def test_an_image_that_is_no_longer_patched_is_told_in_time(today: date, state: str, detail: str) -> None:
    finding = image(_settings(None), today)
    assert (finding.state, finding.what, finding.detail) == (state, IMAGE, detail)
    assert ("model.framework_version" in finding.fix) == (state == "warn")


def test_an_image_that_the_release_does_not_know_is_no_trouble() -> None:
    finding = image(_settings("9.9-9"), date(2026, 11, 25))
    assert (finding.state, finding.detail) == ("ok", "AWS names no date")


def _settings(version: str | None) -> Settings:
    model = Model(task="classification", framework="scikit-learn", framework_version=version)
    return Settings.model_construct(model=model)


@dataclass(frozen=True)
class Trouble:
    """How something is broken, and what doctor must say: what, with which words, and the fix."""

    name: str
    cause: Callable[[Quick, Account], object]
    what: str
    found: str
    fix: str
    others: tuple[str, ...] = field(default=())  # what is wrong because of it


def no_branch(mine: Quick, account: Account) -> None:
    mine.git("branch", "--quiet", "-D", "main")
    mine.git("update-ref", "-d", "refs/remotes/origin/main")
    mine.git("branch", "feature/main")  # is not main


def only_a_branch_that_is_not_main(mine: Quick, account: Account) -> None:
    account.git("push", "--quiet", account.url(mine.slug), "dev:refs/heads/trunk", cwd=mine.path)
    account.codecommit.update_default_branch(repositoryName=mine.slug, defaultBranchName="trunk")


def foreign_repository(mine: Quick, account: Account) -> None:
    account.codecommit.delete_repository(repositoryName=mine.slug)
    account.make_foreign(mine.path.parent / "theirs", mine.slug, [])


def unfinished_repository(mine: Quick, account: Account) -> None:
    account.codecommit.delete_repository(repositoryName=mine.slug)
    account.make_repository(mine.slug, **{"mlops:root-commit": mine.root_commit})


def foreign_group(mine: Quick, account: Account) -> None:
    account.sagemaker.delete_model_package_group(ModelPackageGroupName=f"{mine.slug}-dev")
    account.make_group(f"{mine.slug}-dev")


def settings(old: str, new: str) -> Callable[[Quick, Account], None]:
    def change(mine: Quick, account: Account) -> None:
        file = mine.path / "mlops.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return change


SLUG = "tumor-diagnosis"
REPOSITORY = f"CodeCommit repository {SLUG}"
CLONE = "this clone and its credentials"
PUSH = "git push from this clone"
TROUBLES = [
    Trouble(
        "example owner", settings("vision@hospital.org", "a@example.com"), "owner", "a@example.com", "project.owner"
    ),
    Trouble("wrong setting", settings("task: classification", "task: guess"), CLONE, "model.task is 'guess'", ""),
    Trouble("no git", lambda m, a: shutil.rmtree(m.path / ".git"), CLONE, "is not a git repository; make it", ""),
    Trouble("no branch", no_branch, "branch main", "not in this clone", "run: git branch main "),
    Trouble(
        "other account",
        settings("account: null", 'account: "999999999999"'),
        "AWS account",
        "in account 123456789012 (sandbox), us-east-1",
        "use credentials of 999999999999",
    ),
    Trouble(
        "no repository",
        lambda m, a: a.codecommit.delete_repository(repositoryName=m.slug),
        REPOSITORY,
        "does not exist",
        "run: mlops setup",
    ),
    Trouble("unfinished repository", unfinished_repository, REPOSITORY, "still empty", "run: mlops setup"),
    Trouble("foreign repository", foreign_repository, REPOSITORY, "lacks the root commit", "another project.slug"),
    Trouble(
        "no dev there",
        lambda m, a: a.git("push", "--quiet", a.url(m.slug), ":refs/heads/dev", cwd=m.path),
        REPOSITORY,
        "lacks dev",
        "run: mlops setup",
    ),
    Trouble(
        "default branch",
        only_a_branch_that_is_not_main,
        REPOSITORY,
        "has trunk as its default branch",
        "run: mlops setup",
    ),
    Trouble(
        "no remote",
        lambda m, a: m.git("remote", "remove", "origin"),
        PUSH,
        "lacks the remote origin",
        "run: mlops doctor --fix",
    ),
    Trouble(
        "no helper",
        lambda m, a: m.git("config", "--remove-section", f"credential.{a.sandbox.url}"),
        PUSH,
        "lacks the credential helper",
        "run: mlops doctor --fix",
    ),
    Trouble(
        "no group",
        lambda m, a: a.sagemaker.delete_model_package_group(ModelPackageGroupName=f"{m.slug}-prod"),
        f"model package group {SLUG}-prod",
        "does not exist",
        "run: mlops setup",
    ),
    Trouble(
        "foreign group",
        foreign_group,
        f"model package group {SLUG}-dev",
        "is not this repository's",
        "another project.slug, or remove it",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES, ids=[trouble.name for trouble in TROUBLES])
def test_one_thing_that_is_broken_is_the_one_thing_found(mine: Quick, account: Account, trouble: Trouble) -> None:
    """The fix must fit the trouble; and `mlops setup` or `--fix`, where they are named, must really help."""
    trouble.cause(mine, account)
    code, found = findings(mine)
    assert [finding["what"] for finding in found] == [trouble.what], found
    assert trouble.found in found[0]["detail"]
    assert trouble.fix in found[0]["fix"]
    assert code == (1 if found[0]["state"] == "fail" else 0)
    if found[0]["fix"].startswith("run: "):
        command = found[0]["fix"].removeprefix("run: ").split()
        mine.mlops(*command[1:], check=False) if command[0] == "mlops" else mine.run(*command)
        assert findings(mine) == (0, [])


@pytest.mark.slow
def test_fix_makes_a_second_clone_push(mine: Quick, account: Account, tmp_path: Path) -> None:
    """A colleague clones by the URL; then plain `git push` must ask AWS for the password, not the person."""
    second = tmp_path / "second"
    account.git("clone", "--quiet", account.url(mine.slug), str(second), cwd=tmp_path)
    colleague, before = mine.at(second), account.state()
    code, found = findings(colleague)
    assert (code, [finding["detail"] for finding in found]) == (1, ["lacks the credential helper"])
    assert findings(colleague, "--fix") == (0, [])
    assert findings(colleague) == (0, [])
    assert account.state() == before
    helpers = colleague.git("config", "--local", "--get-all", f"credential.{account.sandbox.url}.helper").split("\n")
    assert helpers[0] == ""
    assert len(helpers) == 2
    colleague.git("switch", "--quiet", "dev")
    commit = colleague.commit("Mine")
    colleague.git("push", "--quiet")
    assert account.refs(mine.slug)["refs/heads/dev"] == commit


EXPIRED = "ASIASANDBOXEXPIREDXX"  # the sandbox answers this key as AWS answers one that has run out
CREDENTIALS = {
    "missing": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials were found; log in with"),
    "expired": ({"AWS_ACCESS_KEY_ID": EXPIRED}, "the AWS credentials have expired; log in again"),
    "unknown": ({"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS"}, "AWS does not know these credentials"),
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "x" * 40}, "AWS does not know these credentials"),
    "no such profile": ({"AWS_PROFILE": "nobody"}, "(nobody) could not be found; list the profiles with"),
    "unreachable": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CREDENTIALS)
def test_credentials_that_do_not_work_give_one_clear_line(repository: Render, account: Account, case: str) -> None:
    """The first thing that goes wrong for nearly everybody: what to type must stand there, not a traceback."""
    mine = repository()
    environment, line = CREDENTIALS[case]
    before, git_before = account.state(), mine.git("config", "--local", "--list")
    code, found = findings(mine, **environment)
    assert (code, [finding["what"] for finding in found]) == (1, [CLONE])
    assert line in found[0]["detail"]
    for command in ("setup", "teardown"):
        assert line in mine.refusal(command, **environment)
    assert (account.state(), mine.git("config", "--local", "--list")) == (before, git_before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "operation", "what"),
    [("codecommit", "GetRepository", REPOSITORY), ("sagemaker", "ListModelPackageGroups", "model package groups")],
)
def test_what_may_not_be_looked_at_is_said_and_the_rest_is_looked_at(
    mine: Quick, aws: Sandbox, service: str, operation: str, what: str
) -> None:
    """A missing permission for one thing must not hide the others."""
    with faults(aws, fault((service, operation, 1), "access-denied", None)):
        code, found = findings(mine)
    assert (code, [finding["what"] for finding in found]) == (1, [what])
    assert f"{operation} is not allowed: " in found[0]["detail"]


@pytest.mark.slow
def test_git_asks_mlops_for_a_codecommit_password_and_nobody_else_gets_one(mine: Quick) -> None:
    """Without the AWS CLI `mlops git-credential` answers git: a signature sent to another host would be a leak."""

    def answer(host: str) -> str:
        command = [
            "sh",
            "-c",
            f'printf "protocol=https\\nhost={host}\\npath=v1/repos/x\\n\\n" | python -m mlops git-credential get',
        ]
        return mine.run(*command).stdout

    user, password = answer("git-codecommit.eu-west-1.amazonaws.com").splitlines()
    assert user.startswith("username=AKIA")
    assert password.startswith("password=20")
    for host in ("github.com", "git-codecommit.eu-west-1.amazonaws.com.evil.org", "evil.org/git-codecommit"):
        assert answer(host) == ""
    leak = mine.mlops("git-credential", "store")
    assert leak.stdout == ""
