"""The branch of an update: made whole in one step, beside whatever else the repository holds."""

import os
from collections.abc import Sequence
from pathlib import Path

from mlops.git import GitFailed, git, run_git
from mlops.problem import Problem
from mlops.update.merge import Scratch
from mlops.update.outlook import Outlook
from mlops.update.result import Left, Result

PREFIX = "template-update"
NOBODY = "cookiecutter-sagemaker-mlops"  # who commits where git does not know whom


def name_of(outlook: Outlook) -> str:
    """Return the name of the branch."""
    return f"{PREFIX}/{outlook.new.name}"


def commit(scratch: Scratch, outlook: Outlook, result: Result) -> str:
    """Store the update as one commit on top of where it starts, and return it."""
    lines = [title(outlook), ""]
    lines += [f"Template: {outlook.record.source}"] if outlook.record.source else []
    lines += [f"Template-Commit: {outlook.new.commit}"] if outlook.new.commit else []
    for heading, left in (("To decide", result.conflicts), ("Kept as it was", result.kept)):
        lines += ["", f"{heading}:", *_listed(left)] if left else []
    return scratch.commit(result.tree, [outlook.start.commit], "\n".join([*lines, ""]), _identity(outlook.root))


def title(outlook: Outlook) -> str:
    """Return what the update does, in one line."""
    return f"Update the template from {outlook.old.name} to {outlook.new.name}"


def existing(outlook: Outlook, tree: str) -> str | None:
    """Return the commit of an earlier run that made the same, if its branch is there.

    Raises:
        Problem: the branch holds something else.
    """
    branch = name_of(outlook)
    tip = _tip(outlook.root, branch)
    if tip is None:
        return None
    made_of = git("rev-parse", f"{tip}^{{tree}}", *[f"{tip}^@"], root=outlook.root).split()
    if made_of == [tree, outlook.start.commit]:
        return tip
    raise Problem(
        f"the branch {branch} is there already, and holds something else; merge it, or remove it with: "
        f"git branch -D {branch}"
    )


def bring(scratch: Scratch, made: str, outlook: Outlook) -> None:
    """Make the branch in the repository. Nothing else of it changes: not the files, the index, or another branch.

    Raises:
        Problem: git cannot make it.
    """
    scratch.git("update-ref", "refs/update", made)
    quietly = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"]
    reference = f"refs/update:refs/heads/{name_of(outlook)}"
    try:
        # A person's ban of local addresses means other people's.
        git("-c", "protocol.file.allow=always", "fetch", *quietly, str(scratch.folder), reference, root=outlook.root)
    except GitFailed as failure:
        raise Problem(
            f"the branch {name_of(outlook)} cannot be made ({failure}); look with: git branch --list"
        ) from None


def remove(outlook: Outlook, made: str) -> None:
    """Remove the branch again, if it still is as it was made."""
    if _tip(outlook.root, name_of(outlook)) == made:
        git("update-ref", "-d", f"refs/heads/{name_of(outlook)}", made, root=outlook.root)


def in_the_way(outlook: Outlook, result: Result) -> list[str]:
    """Return the files of this folder that git does not know and that the branch brings: `git switch` will refuse."""
    listed = run_git(["ls-files", "--others", "-z"], root=outlook.root).stdout
    unknown = {os.fsdecode(path) for path in listed.split(b"\0") if path}
    return sorted(unknown & set(result.changed))


def _tip(root: Path, branch: str) -> str | None:
    done = run_git(["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"], root=root)
    return done.stdout.decode().strip() or None


def _listed(left: Sequence[Left]) -> list[str]:
    return [f"- {one.path}: {one.what}" for one in left]


def _identity(root: Path) -> dict[str, str]:
    """Return who commits: whom the environment or git's configuration names, else the template itself."""
    identity = {}
    for what, fallback in (("NAME", NOBODY), ("EMAIL", f"{NOBODY}@localhost")):
        configured = run_git(["config", f"user.{what.lower()}"], root=root).stdout.decode("utf-8", "replace").strip()
        for who in ("AUTHOR", "COMMITTER"):
            variable = f"GIT_{who}_{what}"
            identity[variable] = os.environ.get(variable) or configured or fallback
    return identity
