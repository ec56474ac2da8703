"""The repository on GitHub, through GitHub's own command line `gh`."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from mlops.problem import Problem, Refused
from mlops.repository import DEFAULT_BRANCH, RemoteRepository, Standing
from mlops.settings import Settings
from mlops.tags import description

TIMEOUT = 60  # seconds
TITLE_LENGTH = 200  # with our mark, a description stays under GitHub's 350 characters


class GitHub:
    """The repository `owner/name`. *Ours* means that it holds our root commit, or still nothing but our mark."""

    kind = "GitHub repository"
    price = "free (private repositories use the plan's Actions minutes)"

    def __init__(self, settings: Settings, root_commit: str) -> None:
        self.name = settings.source_control.repository
        self._title = description(settings.project.name)[:TITLE_LENGTH]
        self._root_commit = root_commit

    @staticmethod
    def installed() -> bool:
        """Whether `gh` is here."""
        return shutil.which("gh") is not None

    @property
    def _mark(self) -> str:
        """The description of a repository that setup still works on: GitHub has no tags for it."""
        return f"{self._title} (setup in progress, root commit {self._root_commit})"

    def _is_marked(self, found: dict[str, Any]) -> bool:
        return self._root_commit in (found["description"] or "")

    def look(self) -> RemoteRepository:
        """See `Host.look`."""
        found = self._get(f"repos/{self.name}")
        if found is None:
            return RemoteRepository(Standing.ABSENT)
        branches, marked = frozenset(self.tips()), self._is_marked(found)
        if branches:
            holds_it = self._get(f"repos/{self.name}/git/commits/{self._root_commit}")
            standing = Standing.OURS if holds_it else Standing.FOREIGN
        else:
            standing = Standing.UNFINISHED if marked else Standing.FOREIGN
        # What is named there while setup is not through is GitHub's own choice.
        return RemoteRepository(standing, found["clone_url"], branches, None if marked else found["default_branch"])

    def create(self, organisation: Mapping[str, str]) -> RemoteRepository:
        """See `Host.create`. GitHub has no tags."""
        try:
            gh("repo", "create", self.name, "--private", "--description", self._mark)
        except Problem as problem:
            found = self.look()
            if found.standing is Standing.ABSENT:
                raise Refused(str(problem)) from None
            if found.standing is not Standing.UNFINISHED:
                raise
            return found
        return self.look()

    def branch_maker(self) -> None:
        """See `Host.branch_maker`: main is protected after setup, so it is pushed like any other."""

    def delete(self) -> None:
        """See `Host.delete`. `gh` needs the scope delete_repo: `gh auth refresh -s delete_repo`."""
        gh("repo", "delete", self.name, "--yes")

    def set_default_branch(self, branch: str) -> None:
        """See `Host.set_default_branch`. The mark of an unfinished setup goes in the same call."""
        fields = ["-f", f"default_branch={branch}"]
        if self._is_marked(self._get(f"repos/{self.name}") or {"description": ""}):
            fields += ["-f", f"description={self._title}"]
        gh("api", "--method", "PATCH", f"repos/{self.name}", *fields)

    def tips(self) -> dict[str, str]:
        """See `Host.tips`."""
        each = '.[] | .commit.sha + " " + .name'
        lines = gh("api", "--paginate", f"repos/{self.name}/branches?per_page=100", "--jq", each).splitlines()
        return {name: commit for commit, _, name in (line.partition(" ") for line in lines)}

    def push_options(self, url: str) -> tuple[list[str], dict[str, str]]:
        """See `Host.push_options`."""
        return ["-c", "credential.helper=", "-c", f"credential.helper={self.credential_helper()}"], {}

    def credential_helper(self) -> str:
        """See `Host.credential_helper`."""
        return "!gh auth git-credential"

    def _get(self, path: str) -> Any:
        """GET a path of GitHub's REST interface; None where it answers 404."""
        try:
            return json.loads(gh("api", path))
        except Problem as problem:
            if "(HTTP 404)" in str(problem):
                return None
            raise

    def by_hand(self) -> list[str]:
        """Return the commands that do, without `gh`, what setup does with it."""
        url = f"https://github.com/{self.name}.git"
        root = self._root_commit
        return [
            f"# make the private, empty repository {self.name} at https://github.com/new, then:",
            f"git remote add origin {url}",
            f"git push origin {root}:refs/heads/{DEFAULT_BRANCH} {root}:refs/heads/dev",
            "git branch --set-upstream-to=origin/dev dev",
        ]


def gh(*arguments: str) -> str:
    """Run `gh` and return what it printed.

    Raises:
        Problem: it is not installed, does not answer, or was refused; with its reason.
    """
    try:
        done = subprocess.run(
            ["gh", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT
        )
    except OSError as error:
        raise Problem(f"gh did not start ({error}); install it from cli.github.com") from None
    except subprocess.TimeoutExpired:
        raise Problem(f"gh {arguments[0]} did not answer within {TIMEOUT} s; check the network") from None
    if done.returncode:
        reason = " ".join((done.stderr.strip() or done.stdout.strip() or "no reason given").split())
        raise Problem(f"gh {' '.join(arguments[:2])}: {reason}")
    return done.stdout
