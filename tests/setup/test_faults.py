"""Every AWS call of `mlops setup`, the push included, fails in every way that AWS and networks have.

The calls are taken from a clean run, so that a call added later is tried as well. What this prevents: a data scientist
whose setup broke off halfway, with a repository that the next run calls foreign, groups without an owner, or a
colleague's resources gone with the clearing up.
"""

import os
import signal
from pathlib import Path

import pytest

from mlops.problem import Problem
from mlops.undo import all_or_nothing
from sandbox.server import Sandbox
from tests.setup.account import Account, incomplete
from tests.setup.faults import calls_since, end, fault, faults, let_go, until_it_hangs
from tests.setup.stage import Clone, Done
from tests.sweeps import some_of

pytestmark = pytest.mark.slow
Call = tuple[str, str, int]
SCENARIO = "champion-challenger"


class World:
    """An account with another team's resources in it, and a clone that has not been set up."""

    def __init__(self, sandbox: Sandbox, clone: Clone, folder: Path) -> None:
        self.sandbox, self.clone = sandbox, clone
        self.account = clone.account
        # Its groups have our name in theirs: only the whole name counts.
        self.account.make_foreign(folder / "theirs", "churn", [f"{clone.slug}-2-dev", f"other-{clone.slug}-prod"])
        self.aws_before, self.clone_before = self.account.state(), clone.state()

    def put_back(self) -> None:
        self.account.remove_new(self.aws_before)
        self.clone.restore()

    def as_before(self) -> bool:
        """Whether neither AWS nor the clone has changed."""
        return self.account.state() == self.aws_before and self.clone.state() == self.clone_before

    def is_complete(self) -> bool:
        """Whether everything is made and right, and what others have is untouched; if not, the test fails saying what."""
        now = self.account.state()
        wrong = incomplete(self.account, self.clone.path, self.clone.slug, self.clone.root_commit, SCENARIO, now)
        changed = [
            name
            for kind in ("repositories", "groups")
            for name, before in self.aws_before[kind].items()
            if now[kind].get(name) != before
        ]
        assert (wrong, changed) == ([], [])
        return True


@pytest.fixture(scope="module")
def calls(stage: Clone, running_sandbox: Sandbox) -> list[Call]:
    """The calls of a clean setup."""
    running_sandbox.reset()
    start = len(running_sandbox.calls)
    done = stage.mlops("setup")
    assert done.code == 0, done.stderr
    return calls_since(running_sandbox, start)


@pytest.fixture
def world(clone: Clone, aws: Sandbox, tmp_path: Path) -> World:
    return World(aws, clone, tmp_path)


def one_clear_line(done: Done) -> bool:
    """Whether the command failed with one line that says what to do next, and nothing of Python's."""
    lines = done.stderr.splitlines()
    return (
        done.code == 1
        and len(lines) == 1
        and "Traceback" not in lines[0]
        and any(advice in lines[0] for advice in ("mlops setup", "try again", "ask an administrator", "log in"))
    )


def fails(world: World, call: Call, name: str, times: int | None) -> Done:
    """Run setup while a call fails."""
    with faults(world.sandbox, fault(call, name, times)):
        return world.clone.mlops("setup")


@pytest.mark.parametrize("name", ["throttling", "no-answer", "dropped"])
def test_a_call_that_fails_once_is_tried_again_and_everything_is_made(
    world: World, calls: list[Call], name: str
) -> None:
    """AWS throttles and drops connections every day; giving up at the first would make setup a lottery."""
    for call in some_of(calls, name, every=6):
        done = fails(world, call, name, 1)
        assert (done.code, done.stderr) == (0, ""), f"{call} {name}: {done.stderr}"
        assert world.is_complete(), f"{call} {name}"
        world.put_back()


@pytest.mark.parametrize("name", ["throttling", "access-denied", "server-error", "no-answer", "dropped"])
def test_a_call_that_fails_for_ever_leaves_all_or_nothing(world: World, calls: list[Call], name: str) -> None:
    """Half of the resources are worse than none: nobody knows of them, and somebody pays."""
    for call in some_of(calls, name + " for ever", every=6):
        done = fails(world, call, name, None)
        if done.code == 0:
            # Not all calls are needed: the alias is only shown, and what took effect is found out another way.
            assert world.is_complete(), f"{call} {name}"
        else:
            assert one_clear_line(done), f"{call} {name}: {done}"
            assert world.as_before(), f"{call} {name}: {done.stderr}"
        world.put_back()


@pytest.mark.parametrize("moment", ["hang-before", "hang-after"])
def test_after_the_process_was_killed_at_any_call_the_next_run_completes_it(
    world: World, calls: list[Call], moment: str
) -> None:
    """A laptop lid, the OOM killer or a CI timeout leaves no time to clear up; then the rest must be recognised as ours."""
    for call in some_of(calls, moment, every=6):
        start = len(world.sandbox.calls)
        with faults(world.sandbox, fault(call, moment)):
            process = world.clone.start("setup")
            until_it_hangs(world.sandbox, call, moment, start)
            end(process, signal.SIGKILL)
            assert world.clone.wait().code == -signal.SIGKILL
        done = world.clone.mlops("setup")
        assert (done.code, done.stderr) == (0, ""), f"killed at {call} {moment}: {done.stderr}"
        assert world.is_complete(), f"killed at {call} {moment}"
        world.put_back()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["hang-before", "hang-after"])
def test_interrupted_at_any_call_it_removes_what_it_made(
    world: World, calls: list[Call], moment: str, number: signal.Signals
) -> None:
    """Ctrl-C because it takes too long is the commonest failure of all."""
    for call in some_of(calls, f"{moment} {number}", every=6):
        start = len(world.sandbox.calls)
        with faults(world.sandbox, fault(call, moment)):
            process = world.clone.start("setup")
            until_it_hangs(world.sandbox, call, moment, start)
            end(process, number)
            done = world.clone.wait()
        assert done.code != 0, f"{number!r} at {call} {moment}"
        assert "Traceback" not in done.stderr, f"{number!r} at {call} {moment}: {done.stderr}"
        assert world.as_before(), f"{number!r} at {call} {moment}: {done.stderr}"
        if "done" in done.stdout:
            assert done.stderr == "interrupted; nothing was left behind. Next: mlops setup\n", f"{call} {moment}"
        world.put_back()


FAILING_REMOVALS = [
    ("codecommit", "DeleteRepository", "CodeCommit repository"),
    ("sagemaker", "DeleteModelPackageGroup", "model package group"),
]


@pytest.mark.parametrize(("service", "operation", "kind"), FAILING_REMOVALS)
def test_what_cannot_be_removed_again_is_named_and_the_next_run_completes(
    world: World, service: str, operation: str, kind: str
) -> None:
    """People who may create need not be allowed to delete: then they must know what is left, and how to go on."""
    last = ("sagemaker", "CreateModelPackageGroup", 5)
    with faults(world.sandbox, fault(last, "access-denied"), fault((service, operation, 1), "access-denied", None)):
        done = world.clone.mlops("setup")
    assert one_clear_line(done), done
    assert f"could not be removed again: the {kind} {world.clone.slug}" in done.stderr
    left = world.account.state()
    for name in left["repositories"].keys() | left["groups"].keys():
        if name not in {**world.aws_before["repositories"], **world.aws_before["groups"]}:
            assert f"{kind} {name} (" in done.stderr, f"{name} is left and not named: {done.stderr}"
    assert world.clone.state() == world.clone_before
    assert world.clone.mlops("setup").code == 0
    assert world.is_complete()


@pytest.mark.parametrize("name", ["access-denied", "no-answer"])
def test_the_push_and_a_group_fail_and_nothing_is_left(world: World, name: str) -> None:
    """The quick core of the long tests above."""
    for call in (("codecommit", "GitPush", 1), ("sagemaker", "CreateModelPackageGroup", 4)):
        done = fails(world, call, name, None)
        if done.code == 0:
            assert name == "no-answer"
            assert world.is_complete(), call
        else:
            assert one_clear_line(done), done
            assert world.as_before(), call
        world.put_back()


def test_a_repository_that_was_there_before_is_as_before(world: World) -> None:
    """Completing what a colleague's clone once set up, and failing, must not leave half of the completion."""
    world.clone.mlops("setup")
    world.account.git("push", world.account.url(world.clone.slug), ":refs/heads/dev", cwd=world.clone.path)
    world.account.git("push", world.account.url(world.clone.slug), "dev:refs/heads/trunk", cwd=world.clone.path)
    world.account.codecommit.update_default_branch(repositoryName=world.clone.slug, defaultBranchName="trunk")
    world.account.sagemaker.delete_model_package_group(ModelPackageGroupName=f"{world.clone.slug}-prod")
    world.clone.restore()
    before = world.account.state()
    with faults(world.sandbox, fault(("sagemaker", "CreateModelPackageGroup", 1), "access-denied", None)):
        done = world.clone.mlops("setup")
    assert one_clear_line(done), done
    assert "nothing was left behind" in done.stderr
    assert world.account.state() == before
    assert world.clone.state() == world.clone_before


def test_others_who_push_meanwhile_keep_their_commits(world: World) -> None:
    """Between the push and a failing group, a colleague may already have pushed: that repository must stay."""
    last = ("sagemaker", "CreateModelPackageGroup", 5)
    start = len(world.sandbox.calls)
    with faults(world.sandbox, fault(last, "hang-before")):
        process = world.clone.start("setup")
        until_it_hangs(world.sandbox, last, "hang-before", start)
        url = world.account.url(world.clone.slug)
        colleague = world.clone.path.parent / "colleague"
        world.account.git("clone", "--quiet", "--branch=dev", url, str(colleague), cwd=world.clone.path.parent)
        world.account.git("commit", "--quiet", "--allow-empty", "--message=Mine", cwd=colleague)
        world.account.git("push", "--quiet", "origin", "dev", cwd=colleague)
        end(process, signal.SIGTERM)
        done = world.clone.wait()
    assert f"could not be removed again: the CodeCommit repository {world.clone.slug} (others have pushed to dev)" in (
        done.stderr
    )
    pushed = world.account.git("rev-parse", "HEAD", cwd=colleague)
    assert world.account.refs(world.clone.slug)["refs/heads/dev"] == pushed


def test_git_settings_that_cannot_be_written_undo_all(world: World) -> None:
    """A lock that a crashed git left behind stops `git config`; AWS must not keep what the clone does not know of."""
    lock = world.clone.path / ".git/config.lock"
    lock.touch()
    done = world.clone.mlops("setup")
    lock.unlink()
    assert one_clear_line(done), done
    assert "could not lock config file" in done.stderr
    assert world.as_before()


class BreakingGit:
    """A git that breaks off, by a line of shell, before one of its changes to a clone."""

    def __init__(self, folder: Path, account: Account, how: str) -> None:
        self._counter, real = folder / "count", account.git("--exec-path", cwd=folder) + "/git"
        fake = folder / "bin" / "git"
        fake.parent.mkdir()
        fake.write_text(
            f"""#!/bin/sh
            case " $* " in *" config --local --replace-all "*|*" config --local --add "*|*" update-ref refs/remotes/"*)
              echo x >>{self._counter}
              [ "$(wc -l <{self._counter})" -eq "$FAIL_AT" ] && {{ {how}; }}
            esac
            exec {real} "$@"
            """
        )
        fake.chmod(0o755)
        self._path = f"{fake.parent}{os.pathsep}{os.environ['PATH']}"

    def setup(self, clone: Clone, fail_at: int) -> Done:
        """Run setup with it; the n-th change fails, counted from 1."""
        self._counter.write_text("")
        return clone.mlops("setup", PATH=self._path, FAIL_AT=str(fail_at))

    def changes(self, world: World) -> range:
        """The numbers of the changes that a clean setup makes."""
        assert self.setup(world.clone, 0).code == 0
        world.put_back()
        return range(1, len(self._counter.read_text().splitlines()) + 1)


def test_git_that_fails_at_any_of_its_commands_undoes_all(world: World, tmp_path: Path) -> None:
    """A full disk stops git in the middle of the settings: those already written go, too."""
    git = BreakingGit(tmp_path, world.account, 'echo "fatal: disk full" >&2; exit 128')
    changes = git.changes(world)
    assert len(changes) > 10  # there are that many settings and references to write
    for number in some_of(changes, "disk full"):
        done = git.setup(world.clone, number)
        assert one_clear_line(done), done
        assert world.as_before(), f"git write {number}: {done.stderr}"


def test_killed_between_two_git_settings_the_next_run_completes_them(world: World, tmp_path: Path) -> None:
    """A helper without its useHttpPath, or a branch with half an upstream, would look finished and not work."""
    git = BreakingGit(tmp_path, world.account, "kill -9 $PPID; exit 1")
    changes = git.changes(world)
    assert len(changes) > 10
    for number in some_of(changes, "killed"):
        assert git.setup(world.clone, number).code == -signal.SIGKILL
        done = world.clone.mlops("setup")
        assert (done.code, done.stderr) == (0, ""), number
        assert world.is_complete(), number
        world.put_back()


def test_an_impatient_second_ctrl_c_does_not_stop_the_clearing_up(world: World) -> None:
    """People press it again when nothing seems to happen: just then the resources are being removed."""
    last, removal = ("sagemaker", "CreateModelPackageGroup", 5), ("sagemaker", "DeleteModelPackageGroup", 2)
    start = len(world.sandbox.calls)
    with faults(world.sandbox, fault(last, "hang-before"), fault(removal, "hang-before")):
        process = world.clone.start("setup")
        until_it_hangs(world.sandbox, last, "hang-before", start)
        end(process, signal.SIGINT)
        until_it_hangs(world.sandbox, removal, "hang-before", start)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            end(process, number)
        let_go(world.sandbox, start, 2)
        done = world.clone.wait()
    assert done.stderr == "interrupted; nothing was left behind. Next: mlops setup\n"
    assert world.as_before()


def test_a_signal_that_was_ignored_before_stays_ignored() -> None:
    """`nohup mlops setup` must survive the end of the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with all_or_nothing("again"):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_one_step_of_the_clearing_up_that_breaks_does_not_keep_the_others() -> None:
    """Whatever goes wrong with one resource, the others must still be removed, and what is left be named."""
    removed = []

    def breaks() -> None:
        raise OSError("disk full")

    def fails() -> None:
        with all_or_nothing("again") as undo:
            undo.add("a", lambda: removed.append("a"))
            undo.add("b", breaks)
            undo.add("c", lambda: removed.append("c"))
            raise Problem("no.")

    with pytest.raises(Problem, match=r"^no; could not be removed again: b \(disk full\)\. Next: again$"):
        fails()
    assert removed == ["c", "a"]


def test_killed_before_its_push_and_then_failing_after_it_setup_names_what_is_left(
    world: World, calls: list[Call]
) -> None:
    """Two accidents in a row. The first pushed branch is the default, which CodeCommit does not let anybody delete."""
    push = ("codecommit", "GitPush", 1)
    made = ("codecommit", "CreateRepository", 1)
    start = len(world.sandbox.calls)
    with faults(world.sandbox, fault(made, "hang-after")):
        process = world.clone.start("setup")
        until_it_hangs(world.sandbox, made, "hang-after", start)
        end(process, signal.SIGKILL)
        world.clone.wait()
    left = world.account.state()
    assert world.clone.slug in left["repositories"]
    assert not left["repositories"][world.clone.slug]["branches"]
    later = calls[-1]
    assert calls.index(push) < calls.index(later)
    assert later[1] == "CreateModelPackageGroup"
    done = fails(world, later, "access-denied", None)
    assert one_clear_line(done), done
    pushed = f"what was pushed to the CodeCommit repository {world.clone.slug} (main stayed: git push: remote: error: "
    assert f"could not be removed again: {pushed}" in done.stderr
    now = world.account.state()
    assert now["groups"] == left["groups"]
    assert now["repositories"][world.clone.slug]["branches"].keys() == {"main"}
    assert world.clone.state() == world.clone_before
    assert world.clone.mlops("setup").code == 0
    assert world.is_complete()
