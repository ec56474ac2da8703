"""The remote repository: what setup needs to know of one, wherever it is hosted."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

BRANCHES = ("main", "dev")  # both start at the root commit; main is the default
DEFAULT_BRANCH = "main"


class Standing(enum.Enum):
    """Whose a resource is that has the name we need."""

    ABSENT = "absent"
    UNFINISHED = "unfinished"  # made by a setup of this repository that did not come to its end
    OURS = "ours"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class RemoteRepository:
    """What was found at the host. `branches` maps each name to its commit."""

    standing: Standing
    url: str = ""
    branches: frozenset[str] = frozenset()
    default_branch: str | None = None


class Host(Protocol):
    """A place for the repository: AWS CodeCommit or GitHub.

    Each method raises Problem with the host's reason.
    """

    name: str  # of the repository
    kind: str  # for people: "CodeCommit repository"
    price: str

    def look(self) -> RemoteRepository:
        """Find out what is there, changing nothing."""

    def create(self, organisation: Mapping[str, str]) -> RemoteRepository:
        """Make the empty repository. A call whose answer was lost counts as done if the repository is ours.

        `organisation` are tags that it wants on everything, where the host knows tags.
        """

    def branch_maker(self) -> Callable[[str, str], None] | None:
        """Return what makes a branch at a commit that is there already, or None where it has to be pushed.

        By it, whoever may not push to main can still make it, once, where there is none.
        """

    def delete(self) -> None:
        """Remove the repository, with all in it."""

    def set_default_branch(self, branch: str) -> None:
        """Make `branch` what a clone checks out."""

    def tips(self) -> dict[str, str]:
        """Return the commit of each branch."""

    def push_options(self, url: str) -> tuple[list[str], dict[str, str]]:
        """Return options and environment with which git may push to `url` right now."""

    def credential_helper(self) -> str:
        """Return the value of git's `credential.<url>.helper` that serves plain `git push` from now on."""
