"""Approvals of CodeCommit's pull requests, and the rules that demand them. Each docstring names the page a rule is
from."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"
DEVELOPER, REVIEWER = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("developer", "reviewer"))
ARN = f"arn:aws:codecommit:us-east-1:{ACCOUNT}:demo"
RULE = {"pullRequestId": "1", "approvalRuleName": "One of us"}
MERGE = {"pullRequestId": "1", "repositoryName": "demo"}


def content(needed=1, *pool):
    statement = {"Type": "Approvers", "NumberOfApprovalsNeeded": needed}
    if pool:
        statement["ApprovalPoolMembers"] = list(pool)
    return json.dumps({"Version": "2018-11-08", "Statements": [statement]})


@pytest.fixture
def work(work, codecommit):
    """The same, and the developer's pull request 1 between its branches."""
    target = {"repositoryName": "demo", "sourceReference": "feature", "destinationReference": "main"}
    codecommit.create_pull_request(title="A change", targets=[target])
    return work


@pytest.fixture
def reviewer(client):
    """CodeCommit as another IAM user."""
    iam = client("iam")
    iam.create_user(UserName="reviewer")
    key = iam.create_access_key(UserName="reviewer")["AccessKey"]
    return client("codecommit", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


@pytest.fixture
def session(client):
    """CodeCommit as a session `robot` of the role `Checks`."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="Checks", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="robot")["Credentials"]
    return client("codecommit", key=given["AccessKeyId"], secret=given["SecretAccessKey"], token=given["SessionToken"])


@pytest.fixture
def shown(codecommit, work):
    """shown() -> the pull request 1."""
    return lambda: codecommit.get_pull_request(pullRequestId="1")["pullRequest"]


@pytest.fixture
def current(shown):
    """current() -> the parameters that name the current revision."""
    return lambda: {"pullRequestId": "1", "revisionId": shown()["revisionId"]}


def evaluated(codecommit, revision):
    evaluation = codecommit.evaluate_pull_request_approval_rules(**revision)["evaluation"]
    names = ("approved", "overridden", "approvalRulesSatisfied", "approvalRulesNotSatisfied")
    return tuple(evaluation[name] for name in names)


def approvals(codecommit, revision):
    found = codecommit.get_pull_request_approval_states(**revision)["approvals"]
    assert all(approval["approvalState"] == "APPROVE" for approval in found)
    return [approval["userArn"] for approval in found]


def test_a_rule_is_made_changed_and_deleted(codecommit, reviewer, shown):
    """API Reference, CreatePullRequestApprovalRule and its siblings, and ApprovalRule."""
    made = codecommit.create_pull_request_approval_rule(**RULE, approvalRuleContent=content())["approvalRule"]
    assert made["creationDate"] == made["lastModifiedDate"]
    fixed = {
        "approvalRuleName": "One of us",
        "approvalRuleContent": content(),
        "ruleContentSha256": hashlib.sha256(content().encode()).hexdigest(),
        "lastModifiedUser": DEVELOPER,
    }
    assert {name: made[name] for name in fixed} == fixed
    assert set(made) == {*fixed, "approvalRuleId", "creationDate", "lastModifiedDate"}
    assert shown()["approvalRules"] == [made]
    update = {**RULE, "newRuleContent": content(2), "existingRuleContentSha256": made["ruleContentSha256"]}
    changed = reviewer.update_pull_request_approval_rule_content(**update)["approvalRule"]
    assert (changed["approvalRuleContent"], changed["lastModifiedUser"]) == (content(2), REVIEWER)
    assert (changed["approvalRuleId"], changed["creationDate"]) == (made["approvalRuleId"], made["creationDate"])
    assert changed["lastModifiedDate"] > made["lastModifiedDate"]
    assert shown()["approvalRules"] == [changed]
    deleted = codecommit.delete_pull_request_approval_rule(**RULE)
    assert deleted["approvalRuleId"] == made["approvalRuleId"]
    assert shown()["approvalRules"] == []
    assert "approvalRuleId" not in codecommit.delete_pull_request_approval_rule(**RULE)


def test_what_rules_refuse(codecommit, work, refused, monkeypatch):
    """API Reference, CreatePullRequestApprovalRule and its siblings, "Errors"; User Guide, "Quotas" (names of approval
    rules, content length, rules on a pull request - here 2, for the time it takes)."""
    monkeypatch.setattr("sandbox.codecommit.approval_rules.MOST_RULES", 2)
    create = codecommit.create_pull_request_approval_rule
    update, delete = codecommit.update_pull_request_approval_rule_content, codecommit.delete_pull_request_approval_rule
    create(**RULE, approvalRuleContent=content())
    calls = [
        (create, {**RULE, "approvalRuleName": "Another", "approvalRuleContent": content()}, "approvalRuleContent"),
        (update, {**RULE, "newRuleContent": content(2)}, "newRuleContent"),
        (delete, dict(RULE), None),
    ]
    for call, params, document in calls:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"pullRequestId": None}, "PullRequestIdRequiredException"),
            ({"pullRequestId": "x"}, "InvalidPullRequestIdException"),
            ({"pullRequestId": "7"}, "PullRequestDoesNotExistException"),
            ({"approvalRuleName": None}, "ApprovalRuleNameRequiredException"),
            ({"approvalRuleName": "x" * 101}, "InvalidApprovalRuleNameException"),
            ({"approvalRuleName": "a/b"}, "InvalidApprovalRuleNameException"),
            ({"approvalRuleName": "a.git"}, "InvalidApprovalRuleNameException"),
        ]
        if document:
            wrong += [
                ({document: None}, "ApprovalRuleContentRequiredException"),
                ({document: "{}"}, "InvalidApprovalRuleContentException"),
                ({document: content() + " " * 3000}, "InvalidApprovalRuleContentException"),
            ]
        for changes, code in wrong:
            given = {name: value for name, value in {**params, **changes}.items() if value is not None}
            assert refused(call, **given)[0] == code, (changes, params)
    changed = {**RULE, "newRuleContent": content(2)}
    assert refused(update, **{**changed, "approvalRuleName": "one of us"})[0] == "ApprovalRuleDoesNotExistException"
    assert refused(update, **changed, existingRuleContentSha256="0" * 64)[0] == "InvalidRuleContentSha256Exception"
    twice = {**RULE, "approvalRuleContent": content()}
    assert refused(create, **twice)[0] == "ApprovalRuleNameAlreadyExistsException"
    create(**calls[0][1])
    third = {**twice, "approvalRuleName": "A third"}
    assert refused(create, **third)[0] == "NumberOfRulesExceededException"
    codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    for call, params, _ in calls:
        assert refused(call, **params)[0] == "PullRequestAlreadyClosedException"


def test_an_approval_is_of_one_revision(codecommit, work, reviewer, session, refused, current):
    """API Reference, UpdatePullRequestApprovalState: RevisionNotCurrentException, InvalidRevisionIdException;
    "REVOKE states are not stored"; a push makes a new revision."""
    first = current()
    assert approvals(codecommit, first) == []
    for _ in range(2):
        reviewer.update_pull_request_approval_state(**first, approvalState="APPROVE")
    session.update_pull_request_approval_state(**first, approvalState="APPROVE")
    robot = f"arn:aws:sts::{ACCOUNT}:assumed-role/Checks/robot"
    assert approvals(codecommit, first) == [REVIEWER, robot]
    for _ in range(2):
        reviewer.update_pull_request_approval_state(**first, approvalState="REVOKE")
    assert approvals(codecommit, first) == [robot]
    work.commit("more.txt")
    work.git("push", "-q", "origin", "feature")
    second = current()
    assert second["revisionId"] != first["revisionId"]
    assert (approvals(codecommit, first), approvals(codecommit, second)) == ([robot], [])
    states, approve = codecommit.get_pull_request_approval_states, {"approvalState": "APPROVE"}
    override = {"overrideStatus": "OVERRIDE"}
    for call, more in (
        (reviewer.update_pull_request_approval_state, approve),
        (reviewer.override_pull_request_approval_rules, override),
        (codecommit.evaluate_pull_request_approval_rules, {}),
    ):
        assert refused(call, **first, **more)[0] == "RevisionNotCurrentException"
    for call, more in (
        (reviewer.update_pull_request_approval_state, approve),
        (states, {}),
        (codecommit.evaluate_pull_request_approval_rules, {}),
        (reviewer.override_pull_request_approval_rules, override),
        (codecommit.get_pull_request_override_state, {}),
    ):
        for revision, code in (
            ({"revisionId": "0" * 64}, "InvalidRevisionIdException"),
            ({"revisionId": ""}, "RevisionIdRequiredException"),
            ({}, "RevisionIdRequiredException"),
        ):
            assert refused(call, pullRequestId="1", **revision, **more)[0] == code
        assert refused(call, **{**second, "pullRequestId": "7"}, **more)[0] == "PullRequestDoesNotExistException"


def test_who_may_not_approve_and_when(codecommit, reviewer, session, refused, current, monkeypatch):
    """PullRequestCannotBeApprovedByAuthorException: "You cannot approve a pull request that you created"; User Guide,
    "Quotas", approvals on a pull request: 200 (here 1); "Review a pull request": open ones alone."""
    monkeypatch.setattr("sandbox.codecommit.approvals.MOST_APPROVALS", 1)
    approve, revision = {"approvalState": "APPROVE"}, current()
    author = codecommit.update_pull_request_approval_state
    assert refused(author, **revision, **approve)[0] == "PullRequestCannotBeApprovedByAuthorException"
    assert refused(author, **revision, approvalState="MAYBE")[0] == "InvalidApprovalStateException"
    assert refused(author, **revision)[0] == "ApprovalStateRequiredException"
    reviewer.update_pull_request_approval_state(**revision, **approve)
    robot = session.update_pull_request_approval_state
    assert refused(robot, **revision, **approve)[0] == "MaximumNumberOfApprovalsExceededException"
    codecommit.update_pull_request_status(pullRequestId="1", pullRequestStatus="CLOSED")
    revoke = {**revision, "approvalState": "REVOKE"}
    assert refused(reviewer.update_pull_request_approval_state, **revoke)[0] == "PullRequestAlreadyClosedException"
    assert approvals(codecommit, revision) == [REVIEWER]


def test_rules_hold_a_merge_up_until_they_are_satisfied(codecommit, work, reviewer, session, refused, current):
    """API Reference, Evaluation and PullRequestApprovalRulesNotSatisfiedException; User Guide, "Edit or delete an
    approval rule": "you cannot merge that pull request until its conditions have been met"."""
    assert evaluated(codecommit, current()) == (True, False, [], [])
    pool = f"CodeCommitApprovers:{ACCOUNT}:Checks/*"
    for name, document in (("Two", content(2)), ("Checks", content(1, pool))):
        codecommit.create_pull_request_approval_rule(
            pullRequestId="1", approvalRuleName=name, approvalRuleContent=document
        )
    merges = [getattr(codecommit, f"merge_pull_request_by_{way}") for way in ("fast_forward", "squash", "three_way")]
    for call in merges:
        assert refused(call, **MERGE)[0] == "PullRequestApprovalRulesNotSatisfiedException"
    approve = {"approvalState": "APPROVE"}
    reviewer.update_pull_request_approval_state(**current(), **approve)
    assert evaluated(codecommit, current()) == (False, False, [], ["Two", "Checks"])
    session.update_pull_request_approval_state(**current(), **approve)
    assert evaluated(codecommit, current()) == (True, False, ["Two", "Checks"], [])
    reviewer.update_pull_request_approval_state(**current(), approvalState="REVOKE")
    assert evaluated(codecommit, current()) == (False, False, ["Checks"], ["Two"])
    reviewer.update_pull_request_approval_state(**current(), **approve)
    work.commit("unseen.txt")
    work.git("push", "-q", "origin", "feature")
    assert evaluated(codecommit, current()) == (False, False, [], ["Two", "Checks"])
    for call in merges:
        assert refused(call, **MERGE)[0] == "PullRequestApprovalRulesNotSatisfiedException"
    for who in (reviewer, session):
        who.update_pull_request_approval_state(**current(), **approve)
    merged = merges[0](**MERGE)["pullRequest"]
    assert merged["pullRequestTargets"][0]["mergeMetadata"]["isMerged"] is True
    assert [rule["approvalRuleName"] for rule in merged["approvalRules"]] == ["Two", "Checks"]
    assert evaluated(codecommit, current()) == (True, False, ["Two", "Checks"], [])


def test_an_override_sets_the_rules_of_a_revision_aside(codecommit, work, reviewer, refused, current):
    """User Guide, "Override approval rules on a pull request"; API Reference, OverrideAlreadySetException, "REVOKE
    status is not stored"."""
    codecommit.create_pull_request_approval_rule(**RULE, approvalRuleContent=content())
    state, override = codecommit.get_pull_request_override_state, reviewer.override_pull_request_approval_rules
    first = current()
    assert state(**first)["overridden"] is False
    assert "overrider" not in state(**first)
    override(**first, overrideStatus="REVOKE")
    override(**first, overrideStatus="OVERRIDE")
    assert (state(**first)["overridden"], state(**first)["overrider"]) == (True, REVIEWER)
    assert evaluated(codecommit, first) == (True, True, [], ["One of us"])
    again = {**first, "overrideStatus": "OVERRIDE"}
    assert refused(codecommit.override_pull_request_approval_rules, **again)[0] == "OverrideAlreadySetException"
    override(**first, overrideStatus="REVOKE")
    assert state(**first)["overridden"] is False
    assert refused(codecommit.merge_pull_request_by_squash, **MERGE)[0] == (
        "PullRequestApprovalRulesNotSatisfiedException"
    )
    override(**first, overrideStatus="OVERRIDE")
    work.commit("more.txt")
    work.git("push", "-q", "origin", "feature")
    assert (state(**first)["overridden"], state(**current())["overridden"]) == (True, False)
    assert refused(override, **current(), overrideStatus="MAYBE")[0] == "InvalidOverrideStatusException"
    assert refused(override, **current())[0] == "OverrideStatusRequiredException"
    override(**current(), overrideStatus="OVERRIDE")
    codecommit.merge_pull_request_by_squash(**MERGE)
    revoke = {**current(), "overrideStatus": "REVOKE"}
    assert refused(override, **revoke)[0] == "PullRequestAlreadyClosedException"


def test_git_and_merges_of_branches_pass_the_rules_by(codecommit, work, shown):
    """User Guide, "Merge a pull request": git merge and a push "merges the pull request regardless if the requirements
    for approval rules on the pull request have been satisfied"; MergeBranchesBySquash declares no exception for it."""
    work.git("push", "-q", "origin", "main:other")
    target = {"repositoryName": "demo", "sourceReference": "feature", "destinationReference": "other"}
    codecommit.create_pull_request(title="Another", targets=[target])
    for number in ("1", "2"):
        rule = {**RULE, "pullRequestId": number}
        codecommit.create_pull_request_approval_rule(**rule, approvalRuleContent=content())
    work.git("push", "-q", "origin", "feature:main")
    codecommit.merge_branches_by_fast_forward(
        repositoryName="demo", sourceCommitSpecifier="feature", destinationCommitSpecifier="other"
    )
    for made in (shown(), codecommit.get_pull_request(pullRequestId="2")["pullRequest"]):
        assert made["pullRequestTargets"][0]["mergeMetadata"]["isMerged"] is True


def test_every_operation_is_on_the_repository(codecommit, sandbox, reviewer, current):
    """Service Authorization Reference, CodeCommit: all of them have the resource type repository, and no keys of
    CodeCommit."""
    revision = current()
    codecommit.create_pull_request_approval_rule(**RULE, approvalRuleContent=content())
    codecommit.update_pull_request_approval_rule_content(**RULE, newRuleContent=content(2))
    codecommit.delete_pull_request_approval_rule(**RULE)
    reviewer.update_pull_request_approval_state(**revision, approvalState="APPROVE")
    codecommit.get_pull_request_approval_states(**revision)
    codecommit.evaluate_pull_request_approval_rules(**revision)
    codecommit.override_pull_request_approval_rules(**revision, overrideStatus="OVERRIDE")
    codecommit.get_pull_request_override_state(**revision)
    asked = [(call["operation"], check) for call in sandbox.calls[-8:] for check in call["authorization"]]
    assert len(asked) == 8
    for operation, check in asked:
        assert (check["action"], check["resource"]) == (f"codecommit:{operation}", ARN)
        assert "codecommit:References" not in check["context"]


def test_the_aws_cli_demands_gives_and_overrides(sandbox, client, work, aws_cli):
    iam = client("iam")
    iam.create_user(UserName="reviewer")
    key = iam.create_access_key(UserName="reviewer")["AccessKey"]
    environment = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def aws(*words):
        done = subprocess.run(
            [aws_cli, "codecommit", *words, "--pull-request-id", "1"],
            env=sandbox.environment() | environment,
            check=True,
            capture_output=True,
            timeout=60,
        )
        return json.loads(done.stdout or b"{}")

    name = ("--approval-rule-name", "One of us")
    made = aws("create-pull-request-approval-rule", *name, "--approval-rule-content", content())["approvalRule"]
    update = ("update-pull-request-approval-rule-content", *name, "--new-rule-content", content(2))
    aws(*update, "--existing-rule-content-sha256", made["ruleContentSha256"])
    revision = ("--revision-id", aws("get-pull-request")["pullRequest"]["revisionId"])
    assert aws("update-pull-request-approval-state", *revision, "--approval-state", "APPROVE") == {}
    assert aws("get-pull-request-approval-states", *revision)["approvals"][0]["userArn"] == REVIEWER
    assert aws("evaluate-pull-request-approval-rules", *revision)["evaluation"]["approved"] is False
    assert aws("override-pull-request-approval-rules", *revision, "--override-status", "OVERRIDE") == {}
    assert aws("get-pull-request-override-state", *revision) == {"overridden": True, "overrider": REVIEWER}
    assert aws("delete-pull-request-approval-rule", *name) == {"approvalRuleId": made["approvalRuleId"]}
