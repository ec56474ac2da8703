"""`mlops pr`: the branch pushed, and its pull request opened, or the open one named."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.setup.account import Account
from tests.setup.faults import fault, faults
from tests.setup.stage import Quick
from tests.setup.test_github import GitHub, github, mine  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow
Render = Callable[..., Quick]


@pytest.fixture
def work(repository: Render) -> Quick:
    """A repository on CodeCommit, on a branch with a commit of its own."""
    made = repository()
    made.mlops("setup")
    made.git("switch", "--quiet", "--create", "feature-depth")
    made.commit("Deeper trees")
    return made


def shown(account: Account, number: int = 1) -> dict[str, Any]:
    """What CodeCommit has of a pull request."""
    client = account.codecommit
    found: dict[str, Any] = client.get_pull_request(pullRequestId=str(number))["pullRequest"]
    return found


def operations(sandbox: Sandbox, since: int) -> list[str]:
    return [call["operation"] for call in sandbox.calls[since:]]


def test_a_feature_branch_goes_to_dev_and_dev_to_main(work: Quick, account: Account) -> None:
    done = work.mlops("pr")
    where = "pull request 1 of tumor-diagnosis on CodeCommit"
    assert (done.stdout, done.stderr) == (f"Opened {where}: feature-depth into dev, 1 commit.\n", "")
    made = shown(account)
    [target] = made["pullRequestTargets"]
    assert (made["title"], made["description"]) == ("Deeper trees", "- Deeper trees")
    assert (target["sourceReference"], target["destinationReference"]) == ("refs/heads/feature-depth", "refs/heads/dev")
    assert target["sourceCommit"] == work.git("rev-parse", "HEAD")
    work.git("switch", "--quiet", "dev")
    work.git("merge", "--quiet", "--ff-only", "feature-depth")
    work.git("push", "--quiet")
    assert work.mlops("pr", "--title", "Release 7", "--text", "").stdout.endswith(": dev into main, 1 commit.\n")
    made = shown(account, 2)
    assert (made["title"], made.get("description", "")) == ("Release 7", "")
    assert made["pullRequestTargets"][0]["destinationReference"] == "refs/heads/main"


def test_one_that_is_open_is_updated_and_named_and_a_closed_one_is_not(work: Quick, account: Account) -> None:
    work.mlops("pr")
    second = work.commit("Faster")
    done = work.mlops("pr", "--json")
    assert json.loads(done.stdout) == {
        "pull_request": "pull request 1 of tumor-diagnosis on CodeCommit",
        "opened": False,
        "branch": "feature-depth",
        "into": "dev",
        "commits": ["Deeper trees", "Faster"],
    }
    assert shown(account)["pullRequestTargets"][0]["sourceCommit"] == second
    assert "is open already: feature-depth into dev, 2 commits now." in work.mlops("pr").stdout
    client = account.codecommit
    client.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    assert work.mlops("pr").stdout.startswith("Opened pull request 2 ")
    client.update_pull_request_status(pullRequestId="2", pullRequestStatus="CLOSED")
    assert work.mlops("pr").stdout.startswith("Opened pull request 3 "), (
        "the same, asked for again, is not the closed one"
    )
    assert shown(account, 3)["pullRequestStatus"] == "OPEN"
    assert shown(account, 3)["title"] == "feature-depth", "of several commits none is the title"


def test_an_answer_that_is_lost_makes_no_second_one(work: Quick, account: Account) -> None:
    start = len(account.sandbox.calls)
    with faults(account.sandbox, fault(("codecommit", "CreatePullRequest", 1), "no-answer")):
        assert work.mlops("pr").stdout.startswith("Opened pull request 1 ")
    made = operations(account.sandbox, start)
    assert made == ["GitPush", "ListPullRequests", "CreatePullRequest", "CreatePullRequest"]
    assert work.mlops("pr", "--json").stdout.count("pull request 1 ") == 1


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        ("GitPush", "git push: "),
        ("ListPullRequests", "ListPullRequests is not allowed"),
        ("CreatePullRequest", "CreatePullRequest is not allowed"),
    ],
)
def test_refused_it_says_by_whom_and_goes_on_the_next_time(
    work: Quick, account: Account, operation: str, line: str
) -> None:
    with faults(account.sandbox, fault(("codecommit", operation, 1), "access-denied", None)):
        assert work.refusal("pr").startswith(line)
    assert work.mlops("pr").stdout.startswith("Opened pull request 1 ")


def test_what_is_not_committed_is_told(work: Quick) -> None:
    (work.path / "mlops.yaml").write_text((work.path / "mlops.yaml").read_text() + "# mine\n")
    assert work.mlops("pr").stderr == "1 changed file is not committed, and so not in it.\n"


def test_where_there_is_nothing_to_open_one_line_says_what_to_do(work: Quick, account: Account) -> None:
    assert work.refusal("pr", "--into", "nowhere") == "origin has no branch nowhere; take another: --into BRANCH"
    assert work.refusal("pr", "--into", "feature-depth").startswith("feature-depth is where pull requests go; put your")
    work.git("switch", "--quiet", "main")
    assert work.refusal("pr").startswith("main is where pull requests go; put your commits on a branch: git switch -c")
    work.git("switch", "--quiet", "dev")
    assert work.refusal("pr") == "dev has nothing that main has not; commit something first"
    work.git("switch", "--quiet", "--detach")
    assert work.refusal("pr") == "no branch is checked out; make one with: git switch -c feature-NAME"
    assert account.codecommit.list_pull_requests(repositoryName="tumor-diagnosis")["pullRequestIds"] == []


def test_a_colleagues_commits_on_the_branch_are_not_written_over(work: Quick, account: Account) -> None:
    work.mlops("pr")
    theirs = work.git("rev-parse", "HEAD")
    work.git("reset", "--quiet", "--hard", "HEAD~1")
    work.commit("Another idea")
    assert work.refusal("pr") == (
        "origin has commits on feature-depth that are not here; take them in first: git pull --rebase origin feature-depth"
    )
    assert account.refs("tumor-diagnosis")["refs/heads/feature-depth"] == theirs


def test_without_a_remote_setup_is_named(repository: Render) -> None:
    made = repository()
    made.git("switch", "--quiet", "--create", "feature-depth")
    assert made.refusal("pr") == "this clone has no remote; make it with: mlops setup"


def test_on_github(mine: Quick, github: GitHub) -> None:  # noqa: F811
    mine.mlops("setup")
    mine.git("switch", "--quiet", "--create", "feature-depth")
    mine.commit("Deeper trees")
    where = "https://github.com/hospital/tumor-diagnosis/pull/1"
    assert mine.mlops("pr").stdout == f"Opened {where}: feature-depth into dev, 1 commit.\n"
    assert mine.mlops("pr").stdout == f"{where} is open already: feature-depth into dev, 1 commit now.\n"
    assert ["--body", "- Deeper trees"] in [call[-2:] for call in github.calls()]
    line = mine.at(mine.path, PATH="/usr/bin:/bin").refusal("pr")
    assert line.startswith(
        "gh is not installed (cli.github.com); without it: git push origin feature-depth; gh pr create"
    )
