"""What an update is merged into: the newest `dev` that this clone knows, as it is committed."""

import os
from dataclasses import dataclass
from pathlib import Path

from mlops.git import GitFailed, git, read_config, run_git
from mlops.problem import Problem

BRANCH = "dev"


@dataclass(frozen=True)
class Start:
    """A commit, and what this clone calls it: "dev", "origin/dev", or where there is no dev "main" or "detached"."""

    name: str
    commit: str
    unpushed: int = 0  # commits that the remote's dev has not

    @property
    def is_dev(self) -> bool:
        """Whether it is dev, here or at the remote."""
        return self.name.rpartition("/")[2] == BRANCH


def find_start(root: Path) -> Start:
    """Return where an update starts. What is not committed plays no part, nor does the branch that is checked out.

    Raises:
        Problem: the folder is no git repository of its own, is somebody else's, or has no commit.
    """
    if not root.is_dir():
        raise Problem(f"there is no folder {root}")
    try:
        top = git("rev-parse", "--show-toplevel", root=root)
    except GitFailed as failure:
        if "safe.directory" in str(failure):
            raise
        top = ""
    if not top or Path(top).resolve() != root.resolve():
        raise Problem(
            f"{root.name}/ is not a git repository of its own, and an update is a branch; make it one with: "
            "git init -b main && git add -A && git commit -m 'Start' && git switch -c dev"
        )
    listed = git("for-each-ref", "--format=%(objectname) %(refname)", f"refs/heads/{BRANCH}", "refs/remotes", root=root)
    known = {name: commit for commit, _, name in (line.partition(" ") for line in listed.splitlines())}
    local = known.get(f"refs/heads/{BRANCH}")
    remote = next((name for name in _remotes(known) if name in known), None)
    if local and remote:
        ahead = int(git("rev-list", "--count", f"{known[remote]}..{local}", root=root))
        if ahead or known[remote] == local:
            return Start(BRANCH, local, ahead)
    if remote:
        return Start(remote.removeprefix("refs/remotes/"), known[remote])
    if local:
        return Start(BRANCH, local)
    head = run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], root=root).stdout.decode().strip()
    if not head:
        raise Problem(f"{root.name}/ has no commit yet; make one with: git add -A && git commit")
    return Start(run_git(["branch", "--show-current"], root=root).stdout.decode().strip() or "detached", head)


def complete(root: Path, tree: str) -> None:
    """Let a partial clone fetch, at once, what it lacks of a tree: a merge beside the clone cannot.

    Raises:
        GitFailed: its remote cannot be reached.
    """
    if any(key.startswith("remote.") and key.endswith(".promisor") for key in read_config(root)):
        nothing = git("hash-object", "-t", "tree", os.devnull, root=root)
        git("diff-tree", "-r", "--shortstat", nothing, tree, root=root)  # any command that reads all files


def _remotes(known: dict[str, str]) -> list[str]:
    """Return the remote branches that may be the repository's own dev, the likeliest first (see clone.py)."""
    found = [name for name in known if name.startswith("refs/remotes/") and name.endswith(f"/{BRANCH}")]
    likely = ["refs/remotes/upstream-mlops/dev", "refs/remotes/origin/dev"]
    return [*likely, *[name for name in found if name.count("/") == 3]]
