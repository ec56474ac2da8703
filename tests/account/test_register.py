"""The registration function: four roles, all or nothing, again and again the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from account.functions import register
from mlops.cloud import account_stack, roles
from sandbox.server import Sandbox
from tests.account.conftest import RELEASE, ROOT, Registration, asked, deploy_boundary, function_environment, state
from tests.account.resolved import Resolved
from tests.sweeps import some_of

pytestmark = pytest.mark.slow

LABELS = ["nonprod-ci", "nonprod-job", "prod-ci", "prod-job"]
READS = ("Get", "List")


def writes(sandbox: Sandbox, since: int = 0) -> list[tuple[str, int]]:
    """The calls that change something: operation, and the how manieth of its kind."""
    counted: dict[str, int] = {}
    found = []
    for call in sandbox.calls[since:]:
        counted[call["operation"]] = counted.get(call["operation"], 0) + 1
        if not call["operation"].startswith(READS):
            found.append((call["operation"], counted[call["operation"]]))
    return found


@contextmanager
def failing(sandbox: Sandbox, operation: str, number: int, fault: str = "access-denied") -> Iterator[None]:
    sandbox.set_faults([{"service": "iam", "operation": operation, "call": number, "fault": fault}])
    yield
    sandbox.set_faults([])


def test_makes_the_four_roles(registration: Registration, iam: Any) -> None:
    answer = registration()
    assert (answer["interface"], answer["version"], answer["changed"]) == (1, RELEASE, LABELS)
    roles = state(iam)
    assert sorted(roles) == [f"mlops-tumor-diagnosis-{label}" for label in LABELS]
    for label, (name, role) in zip(LABELS, sorted(roles.items()), strict=True):
        tier, kind = label.split("-")
        assert answer["roles"][label] == f"arn:aws:iam::123456789012:role/mlops/{name}"
        assert role["path"] == "/mlops/"
        assert role["boundary"] == "arn:aws:iam::123456789012:policy/mlops/mlops-permissions-boundary"
        assert role["tags"] == {
            "mlops:project": "tumor-diagnosis",
            "mlops:environment": tier,
            "mlops:owner": "ml-team@example.com",
            "mlops:template": RELEASE,
            "mlops:root-commit": ROOT,
        }
        [trust] = role["trust"]["Statement"]
        assert trust["Principal"] == {"Service": {"ci": "codebuild", "job": "sagemaker"}[kind] + ".amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
        assert [*role["policies"]] == ["mlops"]


def test_a_second_call_changes_nothing(registration: Registration, aws: Sandbox) -> None:
    first = registration()
    before = len(aws.calls)
    assert registration() == first | {"changed": []}
    assert writes(aws, before) == []


def test_the_organisations_tags_and_network_reach_the_roles(
    registration: Registration, iam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "MandatoryTags": "Team=ml,Cost Centre=a=b",
        "SubnetIds": "subnet-0a, subnet-0b",
        "SecurityGroupIds": "sg-0a",
    }
    for name, value in function_environment(**given).items():
        monkeypatch.setenv(name, value)
    registration()
    role = state(iam)["mlops-tumor-diagnosis-nonprod-job"]
    assert (role["tags"]["Team"], role["tags"]["Cost Centre"]) == ("ml", "a=b")
    [make] = [s for s in role["policies"]["mlops"]["Statement"] if s["Action"] == ["ec2:CreateNetworkInterface"]]
    assert make["Resource"][1:] == [
        "arn:aws:ec2:us-east-1:*:subnet/subnet-0a",
        "arn:aws:ec2:us-east-1:*:subnet/subnet-0b",
        "arn:aws:ec2:us-east-1:*:security-group/sg-0a",
    ]


NAME = "mlops-tumor-diagnosis-nonprod-ci"
OTHER = json.dumps(register._document(register._allow("s3", "GetObject", "arn:aws:s3:::lake/*")))
OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)
DRIFT: dict[str, Callable[[Any], object]] = {
    "policy": lambda iam: iam.put_role_policy(RoleName=NAME, PolicyName="mlops", PolicyDocument=OTHER),
    "policy gone": lambda iam: iam.delete_role_policy(RoleName=NAME, PolicyName="mlops"),
    "another policy": lambda iam: iam.put_role_policy(RoleName=NAME, PolicyName="more", PolicyDocument=OTHER),
    "trust": lambda iam: iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=OPEN),
    "no boundary": lambda iam: iam.delete_role_permissions_boundary(RoleName=NAME),
    "tag": lambda iam: iam.tag_role(RoleName=NAME, Tags=[{"Key": "mlops:owner", "Value": "eve"}]),
    "tag gone": lambda iam: iam.untag_role(RoleName=NAME, TagKeys=["mlops:project"]),
    "another tag": lambda iam: iam.tag_role(RoleName=NAME, Tags=[{"Key": "more", "Value": "x"}]),
}


def test_repairs_drift_and_says_so(registration: Registration, iam: Any) -> None:
    registration()
    wanted = state(iam)
    for drift, cause in DRIFT.items():
        cause(iam)
        assert state(iam) != wanted, drift
        assert registration(action="describe")["differs"] == ["nonprod-ci"], drift
        assert registration()["changed"] == ["nonprod-ci"], drift
        assert state(iam) == wanted, drift


def test_a_role_that_is_gone_is_made_again(registration: Registration, iam: Any) -> None:
    registration()
    wanted = state(iam)
    iam.delete_role_policy(RoleName=NAME, PolicyName="mlops")
    iam.delete_role(RoleName=NAME)
    described = registration(action="describe")
    assert (described["roles"]["nonprod-ci"], described["differs"]) == (None, ["nonprod-ci"])
    assert registration()["changed"] == ["nonprod-ci"]
    assert state(iam) == wanted


def test_describe_reads_only(registration: Registration, aws: Sandbox) -> None:
    assert registration(action="describe")["roles"] == dict.fromkeys(LABELS)
    registration()
    before = len(aws.calls)
    answer = registration(action="describe")
    assert all(answer["roles"].values())
    assert (answer["changed"], answer["differs"], writes(aws, before)) == ([], [], [])


@pytest.mark.parametrize("action", ["register", "describe", "remove"])
def test_another_repositorys_project_is_left_alone(registration: Registration, iam: Any, action: str) -> None:
    registration()
    before = state(iam)
    answer = registration(action=action, root_commit="f" * 40)
    assert "belongs to another repository" in answer["refused"]
    assert "roles" not in answer
    assert state(iam) == before


def test_a_role_of_others_by_that_name_is_left_alone(registration: Registration, iam: Any) -> None:
    iam.create_role(RoleName="mlops-tumor-diagnosis-prod-job", AssumeRolePolicyDocument=OPEN)
    before = state(iam)
    assert "mlops-tumor-diagnosis-prod-job belongs to another" in registration()["refused"]
    assert state(iam) == before


def test_remove_takes_the_four_roles_and_no_others(registration: Registration, iam: Any) -> None:
    registration(project="other", root_commit="f" * 40)
    others = state(iam)
    registration()
    assert registration(action="remove")["changed"] == LABELS
    assert state(iam) == others
    again = registration(action="remove")
    assert (again["changed"], again["roles"]) == ([], dict.fromkeys(LABELS))


def test_what_others_attached_stays_and_stands_in_the_way_of_removal(registration: Registration, iam: Any) -> None:
    registration()
    policy = iam.create_policy(PolicyName="lake", PolicyDocument=OTHER)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=NAME, PolicyArn=policy)
    assert registration()["changed"] == []
    before = state(iam)
    assert "detach lake first" in registration(action="remove")["refused"]
    assert state(iam) == before
    assert iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]


REFUSED: dict[str, list[Any]] = {
    "project": [
        "",
        "Tumor",
        "a_b",
        "a--b",
        "-a",
        "a-",
        "1a",
        "a" * 33,
        "dev",
        "a-prod",
        "feature-a",
        "a-champion-b",
        "a\n",
    ],
    "root_commit": ["", "0" * 39, "0" * 41, "G" * 40, ROOT.upper(), 1],
    "owner": ["x" * 257, "a,b", "a#b", 'a"b', "a\nb", None],
    "template": ["", "0.3 .0", "x" * 65, 3],
    "action": ["", "Register", "delete", None],
    "source_control": [
        None,
        {},
        {"host": "github"},
        {"host": "github", "repository": "a", "x": "y"},
        {"host": "gitlab", "repository": "a"},
        {"host": "github", "repository": "a/b/c"},
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_what_is_not_as_it_should_be_is_refused(function: Registration, name: str, value: object) -> None:
    answer = function(**{name: value})
    assert "\n" not in answer["refused"]
    assert answer.keys() == {"interface", "version", "refused"}


@pytest.mark.parametrize(
    ("interface", "who"),
    [(2, "make account"), (99, "make account"), (0, "mlops update"), ("1", "not"), (True, "not"), ([], "not")],
)
def test_only_its_own_interface_is_spoken(function: Registration, interface: object, who: str) -> None:
    refused = function(interface=interface)["refused"]
    assert "is not spoken here" in refused
    assert who in refused


def test_a_newer_function_speaks_the_interface_before_and_its_answer_is_understood(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "INTERFACE", 2)
    assert account_stack.INTERFACE == 1
    for interface in (1, 2):
        answer = registration(interface=interface)
        assert roles._roles("register", answer).arns.keys() == set(LABELS)
    for interface in (0, 3):
        assert "is not spoken here" in registration(interface=interface)["refused"]


@pytest.mark.parametrize("slug", ["a", "a1-b2", "a" * 32, "devil", "production-line", "my-features"])
def test_every_slug_of_the_design_is_taken(registration: Registration, iam: Any, slug: str) -> None:
    assert registration(project=slug)["changed"] == LABELS
    assert max(map(len, state(iam))) <= 64


@settings(max_examples=60)
@given(
    event=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda s: st.dictionaries(st.sampled_from([*asked(), "x"]), s),
    )
)
def test_any_json_gets_an_answer(event: object) -> None:
    with pytest.raises(register.Refused):
        register.Request.read(event)


SITUATIONS: dict[str, tuple[list[Callable[[Registration, Any], object]], str]] = {
    "new": ([], "register"),
    "repair": (
        [lambda call, iam: call(), *(lambda call, iam, d=drift: d(iam) for drift in DRIFT.values())],
        "register",
    ),
    "remove": ([lambda call, iam: call()], "remove"),
}


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_failure_at_any_write_leaves_everything_as_it_was(
    registration: Registration, iam: Any, aws: Sandbox, situation: str
) -> None:
    """And the next call completes."""
    preparation, action = SITUATIONS[situation]

    def prepare() -> dict[str, Any]:
        aws.reset()
        deploy_boundary(iam)
        aws.clear_calls()
        for step in preparation:
            step(registration, iam)
        return state(iam)

    prepare()
    start = len(aws.calls)
    assert "changed" in registration(action=action)
    calls, wanted = writes(aws, start), state(iam)
    assert len(calls) >= {"new": 8, "repair": 5, "remove": 8}[situation]
    before = prepare()
    # The four roles are made and removed alike; each write of a repair is another one.
    for operation, number in calls if situation == "repair" else some_of(calls, situation, every=3):
        with failing(aws, operation, number):
            refused = registration(action=action)["refused"]
        assert operation in refused
        assert "nothing was changed" in refused
        # What had no boundary has one again: the function must never take one away.
        after = state(iam)
        for name, role in before.items():
            if role["boundary"] is None and after[name]["boundary"]:
                iam.delete_role_permissions_boundary(RoleName=name)
                after[name]["boundary"] = None
        assert after == before, (operation, number)
    assert "changed" in registration(action=action)
    assert state(iam) == wanted


@pytest.mark.parametrize(
    ("operation", "number"), [("CreateRole", 2), ("PutRolePolicy", 3), ("DeleteRolePolicy", 1), ("DeleteRole", 2)]
)
def test_a_lost_answer_is_no_failure(
    registration: Registration, iam: Any, aws: Sandbox, operation: str, number: int
) -> None:
    with failing(aws, operation, number, "no-answer"):
        assert registration()["changed"] == LABELS
        assert registration(action="remove")["changed"] == LABELS
    assert state(iam) == {}


def test_what_cannot_be_taken_back_is_named(registration: Registration, iam: Any, aws: Sandbox) -> None:
    aws.set_faults(
        [
            {"service": "iam", "operation": "PutRolePolicy", "call": 1, "fault": "access-denied"},
            {"service": "iam", "operation": "DeleteRole", "call": 1, "fault": "access-denied"},
        ]
    )
    refused = registration()["refused"]
    aws.set_faults([])
    assert f"left half-made: {NAME}" in refused
    assert registration()["changed"] == LABELS


def test_a_repository_waits_longer_than_the_function_may_take() -> None:
    """Or it asks again while the first call still works, and two make the same roles at once."""
    function = Resolved().resources["Register"]["Properties"]
    assert roles.PATIENTLY.read_timeout > function["Timeout"]
