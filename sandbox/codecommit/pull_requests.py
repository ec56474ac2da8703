# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations on pull requests, but for merging them. Each docstring's rule is from the operation's page in
the API Reference and the words of its exceptions."""

from __future__ import annotations

import re
from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.client_tokens import asked, client_token
from sandbox.codecommit.contents import ContentOperations
from sandbox.codecommit.pull_request import PullRequest
from sandbox.codecommit.pull_request_events import CLOSED, CREATED
from sandbox.codecommit.reference_events import HEADS
from sandbox.codecommit.rules import fault, is_branch_name, page
from sandbox.codecommit.store import Repository

MOST_OPEN = 1000
# Not documented, as ListBranches' is not.
PULL_REQUESTS_A_PAGE = 100
_ID = re.compile(r"[1-9][0-9]*")
_AUTHOR = re.compile(r"arn:(?P<partition>[\w-]+):(iam|sts)::(?P<account>[0-9]{12}):.+")


class PullRequestOperations(ContentOperations):
    def CreatePullRequest(self, call: Call) -> dict[str, Any]:
        """One target, of two branches that are there. The destination is the default branch unless it is named (AWS
        CLI, "create-pull-request", examples)."""
        params = call.params
        if not params["title"]:
            raise fault(call, "TitleRequiredException")
        token = client_token(call)
        target = _only_target(call)
        source = _branch(call, target["sourceReference"])
        destination = _branch(call, target["destinationReference"]) if "destinationReference" in target else None
        with self.repositories.lock:
            made = self._made_with(call, token)
            if made is None:
                repository = self.repository_named(call, target["repositoryName"])
                with repository.lock:
                    pull_request = self._opened(call, repository, source, destination, token)
                    return {"pullRequest": shown(repository, pull_request)}
            repository, pull_request = made
            if pull_request.asked != asked(call):
                raise fault(call, "IdempotencyParameterMismatchException")
            return {"pullRequest": shown(repository, pull_request)}

    def _made_with(self, call: Call, token: str) -> tuple[Repository, PullRequest] | None:
        for repository in self.repositories.all_of(call.caller.account, call.region):
            for pull_request in repository.pull_requests:
                if pull_request.token == token:
                    return repository, pull_request
        return None

    def _opened(
        self, call: Call, repository: Repository, source: str, destination: str | None, token: str
    ) -> PullRequest:
        destination = destination or repository.default_branch
        if source == destination:
            raise fault(call, "SourceAndDestinationAreSameException")
        tips = repository.tips()
        if source not in tips or destination is None or destination not in tips:
            raise fault(call, "ReferenceDoesNotExistException")
        if sum(other.is_open for other in repository.pull_requests) >= MOST_OPEN:
            raise fault(call, "MaximumOpenPullRequestsExceededException")
        pull_request = PullRequest(
            id=self.repositories.next_pull_request_id(call.caller.account, call.region),
            title=call.params["title"],
            description=call.params.get("description"),
            author=call.caller.arn,
            source=source,
            destination=destination,
            source_commit=tips[source],
            destination_commit=tips[destination],
            merge_base=repository.merge_base(tips[destination], tips[source]),
            token=token,
            asked=asked(call),
        )
        repository.pull_requests.append(pull_request)
        self.repositories.tell(repository, pull_request, CREATED, call.caller.arn)
        return pull_request

    def GetPullRequest(self, call: Call) -> dict[str, Any]:
        """The id alone says which: ids are unique in an account and region."""
        repository, pull_request = self.pull_request(call)
        with repository.lock:
            return {"pullRequest": shown(repository, pull_request)}

    def ListPullRequests(self, call: Call) -> dict[str, Any]:
        """maxResults is "non-zero, non-negative". The author must be of this account."""
        repository, params = self.repository(call), call.params
        size, author, status = (params.get(name) for name in ("maxResults", "authorArn", "pullRequestStatus"))
        if size is not None and size < 1:
            raise fault(call, "InvalidMaxResultsException")
        if author is not None:
            named = _AUTHOR.fullmatch(author)
            if named is None or named["partition"] != call.partition:
                raise fault(call, "InvalidAuthorArnException")
            if named["account"] != call.caller.account:
                raise fault(call, "AuthorDoesNotExistException")
        with repository.lock:
            found = [
                pull_request.id
                for pull_request in repository.pull_requests
                if author in (None, pull_request.author) and status in (None, _status(pull_request))
            ]
        ids, token = page(call, found, size or PULL_REQUESTS_A_PAGE, params.get("nextToken"))
        return {"pullRequestIds": ids, "nextToken": token}

    def UpdatePullRequestStatus(self, call: Call) -> dict[str, Any]:
        """ "The only valid operations are to update the status from OPEN to OPEN, OPEN to CLOSED or from CLOSED to
        CLOSED." """
        repository, pull_request = self.pull_request(call)
        wanted = call.params["pullRequestStatus"]
        with repository.lock:
            if not pull_request.is_open and wanted == "OPEN":
                raise fault(call, "InvalidPullRequestStatusUpdateException")
            if pull_request.is_open and wanted == "CLOSED":
                pull_request.close()
                self.repositories.tell(repository, pull_request, CLOSED, call.caller.arn)
            return {"pullRequest": shown(repository, pull_request)}

    def pull_request(self, call: Call) -> tuple[Repository, PullRequest]:
        """The pull request a call names, and its repository. Raises PullRequestIdRequiredException,
        InvalidPullRequestIdException, PullRequestDoesNotExistException."""
        number = call.params["pullRequestId"]
        if not number:
            raise fault(call, "PullRequestIdRequiredException")
        if not _ID.fullmatch(number):
            raise fault(call, "InvalidPullRequestIdException")
        found = self.repositories.with_pull_request(call.caller.account, call.region, number)
        if found is None:
            raise fault(call, "PullRequestDoesNotExistException")
        return found

    def pull_request_of_repository(self, call: Call) -> tuple[Repository, PullRequest]:
        """The pull request must be of the repository that is named beside it. Raises
        RepositoryNotAssociatedWithPullRequestException besides."""
        named = self.repository(call)
        repository, pull_request = self.pull_request(call)
        if repository is not named:
            raise fault(call, "RepositoryNotAssociatedWithPullRequestException")
        return repository, pull_request


def _only_target(call: Call) -> dict[str, Any]:
    targets = call.params["targets"]
    if not targets:
        raise fault(call, "TargetsRequiredException")
    if None in targets:
        raise fault(call, "TargetRequiredException")
    if len({target["repositoryName"] for target in targets}) > 1:
        raise fault(call, "MultipleRepositoriesInPullRequestException")
    if len(targets) > 1:
        raise fault(call, "InvalidTargetsException")
    target: dict[str, Any] = targets[0]
    return target


def _branch(call: Call, reference: str) -> str:
    """The branch that `name` or `refs/heads/name` means. Raises ReferenceNameRequiredException,
    ReferenceTypeNotSupportedException for a tag or another reference, InvalidReferenceNameException."""
    if not reference:
        raise fault(call, "ReferenceNameRequiredException")
    if reference.startswith("refs/") and not reference.startswith(HEADS):
        raise fault(call, "ReferenceTypeNotSupportedException")
    name = reference.removeprefix(HEADS)
    if not is_branch_name(name):
        raise fault(call, "InvalidReferenceNameException")
    return name


def _status(pull_request: PullRequest) -> str:
    return "OPEN" if pull_request.is_open else "CLOSED"


def shown(repository: Repository, pull_request: PullRequest) -> dict[str, Any]:
    """A pull request as the API shows it."""
    merge = pull_request.merge
    metadata: dict[str, Any] = {"isMerged": merge is not None}
    if merge:
        metadata.update(mergedBy=merge.by, mergeOption=merge.option, mergeCommitId=merge.commit)
    return {
        "pullRequestId": pull_request.id,
        "title": pull_request.title,
        "description": pull_request.description,
        "lastActivityDate": pull_request.active,
        "creationDate": pull_request.created,
        "pullRequestStatus": _status(pull_request),
        "authorArn": pull_request.author,
        "pullRequestTargets": [
            {
                "repositoryName": repository.name,
                "sourceReference": HEADS + pull_request.source,
                "destinationReference": HEADS + pull_request.destination,
                "sourceCommit": pull_request.source_commit,
                "destinationCommit": pull_request.destination_commit,
                "mergeBase": pull_request.merge_base,
                "mergeMetadata": metadata,
            }
        ],
        "clientRequestToken": pull_request.token,
        "revisionId": pull_request.revision,
        "approvalRules": [rule.shown() for rule in pull_request.rules],
    }
