"""Comments on CodeCommit's pull requests. Each docstring names the page a rule is from."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"
DEVELOPER = f"arn:aws:iam::{ACCOUNT}:user/developer"
ARN = f"arn:aws:codecommit:us-east-1:{ACCOUNT}:demo"
NOT_THERE = "0f3ebefd-970d-43a0-9632-21694ce81fc4"


@pytest.fixture
def work(clone, codecommit):
    """A working copy with main, and feature a commit ahead of it, which changes, adds and deletes a file; and the pull
    request 1 between them."""
    made = clone()
    for name in ("kept.txt", "gone.txt"):
        (made.path / name).write_text("one\ntwo\n")
    made.commit("changed.txt", "one\ntwo\n")
    made.git("push", "-q", "origin", "main")
    made.git("checkout", "-q", "-b", "feature")
    (made.path / "gone.txt").unlink()
    (made.path / "changed.txt").write_text("one\n2\nthree")
    made.commit("folder/new.txt", "")
    made.git("push", "-q", "origin", "feature")
    target = {"repositoryName": "demo", "sourceReference": "feature", "destinationReference": "main"}
    codecommit.create_pull_request(title="A change", targets=[target])
    return made


@pytest.fixture
def request_of(work):
    """request_of(**changes) -> the parameters of a comment on the whole difference; None leaves one out."""

    def make(**changes):
        params = {
            "pullRequestId": "1",
            "repositoryName": "demo",
            "beforeCommitId": head(work, "main"),
            "afterCommitId": head(work, "feature"),
            "content": "Why?",
        }
        return {name: value for name, value in {**params, **changes}.items() if value is not None}

    return make


@pytest.fixture
def post(codecommit, request_of):
    return lambda **changes: codecommit.post_comment_for_pull_request(**request_of(**changes))


@pytest.fixture
def reviewer(client):
    """CodeCommit as another IAM user."""
    iam = client("iam")
    iam.create_user(UserName="reviewer")
    key = iam.create_access_key(UserName="reviewer")["AccessKey"]
    return client("codecommit", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def head(work, reference="HEAD"):
    return work.git("rev-parse", reference).stdout.strip()


def at(path, position=None, version=None):
    location = {"filePath": path, "filePosition": position, "relativeFileVersion": version}
    return {name: value for name, value in location.items() if value is not None}


def threads(codecommit, **params):
    found = codecommit.get_comments_for_pull_request(pullRequestId="1", **params)["commentsForPullRequestData"]
    return [[comment.get("content") for comment in thread["comments"]] for thread in found]


def test_a_comment_on_the_difference(codecommit, work, post):
    """API Reference, PostCommentForPullRequest: without a location "the comment is posted as a general comment on the
    pull request difference"; PullRequest, lastActivityDate: "the last user or system activity"."""
    before = codecommit.get_pull_request(pullRequestId="1")["pullRequest"]["lastActivityDate"]
    made = post(clientRequestToken="t")
    comment = made["comment"]
    assert re.fullmatch(r"[0-9a-f-]{36}:[0-9a-f-]{36}", comment["commentId"])
    assert comment["creationDate"] == comment["lastModifiedDate"]
    assert {**comment, "commentId": "", "creationDate": "", "lastModifiedDate": ""} == {
        "commentId": "",
        "content": "Why?",
        "creationDate": "",
        "lastModifiedDate": "",
        "authorArn": DEVELOPER,
        "deleted": False,
        "clientRequestToken": "t",
        "callerReactions": [],
        "reactionCounts": {},
    }
    assert {name: made[name] for name in made if name not in ("comment", "ResponseMetadata")} == {
        "repositoryName": "demo",
        "pullRequestId": "1",
        "beforeCommitId": head(work, "main"),
        "afterCommitId": head(work, "feature"),
    }
    assert codecommit.get_comment(commentId=comment["commentId"])["comment"] == comment
    assert codecommit.get_pull_request(pullRequestId="1")["pullRequest"]["lastActivityDate"] > before


def test_a_comment_on_a_file_or_a_line(codecommit, work, post):
    """API Reference, Location; beforeBlobId and afterBlobId of the answer."""
    both = ("main:changed.txt", "feature:changed.txt")
    expected = []
    for location, blobs in (
        (at("changed.txt"), both),
        (at("changed.txt", 3, "AFTER"), both),
        (at("changed.txt", 2, "BEFORE"), both),
        (at("gone.txt", 1, "BEFORE"), ("main:gone.txt", None)),
        (at("folder/new.txt"), (None, "feature:folder/new.txt")),
    ):
        made = post(location=location)
        assert made["location"] == location
        assert [made.get("beforeBlobId"), made.get("afterBlobId")] == [blob and head(work, blob) for blob in blobs]
        shared = {name: value for name, value in made.items() if name not in ("comment", "ResponseMetadata")}
        expected.append({**shared, "comments": [made["comment"]]})
    found = codecommit.get_comments_for_pull_request(pullRequestId="1")["commentsForPullRequestData"]
    assert found == expected


PLACES = [
    ({}, "PathRequiredException"),
    (at(""), "PathRequiredException"),
    (at("../changed.txt"), "InvalidPathException"),
    (at("none.txt"), "PathDoesNotExistException"),
    (at("folder"), "InvalidFileLocationException"),
    (at("kept.txt"), "InvalidFileLocationException"),
    (at("changed.txt", 1), "InvalidRelativeFileVersionEnumException"),
    (at("changed.txt", 1, "after"), "InvalidRelativeFileVersionEnumException"),
    (at("gone.txt", 1, "AFTER"), "InvalidRelativeFileVersionEnumException"),
    (at("folder/new.txt", version="BEFORE"), "InvalidRelativeFileVersionEnumException"),
    (at("folder/new.txt", 1, "AFTER"), "InvalidFilePositionException"),
    (at("changed.txt", 0, "AFTER"), "InvalidFilePositionException"),
    (at("changed.txt", 4, "AFTER"), "InvalidFilePositionException"),
    (at("changed.txt", 3, "BEFORE"), "InvalidFilePositionException"),
]
WORDS: list[tuple[dict[str, Any], str]] = [
    ({"content": None}, "CommentContentRequiredException"),
    ({"content": ""}, "CommentContentRequiredException"),
    ({"content": "é" * 10_241}, "CommentContentSizeLimitExceededException"),
    ({"clientRequestToken": ""}, "InvalidClientRequestTokenException"),
]
WHERE: list[tuple[dict[str, Any], str]] = [
    ({"pullRequestId": None}, "PullRequestIdRequiredException"),
    ({"pullRequestId": "7"}, "PullRequestDoesNotExistException"),
    ({"repositoryName": None}, "RepositoryNameRequiredException"),
    ({"repositoryName": "none"}, "RepositoryDoesNotExistException"),
    ({"repositoryName": "other"}, "RepositoryNotAssociatedWithPullRequestException"),
    ({"beforeCommitId": None}, "CommitIdRequiredException"),
    ({"afterCommitId": ""}, "CommitIdRequiredException"),
    ({"afterCommitId": "feature"}, "InvalidCommitIdException"),
    ({"beforeCommitId": "a" * 40}, "CommitDoesNotExistException"),
]


def test_what_a_comment_refuses(codecommit, work, refused, request_of):
    """API Reference, PostCommentForPullRequest, "Errors" (the words of each); User Guide, "Quotas" (comment length)."""
    codecommit.create_repository(repositoryName="other")
    call = codecommit.post_comment_for_pull_request
    for changes, code in [*WORDS, *WHERE, *(({"location": place}, code) for place, code in PLACES)]:
        assert refused(call, **request_of(**changes))[0] == code, changes
    same = request_of(beforeCommitId=head(work, "feature"))
    assert refused(call, **same)[0] == "BeforeCommitIdAndAfterCommitIdAreSameException"
    assert threads(codecommit) == []
    call(**request_of(content="é" * 10_240))


def test_a_token_makes_one_comment(codecommit, sandbox, client, post, refused, request_of, raw_call):
    """clientRequestToken of both posts; ClientRequestTokenRequiredException."""
    made = post(clientRequestToken="t")
    assert post(clientRequestToken="t")["comment"] == made["comment"]
    other = request_of(content="Another", clientRequestToken="t")
    assert refused(codecommit.post_comment_for_pull_request, **other)[0] == "IdempotencyParameterMismatchException"
    answer = {"inReplyTo": made["comment"]["commentId"], "content": "Because."}
    used = {**answer, "clientRequestToken": "t"}
    assert refused(codecommit.post_comment_reply, **used)[0] == "IdempotencyParameterMismatchException"
    sandbox.set_faults([{"service": "codecommit", "operation": "PostCommentReply", "fault": "no-answer"}])
    client("codecommit", attempts=2).post_comment_reply(**answer)
    assert threads(codecommit) == [["Why?", "Because."]]
    for operation, params in (("PostCommentForPullRequest", request_of()), ("PostCommentReply", answer)):
        refusal = raw_call("codecommit", f"CodeCommit_20150413.{operation}", params)
        assert refusal.body["__type"] == "ClientRequestTokenRequiredException"


def test_replies_stand_with_what_they_answer(codecommit, post, reviewer, refused):
    """API Reference, Comment, inReplyTo; User Guide, "Review a pull request" (an answer and its question in one list;
    closed pull requests take comments, too)."""
    first = post(location=at("changed.txt"))["comment"]["commentId"]
    post(content="Another")
    codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    reply = reviewer.post_comment_reply(inReplyTo=first, content="Because.")["comment"]
    assert (reply["inReplyTo"], reply["authorArn"]) == (first, f"arn:aws:iam::{ACCOUNT}:user/reviewer")
    assert (
        codecommit.post_comment_reply(inReplyTo=reply["commentId"], content="I see.")["comment"]["inReplyTo"] != first
    )
    assert threads(codecommit) == [["Why?", "Because.", "I see."], ["Another"]]
    for changes, code in (
        *WORDS,
        ({"inReplyTo": None}, "CommentIdRequiredException"),
        ({"inReplyTo": ""}, "CommentIdRequiredException"),
        ({"inReplyTo": NOT_THERE}, "InvalidCommentIdException"),
        ({"inReplyTo": f"{NOT_THERE}:{NOT_THERE}"}, "CommentDoesNotExistException"),
    ):
        params = {"inReplyTo": first, "content": "x", **changes}
        params = {name: value for name, value in params.items() if value is not None}
        assert refused(codecommit.post_comment_reply, **params)[0] == code, changes


def test_an_author_alone_edits_and_a_deleted_comment_keeps_its_place(codecommit, post, reviewer, refused):
    """CommentNotCreatedByCallerException; CommentDeletedException; User Guide, "CodeCommit permissions reference":
    "Comments cannot be deleted, but the content of a comment can be removed if the user has this permission"."""
    comment = post()["comment"]
    identity = comment["commentId"]
    codecommit.post_comment_reply(inReplyTo=identity, content="Because.")
    edit = {"commentId": identity, "content": "Why so?"}
    assert refused(reviewer.update_comment, **edit)[0] == "CommentNotCreatedByCallerException"
    edited = codecommit.update_comment(**edit)["comment"]
    assert edited["lastModifiedDate"] > edited["creationDate"]
    assert edited == {**comment, "content": "Why so?", "lastModifiedDate": edited["lastModifiedDate"]}
    deleted = reviewer.delete_comment_content(commentId=identity)["comment"]
    assert deleted["deleted"] is True
    assert "content" not in deleted
    assert threads(codecommit) == [[None, "Because."]]
    for call, params in (
        (codecommit.update_comment, edit),
        (codecommit.delete_comment_content, {"commentId": identity}),
        (codecommit.get_comment, {"commentId": identity}),
    ):
        assert refused(call, **params)[0] == "CommentDeletedException"
        for wrong, code in (
            ("", "CommentIdRequiredException"),
            ("x", "InvalidCommentIdException"),
            (f"{NOT_THERE}:{NOT_THERE}", "CommentDoesNotExistException"),
        ):
            assert refused(call, **{**params, "commentId": wrong})[0] == code
    for content, code in (("", "Required"), ("x" * 10_241, "SizeLimitExceeded")):
        assert refused(codecommit.update_comment, commentId=identity, content=content)[0] == (
            f"CommentContent{code}Exception"
        )


def test_the_list_is_of_one_difference_or_of_all_and_paged(codecommit, work, post, refused):
    """API Reference, GetCommentsForPullRequest: what "must be specified when" another is; maxResults."""
    codecommit.create_repository(repositoryName="other")
    main, old = head(work, "main"), head(work)
    first = post()["comment"]["commentId"]
    codecommit.post_comment_reply(inReplyTo=first, content="Because.")
    work.commit("more.txt")
    work.git("push", "-q", "origin", "feature")
    post(content="Later")
    of = lambda after: {"repositoryName": "demo", "beforeCommitId": main, "afterCommitId": after}  # noqa: E731
    assert threads(codecommit) == [["Why?", "Because."], ["Later"]]
    assert threads(codecommit, **of(old)) == [["Why?", "Because."]]
    assert threads(codecommit, **of(head(work))) == [["Later"]]
    assert threads(codecommit, **{**of(old), "beforeCommitId": old}) == []
    pages = codecommit.get_paginator("get_comments_for_pull_request").paginate(
        pullRequestId="1", PaginationConfig={"PageSize": 1}
    )
    shown = [thread["comments"] for page in pages for thread in page["commentsForPullRequestData"]]
    assert [[comment["content"] for comment in comments] for comments in shown] == [["Why?"], ["Because."], ["Later"]]
    call = codecommit.get_comments_for_pull_request
    for changes, code in (
        ({"maxResults": 0}, "InvalidMaxResultsException"),
        ({"maxResults": 501}, "InvalidMaxResultsException"),
        ({"nextToken": "made-up"}, "InvalidContinuationTokenException"),
        ({"repositoryName": "demo"}, "CommitIdRequiredException"),
        ({"repositoryName": "demo", "beforeCommitId": main}, "CommitIdRequiredException"),
        ({"beforeCommitId": main, "afterCommitId": old}, "RepositoryNameRequiredException"),
        ({**of(old), "repositoryName": "other"}, "RepositoryNotAssociatedWithPullRequestException"),
        (of("feature"), "InvalidCommitIdException"),
        (of("a" * 40), "CommitDoesNotExistException"),
    ):
        assert refused(call, pullRequestId="1", **changes)[0] == code, changes
    assert refused(call, pullRequestId="7")[0] == "PullRequestDoesNotExistException"


def test_every_operation_is_on_the_repository(codecommit, sandbox, post):
    """Service Authorization Reference, CodeCommit: all of them have the resource type repository, also where the
    request names a comment alone."""
    identity = post()["comment"]["commentId"]
    codecommit.get_comments_for_pull_request(pullRequestId="1")
    codecommit.post_comment_reply(inReplyTo=identity, content="x")
    codecommit.update_comment(commentId=identity, content="x")
    codecommit.get_comment(commentId=identity)
    codecommit.delete_comment_content(commentId=identity)
    asked = [check for call in sandbox.calls[-6:] for check in call["authorization"]]
    assert [(check["action"].partition(":")[2], check["resource"]) for check in asked] == [
        ("PostCommentForPullRequest", ARN),
        ("GetCommentsForPullRequest", ARN),
        ("PostCommentReply", ARN),
        ("UpdateComment", ARN),
        ("GetComment", ARN),
        ("DeleteCommentContent", ARN),
    ]


def test_the_aws_cli_comments_answers_edits_and_deletes(codecommit, sandbox, work, request_of, aws_cli):
    def aws(*words):
        done = subprocess.run(
            [aws_cli, "codecommit", *words], env=sandbox.environment(), check=True, capture_output=True, timeout=60
        )
        return json.loads(done.stdout)

    options = ["--pull-request-id", "1", "--repository-name", "demo", "--content", "Why?"]
    options += ["--before-commit-id", head(work, "main"), "--after-commit-id", head(work)]
    place = "filePath=changed.txt,filePosition=2,relativeFileVersion=AFTER"
    made = aws("post-comment-for-pull-request", *options, "--location", place)
    assert made["location"] == at("changed.txt", 2, "AFTER")
    identity = made["comment"]["commentId"]
    aws("post-comment-reply", "--in-reply-to", identity, "--content", "Because.")
    edited = aws("update-comment", "--comment-id", identity, "--content", "Why so?")["comment"]
    assert aws("get-comment", "--comment-id", identity)["comment"] == edited
    assert aws("delete-comment-content", "--comment-id", identity)["comment"]["deleted"] is True
    (thread,) = aws("get-comments-for-pull-request", "--pull-request-id", "1")["commentsForPullRequestData"]
    assert [comment.get("content") for comment in thread["comments"]] == [None, "Because."]
