"""Where this repository stands: the commit, the branch, and whether the files are those of the commit."""

from typing import Any

from mlops.git import GitFailed, git
from mlops.problem import Problem
from mlops.tags import legal


def checkout() -> dict[str, Any]:
    """Return `commit` and `branch` (None where there is none), and whether it is `dirty`; outside git, nothing."""
    try:
        lines = git("status", "--porcelain=v2", "--branch", "--untracked-files=normal").splitlines()
    except (GitFailed, Problem):
        return {"commit": None, "branch": None, "dirty": False}
    heads = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit, branch = heads.get("branch.oid", ""), heads.get("branch.head", "")
    return {
        "commit": None if commit in {"", "(initial)"} else commit,
        "branch": None if branch in {"", "(detached)"} else branch,
        "dirty": any(not line.startswith("#") for line in lines),
    }


def commit_text(state: dict[str, Any]) -> str:
    """Return the commit as a version tells it: `-dirty` where the files were not those of the commit."""
    return f"{state['commit'] or 'none'}{'-dirty' if state['dirty'] else ''}"


def branch_text(state: dict[str, Any]) -> str:
    """Return the branch as a version tells it. It need not be exact: `feature/a#b` is no legal value on AWS."""
    return legal(state["branch"] or "") or "none"
