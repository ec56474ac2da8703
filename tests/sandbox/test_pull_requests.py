"""CodeCommit's pull requests: opened, listed, closed, and following their branches. Each docstring names the page a
rule is from."""

from __future__ import annotations

import json
import subprocess

import pytest

pytestmark = pytest.mark.slow

DEVELOPER = "arn:aws:iam::123456789012:user/developer"


@pytest.fixture
def opened(codecommit, work):
    """opened(**changes) -> a new pull request from feature to main."""

    def make(**changes):
        return codecommit.create_pull_request(**{**request(), **changes})["pullRequest"]

    return make


def request(**target):
    names = {"repositoryName": "demo", "sourceReference": "feature", "destinationReference": "main", **target}
    return {"title": "A change", "targets": [{name: value for name, value in names.items() if value is not None}]}


def got(codecommit, pull_request):
    return codecommit.get_pull_request(pullRequestId=pull_request["pullRequestId"])["pullRequest"]


def target_of(pull_request):
    (target,) = pull_request["pullRequestTargets"]
    return target


def head(work, reference="HEAD"):
    return work.git("rev-parse", reference).stdout.strip()


def test_a_new_pull_request_is_open_and_knows_its_commits(codecommit, work, opened):
    """API Reference, PullRequest and PullRequestTarget; AWS CLI, create-pull-request, examples (full references)."""
    made = opened(description="Why", clientRequestToken="token")
    assert target_of(made) == {
        "repositoryName": "demo",
        "sourceReference": "refs/heads/feature",
        "destinationReference": "refs/heads/main",
        "sourceCommit": head(work),
        "destinationCommit": head(work, "main"),
        "mergeBase": head(work, "main"),
        "mergeMetadata": {"isMerged": False},
    }
    named = ("pullRequestId", "title", "description", "pullRequestStatus", "authorArn", "clientRequestToken")
    assert [made[name] for name in named] == ["1", "A change", "Why", "OPEN", DEVELOPER, "token"]
    assert made["creationDate"] == made["lastActivityDate"]
    assert made["approvalRules"] == []
    assert got(codecommit, made) == made


def test_the_destination_is_the_default_branch_and_full_references_are_taken(codecommit, opened):
    """AWS CLI, create-pull-request, examples: a target without destinationReference "is to be merged to the default
    branch"."""
    made = codecommit.create_pull_request(**request(destinationReference=None, sourceReference="refs/heads/feature"))
    assert target_of(made["pullRequest"])["destinationReference"] == "refs/heads/main"
    assert "description" not in made["pullRequest"]


REFUSED = [
    ({"title": None}, "TitleRequiredException"),
    ({"title": ""}, "TitleRequiredException"),
    ({"title": "x" * 151}, "InvalidTitleException"),
    ({"description": "x" * 10_241}, "InvalidDescriptionException"),
    ({"targets": None}, "TargetsRequiredException"),
    ({"targets": []}, "TargetsRequiredException"),
    ({"targets": request()["targets"] * 2}, "InvalidTargetsException"),
    (
        {"targets": request()["targets"] + request(repositoryName="x")["targets"]},
        "MultipleRepositoriesInPullRequestException",
    ),
    (request(repositoryName=None), "RepositoryNameRequiredException"),
    (request(repositoryName="a b"), "InvalidRepositoryNameException"),
    (request(repositoryName="none"), "RepositoryDoesNotExistException"),
    (request(sourceReference=None), "ReferenceNameRequiredException"),
    (request(sourceReference=""), "ReferenceNameRequiredException"),
    (request(sourceReference="none"), "ReferenceDoesNotExistException"),
    (request(sourceReference="v1"), "ReferenceDoesNotExistException"),
    (request(sourceReference="refs/tags/v1"), "ReferenceTypeNotSupportedException"),
    (request(sourceReference="a b"), "InvalidReferenceNameException"),
    (request(sourceReference="f" * 40), "InvalidReferenceNameException"),
    (request(sourceReference="x" * 257), "InvalidReferenceNameException"),
    (request(sourceReference="main"), "SourceAndDestinationAreSameException"),
    (request(sourceReference="main", destinationReference=None), "SourceAndDestinationAreSameException"),
    (request(destinationReference="refs/heads/none"), "ReferenceDoesNotExistException"),
    (request(destinationReference="refs/notes/x"), "ReferenceTypeNotSupportedException"),
    ({"clientRequestToken": ""}, "InvalidClientRequestTokenException"),
]


def test_what_create_pull_request_refuses(codecommit, work, refused):
    """API Reference, CreatePullRequest, "Errors" (the words of each), title and description ("Length Constraints")."""
    work.git("push", "-q", "origin", "HEAD:refs/tags/v1")
    for changes, code in REFUSED:
        params = {name: value for name, value in {**request(), **changes}.items() if value is not None}
        assert refused(codecommit.create_pull_request, **params)[0] == code, changes
    assert codecommit.list_pull_requests(repositoryName="demo")["pullRequestIds"] == []


def test_a_target_must_not_be_null_and_a_token_is_needed(raw_call, work):
    """TargetRequiredException: "It cannot be empty or null"; ClientRequestTokenRequiredException. SDKs always send a
    token."""
    operation = "CodeCommit_20150413.CreatePullRequest"
    answer = raw_call("codecommit", operation, {**request(), "targets": [None], "clientRequestToken": "t"})
    assert answer.body["__type"] == "TargetRequiredException"
    assert raw_call("codecommit", operation, request()).body["__type"] == "ClientRequestTokenRequiredException"


def test_a_repository_without_a_commit_has_nothing_to_merge(codecommit, refused):
    codecommit.create_repository(repositoryName="demo")
    params = request(destinationReference=None)
    assert refused(codecommit.create_pull_request, **params)[0] == "ReferenceDoesNotExistException"


def test_a_token_makes_one_pull_request(codecommit, opened, refused):
    """API Reference, CreatePullRequest, clientRequestToken: the same parameters return the first one, others are
    refused; IdempotencyParameterMismatchException."""
    made = opened(clientRequestToken="token")
    assert opened(clientRequestToken="token") == made
    codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    codecommit.delete_branch(repositoryName="demo", branchName="feature")
    assert opened(clientRequestToken="token")["pullRequestStatus"] == "CLOSED"
    other = {**request(), "title": "Another", "clientRequestToken": "token"}
    assert refused(codecommit.create_pull_request, **other)[0] == "IdempotencyParameterMismatchException"
    assert codecommit.list_pull_requests(repositoryName="demo")["pullRequestIds"] == ["1"]


def test_a_lost_answer_and_a_retry_make_one_pull_request(sandbox, client, work):
    """SDKs send the token they made up again when they retry."""
    sandbox.set_faults([{"service": "codecommit", "operation": "CreatePullRequest", "fault": "no-answer"}])
    made = client("codecommit", attempts=2).create_pull_request(**request())["pullRequest"]
    assert made["pullRequestId"] == "1"
    calls = [call["status"] for call in sandbox.calls if call["operation"] == "CreatePullRequest"]
    assert calls == [None, 200]


def test_ids_are_unique_in_a_region_and_never_used_again(codecommit, client, opened, clone, refused):
    """API Reference, GetPullRequest takes the id alone: "The system-generated ID of the pull request"."""
    assert [opened()["pullRequestId"] for _ in range(2)] == ["1", "2"]
    codecommit.delete_repository(repositoryName="demo")
    assert refused(codecommit.get_pull_request, pullRequestId="1")[0] == "PullRequestDoesNotExistException"
    other = clone("other", "other")
    commit = other.commit()
    other.git("push", "-q", "origin", "main")
    codecommit.create_branch(repositoryName="other", branchName="feature", commitId=commit)
    assert codecommit.create_pull_request(**request(repositoryName="other"))["pullRequest"]["pullRequestId"] == "3"
    elsewhere = client("codecommit", region="eu-west-1")
    assert refused(elsewhere.get_pull_request, pullRequestId="3")[0] == "PullRequestDoesNotExistException"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (None, "PullRequestIdRequiredException"),
        ("", "PullRequestIdRequiredException"),
        ("x", "InvalidPullRequestIdException"),
        ("01", "InvalidPullRequestIdException"),
        ("7", "PullRequestDoesNotExistException"),
    ],
)
@pytest.mark.parametrize("operation", ["get", "update", "squash", "fast_forward"])
def test_ids_of_nothing_are_refused(codecommit, refused, operation, number, code):
    codecommit.create_repository(repositoryName="demo")
    params = {} if number is None else {"pullRequestId": number}
    if operation == "get":
        call = codecommit.get_pull_request
    elif operation == "update":
        call, params = codecommit.update_pull_request_status, {**params, "pullRequestStatus": "CLOSED"}
    else:
        call = getattr(codecommit, f"merge_pull_request_by_{operation}")
        params = {**params, "repositoryName": "demo"}
    assert refused(call, **params)[0] == code


def test_closing_is_final(codecommit, opened, refused):
    """API Reference, UpdatePullRequestStatus: "The only valid operations are to update the status from OPEN to OPEN,
    OPEN to CLOSED or from CLOSED to CLOSED"."""
    opened()
    update = lambda status: codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus=status)  # noqa: E731
    assert update("OPEN")["pullRequest"]["pullRequestStatus"] == "OPEN"
    closed = update("CLOSED")["pullRequest"]
    assert closed["pullRequestStatus"] == "CLOSED"
    assert closed["lastActivityDate"] > closed["creationDate"]
    assert target_of(closed)["mergeMetadata"] == {"isMerged": False}
    assert update("CLOSED")["pullRequest"] == closed
    params = {"pullRequestId": "1", "pullRequestStatus": "OPEN"}
    code = refused(codecommit.update_pull_request_status, **params)[0]
    assert code == "InvalidPullRequestStatusUpdateException"
    params["pullRequestStatus"] = "MERGED"
    assert refused(codecommit.update_pull_request_status, **params)[0] == "InvalidPullRequestStatusException"
    assert refused(codecommit.update_pull_request_status, pullRequestId="1")[0] == "PullRequestStatusRequiredException"


def test_the_list_is_filtered_and_paged(codecommit, opened, refused):
    """API Reference, ListPullRequests: maxResults is "a non-zero, non-negative integer"; the author's ARN."""
    for _ in range(3):
        opened()
    codecommit.update_pull_request_status(pullRequestId="2", pullRequestStatus="CLOSED")
    ids = lambda **params: codecommit.list_pull_requests(repositoryName="demo", **params)["pullRequestIds"]  # noqa: E731
    assert ids() == ["1", "2", "3"]
    assert ids(pullRequestStatus="OPEN") == ["1", "3"]
    assert ids(pullRequestStatus="CLOSED", authorArn=DEVELOPER) == ["2"]
    assert ids(authorArn=DEVELOPER + "2") == []
    pages = codecommit.get_paginator("list_pull_requests").paginate(
        repositoryName="demo", PaginationConfig={"PageSize": 2}
    )
    assert [page["pullRequestIds"] for page in pages] == [["1", "2"], ["3"]]
    for params, code in (
        ({"maxResults": 0}, "InvalidMaxResultsException"),
        ({"nextToken": "made-up"}, "InvalidContinuationTokenException"),
        ({"pullRequestStatus": "MERGED"}, "InvalidPullRequestStatusException"),
        ({"authorArn": "developer"}, "InvalidAuthorArnException"),
        ({"authorArn": "arn:aws:iam::999999999999:user/x"}, "AuthorDoesNotExistException"),
    ):
        assert refused(codecommit.list_pull_requests, repositoryName="demo", **params)[0] == code
    assert refused(codecommit.list_pull_requests, repositoryName="none")[0] == "RepositoryDoesNotExistException"


def test_a_push_to_the_source_makes_a_new_revision(codecommit, work, opened):
    """API Reference, PullRequestTarget, sourceCommit: "If the pull request branch is updated by a push while the pull
    request is open, the commit ID changes to reflect the new tip of the branch"."""
    made = opened()
    commit = work.commit("more.txt")
    work.git("push", "-q", "origin", "feature")
    moved = got(codecommit, made)
    assert target_of(moved)["sourceCommit"] == commit
    assert moved["revisionId"] != made["revisionId"]
    assert moved["lastActivityDate"] > made["lastActivityDate"]
    codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    work.commit("later.txt")
    work.git("push", "-q", "origin", "feature")
    assert target_of(got(codecommit, made)) == target_of(moved)


def test_a_push_to_the_destination_moves_its_commit_and_the_merge_base(codecommit, work, opened):
    """API Reference, PullRequestTarget: destinationCommit "is the tip of the destination branch"; mergeBase."""
    made = opened()
    work.git("checkout", "-q", "main")
    ahead = work.commit("main.txt")
    work.git("push", "-q", "origin", "main")
    moved = got(codecommit, made)
    assert target_of(moved) == {**target_of(made), "destinationCommit": ahead}
    assert moved["revisionId"] == made["revisionId"]
    work.git("checkout", "-q", "feature")
    work.git("merge", "-q", "--no-edit", "main")
    work.git("push", "-q", "origin", "feature")
    assert target_of(got(codecommit, made))["mergeBase"] == ahead


@pytest.mark.parametrize("branch", ["feature", "dev"])
@pytest.mark.parametrize("by_git", [True, False])
def test_deleting_either_branch_closes_it_unmerged(codecommit, work, branch, by_git):
    """User Guide, "Close a pull request": "closes a pull request automatically if either the source or destination
    branch of the pull request is deleted"."""
    work.git("push", "-q", "origin", "main:dev")
    made = codecommit.create_pull_request(**request(destinationReference="dev"))["pullRequest"]
    if by_git:
        work.git("push", "-q", "origin", "--delete", branch)
    else:
        codecommit.delete_branch(repositoryName="demo", branchName=branch)
    closed = got(codecommit, made)
    assert closed["pullRequestStatus"] == "CLOSED"
    assert target_of(closed) == target_of(made)
    work.git("push", "-q", "origin", f"{'main' if branch == 'dev' else 'feature'}:{branch}")
    assert got(codecommit, made)["pullRequestStatus"] == "CLOSED"


def test_a_fast_forward_by_git_merges_it_and_another_merge_by_git_does_not(codecommit, work, opened):
    """User Guide, "Merge a pull request": git merge and a push close it "automatically if the pull request is merged
    using the fast-forward merge strategy"."""
    made = opened()
    work.git("checkout", "-q", "main")
    work.git("merge", "-q", "--no-ff", "--no-edit", "feature")
    work.git("push", "-q", "origin", "main")
    assert got(codecommit, made)["pullRequestStatus"] == "OPEN"
    work.git("push", "-q", "-f", "origin", "feature:main")
    assert got(codecommit, made)["pullRequestStatus"] == "OPEN"
    work.git("push", "-q", "-f", "origin", "feature~:main")
    work.git("push", "-q", "origin", "feature:main")
    merged = got(codecommit, made)
    assert merged["pullRequestStatus"] == "CLOSED"
    metadata = {"isMerged": True, "mergedBy": DEVELOPER, "mergeOption": "FAST_FORWARD_MERGE"}
    assert target_of(merged)["mergeMetadata"] == metadata


def test_a_renamed_repository_keeps_its_pull_requests(codecommit, opened):
    made = opened()
    codecommit.update_repository_name(oldName="demo", newName="renamed")
    assert target_of(got(codecommit, made))["repositoryName"] == "renamed"
    assert codecommit.list_pull_requests(repositoryName="renamed")["pullRequestIds"] == ["1"]


def test_a_thousand_may_be_open(codecommit, opened, refused, monkeypatch):
    """MaximumOpenPullRequestsExceededException: "The maximum number of open pull requests for a repository is 1,000"
    (here 2, for the time it takes)."""
    monkeypatch.setattr("sandbox.codecommit.pull_requests.MOST_OPEN", 2)
    opened()
    opened()
    assert refused(codecommit.create_pull_request, **request())[0] == "MaximumOpenPullRequestsExceededException"
    codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    assert opened()["pullRequestId"] == "3"


@pytest.mark.slow
def test_the_aws_cli_opens_merges_and_shows_one(sandbox, work, aws_cli):
    def aws(*words):
        done = subprocess.run(
            [aws_cli, "codecommit", *words], env=sandbox.environment(), check=True, capture_output=True, timeout=60
        )
        return json.loads(done.stdout)["pullRequest"]

    target = "repositoryName=demo,sourceReference=feature,destinationReference=main"
    made = aws("create-pull-request", "--title", "A change", "--targets", target)
    number = ("--pull-request-id", made["pullRequestId"])
    assert aws("get-pull-request", *number) == made
    merged = aws("merge-pull-request-by-squash", *number, "--repository-name", "demo", "--author-name", "Ada")
    assert target_of(merged)["mergeMetadata"]["mergeOption"] == "SQUASH_MERGE"
    assert aws("update-pull-request-status", *number, "--pull-request-status", "CLOSED") == merged
