"""git, as a process."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mlops.own_repository import ROOT
from mlops.problem import Problem

TIMEOUT = 300  # seconds; a first push of a repository of a few megabytes takes a few

BOUND_TO_A_REPOSITORY = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}


class GitFailed(Problem):
    """git answered with an error: its last line is the reason."""


def git(*arguments: str, environment: dict[str, str] | None = None, root: Path = ROOT) -> str:
    """Run git in this repository and return what it printed, without the last line break.

    Raises:
        GitFailed: git ended with another code than 0, or did not end within TIMEOUT.
        Problem: git is not installed.
    """
    done = run_git(arguments, environment=environment, root=root)
    if done.returncode:
        raise GitFailed(f"git {_command(arguments)}: {_reason(done.stderr.decode('utf-8', 'replace'))}")
    return done.stdout.decode("utf-8", "replace").rstrip("\n")


def run_git(
    arguments: Sequence[str], *, environment: dict[str, str] | None = None, root: Path = ROOT, content: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run git with `content` on its standard input, whatever it ends with.

    Raises:
        GitFailed: it did not end within TIMEOUT.
        Problem: git is not installed.
    """
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**_environment(), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(environment or {})},
            input=content,
            capture_output=True,
            timeout=TIMEOUT,
        )
    except FileNotFoundError:
        raise Problem("git is not installed; install it from git-scm.com and run this again") from None
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git {_command(arguments)} did not end within {TIMEOUT} s") from None


def _command(arguments: Sequence[str]) -> str:
    """Return git's command, which may stand behind settings: `-c KEY=VALUE push`."""
    words = iter(arguments)
    return next(word for word in words if word != "-c" or not next(words))


def _environment() -> dict[str, str]:
    """Return the environment without what binds git to one repository.

    Inside a hook or `git rebase --exec`, git sets GIT_DIR and its like for *that* repository (`git rev-parse
    --local-env-vars` lists them); those that hold configuration stay.
    """
    return {name: value for name, value in os.environ.items() if name not in BOUND_TO_A_REPOSITORY}


def _reason(stderr: str) -> str:
    """Return the line that says why; git's last lines are often advice."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if advice := [line for line in lines if line.startswith("git config --global --add safe.directory")]:
        return f"{lines[0]}; if you trust it: {advice[0]}"  # a repository of another user
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "! "))]
    return (telling or lines or ["it gave no reason"])[0]


def root_commit() -> str:
    """Return the id of the root commit: what makes a remote repository ours.

    Raises:
        Problem: this is no git repository, has no commit, or is a shallow clone.
    """
    if not (ROOT / ".git").exists():
        raise Problem(
            f"{ROOT.name}/ is not a git repository; make it one with: "
            "git init -b main && git add -A && git commit -m 'Start' && git switch -c dev"
        )
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise Problem("this clone is shallow and lacks the root commit; complete it with: git fetch --unshallow")
    try:
        # --first-parent: a history that was merged in later has a root of its own.
        return git("rev-list", "--first-parent", "--max-parents=0", "HEAD")
    except GitFailed:
        raise Problem("this repository has no commit yet; make one with: git add -A && git commit") from None


def read_config(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the local configuration: the values of each key, in order. Git writes a key's ends in lower case."""
    settings: dict[str, list[str]] = {}
    for entry in git("config", "--local", "--list", "--null", root=root).split("\0"):
        key, _, value = entry.partition("\n")
        settings.setdefault(key, []).append(value)
    return settings
