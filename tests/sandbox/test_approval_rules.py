"""What an approval rule of CodeCommit may say, and who counts. Sources: CodeCommit User Guide, "Create an approval rule
for a pull request" and "Quotas"; API Reference, CreatePullRequestApprovalRule."""

from __future__ import annotations

import json

import pytest

from sandbox.codecommit.approval_rule import IllegalRule, condition, is_member

USER = "arn:aws:iam::123456789012:user/Mary_Major"
FEDERATED = "arn:aws:sts::123456789012:federated-user/Mary_Major"
SESSION = "arn:aws:sts::123456789012:assumed-role/CodeCommitReview/Mary_Major"
EVERYBODY = [USER, FEDERATED, SESSION]


@pytest.mark.parametrize(
    ("member", "members"),
    [
        ("CodeCommitApprovers:123456789012:Mary_Major", [USER, FEDERATED]),
        ("CodeCommitApprovers:123456789012:*Mary_Major", EVERYBODY),
        ("CodeCommitApprovers:123456789012:CodeCommitReview/Mary_Major", [SESSION]),
        ("CodeCommitApprovers:123456789012:CodeCommitReview/*", [SESSION]),
        ("CodeCommitApprovers:123456789012:CodeCommitReview", []),
        ("CodeCommitApprovers:123456789012:user/*", [USER]),
        ("CodeCommitApprovers:123456789012:mary_major", []),
        ("CodeCommitApprovers:123456789012:Mary.Major", []),
        ("CodeCommitApprovers:111111111111:Mary_Major", []),
        (USER, [USER]),
        ("arn:aws:iam::123456789012:user/*", [USER]),
        ("arn:aws:iam::123456789012:user/Mary", []),
        (SESSION, [SESSION]),
        ("arn:aws:sts::123456789012:assumed-role/CodeCommitReview/*", [SESSION]),
        ("arn:aws:sts::123456789012:assumed-role/CodeCommitReview", [SESSION]),
        ("arn:aws:sts::123456789012:assumed-role/CodeCommit", []),
        ("arn:aws:iam::123456789012:role/CodeCommitReview", []),
    ],
)
def test_who_is_a_member_of_a_pool(member, members):
    """The guide's own cases, and its words on wildcards and on ARNs of assumed roles."""
    assert [arn for arn in EVERYBODY if is_member(arn, member)] == members


def test_a_user_with_a_path_counts_by_name():
    arn = "arn:aws:iam::123456789012:user/staff/Mary_Major"
    assert is_member(arn, "CodeCommitApprovers:123456789012:Mary_Major")
    assert not is_member(arn, USER)


def test_a_rule_counts_its_pool_alone():
    """ "only approvals from those users count toward the number of required approvals"."""
    two = condition(rule(needed=2, pool=[USER, SESSION]))
    assert not two.is_met([USER, FEDERATED])
    assert two.is_met([USER, FEDERATED, SESSION])
    assert condition(rule(needed=2)).is_met([USER, FEDERATED])
    assert not condition(rule(needed=2)).is_met([USER])


def rule(*, needed=1, pool=None, **changes):
    statement = {"Type": "Approvers", "NumberOfApprovalsNeeded": needed, "ApprovalPoolMembers": pool, **changes}
    statement = {name: value for name, value in statement.items() if value is not None}
    return json.dumps({"Version": "2018-11-08", "Statements": [statement]})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{Version: 2018-11-08}",
        "[" * 3000,
        "[]",
        "{}",
        json.dumps({"Version": "2018-11-08"}),
        json.dumps({"Version": "2018-11-08", "Statements": []}),
        json.dumps({**json.loads(rule()), "Version": "2012-10-17"}),
        json.dumps({**json.loads(rule()), "DestinationReferences": ["refs/heads/main"]}),
        json.dumps({"Version": "2018-11-08", "Statements": json.loads(rule())["Statements"] * 2}),
        json.dumps({"Version": "2018-11-08", "Statements": ["Approvers"]}),
        rule(Type="Reviewers"),
        rule(needed=None),
        rule(needed=0),
        rule(needed=201),
        rule(needed="1"),
        rule(needed=True),
        rule(needed=1.0),
        rule(Effect="Allow"),
        rule(pool="*"),
        rule(pool=[]),
        rule(pool=[USER] * 51),
        rule(pool=[1]),
        rule(pool=["Mary_Major"]),
        rule(pool=["*"]),
        rule(pool=["CodeCommitApprovers:Mary_Major"]),
        rule(pool=["CodeCommitApprovers:123456789012:"]),
        rule(pool=["arn:aws:s3:::bucket"]),
        rule(pool=[USER]).replace('["', 'null, "x": ["'),
    ],
)
def test_what_is_no_rule(content):
    with pytest.raises(IllegalRule):
        condition(content)


def test_the_largest_rule_is_one():
    """Quotas: "Approvers in an approval pool 50", "Approvals on a pull request 200"."""
    assert condition(rule(needed=200, pool=[USER] * 50)).needed == 200
