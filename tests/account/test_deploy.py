"""`make account` and `make account-remove` against the sandbox's CloudFormation: planned, whole, repeatable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from account import deploy as deploying
from account import stack as stacks
from account.deploy import deploy
from account.package import package
from account.problem import Problem
from account.remove import remove
from sandbox.server import Sandbox
from tests.account.conftest import RELEASE
from tests.conftest import TEMPLATE
from tests.sweeps import nightly, some_of

pytestmark = pytest.mark.slow  # a whole stack each
Clients = Callable[[str], Any]
ASSUMED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture(autouse=True)
def _here(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for module in (stacks, deploying):
        monkeypatch.setattr(module, "POLL", 0.05)


def make(**given: str) -> None:
    deploy(given, plan_only=False, yes=True)


def take_away(force: bool = False) -> None:
    remove(plan_only=False, yes=True, force=force)


def left(clients: Clients) -> dict[str, list[str]]:
    """What is there of all that the stack makes, by kind."""
    iam = clients("iam")
    found = {
        "stacks": [s["StackName"] for s in clients("cloudformation").describe_stacks()["Stacks"]],
        "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
        "policies": [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]],
        "functions": [f["FunctionName"] for f in clients("lambda").list_functions()["Functions"]],
        "buckets": [bucket["Name"] for bucket in clients("s3").list_buckets()["Buckets"]],
        "log groups": [group["logGroupName"] for group in clients("logs").describe_log_groups()["logGroups"]],
        "parameters": [p["Name"] for p in clients("ssm").describe_parameters()["Parameters"]],
        "aliases": [
            a["AliasName"]
            for a in clients("kms").list_aliases()["Aliases"]
            if not a["AliasName"].startswith("alias/aws/")
        ],
    }
    return {kind: names for kind, names in found.items() if names}


def published(clients: Clients) -> dict[str, str]:
    found = clients("ssm").get_parameters_by_path(Path="/mlops/account", MaxResults=10)["Parameters"]
    return {each["Name"].removeprefix("/mlops/account/"): each["Value"] for each in found}


def test_a_plan_changes_nothing_and_shows_all(clients: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    deploy({"PackageIndex": "https://pypi.example.com"}, plan_only=True, yes=False)
    shown = capsys.readouterr().out
    assert f"Stack mlops-account in account 123456789012, region us-east-1: release none -> {RELEASE}" in shown
    assert "PackageIndex = https://pypi.example.com" in shown
    for line in ("Add     AWS::S3::Bucket ", "Add     AWS::Lambda::Function ", "PackageIndexParameter"):
        assert line in shown
    assert left(clients) == {}


def test_makes_the_stack_once_and_then_has_nothing_to_do(
    clients: Clients, aws: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    make(MandatoryTags="Team=ml,Cost Centre=12")
    assert capsys.readouterr().out.endswith(f"The stack mlops-account is at release {RELEASE}.\n")
    there, values = left(clients), published(clients)
    assert (values["version"], values["interface"], values["tags"]) == (RELEASE, "1", "Team=ml,Cost Centre=12")
    assert values["bucket"] in there["buckets"]
    assert there["policies"] == unordered(
        "mlops-permissions-boundary", "mlops-data-scientist", "mlops-data-scientist-code", "mlops-approver"
    )
    [stack] = clients("cloudformation").describe_stacks()["Stacks"]
    assert stack["Tags"] == unordered({"Key": "Team", "Value": "ml"}, {"Key": "Cost Centre", "Value": "12"})
    make()
    assert "Nothing to do" in capsys.readouterr().out
    assert left(clients) == there
    assert not clients("cloudformation").list_change_sets(StackName="mlops-account")["Summaries"]


def unordered(*items: Any) -> Any:
    class Unordered(list[Any]):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, list) and sorted(map(str, self)) == sorted(map(str, other))

    return Unordered(items)


def test_what_is_not_given_stays_and_what_is_emptied_goes(clients: Clients) -> None:
    make(PackageIndex="https://pypi.example.com", MandatoryTags="Team=ml")
    make(MandatoryTags="")
    values = published(clients)
    assert values["package-index"] == "https://pypi.example.com"
    assert "tags" not in values


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("kms", "CreateKey"),
        pytest.param("s3", "PutBucketPolicy", marks=nightly),
        pytest.param("lambda", "CreateFunction", marks=nightly),
        ("ssm", "PutParameter"),
    ],
)
def test_a_creation_that_fails_leaves_nothing_and_says_why(
    clients: Clients, aws: Sandbox, service: str, operation: str
) -> None:
    aws.set_faults([{"service": service, "operation": operation, "times": None, "fault": "access-denied"}])
    with pytest.raises(Problem, match=r"^\w+ \(AWS::\w+::\w+\): .*; nothing was left$") as caught:
        make()
    assert "\n" not in str(caught.value)
    aws.set_faults([])
    assert left(clients) == {}
    make()
    assert published(clients)["version"] == RELEASE


def test_an_update_that_fails_leaves_the_stack_as_it_was(clients: Clients, aws: Sandbox) -> None:
    make()
    before = published(clients)
    aws.set_faults([{"service": "ssm", "operation": "PutParameter", "times": 1, "fault": "access-denied"}])
    with pytest.raises(Problem, match=r"PackageIndexParameter .*; the stack is as it was"):
        make(PackageIndex="https://pypi.example.com")
    aws.set_faults([])
    assert published(clients) == before
    make(PackageIndex="https://pypi.example.com")
    assert published(clients)["package-index"] == "https://pypi.example.com"


# What the programs call themselves; the rest of a log is CloudFormation's, at work for them.
OWN = {
    "deploy": "CreateChangeSet DeleteChangeSet DescribeChangeSet DescribeStackEvents DescribeStacks ExecuteChangeSet",
    "remove": "DeleteBucket DeleteObjects DeleteStack DescribeKey DescribeStackEvents DescribeStacks ListEntitiesForPolicy"
    " ListObjectVersions ListRoles ListStackResources ScheduleKeyDeletion",
}


@pytest.mark.parametrize("program", OWN)
def test_a_failure_at_any_call_is_one_line_and_the_next_run_completes(
    clients: Clients, aws: Sandbox, program: str
) -> None:
    def prepare() -> None:
        aws.set_faults([])
        aws.reset()
        if program == "remove":
            make()
            clients("s3").put_object(Bucket=published(clients)["bucket"], Key="nonprod/a/x", Body=b"12345")

    run = make if program == "deploy" else lambda: take_away(force=True)
    prepare()
    start = len(aws.calls)
    run()
    made = dict.fromkeys((call["service"], call["operation"]) for call in aws.calls[start:])
    own = [(service, operation) for service, operation in made if operation in OWN[program].split()]
    assert sorted(operation for _, operation in own) == OWN[program].split()
    prepare()
    # In the order of a run: each removal gets past the failure before, the last to the end. A creation starts anew.
    for service, operation in some_of(own, program, every=2) if program == "deploy" else own:
        if program == "deploy":
            prepare()
        aws.set_faults([{"service": service, "operation": operation, "call": 1, "fault": "access-denied"}])
        with pytest.raises(Problem) as caught:
            run()
        assert operation in str(caught.value)
        assert "\n" not in str(caught.value)
        aws.set_faults([])
        if program == "deploy":
            run()
            assert left(clients)["stacks"] == ["mlops-account"], operation
    run()
    assert (left(clients) == {}) == (program == "remove")


def test_what_a_failed_creation_left_is_removed_first(clients: Clients, aws: Sandbox) -> None:
    aws.set_faults([{"service": "lambda", "operation": "CreateFunction", "times": None, "fault": "access-denied"}])
    cloudformation = clients("cloudformation")
    cloudformation.create_stack(
        StackName="mlops-account", TemplateBody=package(), Capabilities=["CAPABILITY_NAMED_IAM"], OnFailure="ROLLBACK"
    )
    while clients("cloudformation").describe_stacks()["Stacks"][0]["StackStatus"] != "ROLLBACK_COMPLETE":
        time.sleep(0.05)
    aws.set_faults([])
    deploy({}, plan_only=True, yes=False)
    assert left(clients)["stacks"] == ["mlops-account"]
    make()
    assert published(clients)["version"] == RELEASE


def test_a_change_set_that_an_interrupted_run_left_is_taken_away(clients: Clients) -> None:
    cloudformation = clients("cloudformation")
    cloudformation.create_change_set(
        StackName="mlops-account",
        ChangeSetName=deploying.CHANGE_SET,
        ChangeSetType="CREATE",
        TemplateBody=package(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    make()
    assert published(clients)["version"] == RELEASE


def test_the_stack_of_a_newer_interface_is_left_alone(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = package().replace('"Interface":"1"', '"Interface":"2"')
    with monkeypatch.context() as patch:
        patch.setattr(deploying, "package", lambda: newer)
        make()
    with pytest.raises(Problem, match="the stack mlops-account is newer: its interface is 2"):
        make()
    assert published(clients)["interface"] == "2"


def test_without_a_terminal_and_a_yes_nothing_happens(clients: Clients) -> None:
    with pytest.raises(Problem, match="--yes"):
        deploy({}, plan_only=False, yes=False)
    assert left(clients) == {}


def test_an_empty_bucket_goes_with_the_stack_but_not_without_a_yes(
    clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    before, key = left(clients), published(clients)["kms-key"]
    with pytest.raises(Problem, match="--yes"):
        remove(plan_only=False, yes=False, force=False)
    assert left(clients) == before
    take_away()
    assert left(clients) == {}
    assert clients("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    take_away()
    assert "Nothing to do" in capsys.readouterr().out


def test_files_stay_with_their_key_unless_they_are_to_go(clients: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    make()
    values = published(clients)
    s3 = clients("s3")
    for body in (b"12345", b"123"):
        s3.put_object(Bucket=values["bucket"], Key="prod/a/x", Body=body)
    s3.delete_object(Bucket=values["bucket"], Key="prod/a/x")
    remove(plan_only=True, yes=False, force=False)
    assert "keep    bucket  " in capsys.readouterr().out
    take_away()
    assert "3 object versions, 8 bytes" in capsys.readouterr().out
    assert left(clients) == {"buckets": [values["bucket"]]}
    assert clients("kms").describe_key(KeyId=values["kms-key"])["KeyMetadata"]["KeyState"] == "Enabled"


def test_by_force_files_go_too(clients: Clients) -> None:
    make()
    s3, bucket = clients("s3"), published(clients)["bucket"]
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"prod/a/{number}", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="prod/a/1")
    take_away(force=True)
    assert left(clients) == {}


def documented_statement() -> dict[str, Any]:
    """What docs/account.md has an organisation add to the policy of its key."""
    text = (TEMPLATE / "docs" / "account.md").read_text("utf-8")
    block = text.split('```json\n{"Effect"')[1].split("```")[0]
    statement: dict[str, Any] = json.loads(
        '{"Effect"' + block.replace("REGION", "us-east-1").replace("ACCOUNT", "123456789012")
    )
    return statement


def test_an_organisations_key_is_left_alone(clients: Clients) -> None:
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    owners = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [owners, documented_statement()]}
    theirs = clients("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    make(KmsKeyArn=theirs)
    assert published(clients)["kms-key"] == theirs
    take_away()
    assert clients("kms").describe_key(KeyId=theirs)["KeyMetadata"]["KeyState"] == "Enabled"


def test_while_projects_or_people_need_it_the_stack_stays(clients: Clients) -> None:
    make()
    before = left(clients)
    iam = clients("iam")
    for name in ("mlops-a-prod-ci", "mlops-a-prod-job", "mlops-b-c-nonprod-ci"):
        iam.create_role(RoleName=name, Path="/mlops/", AssumeRolePolicyDocument=ASSUMED)
    with pytest.raises(Problem, match="2 projects still need it: a, b-c; run `mlops teardown`"):
        take_away(force=True)
    for name in ("mlops-a-prod-ci", "mlops-a-prod-job", "mlops-b-c-nonprod-ci"):
        iam.delete_role(RoleName=name)
    assert left(clients) == before
    iam.create_role(RoleName="people", AssumeRolePolicyDocument=ASSUMED)
    policy = "arn:aws:iam::123456789012:policy/mlops/mlops-data-scientist"
    iam.attach_role_policy(RoleName="people", PolicyArn=policy)
    with pytest.raises(Problem, match="mlops-data-scientist is still attached to role people"):
        take_away(force=True)
    iam.detach_role_policy(RoleName="people", PolicyArn=policy)
    take_away()
    assert left(clients) == {"roles": ["people"]}
