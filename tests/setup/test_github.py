"""`mlops setup` with the repository on GitHub: by `gh`, a stand-in here, or by hand where there is no `gh`."""

import itertools
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.setup.account import Account, git_state
from tests.setup.faults import fault, faults
from tests.setup.stage import Quick
from tests.sweeps import some_of

Render = Callable[..., Quick]
NAME = "hospital/tumor-diagnosis"
GROUPS = {f"tumor-diagnosis-{name}" for name in ("feature", "dev", "prod")}


@dataclass(frozen=True)
class GitHub:
    """What the stand-in keeps."""

    folder: Path

    def facts(self, name: str = NAME) -> dict[str, Any] | None:
        """What is known of a repository, and its references."""
        file = self.folder / f"{name}.json"
        if not file.is_file():
            return None
        bare = self.folder / f"{name}.git"
        refs = {
            str(ref.relative_to(bare)): ref.read_text().strip() for ref in (bare / "refs").rglob("*") if ref.is_file()
        }
        return {**json.loads(file.read_text()), "refs": refs}

    def calls(self) -> list[list[str]]:
        """The calls so far."""
        log = self.folder / "calls.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []

    def fail(self, call: int, text: str, effect: bool) -> None:
        """Let the n-th call from now fail."""
        failure = {"call": len(self.calls()) + call, "text": text, "effect": effect}
        (self.folder / "fail.json").write_text(json.dumps(failure))

    def make(self, account: Account, name: str = NAME, description: str = "theirs") -> Path:
        """Make a repository of other people, with a commit."""
        bare = self.folder / f"{name}.git"
        account.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare), cwd=self.folder)
        work = self.folder / "work"
        account.git("init", "--quiet", "--initial-branch=main", str(work), cwd=self.folder)
        account.git("commit", "--quiet", "--allow-empty", "--message=Theirs", cwd=work)
        account.git("push", "--quiet", str(bare), "main", cwd=work)
        facts = {"clone_url": bare.as_uri(), "default_branch": "main", "description": description}
        (self.folder / f"{name}.json").write_text(json.dumps(facts))
        return bare


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    folder = tmp_path / "github"
    folder.mkdir()
    return GitHub(folder)


@pytest.fixture
def mine(repository: Render, github: GitHub, tmp_path: Path) -> Quick:
    made = repository(source_control="github", github_repository=NAME)
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    stand_in = Path(__file__).with_name("stand_in_gh.py").read_text()
    program.write_text(f"#!{sys.executable} -IS\n{stand_in}")
    program.chmod(0o755)
    path = f"{program.parent}:{made.environment['PATH']}"
    return made.at(made.path, PATH=path, GH_STANDS_IN=str(github.folder))


def is_complete(mine: Quick, github: GitHub, account: Account) -> bool:
    facts = github.facts()
    assert facts is not None
    assert facts["refs"] == {"refs/heads/main": mine.root_commit, "refs/heads/dev": mine.root_commit}
    assert (facts["default_branch"], facts["description"]) == ("main", "Tumor Diagnosis")
    assert account.state()["groups"].keys() == GROUPS
    assert account.state()["repositories"] == {}
    assert mine.git("remote", "get-url", "origin") == facts["clone_url"]
    assert mine.git("status", "--short", "--branch") == "## dev...origin/dev"
    return True


@pytest.mark.slow
def test_everything_is_made_and_again_is_nothing(mine: Quick, github: GitHub, account: Account) -> None:
    """The same promise as with CodeCommit."""
    done = mine.mlops("setup")
    assert done.stderr == ""
    assert is_complete(mine, github, account)
    before, state = github.facts(), account.state()
    assert "Everything else is there already." in mine.mlops("setup").stdout
    assert (github.facts(), account.state()) == (before, state)
    commit = mine.commit("Mine")
    mine.git("push", "--quiet")
    facts = github.facts()
    assert facts is not None
    assert facts["refs"]["refs/heads/dev"] == commit
    assert mine.mlops("doctor").code == 0
    mine.mlops("teardown", "--yes")
    assert github.facts() is None
    assert account.state()["groups"] == {}


@pytest.mark.slow
def test_the_teams_own_description_survives_a_repair(mine: Quick, github: GitHub) -> None:
    """Only the mark of an unfinished setup may be replaced: a description that people wrote is theirs."""
    mine.mlops("setup")
    file = github.folder / f"{NAME}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "default_branch": "dev", "description": "Ours!"}))
    mine.mlops("setup")
    facts = github.facts()
    assert facts is not None
    assert (facts["default_branch"], facts["description"]) == ("main", "Ours!")


@pytest.mark.slow
@pytest.mark.parametrize("empty", [False, True])
def test_a_repository_of_others_is_refused(mine: Quick, github: GitHub, account: Account, empty: bool) -> None:
    """The name may be taken in the organisation."""
    bare = github.make(account)
    if empty:
        account.git("update-ref", "-d", "refs/heads/main", cwd=bare)
    before = github.facts()
    assert "is not this one" in mine.refusal("setup")
    mine.mlops("teardown", "--yes", "--force")
    assert github.facts() == before
    assert account.state() == {"repositories": {}, "groups": {}}


@pytest.mark.slow
def test_without_gh_the_commands_are_shown_and_the_groups_made(
    mine: Quick, github: GitHub, account: Account, tmp_path: Path
) -> None:
    """Not everybody may install programs: then the rest must still be done, and the commands must work as they stand."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("git", "sh", "python"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    without = mine.at(mine.path, PATH=str(tools))
    done = without.mlops("setup")
    assert (done.code, done.stderr) == (0, "")
    assert account.state()["groups"].keys() == GROUPS
    assert github.calls() == []
    told = done.stdout.partition("yours to make:\n")[2].splitlines()
    shown = list(itertools.takewhile(lambda line: line.startswith("  "), told))
    bare = github.folder / "by-hand.git"
    account.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare), cwd=tmp_path)
    script = "\n".join(line.strip() for line in shown).replace(f"https://github.com/{NAME}.git", bare.as_uri())
    without.run("sh", "-ec", script)
    root = mine.root_commit
    refs = account.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=bare).splitlines()
    assert refs == [f"refs/heads/dev {root}", f"refs/heads/main {root}"]
    assert mine.git("status", "--short", "--branch") == "## dev...origin/dev"
    assert without.mlops("doctor").code == 0


@pytest.mark.slow
def test_not_logged_in_is_one_line(mine: Quick, github: GitHub, account: Account) -> None:
    """gh's own advice is the right one."""
    (github.folder / "not-logged-in").touch()
    assert "gh auth login" in mine.refusal("setup")
    assert account.state()["groups"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("effect", [False, True])
def test_each_call_of_gh_fails_and_all_or_nothing_is_left(
    mine: Quick, github: GitHub, account: Account, effect: bool
) -> None:
    """GitHub answers 502 on a bad day, sometimes after it has done what it was asked."""
    text = "HTTP 502: Server Error (https://api.github.com/graphql)"
    before = git_state(mine.path)
    mine.mlops("setup")
    number = len(github.calls())
    assert number >= 4
    mine.mlops("teardown", "--yes")
    pristine = mine.path.parent / "pristine"
    shutil.copytree(mine.path, pristine)
    for file, content in before.items():
        (pristine / ".git" / file).write_text(content)
    shutil.rmtree(pristine / ".git/refs/remotes", ignore_errors=True)
    for call in some_of(range(1, number + 1), f"gh {effect}", every=3):
        shutil.rmtree(mine.path)
        shutil.copytree(pristine, mine.path)
        github.fail(call, text, effect)
        done = mine.mlops("setup", check=False)
        (github.folder / "fail.json").unlink()
        if done.code == 0:
            assert is_complete(mine, github, account), call
        else:
            assert len(done.stderr.splitlines()) == 1, done
            assert "502" in done.stderr
            assert github.facts() is None, (call, done)
            assert account.state()["groups"] == {}, call
            assert git_state(mine.path) == before, call
            mine.mlops("setup")
            assert is_complete(mine, github, account), call
        mine.mlops("teardown", "--yes")


@pytest.mark.slow
def test_what_may_not_be_deleted_is_named_and_completed_by_the_next_run(
    mine: Quick, github: GitHub, account: Account, aws: Sandbox
) -> None:
    """`gh auth login` does not ask for the right to delete: the commonest failure of the clearing up."""
    (github.folder / "no-delete-scope").touch()
    with faults(aws, fault(("sagemaker", "CreateModelPackageGroup", 3), "access-denied")):
        line = mine.refusal("setup")
    assert f"could not be removed again: the GitHub repository {NAME} (gh repo delete: HTTP 403" in line
    assert "gh auth refresh -h github.com -s delete_repo" in line
    assert account.state()["groups"] == {}
    mine.mlops("setup")
    assert is_complete(mine, github, account)


@pytest.mark.slow
def test_a_repository_that_was_killed_between_creation_and_push_is_completed(
    mine: Quick, github: GitHub, account: Account
) -> None:
    """GitHub has no tags: the description carries the root commit until setup is through."""
    bare = github.make(account, description=f"Tumor Diagnosis (setup in progress, root commit {mine.root_commit})")
    account.git("update-ref", "-d", "refs/heads/main", cwd=bare)
    mine.mlops("setup")
    assert is_complete(mine, github, account)
