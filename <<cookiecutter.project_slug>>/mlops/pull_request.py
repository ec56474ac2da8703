"""A pull request at the host of the repository: CodeCommit, or GitHub by its own command line."""

import shlex
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.git import GitFailed, git
from mlops.problem import Problem

TITLE_LENGTH = 150  # CreatePullRequest; GitHub takes 256
TEXT_LENGTH = 10_240  # likewise; GitHub takes 65,536


@dataclass(frozen=True)
class PullRequest:
    """What is asked of the host, "codecommit" or "github": take one branch into another. root: of the clone."""

    root: Path
    host: str
    repository: str
    region: str
    remote: str
    branch: str
    into: str
    title: str
    text: str

    @property
    def can_be_opened(self) -> bool:
        """Whether the host's own program is here."""
        return self.host != "github" or shutil.which("gh") is not None

    def push(self) -> bool:
        """Send the branch, alone, and return whether the remote took it: not if it has others' commits on it.

        Raises:
            GitFailed: the remote refuses, or cannot be reached.
        """
        return self._pushed("--no-follow-tags", f"{self._ref}:{self._ref}")

    def unpush(self) -> None:
        """Remove the branch from the remote again, if it is what was pushed.

        Raises:
            GitFailed: the remote refuses, or cannot be reached.
        """
        self._pushed(f"--force-with-lease={self._ref}:{self._ref}", f":{self._ref}")

    def _pushed(self, option: str, reference: str) -> bool:
        """Push, and return whether the remote's branch was one that this could move."""
        try:
            git("push", "--quiet", option, self.remote, reference, root=self.root)
        except GitFailed as failure:
            if "[rejected]" not in str(failure):
                raise
            return False
        return True

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def find(self) -> str | None:
        """Return where the open pull request of these two branches is, if there is one: pushing has updated it.

        Raises:
            Problem: the host refuses.
        """
        return self._found_on_github() if self.host == "github" else self._found_on_codecommit()

    def open(self) -> str:
        """Open the pull request and return where it is.

        Raises:
            Problem: the host refuses.
        """
        return self._on_github() if self.host == "github" else self._on_codecommit()

    def _found_on_codecommit(self) -> str | None:
        from botocore.exceptions import BotoCoreError, ClientError

        from mlops import aws

        client = aws.client("codecommit", self.region)
        wanted = (self._ref, f"refs/heads/{self.into}")
        try:
            pages = client.get_paginator("list_pull_requests").paginate(
                repositoryName=self.repository, pullRequestStatus="OPEN"
            )
            for number in [number for page in pages for number in page["pullRequestIds"]]:
                for target in client.get_pull_request(pullRequestId=number)["pullRequest"]["pullRequestTargets"]:
                    if (target["sourceReference"], target["destinationReference"]) == wanted:
                        return self._name(number)
        except (ClientError, BotoCoreError) as error:
            raise Problem(aws.explain(error)) from None
        return None

    def _on_codecommit(self) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        from mlops import aws

        # A lost answer makes no second one; but what was closed since is not what is asked for.
        said = [self.branch, self.into, self.title, self.text, git("rev-parse", self._ref, root=self.root)]
        client = aws.client("codecommit", self.region)
        try:
            made = self._create(client, uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(said)))
            if made["pullRequestStatus"] == "CLOSED":
                made = self._create(client, uuid.uuid4())
        except (ClientError, BotoCoreError) as error:
            raise Problem(aws.explain(error)) from None
        return self._name(made["pullRequestId"])

    def _create(self, client: Any, token: uuid.UUID) -> dict[str, Any]:
        target = {"sourceReference": self.branch, "destinationReference": self.into}
        made: dict[str, Any] = client.create_pull_request(
            title=self.title[:TITLE_LENGTH],
            description=self.text[:TEXT_LENGTH],
            targets=[{"repositoryName": self.repository, **target}],
            clientRequestToken=str(token),
        )["pullRequest"]
        return made

    def _name(self, number: str) -> str:
        return f"pull request {number} of {self.repository} on CodeCommit"

    def _found_on_github(self) -> str | None:
        from mlops.github import gh

        where = ["--repo", self.repository, "--base", self.into, "--head", self.branch, "--state", "open"]
        return gh("pr", "list", *where, "--json", "url", "--jq", ".[].url").partition("\n")[0] or None

    def _on_github(self) -> str:
        from mlops.github import gh

        try:
            return gh(*self._words_for_gh(), "--body", self.text).split()[-1]
        except Problem as problem:
            if "already exists" not in str(problem):
                raise
            return str(problem).split()[-1]  # its address; the push has updated it

    def _words_for_gh(self) -> list[str]:
        where = ["--repo", self.repository, "--base", self.into, "--head", self.branch]
        return ["pr", "create", *where, "--title", self.title]

    def by_hand(self) -> list[str]:
        """Return the commands that do the same."""
        if self.host == "github":
            create = ["gh", *self._words_for_gh(), "--fill"]
        else:
            target = f"repositoryName={self.repository},sourceReference={self.branch},destinationReference={self.into}"
            create = ["aws", "codecommit", "create-pull-request", "--title", self.title, "--targets", target]
            create += ["--region", self.region]
        return [f"git push {self.remote} {self.branch}", shlex.join(create)]
