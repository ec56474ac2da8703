"""What the branch that is checked out would bring to another: the content of its pull request."""

from dataclasses import dataclass

from mlops.clone import remotes
from mlops.git import GitFailed, git
from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.pull_request import PullRequest
from mlops.settings import Settings

NEXT = {"dev": "main"}  # where a branch goes if nobody says otherwise; all others go to dev
LAST = "main"


@dataclass(frozen=True)
class Proposal:
    """A branch, where it goes, the subjects of its commits, oldest first, and how many files are not committed."""

    remote: str
    branch: str
    into: str
    commits: list[str]
    uncommitted: int

    def pull_request(self, settings: Settings, title: str | None, text: str | None) -> PullRequest:
        """Return it as a pull request; without a title or a text, its commits tell."""
        place = settings.source_control
        alone = self.commits[0] if len(self.commits) == 1 else self.branch
        told = "\n".join(f"- {subject}" for subject in self.commits)
        where = (place.host, place.repository, settings.region, self.remote)
        return PullRequest(ROOT, *where, self.branch, self.into, title or alone, told if text is None else text)


def propose(into: str | None) -> Proposal:
    """Look at the branch and, newly fetched, at where it goes; without `into`, dev, or from dev main.

    Raises:
        Problem: there is no branch, no remote or nothing to bring, or the remote cannot be reached.
    """
    try:
        branch = git("symbolic-ref", "--quiet", "--short", "HEAD")
    except GitFailed:
        raise Problem("no branch is checked out; make one with: git switch -c feature-NAME") from None
    into = into or NEXT.get(branch, "dev")
    if branch in {into, LAST}:
        raise Problem(f"{branch} is where pull requests go; put your commits on a branch: git switch -c feature-NAME")
    remote = next(iter(remotes()), None)
    if remote is None:
        raise Problem("this clone has no remote; make it with: mlops setup")
    there = f"refs/remotes/{remote}/{into}"
    try:
        git("fetch", "--quiet", "--no-tags", remote, f"+refs/heads/{into}:{there}")
    except GitFailed as failure:
        if "couldn't find remote ref" in str(failure):
            raise Problem(f"{remote} has no branch {into}; take another: --into BRANCH") from None
        raise
    commits = git("log", "--reverse", "--format=%s", f"{there}..HEAD").splitlines()
    if not commits:
        raise Problem(f"{branch} has nothing that {into} has not; commit something first")
    uncommitted = len(git("status", "--porcelain").splitlines())
    return Proposal(remote, branch, into, commits, uncommitted)
