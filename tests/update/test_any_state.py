"""Whatever state a repository is in: an update works beside it or says one line, and nothing of the person's changes."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.problem import Problem
from tests.conftest import SOURCE, Repository
from tests.sweeps import nightly
from tests.update.conftest import Update
from tests.update.interrupting import Stop, at_git, interrupt
from tests.update.template_source import TemplateSource, content, git

pytestmark = pytest.mark.slow


@pytest.fixture
def newer(small: TemplateSource, repository: Repository) -> TemplateSource:
    """A release that changes one file, adds one and removes one."""
    small.edit(small.in_project("model/train.py"), "line_7 = 7\n", "line_7 = 77\n")
    small.write(small.in_project("mlops/new.py"), "new = True\n")
    small.git("rm", "--quiet", small.in_project("data/sample.csv"))
    small.release("1.1.0")
    return small


def everything(repository: Repository) -> dict[str, str]:
    """Return a digest of every file there is, git's own too, and what stat says of the working tree."""
    found = {}
    for path in sorted(repository.path.rglob("*")):
        if path.is_file() or path.is_symlink():
            name = path.relative_to(repository.path).as_posix()
            found[name] = hashlib.sha256(
                os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            ).hexdigest()
            if not name.startswith(".git/"):
                found[f"{name}, when"] = str(path.lstat().st_mtime_ns)
    return found


def added(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return what is new; nothing else may have changed."""
    assert {name: after.get(name) for name in before} == before
    return after.keys() - before.keys()


def test_the_branch_and_its_objects_are_all_that_is_new(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    """With a dirty tree, a dirty index, untracked and ignored files, a stash and a file that is in the way."""
    train = repository.path / "model/train.py"
    train.write_text("stashed\n")
    git(repository.path, "stash", "--quiet")
    train.write_text("staged\n")
    repository.git("add", "model/train.py")
    train.write_text("dirty\n")
    (repository.path / "mlops").mkdir()
    (repository.path / "mlops/new.py").write_text("mine, and nobody knows\n")
    (repository.path / ".gitignore").write_text("ignored/\n")
    (repository.path / "ignored").mkdir()
    (repository.path / "ignored/file").write_text("ignored\n")
    (repository.path / "data/sample.csv").unlink()
    before, status = everything(repository), repository.git("status", "--porcelain=v2", "--branch")
    done = update(repository, newer)
    new = added(before, everything(repository))
    assert {name for name in new if not name.startswith(".git/objects/")} == {
        ".git/refs/heads/template-update/1.1.0",
        ".git/logs/refs/heads/template-update/1.1.0",
    }
    assert repository.git("status", "--porcelain=v2", "--branch") == status
    assert done.in_the_way == ["mlops/new.py"]
    assert content(repository, done.branch, "model/train.py").count(b"line_7 = 77\n") == 1
    assert repository.git("rev-list", "--count", f"dev..{done.branch}") == "1"


def test_it_starts_at_dev_whatever_is_checked_out(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    dev = repository.git("rev-parse", "dev")
    repository.git("switch", "--quiet", "--create", "feature-x")
    (repository.path / "feature.py").write_text("x = 1\n")
    repository.git("add", "feature.py")
    git(repository.path, "commit", "--quiet", "--message", "A feature")
    repository.git("checkout", "--quiet", "--detach")
    done = update(repository, newer)
    assert repository.git("rev-parse", f"{done.branch}^") == dev
    assert repository.git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


@pytest.mark.parametrize("detached", [False, True])
def test_without_a_dev_it_starts_at_what_is_checked_out(
    newer: TemplateSource, repository: Repository, update: Update, detached: bool
) -> None:
    repository.git("switch", "--quiet", "--detach" if detached else "--create", "HEAD" if detached else "update/work")
    repository.git("branch", "--quiet", "-D", "dev", "main")
    (repository.path / "model/evaluate.py").write_text("def evaluate():\n    return 'mae'\n")
    git(repository.path, "commit", "--quiet", "--all", "--message", "Mine")
    newer.edit(newer.in_project("model/evaluate.py"), "'auc'", "'rmse'")
    newer.release("1.2.0")
    done = update(repository, newer)
    assert repository.git("rev-parse", f"{done.branch}^") == repository.git("rev-parse", "HEAD")
    label = b"<<<<<<< detached\n" if detached else b"<<<<<<< update/work\n"
    assert label in content(repository, done.branch, "model/evaluate.py")


def test_a_fresh_clone_knows_only_the_remotes_dev(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    clones = [tmp_path / name for name in ("whole", "shallow", "of-main")]
    for clone, options in zip(clones, ([], ["--depth=1", "--no-single-branch"], ["--branch=main"]), strict=True):
        git(tmp_path, "clone", "--quiet", "--origin=origin", *options, repository.path.as_uri(), str(clone))
        git(clone, "checkout", "--quiet", "--detach")
        subprocess.run(["git", "branch", "-D", "dev"], cwd=clone, capture_output=True)
    for clone in clones:
        done = update(Repository(clone), newer)
        assert git(clone, "rev-parse", f"{done.branch}^") == repository.git("rev-parse", "dev")
        assert git(clone, "fsck", "--connectivity-only") == ""
        # A shallow clone can push what came out of it.
        git(clone, "push", "--quiet", "origin", f"{done.branch}:refs/heads/from-{clone.name}")


def test_of_a_dev_here_and_a_dev_at_the_remote_the_newer_one_counts(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    clone = Repository(tmp_path / "clone")
    git(tmp_path, "clone", "--quiet", repository.path.as_uri(), str(clone.path))
    git(repository.path, "commit", "--quiet", "--allow-empty", "--message", "Of a colleague")
    git(clone.path, "fetch", "--quiet")
    done = update(clone, newer)
    assert clone.git("rev-parse", f"{done.branch}^") == repository.git("rev-parse", "dev")
    clone.git("branch", "--quiet", "-D", done.branch)
    git(clone.path, "commit", "--quiet", "--allow-empty", "--message", "Mine")
    assert clone.git("rev-parse", f"{update(clone, newer).branch}^") == clone.git("rev-parse", "dev")


def test_worktrees_and_submodules(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "--quiet")
    git(library, "commit", "--quiet", "--allow-empty", "--message", "Library")
    git(repository.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    git(repository.path, "commit", "--quiet", "--message", "A library")
    repository.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "feature-y")
    worktree = Repository(tmp_path / "tree")
    before = everything(worktree)
    done = update(worktree, newer)
    assert not added(before, everything(worktree))
    assert repository.git("ls-tree", done.branch, "lib").startswith("160000 commit")
    assert content(repository, done.branch, ".gitmodules")


def test_a_locked_index_a_rebase_in_progress_and_no_identity_do_not_matter(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    (repository.path / ".git/index.lock").touch()
    (repository.path / ".git/rebase-merge").mkdir()
    done = update(repository, newer)
    author = repository.git("log", "-1", "--format=%an <%ae> %cn", done.branch)
    assert (
        author == "cookiecutter-sagemaker-mlops <cookiecutter-sagemaker-mlops@localhost> cookiecutter-sagemaker-mlops"
    )


def test_the_commit_is_the_persons_where_git_knows_who_that_is(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    repository.git("config", "user.name", "Ada Löwe")
    repository.git("config", "user.email", "ada@example.org")
    done = update(repository, newer)
    assert repository.git("log", "-1", "--format=%an <%ae>", done.branch) == "Ada Löwe <ada@example.org>"


def test_the_same_update_again_is_there_already_and_another_one_is_not_written_over(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    first = update(repository, newer)
    before = everything(repository)
    again = update(repository, newer)
    assert (again.was_there, again.commit) == (True, first.commit)
    assert not added(before, everything(repository))
    repository.git("switch", "--quiet", first.branch)
    git(repository.path, "commit", "--quiet", "--allow-empty", "--message", "My decision")
    before = everything(repository)
    with pytest.raises(Problem, match=r"the branch template-update/1\.1\.0 is there already, and holds something else"):
        update(repository, newer)
    assert not added(before, everything(repository))


def test_a_folder_that_is_no_repository_of_its_own(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    with pytest.raises(Problem, match="there is no folder"):
        update(Repository(repository.path / "nowhere"), newer)
    with pytest.raises(Problem, match="model/ is not a git repository of its own"):
        update(Repository(repository.path / "model"), newer)
    shutil.rmtree(repository.path / ".git")
    with pytest.raises(Problem, match="house-prices/ is not a git repository of its own"):
        update(repository, newer)
    repository.git("init", "--quiet")
    with pytest.raises(Problem, match="has no commit yet"):
        update(repository, newer)


def test_a_record_that_is_missing_or_damaged(newer: TemplateSource, repository: Repository, update: Update) -> None:
    record = repository.path / ".template.json"
    text = record.read_text()
    for damaged in (
        "{",
        "[]",
        text.replace('"1.0.0"', "1.0"),
        text.replace('"answers": {', '"commit": 5, "answers": {'),
    ):
        record.write_text(damaged)
        git(repository.path, "commit", "--quiet", "--all", "--message", "Damage")
        with pytest.raises(Problem, match=r"\.template\.json cannot be read"):
            update(repository, newer)
    repository.git("rm", "--quiet", ".template.json")
    git(repository.path, "commit", "--quiet", "--message", "Gone")
    with pytest.raises(Problem, match=r"dev has no \.template\.json, .*mlops update --link VERSION --template ADDRESS"):
        update(repository, newer)


def test_a_branch_that_is_called_like_the_template_is_not_taken_for_it(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    repository.git("branch", "--quiet", "-D", "main")
    repository.git("branch", "--move", "template-1.1.0")
    (repository.path / "README.md").write_text("mine\n")
    git(repository.path, "commit", "--quiet", "--all", "--message", "Mine")
    assert content(repository, update(repository, newer).branch, "README.md") == b"mine\n"


def test_a_partial_clone_fetches_what_it_lacks_and_says_so_if_it_cannot(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    (repository.path / "model/train.py").write_text((repository.path / "model/train.py").read_text() + "mine = 1\n")
    git(repository.path, "commit", "--quiet", "--all", "--message", "Mine")
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = Repository(tmp_path / "clone")
    words = ["--filter=blob:none", "--no-checkout", "--branch=dev"]
    git(tmp_path, "clone", "--quiet", *words, repository.path.as_uri(), str(clone.path))
    lost = Repository(shutil.copytree(clone.path, tmp_path / "lost"))
    done = update(clone, newer)
    train = content(clone, done.branch, "model/train.py")
    assert b"line_7 = 77\n" in train
    assert train.endswith(b"mine = 1\n")
    git(lost.path, "remote", "set-url", "origin", str(tmp_path / "gone"))
    with pytest.raises(Problem, match=r"git cannot read \.template\.json of dev: .*could not fetch"):
        update(lost, newer)


def test_a_repository_or_a_template_of_another_user_is_named_with_gits_advice(
    newer: TemplateSource, repository: Repository, update: Update, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    config = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    for folder in (repository.path, newer.path):
        with pytest.raises(Problem, match=f"dubious ownership.*safe.directory {folder}"):
            update(repository, newer)
        git(tmp_path, "config", "--file", str(config), "--add", "safe.directory", str(folder))


def test_a_ban_of_local_addresses_is_for_other_peoples(
    newer: TemplateSource, repository: Repository, update: Update, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gitconfig").write_text('[protocol "file"]\n\tallow = never\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert update(repository, newer).branch == "template-update/1.1.0"


def test_a_name_that_git_cannot_give_to_a_branch(newer: TemplateSource, repository: Repository, update: Update) -> None:
    repository.git("branch", "template-update")
    before = everything(repository)
    with pytest.raises(Problem, match=r"the branch template-update/1\.1\.0 cannot be made"):
        update(repository, newer)
    assert {name for name in added(before, everything(repository)) if not name.startswith(".git/objects/")} == set()


OLD = """\
#!/bin/sh
case " $* " in
  *" merge-tree "*) echo "usage: git merge-tree <base-tree> <branch1> <branch2>" >&2; exit 129;;
  *" version "*) echo "git version 2.34.1"; exit 0;;
esac
exec {git} "$@"
"""


def test_a_git_that_is_too_old_and_a_cookiecutter_that_is_missing_are_named(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(repository)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/git").write_text(OLD.format(git=shutil.which("git")))
    (tmp_path / "old/git").chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path / 'old'}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(Problem, match=r"this git is 2\.34\.1; an update needs 2\.38 or newer"):
            update(repository, newer)
    monkeypatch.setattr("mlops.update.render.find_spec", lambda _: None)
    with pytest.raises(
        Problem, match=r"an update renders with Cookiecutter; install it: .* -m pip install cookiecutter"
    ):
        update(repository, newer)
    assert not added(before, everything(repository))


def interrupted(
    repository: Repository, template: TemplateSource, stop: Stop, folder: Path, number: int, *, alone: bool = False
) -> None:
    """Interrupt an update, and assert one line, and that nothing is left of it."""
    folder.mkdir()
    before = everything(repository)
    command = [sys.executable, "-m", "mlops", "update", "--repository", str(repository.path)]
    command += ["--template", str(template.path)]
    done = interrupt(command, folder, stop, {"PYTHONPATH": str(SOURCE), "TMPDIR": str(folder)}, number, alone=alone)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("interrupted; nothing was ")
    # Objects that nothing refers to, once the branch is gone again, are git's to clear up, as after any command of its own.
    assert not {name for name in added(before, everything(repository)) if not name.startswith(".git/objects/")}
    assert list(folder.iterdir()) == []


BEFORE, AFTER = False, True
STAGES = ["for-each-ref", "log", "init", "add", "write-tree", "commit-tree"]


@pytest.mark.parametrize(
    ("command", "after", "number"),
    [
        ("cat-file", BEFORE, signal.SIGINT),  # while it looks
        ("archive", BEFORE, signal.SIGHUP),  # with renderers that wait
        ("merge-tree", BEFORE, signal.SIGINT),  # with both renders
        ("fetch", BEFORE, signal.SIGINT),  # with all but the branch
        ("fetch", AFTER, signal.SIGTERM),  # with the branch
        *(pytest.param(command, BEFORE, signal.SIGINT, marks=nightly) for command in STAGES),
        pytest.param("fetch", AFTER, signal.SIGHUP, marks=nightly),
    ],
)
def test_a_signal_that_ends_a_process_leaves_nothing_at_any_stage(
    newer: TemplateSource, repository: Repository, tmp_path: Path, command: str, after: bool, number: signal.Signals
) -> None:
    interrupted(repository, newer, at_git(command, tmp_path / "stop", after=after), tmp_path / "tmp", number)


SLOW_EXTENSION = """\
import os
import pathlib

from jinja2.ext import Extension


class Slow(Extension):
    def __init__(self, environment):
        super().__init__(environment)
        if "REACHED" in os.environ:
            pathlib.Path(os.environ["REACHED"]).write_text(str(os.getpid()))
            time.sleep(30)
"""


@pytest.mark.parametrize("alone", [False, True])
def test_nor_does_ctrl_c_while_a_template_is_rendered_which_ends_too(
    newer: TemplateSource, repository: Repository, tmp_path: Path, alone: bool
) -> None:
    newer.write("slow_extension.py", SLOW_EXTENSION)
    newer.questions(_extensions=["slow_extension.Slow"])
    newer.release("1.2.0")
    stop = Stop(tmp_path / "reached", {"REACHED": str(tmp_path / "reached")})
    interrupted(repository, newer, stop, tmp_path / "tmp", signal.SIGINT, alone=alone)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "reached").read_text()), 0)
