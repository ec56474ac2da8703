"""The repositories: what CodeCommit knows of each, and the bare git repository that holds its content."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from uuid import uuid4

from sandbox.codecommit.comment import Comment, Thread
from sandbox.codecommit.comment_events import comment_change
from sandbox.codecommit.pull_request import PullRequest
from sandbox.codecommit.pull_request_events import MERGED, pull_request_change
from sandbox.codecommit.reference_events import HEADS, Move, reference_change
from sandbox.inside import Event

PUSHED = "SANDBOX_PUSHED"  # variable with the name of the file for it

# Nothing may run on behind a push: the sandbox leaves no process behind. HEAD is always the default branch (or,
# before the first push, `main`, which then has no commit), and git guards its deletion: CodeCommit User Guide,
# "Delete a branch", which rules it out for all the ways that it describes (console, Git, AWS CLI).
_CONFIG = """[core]
\trepositoryformatversion = 0
\tbare = true
\thooksPath = {hooks}
[http]
\treceivepack = true
[receive]
\tautogc = false
\tdenyDeleteCurrent = refuse
[gc]
\tauto = 0
[uploadpack]
\tallowAnySHA1InWant = false
"""

# Source of the rules: CodeCommit User Guide, "Quotas" (branch names, references in a single push). One process for a
# whole push: a hook for each of 4,000 references would take a minute.
_PRE_RECEIVE_HOOK = r"""#!/bin/sh
exec awk '
function refuse(why) { print why > "/dev/stderr"; refused = 1; exit 1 }
$2 !~ /^0+$/ && index($3, "refs/heads/") == 1 {
  name = substr($3, 12)
  if (length(name) > 256) refuse("Branch names have at most 256 characters.")
  if (name == "@") refuse("A branch name cannot consist of the single character @.")
  if (length(name) == 40 && name ~ /^[0-9a-f]+$/) refuse("A branch name cannot be exactly 40 hexadecimal characters.")
}
END { if (!refused && NR > 4000) refuse("A push has at most 4,000 references (create, delete and update).") ; exit
refused } '
"""

# What a push really moved: git leaves out the references that it refused (githooks(5)).
_POST_RECEIVE_HOOK = f"""#!/bin/sh
exec cat >"${PUSHED}"
"""


class GitFailed(Exception):
    """git ended with an error; the message is what it said. status: its exit code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Repository:
    """One CodeCommit repository. path: the bare repository. lock: guards the default branch and the pull requests."""

    name: str
    account: str
    region: str
    arn: str
    clone_url: str
    path: Path
    description: str | None = None
    kms_key: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    default_branch: str | None = None
    pull_requests: list[PullRequest] = field(default_factory=list)
    lock: RLock = field(default_factory=RLock)

    def git(self, *args: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """Output of a git command in the bare repository. env: more of its environment. Raises GitFailed."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            env={**git_environment(), **(env or {})},
            check=False,
        )
        if done.returncode:
            raise GitFailed(done.stderr.decode("utf-8", "replace").strip(), done.returncode)
        return done.stdout

    def tip(self, branch: str) -> str | None:
        """The commit a branch is at, or None."""
        return self.commit(HEADS + branch)

    def commit(self, reference: str) -> str | None:
        """The commit a full reference or a full id leads to, or None."""
        try:
            return (
                self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
                .decode()
                .strip()
            )
        except GitFailed:
            return None

    def tips(self) -> dict[str, str]:
        """All branches by name, in order, and the commits they are at."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", HEADS).decode().splitlines()
        return dict(sorted(line.removeprefix(HEADS).split(" ") for line in lines))

    def branches(self) -> list[str]:
        """All branch names, in order."""
        return list(self.tips())

    def merge_base(self, one: str, other: str) -> str | None:
        """The most recent commit that two commits have in common, or None."""
        try:
            return self.git("merge-base", one, other).decode().strip()
        except GitFailed:
            return None

    def follow_branches(self, actor: str) -> list[tuple[PullRequest, str]]:
        """After branches moved or went: bring the open pull requests up to them, and return what comes of it. actor:
        ARN of who moved them."""
        with self.lock:
            still_open = [pull_request for pull_request in self.pull_requests if pull_request.is_open]
            tips = self.tips() if still_open else {}
            followed = [(each, each.follow(tips, self.merge_base, actor)) for each in still_open]
            return [(pull_request, event) for pull_request, event in followed if event]

    def set_default(self, branch: str) -> None:
        with self.lock:
            self.git("symbolic-ref", "HEAD", HEADS + branch)
            self.default_branch = branch
            self.touch()

    def touch(self) -> None:
        self.modified = datetime.now(UTC)


class Repositories:
    """All repositories of a sandbox, by account, region and (case-sensitive) name."""

    def __init__(self, folder: Path, tell: Callable[[Event], None]) -> None:
        """tell: hands an event to EventBridge."""
        self._folder = folder
        self._tell = tell
        self._hooks = folder / "hooks"
        self._by_key: dict[tuple[str, str, str], Repository] = {}
        self._pull_requests_made: Counter[tuple[str, str]] = Counter()
        self.lock = RLock()
        self._prepare()

    def _prepare(self) -> None:
        self._hooks.mkdir(parents=True, exist_ok=True)
        for name, script in {"pre-receive": _PRE_RECEIVE_HOOK, "post-receive": _POST_RECEIVE_HOOK}.items():
            hook = self._hooks / name
            hook.write_text(script, encoding="utf-8")
            hook.chmod(0o755)

    def find(self, account: str, region: str, name: str) -> Repository | None:
        return self._by_key.get((account, region, name))

    def all_of(self, account: str, region: str) -> list[Repository]:
        return [found for (owner, where, _), found in list(self._by_key.items()) if (owner, where) == (account, region)]

    def with_pull_request(self, account: str, region: str, number: str) -> tuple[Repository, PullRequest] | None:
        """The pull request of that id, and the repository it is of."""
        for repository in self.all_of(account, region):
            for pull_request in list(repository.pull_requests):
                if pull_request.id == number:
                    return repository, pull_request
        return None

    def next_pull_request_id(self, account: str, region: str) -> str:
        """Never the id of an earlier one, not even of one that went with its repository."""
        self._pull_requests_made[account, region] += 1
        return str(self._pull_requests_made[account, region])

    def moved(
        self, repository: Repository, moves: Iterable[Move], actor: str, merged: PullRequest | None = None
    ) -> None:
        """After references moved: pull requests follow, and EventBridge is told. actor: ARN of who moved them. merged:
        the pull request that they were moved for."""
        repository.touch()
        followed = [(merged, MERGED)] if merged else []
        followed += repository.follow_branches(actor)
        for event in [reference_change(repository, move, actor) for move in moves]:
            if event:
                self._tell(event)
        for pull_request, name in followed:
            self.tell(repository, pull_request, name, actor)

    def tell(
        self,
        repository: Repository,
        pull_request: PullRequest,
        name: str,
        actor: str,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Tell EventBridge what became of a pull request. name: that of the event. more: what it has besides."""
        self._tell(pull_request_change(repository, pull_request, name, actor, more or {}))

    def tell_of_comment(self, thread: Thread, comment: Comment, name: str, actor: str) -> None:
        """Tell EventBridge of a comment. name: that of the event."""
        self._tell(comment_change(thread, comment, name, actor))

    def add(self, repository: Repository) -> None:
        """Makes the bare repository as well. The layout is git's own (gitrepository-layout(5)); making it so takes 1
        ms."""
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (repository.path / part).mkdir(parents=True)
        (repository.path / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        (repository.path / "config").write_text(_CONFIG.format(hooks=self._hooks), encoding="utf-8")
        self._by_key[repository.account, repository.region, repository.name] = repository

    def rename(self, repository: Repository, name: str) -> None:
        del self._by_key[repository.account, repository.region, repository.name]
        repository.arn = repository.arn.rsplit(":", 1)[0] + ":" + name
        repository.clone_url = repository.clone_url.rsplit("/", 1)[0] + "/" + name
        repository.name = name
        repository.touch()
        self._by_key[repository.account, repository.region, name] = repository

    def remove(self, repository: Repository) -> None:
        del self._by_key[repository.account, repository.region, repository.name]
        shutil.rmtree(repository.path, ignore_errors=True)

    def path_for_new(self) -> Path:
        return self._folder / f"{uuid4().hex}.git"

    def clear(self) -> None:
        with self.lock:
            for repository in list(self._by_key.values()):
                self.remove(repository)
            self._pull_requests_made.clear()


def git_environment() -> dict[str, str]:
    """For git on the server's side: none of the client's settings, no user's configuration."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull, LC_ALL="C")
    return env
