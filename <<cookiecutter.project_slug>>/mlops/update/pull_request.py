"""The pull request of an update, to `dev`, where the repository has a remote."""

import shlex
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from mlops.clone import SPARE_REMOTE
from mlops.git import GitFailed, git, read_config
from mlops.own_repository import SETTINGS
from mlops.problem import Problem
from mlops.update.outlook import Outlook, committed
from mlops.update.start import BRANCH

TITLE_LENGTH = 150  # CreatePullRequest; GitHub takes 256
TEXT_LENGTH = 10_240  # likewise; GitHub takes 65,536


@dataclass(frozen=True)
class PullRequest:
    """What is asked of the host, "codecommit" or "github": take the branch into dev."""

    outlook: Outlook
    host: str
    repository: str
    region: str
    remote: str
    branch: str
    title: str
    text: str

    def push(self) -> None:
        """Send the branch, alone.

        Raises:
            GitFailed: the remote refuses, or cannot be reached.
            Problem: it has another branch of that name.
        """
        if not self._pushed("--no-follow-tags", f"{self._ref}:{self._ref}"):
            raise Problem(
                f"{self.remote} has the branch with something else in it; merge its pull request, or remove it with: "
                f"git push {self.remote} :{self.branch}"
            )

    def unpush(self) -> None:
        """Remove the branch from the remote again, if it is what was pushed.

        Raises:
            GitFailed: the remote refuses, or cannot be reached.
        """
        self._pushed(f"--force-with-lease={self._ref}:{self._ref}", f":{self._ref}")

    def _pushed(self, option: str, reference: str) -> bool:
        """Push, and return whether the remote's branch was one that this could move."""
        try:
            git("push", "--quiet", option, self.remote, reference, root=self.outlook.root)
        except GitFailed as failure:
            if "[rejected]" not in str(failure):
                raise
            return False
        return True

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def open(self) -> str:
        """Open the pull request and return where it is.

        Raises:
            Problem: the host refuses.
        """
        return self._on_github() if self.host == "github" else self._on_codecommit()

    def _on_codecommit(self) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        from mlops import aws

        token = f"{self.branch} {git('rev-parse', self._ref, root=self.outlook.root)}"
        target = {"sourceReference": self.branch, "destinationReference": BRANCH}
        client = aws.client("codecommit", self.region)
        try:
            made = client.create_pull_request(
                title=self.title[:TITLE_LENGTH],
                description=self.text[:TEXT_LENGTH],
                targets=[{"repositoryName": self.repository, **target}],
                clientRequestToken=str(uuid.uuid5(uuid.NAMESPACE_URL, token)),  # a lost answer makes no second one
            )["pullRequest"]
        except (ClientError, BotoCoreError) as error:
            raise Problem(aws.explain(error)) from None
        return f"pull request {made['pullRequestId']} of {self.repository} on CodeCommit"

    def _on_github(self) -> str:
        from mlops.github import gh

        try:
            return gh(*self._words_for_gh(), "--body", self.text).split()[-1]
        except Problem as problem:
            if "already exists" not in str(problem):
                raise
            return str(problem).split()[-1]  # its address; the push has updated it

    def _words_for_gh(self) -> list[str]:
        where = ["--repo", self.repository, "--base", BRANCH, "--head", self.branch]
        return ["pr", "create", *where, "--title", self.title]

    def by_hand(self) -> list[str]:
        """Return the commands that do the same."""
        if self.host == "github":
            create = ["gh", *self._words_for_gh(), "--fill"]
        else:
            target = f"repositoryName={self.repository},sourceReference={self.branch},destinationReference={BRANCH}"
            create = ["aws", "codecommit", "create-pull-request", "--title", self.title, "--targets", target]
            create += ["--region", self.region]
        return [f"git push {self.remote} {self.branch}", shlex.join(create)]


def pull_request(outlook: Outlook, branch: str, title: str, text: str) -> PullRequest | None:
    """Return the pull request to open, or None where the repository has no remote, or settings that cannot be read."""
    config = read_config(outlook.root)
    remotes: Sequence[str] = [name for name in (SPARE_REMOTE, "origin") if f"remote.{name}.url" in config]
    if not remotes or not outlook.start.is_dev:
        return None
    from mlops.settings import check

    try:
        settings = check(yaml.safe_load(committed(outlook.root, outlook.start, SETTINGS) or b""), SETTINGS)
    except (Problem, yaml.YAMLError, ValueError):  # 2024-13-45 is a ValueError
        return None
    place = settings.source_control
    return PullRequest(outlook, place.host, place.repository, settings.region, remotes[0], branch, title, text)


def can_open(request: PullRequest) -> bool:
    """Whether the host's own program is here."""
    return request.host != "github" or shutil.which("gh") is not None
