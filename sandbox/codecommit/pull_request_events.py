"""What CodeCommit tells EventBridge of pull requests: `CodeCommit Pull Request State Change`.

Source: CodeCommit User Guide, "Monitoring CodeCommit events in Amazon EventBridge and Amazon CloudWatch Events", which
writes the detail-type of a merge without a space in one example, and with it everywhere else. notificationBody is text
for people, and not AWS's own words here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.codecommit.reference_events import HEADS
from sandbox.inside import Event

if TYPE_CHECKING:
    from sandbox.codecommit.pull_request import PullRequest
    from sandbox.codecommit.store import Repository

CREATED = "pullRequestCreated"
SOURCE_UPDATED = "pullRequestSourceBranchUpdated"
CLOSED = "pullRequestStatusChanged"
MERGED = "pullRequestMergeStatusUpdated"
RULE_CREATED = "pullRequestApprovalRuleCreated"
RULE_UPDATED = "pullRequestApprovalRuleUpdated"
RULE_DELETED = "pullRequestApprovalRuleDeleted"
OVERRIDDEN = "pullRequestApprovalRuleOverridden"
APPROVAL_CHANGED = "pullRequestApprovalStateChanged"


def pull_request_change(
    repository: Repository, pull_request: PullRequest, name: str, actor: str, more: Mapping[str, str]
) -> Event:
    """name: one of the above. actor: ARN of who did it. more: what this event has besides."""
    console = f"https://{repository.region}.console.aws.amazon.com/codesuite/codecommit/repositories"
    page = f"{console}/{repository.name}/pull-requests/{pull_request.id}?region={repository.region}"
    detail = {
        "author": pull_request.author,
        "callerUserArn": actor,
        "creationDate": _moment(pull_request.created),
        "description": pull_request.description,
        "destinationCommit": pull_request.destination_commit,
        "destinationReference": HEADS + pull_request.destination,
        "event": name,
        "isMerged": str(pull_request.merge is not None),
        "lastModifiedDate": _moment(pull_request.active),
        "mergeOption": pull_request.merge.option if pull_request.merge else None,
        "notificationBody": f"{repository.name}: {name}, pull request {pull_request.id}: {page}",
        "pullRequestId": pull_request.id,
        "pullRequestStatus": "Open" if pull_request.is_open else "Closed",
        "repositoryNames": [repository.name],
        "revisionId": pull_request.revision,
        "sourceCommit": pull_request.source_commit,
        "sourceReference": HEADS + pull_request.source,
        "title": pull_request.title,
    }
    return Event(
        source="aws.codecommit",
        detail_type="CodeCommit Pull Request State Change",
        detail={name: value for name, value in detail.items() if value is not None} | dict(more),
        resources=(repository.arn,),
        account=repository.account,
        region=repository.region,
    )


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
