"""What happens to branches and pull requests reaches EventBridge, in the documented shapes (CodeCommit User Guide,
"Monitoring CodeCommit events")."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.eventbridge.conftest import ACCOUNT

pytestmark = pytest.mark.slow

DEVELOPER = "arn:aws:iam::123456789012:user/developer"
REPOSITORY = f"arn:aws:codecommit:{ACCOUNT}:demo"


@pytest.fixture
def told(events: Any, queue: Callable[..., str], messages: Callable[..., list[Any]]) -> Callable[[], list[Any]]:
    """told() -> the events of CodeCommit since the last time, sorted by their moments and names."""
    events.put_rule(Name="all", EventPattern='{"source": ["aws.codecommit"]}')
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": queue("events")}])

    def receive() -> list[Any]:
        found: list[Any] = []
        while some := messages("events"):
            found += some
        return sorted(found, key=lambda event: (event["detail"]["event"], event["detail"].get("referenceName", "")))

    return receive


@pytest.fixture
def work(clone: Any) -> Any:
    """A working copy on main, whose repository `demo` is empty."""
    made = clone()
    made.commit()
    return made


def head(work: Any, reference: str = "HEAD") -> str:
    return str(work.git("rev-parse", reference).stdout.strip())


def details(found: list[Any], *names: str) -> list[Any]:
    """The members of these names of each event; None where it lacks one."""
    return [tuple(event["detail"].get(name) for name in names) for event in found]


MOVES = ("event", "referenceName", "oldCommitId", "commitId")


def test_a_push_tells_of_every_reference_that_it_moved(codecommit, work, told):
    first = head(work)
    work.git("tag", "v1")
    work.git("push", "-q", "origin", "main", "main:feature/x", "v1", "main:refs/notes/n")
    created = told()
    assert details(created, *MOVES) == [
        ("referenceCreated", "feature/x", None, first),
        ("referenceCreated", "main", None, first),
        ("referenceCreated", "v1", None, first),
    ]
    (made,) = [event for event in created if event["detail"]["referenceName"] == "feature/x"]
    assert {**made, "id": "", "time": ""} == {
        "version": "0",
        "id": "",
        "detail-type": "CodeCommit Repository State Change",
        "source": "aws.codecommit",
        "account": "123456789012",
        "time": "",
        "region": "us-east-1",
        "resources": [REPOSITORY],
        "detail": {
            "event": "referenceCreated",
            "repositoryName": "demo",
            "repositoryId": codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["repositoryId"],
            "referenceType": "branch",
            "referenceName": "feature/x",
            "referenceFullName": "refs/heads/feature/x",
            "commitId": first,
            "callerUserArn": DEVELOPER,
        },
    }
    assert details(created, "referenceType") == [("branch",), ("branch",), ("tag",)]


def test_five_commits_a_force_push_and_a_branch_that_comes_again(work, told):
    work.git("push", "-q", "origin", "main", "main:x")
    told()
    start = head(work)
    for number in range(5):
        work.commit(f"{number}.txt")
    ahead = head(work)
    work.git("push", "-q", "origin", "main:x")
    assert details(told(), *MOVES) == [("referenceUpdated", "x", start, ahead)]
    work.git("push", "-q", "--force", "origin", f"{start}:refs/heads/x")
    assert details(told(), *MOVES) == [("referenceUpdated", "x", ahead, start)]
    work.git("push", "-q", "origin", ":x")
    assert details(told(), *MOVES) == [("referenceDeleted", "x", start, None)]
    work.git("push", "-q", "origin", f"{start}:refs/heads/x")
    assert details(told(), *MOVES) == [("referenceCreated", "x", None, start)]


def test_of_what_is_refused_nothing_is_told(work, told):
    """Of one push, git takes what it can: the default branch cannot be deleted, and x cannot go back without force."""
    work.git("push", "-q", "origin", "main", "main:x")
    told()
    start, _ = head(work), work.commit("more.txt")
    work.git("push", "-q", "origin", "main:x")
    told()
    done = work.git("push", "-q", "origin", ":main", f"{start}:refs/heads/y", check=False)
    assert done.returncode != 0
    assert details(told(), *MOVES) == [("referenceCreated", "y", None, start)]
    work.git("push", "-q", "origin", "main:refs/heads/@", check=False)
    work.git("push", "-q", "origin", "main:x")
    assert told() == []


def test_branches_by_the_api(codecommit, work, told):
    work.git("push", "-q", "origin", "main")
    told()
    codecommit.create_branch(repositoryName="demo", branchName="x", commitId=head(work))
    assert details(told(), *MOVES) == [("referenceCreated", "x", None, head(work))]
    for _ in range(2):  # the second time there is none
        codecommit.delete_branch(repositoryName="demo", branchName="x")
    assert details(told(), *MOVES) == [("referenceDeleted", "x", head(work), None)]


@pytest.fixture
def opened(codecommit: Any, work: Any, told: Callable[[], list[Any]]) -> str:
    """The number of a pull request from x, a commit ahead, to main; its event is told already."""
    work.git("push", "-q", "origin", "main")
    work.git("switch", "-q", "-c", "x")
    work.commit("new.txt")
    work.git("push", "-q", "origin", "x")
    told()
    target = {"repositoryName": "demo", "sourceReference": "x", "destinationReference": "main"}
    request = {"title": "{A} change", "description": "Why", "targets": [target], "clientRequestToken": "t"}
    made = [codecommit.create_pull_request(**request)["pullRequest"] for _ in range(2)]
    (event,) = told()
    detail = event["detail"]
    assert (event["detail-type"], event["resources"]) == ("CodeCommit Pull Request State Change", [REPOSITORY])
    assert "pull-requests/1?region=us-east-1" in detail.pop("notificationBody")
    assert detail.pop("creationDate") == detail.pop("lastModifiedDate")
    assert detail == {
        "author": DEVELOPER,
        "callerUserArn": DEVELOPER,
        "description": "Why",
        "destinationCommit": head(work, "main"),
        "destinationReference": "refs/heads/main",
        "event": "pullRequestCreated",
        "isMerged": "False",
        "pullRequestId": "1",
        "pullRequestStatus": "Open",
        "repositoryNames": ["demo"],
        "revisionId": made[0]["revisionId"],
        "sourceCommit": head(work, "x"),
        "sourceReference": "refs/heads/x",
        "title": "{A} change",
    }
    return str(made[1]["pullRequestId"])


STATE = ("event", "pullRequestStatus", "isMerged", "mergeOption")


@pytest.mark.parametrize(
    ("way", "option", "conflicts"),
    [
        ("fast_forward", "FAST_FORWARD_MERGE", (None, None)),
        ("squash", "SQUASH_MERGE", ("FILE_LEVEL", "NONE")),
        ("three_way", "THREE_WAY_MERGE", ("FILE_LEVEL", "NONE")),
    ],
)
def test_a_merge_tells_of_the_branch_and_of_the_pull_request(codecommit, work, told, opened, way, option, conflicts):
    before, source = head(work, "main"), head(work, "x")
    merge = getattr(codecommit, f"merge_pull_request_by_{way}")
    merge(pullRequestId=opened, repositoryName="demo")
    after = codecommit.get_branch(repositoryName="demo", branchName="main")["branch"]["commitId"]
    merged, moved = told()
    assert details([merged], *STATE) == [("pullRequestMergeStatusUpdated", "Closed", "True", option)]
    assert details([moved], *MOVES) == [("referenceUpdated", "main", before, after)]
    commits = ("baseCommitId", "destinationCommitId", "sourceCommitId", "mergeOption")
    assert details([moved], *commits) == [(before, before, source, option)]
    assert details([moved], "conflictDetailsLevel", "conflictResolutionStrategy") == [conflicts]


def test_a_merge_of_branches_is_told_as_one(codecommit, work, told, opened):
    """The example of the event referenceUpdated is such a merge: THREE_WAY_MERGE, LINE_LEVEL."""
    before, source = head(work, "main"), head(work, "x")
    params = {"repositoryName": "demo", "sourceCommitSpecifier": "x", "destinationCommitSpecifier": "main"}
    after = codecommit.merge_branches_by_three_way(**params, conflictDetailLevel="LINE_LEVEL")["commitId"]
    (moved,) = told()
    assert details([moved], *MOVES) == [("referenceUpdated", "main", before, after)]
    commits = ("baseCommitId", "destinationCommitId", "sourceCommitId", "mergeOption")
    assert details([moved], *commits) == [(before, before, source, "THREE_WAY_MERGE")]
    assert details([moved], "conflictDetailsLevel", "conflictResolutionStrategy") == [("LINE_LEVEL", "NONE")]
    again = {**params, "sourceCommitSpecifier": "HEAD"}
    assert codecommit.merge_branches_by_fast_forward(**again)["commitId"] == after
    assert told() == [], "nothing moved"


def test_a_push_moves_a_pull_request_and_may_merge_it(work, told, opened):
    work.commit("another.txt")
    work.git("push", "-q", "origin", "x")
    updated, moved = told()
    assert details([updated], *STATE, "sourceCommit") == [
        ("pullRequestSourceBranchUpdated", "Open", "False", None, head(work))
    ]
    assert details([moved], *MOVES[:2]) == [("referenceUpdated", "x")]
    work.git("push", "-q", "origin", "x:main")
    merged, moved = told()
    assert details([merged], *STATE) == [("pullRequestMergeStatusUpdated", "Closed", "True", "FAST_FORWARD_MERGE")]
    assert "mergeOption" not in moved["detail"], "a push is no merge"


def test_a_pull_request_that_is_closed_by_hand_or_with_its_branch(codecommit, work, told, opened):
    closed = ("pullRequestStatusChanged", "Closed", "False", None)
    for _ in range(2):  # closing what is closed is no change
        codecommit.update_pull_request_status(pullRequestId=opened, pullRequestStatus="CLOSED")
    assert details(told(), *STATE) == [closed]
    target = {"repositoryName": "demo", "sourceReference": "x", "destinationReference": "main"}
    codecommit.create_pull_request(title="Again", targets=[target])
    told()
    work.git("push", "-q", "origin", ":x")
    event, gone = told()
    assert (details([event], *STATE), gone["detail"]["event"]) == ([closed], "referenceDeleted")


def test_comments_are_told_of(codecommit, work, told, opened):
    """Events commentOnPullRequestCreated and commentOnPullRequestUpdated; inReplyTo is of replies alone."""
    commits = {"beforeCommitId": head(work, "main"), "afterCommitId": head(work, "x")}
    question = {
        "pullRequestId": opened,
        "repositoryName": "demo",
        "content": "Why?",
        "clientRequestToken": "c",
        **commits,
    }
    made = [codecommit.post_comment_for_pull_request(**question)["comment"]["commentId"] for _ in range(2)]
    (event,) = told()
    assert (event["detail-type"], event["resources"]) == ("CodeCommit Comment on Pull Request", [REPOSITORY])
    detail = event["detail"]
    assert f"pull-requests/1/activity#{made[0].replace(':', '%3A')}?region" in detail.pop("notificationBody")
    assert detail == {
        **commits,
        "callerUserArn": DEVELOPER,
        "commentId": made[1],
        "event": "commentOnPullRequestCreated",
        "pullRequestId": opened,
        "repositoryId": codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["repositoryId"],
        "repositoryName": "demo",
    }
    reply = codecommit.post_comment_reply(inReplyTo=made[0], content="Because.")["comment"]["commentId"]
    codecommit.update_comment(commentId=reply, content="Because!")
    codecommit.delete_comment_content(commentId=reply)
    assert details(told(), "event", "commentId", "inReplyTo", "afterCommitId") == [
        ("commentOnPullRequestCreated", reply, made[0], commits["afterCommitId"]),
        ("commentOnPullRequestUpdated", reply, made[0], commits["afterCommitId"]),
    ]


def test_approvals_and_their_rules_are_told_of(codecommit, client, work, told, opened):
    """Events pullRequestApprovalRuleCreated, …Updated, …Deleted, …Overridden and pullRequestApprovalStateChanged: those
    of a pull request, and a few members more."""
    iam = client("iam")
    iam.create_user(UserName="reviewer")
    key = iam.create_access_key(UserName="reviewer")["AccessKey"]
    reviewer = client("codecommit", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    statement = {"Type": "Approvers", "NumberOfApprovalsNeeded": 1}
    one = json.dumps({"Version": "2018-11-08", "Statements": [statement]})
    name = {"pullRequestId": opened, "approvalRuleName": "One of us"}
    made = codecommit.create_pull_request_approval_rule(**name, approvalRuleContent=one)["approvalRule"]
    changed = codecommit.update_pull_request_approval_rule_content(**name, newRuleContent=one + " ")["approvalRule"]
    for _ in range(2):
        codecommit.delete_pull_request_approval_rule(**name)
    rule = ("approvalRuleId", "approvalRuleName", "approvalRuleContentSha256")
    seen = told()
    assert details(seen, "event", *rule) == [
        (f"pullRequestApprovalRule{what}", made["approvalRuleId"], "One of us", content["ruleContentSha256"])
        for what, content in (("Created", made), ("Deleted", changed), ("Updated", changed))
    ]
    assert {event["detail-type"] for event in seen} == {"CodeCommit Pull Request State Change"}
    assert details(seen, "pullRequestId", "pullRequestStatus", "isMerged") == [(opened, "Open", "False")] * 3
    revision = codecommit.get_pull_request(pullRequestId=opened)["pullRequest"]["revisionId"]
    of = {"pullRequestId": opened, "revisionId": revision}
    by_reviewer = ("callerUserArn", "author", "revisionId")
    person = (DEVELOPER.replace("developer", "reviewer"), DEVELOPER, revision)
    for state in ("APPROVE", "APPROVE", "REVOKE", "REVOKE"):  # twice is no change
        reviewer.update_pull_request_approval_state(**of, approvalState=state)
    changes = told()
    assert sorted(details(changes, "event", "approvalStatus", *by_reviewer)) == [
        ("pullRequestApprovalStateChanged", state, *person) for state in ("APPROVE", "REVOKE")
    ]
    for status in ("OVERRIDE", "REVOKE", "REVOKE"):
        reviewer.override_pull_request_approval_rules(**of, overrideStatus=status)
    assert sorted(details(told(), "event", "overrideStatus", *by_reviewer)) == [
        ("pullRequestApprovalRuleOverridden", status, *person) for status in ("OVERRIDE", "REVOKE")
    ]
