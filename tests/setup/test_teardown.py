"""`mlops teardown`: removes what setup made, and nothing that exists nowhere else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.setup.account import GROUPS, Account, incomplete
from tests.setup.at_a_terminal import on_a_terminal
from tests.setup.faults import calls_since, fault, faults, let_go, until_it_hangs
from tests.setup.stage import Clone, Quick
from tests.sweeps import some_of

Render = Callable[..., Quick]
NOTHING: dict[str, dict[str, object]] = {"repositories": {}, "groups": {}}


@pytest.fixture
def mine(repository: Render) -> Quick:
    """A repository that has been set up."""
    made = repository()
    made.mlops("setup")
    return made


def somebody_elses_push(account: Account, mine: Quick, folder: Path, *references: str) -> str:
    """A colleague commits and pushes to `references`; return the commit."""
    account.git("clone", "--quiet", account.url(mine.slug), str(folder), cwd=folder.parent)
    account.git("commit", "--quiet", "--allow-empty", "--message=Theirs", cwd=folder)
    account.git("push", "--quiet", "origin", *(f"HEAD:{reference}" for reference in references), cwd=folder)
    return account.git("rev-parse", "HEAD", cwd=folder)


@pytest.mark.slow
def test_it_shows_what_goes_and_what_stays_and_then_does_that(mine: Quick, account: Account) -> None:
    """People decide by the plan: it must be what happens."""
    version = account.register(f"{mine.slug}-prod")
    before = account.state()
    plan = json.loads(mine.mlops("teardown", "--json").stdout)
    assert [(one["does"], one["name"]) for one in plan["removals"]] == [
        ("remove", f"{mine.slug}-feature"),
        ("remove", f"{mine.slug}-dev"),
        ("keep", f"{mine.slug}-prod"),
        ("remove", mine.slug),
    ]
    assert "it holds 1 version; --force removes them too" in mine.mlops("teardown", "--plan").stdout
    assert account.state() == before
    mine.mlops("teardown", "--yes")
    assert account.state() == {
        "repositories": {},
        "groups": {f"{mine.slug}-prod": before["groups"][f"{mine.slug}-prod"]},
    }
    assert before["groups"][f"{mine.slug}-prod"]["versions"] == [version]
    mine.mlops("teardown", "--yes", "--force")
    assert account.state() == NOTHING


@pytest.mark.slow
def test_without_a_terminal_it_needs_yes(mine: Quick, account: Account) -> None:
    """A script that removes must have been told so."""
    before = account.state()
    assert "add --yes" in mine.refusal("teardown")
    assert account.state() == before


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "removed"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_a_person_is_asked(mine: Quick, account: Account, answer: str, removed: bool) -> None:
    """Enter alone is a no."""
    before = account.state()
    code, printed = on_a_terminal(mine, answer, "teardown")
    assert (code == 0) == removed, printed
    assert account.state() == (NOTHING if removed else before)


@pytest.mark.slow
@pytest.mark.parametrize("reference", ["refs/heads/dev", "refs/heads/feature/their-idea", "refs/tags/v1"])
def test_commits_that_are_nowhere_else_are_kept(mine: Quick, account: Account, tmp_path: Path, reference: str) -> None:
    """A colleague's work of this morning is on CodeCommit alone: deleting the repository would destroy it."""
    commit = somebody_elses_push(account, mine, tmp_path / "colleague", reference)
    done = mine.mlops("teardown", "--yes", "--force")
    assert f"{reference} not in this clone; fetch first: git fetch" in done.stdout
    assert account.refs(mine.slug)[reference] == commit
    (advice,) = [line for line in done.stdout.splitlines() if "fetch first: " in line]
    mine.run("sh", "-c", advice.partition("fetch first: ")[2])
    mine.mlops("teardown", "--yes")
    assert account.state() == NOTHING
    assert commit in mine.git("for-each-ref")


@pytest.mark.slow
def test_commits_pushed_while_the_question_was_open_are_kept(mine: Quick, account: Account, tmp_path: Path) -> None:
    """The question may stand on the screen over lunch."""
    pushed: list[str] = []

    def lunch() -> None:
        pushed.append(somebody_elses_push(account, mine, tmp_path / "colleague", "refs/heads/dev"))

    code, printed = on_a_terminal(mine, "y\n", "teardown", meanwhile=lunch)
    assert code == 1
    assert "was kept: refs/heads/dev not in this clone" in " ".join(printed.split())
    assert account.refs(mine.slug)["refs/heads/dev"] == pushed[0]


@pytest.mark.slow
def test_a_detached_commit_of_this_clone_does_not_count(mine: Quick, account: Account) -> None:
    """What no reference holds, git's next clean-up deletes here too."""
    mine.git("switch", "--quiet", "--detach")
    lost = mine.commit("Lost")
    mine.git("push", "--quiet", account.url(mine.slug), "HEAD:refs/heads/idea")
    mine.git("switch", "--quiet", "dev")
    mine.mlops("teardown", "--yes")
    assert account.refs(mine.slug)["refs/heads/idea"] == lost


@pytest.mark.slow
def test_it_can_be_repeated_and_setup_works_again(mine: Quick, account: Account) -> None:
    """Try it out, remove it, set it up for good."""
    mine.mlops("teardown", "--yes")
    assert "There is nothing to remove." in mine.mlops("teardown", "--yes").stdout
    mine.mlops("setup")
    assert incomplete(account, mine.path, mine.slug, mine.root_commit, "baseline") == []
    mine.commit("Mine")
    mine.git("push", "--quiet")
    assert mine.git("status", "--short", "--branch") == "## dev...origin/dev"


@pytest.mark.slow
def test_what_a_killed_setup_left_is_removed(mine: Quick, account: Account) -> None:
    """An empty repository that carries our root commit is ours, and holds nothing."""
    account.git("push", "--quiet", account.url(mine.slug), ":refs/heads/dev", cwd=mine.path)
    account.codecommit.delete_repository(repositoryName=mine.slug)
    account.make_repository(mine.slug, **{"mlops:root-commit": mine.root_commit})
    mine.mlops("teardown", "--yes")
    assert account.state() == NOTHING


@pytest.mark.slow
@pytest.mark.parametrize("name", ["access-denied", "server-error", "no-answer"])
def test_a_teardown_that_fails_at_any_call_is_completed_by_the_next(clone: Clone, aws: Sandbox, name: str) -> None:
    """Removing cannot be undone; but it must go on, and say so."""
    account = clone.account
    account.make_group("other-prod", {"team": "theirs"})
    foreign = account.state()["groups"]

    def prepare() -> None:
        clone.restore()
        assert clone.mlops("setup").code == 0
        account.register(f"{clone.slug}-champion")

    prepare()
    start = len(aws.calls)
    assert clone.mlops("teardown", "--yes", "--force").code == 0
    calls = calls_since(aws, start)
    assert {"DeleteRepository", "DeleteModelPackageGroup", "DeleteModelPackage"} <= {call[1] for call in calls}
    prepared = False
    for call in some_of(calls, name, every=6):
        if not prepared:
            prepare()
        with faults(aws, fault(call, name, None)):
            done = clone.mlops("teardown", "--yes", "--force")
        assert account.state()["groups"]["other-prod"] == foreign["other-prod"]
        if done.code:
            assert len(done.stderr.splitlines()) == 1, done
            assert "Traceback" not in done.stderr
            if "Delete" in call[1]:
                assert done.stderr.endswith("what is gone stays gone. To go on: mlops teardown\n"), done
        prepared = "Delete" not in call[1] and done.code != 0 and call[1] != "GetRepository"
        if not prepared:
            assert clone.mlops("teardown", "--yes", "--force").code == 0
            assert account.state() == {"repositories": {}, "groups": foreign}, call


@pytest.mark.slow
def test_a_group_that_gets_a_version_meanwhile_is_kept(clone: Clone, aws: Sandbox) -> None:
    """A pipeline that ends between plan and deletion has registered a model: without --force it must survive."""
    clone.mlops("setup")
    group = f"{clone.slug}-{GROUPS['champion-challenger'][0]}"
    call, start = ("sagemaker", "DeleteModelPackageGroup", 1), len(aws.calls)
    with faults(aws, fault(call, "hang-before")):
        clone.start("teardown", "--yes")
        until_it_hangs(aws, call, "hang-before", start)
        version = clone.account.register(group)
        let_go(aws, start)
        done = clone.wait()
    assert done.code == 1
    assert clone.account.state()["groups"][group]["versions"] == [version]
