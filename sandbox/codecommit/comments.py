# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations on comments of pull requests. Each docstring's rule is from the operation's page in the API
Reference and the words of its exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.client_tokens import asked, client_token
from sandbox.codecommit.comment import Comment, Thread
from sandbox.codecommit.comment_events import CREATED, UPDATED
from sandbox.codecommit.comment_location import located_blobs
from sandbox.codecommit.pull_requests import PullRequestOperations
from sandbox.codecommit.rules import fault, is_full_id, page
from sandbox.codecommit.store import Repository

# In characters: User Guide, "Quotas", and the words of CommentContentSizeLimitExceededException.
LONGEST_COMMENT = 10_240
COMMENTS_A_PAGE, MOST_COMMENTS_A_PAGE = 100, 500
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(f"{_UUID}:{_UUID}")


class CommentOperations(PullRequestOperations):
    def PostCommentForPullRequest(self, call: Call) -> dict[str, Any]:
        """On the difference of two commits, or on a place in it. "You can also comment on a closed pull request" (User
        Guide, "Review a pull request")."""
        token, params = client_token(call), call.params
        _check_content(call)
        with self.repositories.lock:
            made = self._made(call, token)
            if made is None:
                repository, pull_request = self.pull_request_of_repository(call)
                before, after = (_commit(call, repository, params[f"{name}CommitId"]) for name in ("before", "after"))
                if before == after:
                    raise fault(call, "BeforeCommitIdAndAfterCommitIdAreSameException")
                location = params.get("location")
                blobs = located_blobs(call, repository, before, after, location) if location is not None else {}
                thread = Thread(repository, pull_request, before, after, location, blobs)
                comment = thread.add(params["content"], call.caller.arn, token, asked(call))
                pull_request.threads.append(thread)
                self._posted(call, thread, comment)
                made = thread, comment
        thread, comment = made
        return {**thread.shown(), "comment": comment.shown()}

    def PostCommentReply(self, call: Call) -> dict[str, Any]:
        """A reply stands behind what is in the thread already."""
        token = client_token(call)
        _check_content(call)
        with self.repositories.lock:
            made = self._made(call, token)
            if made is None:
                thread, answered = self._comment(call, call.params["inReplyTo"])
                comment = thread.add(call.params["content"], call.caller.arn, token, asked(call), answered.id)
                self._posted(call, thread, comment)
                made = thread, comment
        return {"comment": made[1].shown()}

    def GetCommentsForPullRequest(self, call: Call) -> dict[str, Any]:
        """The comments on one difference, if it is named: repository and both commits belong together. maxResults:
        "The default is 100 comments. You can return up to 500"."""
        params, size = call.params, call.params.get("maxResults", COMMENTS_A_PAGE)
        if not 1 <= size <= MOST_COMMENTS_A_PAGE:
            raise fault(call, "InvalidMaxResultsException")
        repository, pull_request = self.pull_request(call)
        wanted = None
        if any(name in params for name in ("repositoryName", "beforeCommitId", "afterCommitId")):
            repository, pull_request = self.pull_request_of_repository(call)
            wanted = tuple(_commit(call, repository, params.get(f"{name}CommitId")) for name in ("before", "after"))
        with repository.lock:
            found = [
                (thread, comment)
                for thread in pull_request.threads
                if wanted in (None, (thread.before, thread.after))
                for comment in thread.comments
            ]
        pairs, token = page(call, found, size, params.get("nextToken"))
        data = [
            {**thread.shown(), "comments": [comment.shown() for _, comment in of_thread]}
            for thread, of_thread in groupby(pairs, key=lambda pair: pair[0])
        ]
        return {"commentsForPullRequestData": data, "nextToken": token}

    def GetComment(self, call: Call) -> dict[str, Any]:
        _, comment = self._undeleted(call)
        return {"comment": comment.shown()}

    def UpdateComment(self, call: Call) -> dict[str, Any]:
        """ "Only comment authors can modify ... their comments." """
        _check_content(call)
        with self.repositories.lock:
            thread, comment = self._undeleted(call)
            if comment.author != call.caller.arn:
                raise fault(call, "CommentNotCreatedByCallerException")
            comment.replace(call.params["content"])
            thread.pull_request.touch()
            self.repositories.tell_of_comment(thread, comment, UPDATED, call.caller.arn)
        return {"comment": comment.shown()}

    def DeleteCommentContent(self, call: Call) -> dict[str, Any]:
        """By anyone who has the permission (User Guide, "Comment on a commit", and "CodeCommit permissions reference":
        "Comments cannot be deleted, but the content of a comment can be removed"); the operation has no exception for
        one who is not the author."""
        with self.repositories.lock:
            thread, comment = self._undeleted(call)
            comment.replace(None)
            thread.pull_request.touch()
        return {"comment": comment.shown()}

    def _posted(self, call: Call, thread: Thread, comment: Comment) -> None:
        thread.pull_request.touch()
        self.repositories.tell_of_comment(thread, comment, CREATED, call.caller.arn)

    def _made(self, call: Call, token: str) -> tuple[Thread, Comment] | None:
        """What an earlier request with the token made. Raises IdempotencyParameterMismatchException."""
        for thread, comment in self._comments(call):
            if comment.token == token:
                if comment.asked != asked(call):
                    raise fault(call, "IdempotencyParameterMismatchException")
                return thread, comment
        return None

    def _undeleted(self, call: Call) -> tuple[Thread, Comment]:
        """Raises CommentDeletedException besides."""
        thread, comment = self._comment(call, call.params["commentId"])
        if comment.content is None:
            raise fault(call, "CommentDeletedException")
        return thread, comment

    def _comment(self, call: Call, identity: str) -> tuple[Thread, Comment]:
        """Raises CommentIdRequiredException, InvalidCommentIdException, CommentDoesNotExistException."""
        if not identity:
            raise fault(call, "CommentIdRequiredException")
        if not _ID.fullmatch(identity):
            raise fault(call, "InvalidCommentIdException")
        found = self.comment_of(call, identity)
        if found is None:
            raise fault(call, "CommentDoesNotExistException")
        return found

    def comment_of(self, call: Call, identity: str) -> tuple[Thread, Comment] | None:
        return next((found for found in self._comments(call) if found[1].id == identity), None)

    def _comments(self, call: Call) -> Iterator[tuple[Thread, Comment]]:
        for repository in self.repositories.all_of(call.caller.account, call.region):
            for pull_request in list(repository.pull_requests):
                for thread in list(pull_request.threads):
                    yield from ((thread, comment) for comment in list(thread.comments))


def _check_content(call: Call) -> None:
    """Raises CommentContentRequiredException, CommentContentSizeLimitExceededException."""
    content = call.params["content"]
    if not content:
        raise fault(call, "CommentContentRequiredException")
    if len(content) > LONGEST_COMMENT:
        raise fault(call, "CommentContentSizeLimitExceededException")


def _commit(call: Call, repository: Repository, commit: str | None) -> str:
    """Raises CommitIdRequiredException, InvalidCommitIdException, CommitDoesNotExistException."""
    if not commit:
        raise fault(call, "CommitIdRequiredException")
    if not is_full_id(commit):
        raise fault(call, "InvalidCommitIdException")
    if repository.commit(commit) != commit:
        raise fault(call, "CommitDoesNotExistException")
    return commit
