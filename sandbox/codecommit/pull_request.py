"""A pull request, and how it follows its two branches while it is open.

Sources: API Reference, "PullRequest" and "PullRequestTarget" (sourceCommit "changes to reflect the new tip of the
branch", destinationCommit "is the tip of the destination branch"); User Guide, "Close a pull request" (closed when
either branch is deleted) and "Merge a pull request" (closed by a push that fast-forwards the destination to the
source).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.codecommit.approval_rule import ApprovalRule
from sandbox.codecommit.comment import Thread
from sandbox.codecommit.pull_request_events import CLOSED, MERGED, SOURCE_UPDATED
from sandbox.codecommit.review import Review


@dataclass(frozen=True)
class Merge:
    """How a pull request was merged. commit: the merge commit, which a fast-forward does not make."""

    by: str
    option: str
    commit: str | None = None


@dataclass(eq=False)
class PullRequest:
    """source, destination: names of branches. asked: the request that made it, to tell a retry from another request
    with its token. The commits, once it is closed, are those at its end. reviews: of all its revisions, the current one
    last."""

    id: str
    title: str
    description: str | None
    author: str
    source: str
    destination: str
    source_commit: str
    destination_commit: str
    merge_base: str | None
    token: str
    asked: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    active: datetime = field(init=False)
    is_open: bool = True
    merge: Merge | None = None
    reviews: list[Review] = field(default_factory=lambda: [Review()])
    rules: list[ApprovalRule] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.active = self.created

    @property
    def review(self) -> Review:
        """Of the current revision."""
        return self.reviews[-1]

    @property
    def revision(self) -> str:
        return self.review.revision

    def unmet_rules(self) -> list[str]:
        """The names of the approval rules that the current revision does not satisfy, whether they are overridden or
        not."""
        return [rule.name for rule in self.rules if not rule.is_met(self.review.approvals)]

    def touch(self) -> None:
        self.active = datetime.now(UTC)

    def close(self, merge: Merge | None = None) -> None:
        """For good. merge: None closes it unmerged."""
        self.is_open, self.merge = False, merge
        self.touch()

    def follow(self, tips: Mapping[str, str], base: Callable[[str, str], str | None], actor: str) -> str | None:
        """Return the name of the event that comes of it, if any.

        tips: all branches. base: the merge base of two commits. actor: ARN of who moved the branches.
        """
        source, destination = tips.get(self.source), tips.get(self.destination)
        if source is None or destination is None:
            self.close()
            return CLOSED
        event = None
        if source != self.source_commit:
            self.source_commit = source
            self.reviews.append(Review())
            self.touch()
            event = SOURCE_UPDATED
        elif destination == self.destination_commit:
            return None
        before = self.destination_commit
        if destination == source != before and base(before, source) == before:
            self.close(Merge(actor, "FAST_FORWARD_MERGE"))
            return MERGED
        self.destination_commit, self.merge_base = destination, base(destination, source)
        return event
