"""A comment on a pull request, and the thread of its replies.

Source: API Reference, "Comment", "CommentsForPullRequest" and "Location".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from sandbox.codecommit.pull_request import PullRequest
    from sandbox.codecommit.store import Repository


@dataclass(eq=False)
class Comment:
    """content: None once it is deleted; the comment keeps its place. token, asked: of the request that made it."""

    id: str
    content: str | None
    author: str
    token: str
    asked: str
    in_reply_to: str | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.modified = self.created

    def replace(self, content: str | None) -> None:
        """content: None deletes it."""
        self.content, self.modified = content, datetime.now(UTC)

    def shown(self) -> dict[str, Any]:
        """As the API shows it. Nobody can react to a comment here."""
        return {
            "commentId": self.id,
            "content": self.content,
            "inReplyTo": self.in_reply_to,
            "creationDate": self.created,
            "lastModifiedDate": self.modified,
            "authorArn": self.author,
            "deleted": self.content is None,
            "clientRequestToken": self.token,
            "callerReactions": [],
            "reactionCounts": {},
        }


@dataclass(eq=False)
class Thread:
    """A comment and its replies, in the order they were made.

    before, after: the commits that were compared. location: as it was given. blobs: by `beforeBlobId` and
    `afterBlobId`, of the file at the location.
    """

    repository: Repository
    pull_request: PullRequest
    before: str
    after: str
    location: Mapping[str, Any] | None
    blobs: Mapping[str, str]
    comments: list[Comment] = field(default_factory=list)
    id: str = field(default_factory=lambda: str(uuid4()))

    def add(self, content: str, author: str, token: str, asked: str, in_reply_to: str | None = None) -> Comment:
        comment = Comment(f"{self.id}:{uuid4()}", content, author, token, asked, in_reply_to)
        self.comments.append(comment)
        return comment

    def shown(self) -> dict[str, Any]:
        """As the API shows it, without its comments."""
        return {
            "pullRequestId": self.pull_request.id,
            "repositoryName": self.repository.name,
            "beforeCommitId": self.before,
            "afterCommitId": self.after,
            "location": self.location,
            **self.blobs,
        }
