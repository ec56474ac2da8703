"""What CodeCommit tells EventBridge of comments: `CodeCommit Comment on Pull Request`.

Source: CodeCommit User Guide, "Monitoring CodeCommit events in Amazon EventBridge and Amazon CloudWatch Events", events
commentOnPullRequestCreated and commentOnPullRequestUpdated. Events of real repositories lack inReplyTo where a comment
is no reply. That a reply is told of as created, and a deletion not at all, is assumed. notificationBody is text for
people, and not AWS's own words here; the link in it is in AWS's form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.inside import Event

if TYPE_CHECKING:
    from sandbox.codecommit.comment import Comment, Thread

CREATED = "commentOnPullRequestCreated"
UPDATED = "commentOnPullRequestUpdated"


def comment_change(thread: Thread, comment: Comment, name: str, actor: str) -> Event:
    """name: CREATED or UPDATED. actor: ARN of who did it."""
    repository, number = thread.repository, thread.pull_request.id
    console = f"https://{repository.region}.console.aws.amazon.com/codesuite/codecommit/repositories"
    place = f"{console}/{repository.name}/pull-requests/{number}/activity"
    page = f"{place}#{quote(comment.id)}?region={repository.region}"
    detail = {
        "afterCommitId": thread.after,
        "beforeCommitId": thread.before,
        "callerUserArn": actor,
        "commentId": comment.id,
        "event": name,
        "inReplyTo": comment.in_reply_to,
        "notificationBody": f"{repository.name}: {name}, pull request {number}: {page}",
        "pullRequestId": number,
        "repositoryId": repository.id,
        "repositoryName": repository.name,
    }
    return Event(
        source="aws.codecommit",
        detail_type="CodeCommit Comment on Pull Request",
        detail={name: value for name, value in detail.items() if value is not None},
        resources=(repository.arn,),
        account=repository.account,
        region=repository.region,
    )
