"""Stacks from their creation to their deletion (API Reference; User Guide, "Stack status codes")."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cloudformation.conftest import body, outputs

pytestmark = pytest.mark.slow


def parameter(name, value="1", **more):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}, **more}


def chain(value="1", **more):
    """C needs B, which needs A."""
    return {
        "C": parameter("/c", {"Fn::Sub": "${B}"}, **more),
        "B": parameter("/b", {"Ref": "A"}, **more),
        "A": parameter("/a", value, **more),
    }


def values(client):
    found = client("ssm").get_parameters(Names=["/a", "/b", "/c", "/d", "/e"])["Parameters"]
    return {item["Name"]: item["Value"] for item in found}


def test_resources_are_made_in_the_order_of_their_references_and_removed_in_the_opposite_one(stacks, client):
    stack = stacks.create(chain())
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert values(client) == {"/a": "1", "/b": "/a", "/c": "/b"}
    assert [event for event in stacks.events() if event[1].endswith("COMPLETE")] == [
        ("A", "CREATE_COMPLETE"), ("B", "CREATE_COMPLETE"), ("C", "CREATE_COMPLETE"), ("demo", "CREATE_COMPLETE")
    ]  # fmt: skip
    assert stacks.events()[:4] == [
        ("demo", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_COMPLETE"),
    ]
    assert stacks.reason("demo", "CREATE_IN_PROGRESS") == "User Initiated"
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    gone = [event[0] for event in stacks.events(stack["StackId"]) if event[1] == "DELETE_COMPLETE"]
    assert (gone, values(client)) == (["C", "B", "A", "demo"], {})


def test_the_answer_comes_before_the_work(stacks):
    stacks.sandbox.set_faults([{"service": "ssm", "operation": "PutParameter", "fault": "hang-before"}])
    arn = stacks.api.create_stack(StackName="demo", TemplateBody=body(chain()))["StackId"]
    assert stacks.api.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="is in CREATE_IN_PROGRESS state and can not be updated"):
        stacks.api.update_stack(StackName="demo", TemplateBody=body(chain()))
    with pytest.raises(ClientError, match="cannot be deleted while in status CREATE_IN_PROGRESS"):
        stacks.api.delete_stack(StackName="demo")


def test_a_stack_that_is_gone_is_known_by_its_arn_alone(stacks, refused):
    words = ("ValidationError", "Stack with id demo does not exist")
    assert refused(stacks.api.describe_stacks, StackName="demo") == words
    stack = stacks.create(chain())
    stacks.delete()
    for operation in (stacks.api.describe_stacks, stacks.api.list_stack_resources, stacks.api.describe_stack_events):
        assert refused(operation, StackName="demo") == words
    found = stacks.api.describe_stacks(StackName=stack["StackId"])["Stacks"][0]
    assert (found["StackStatus"], "DeletionTime" in found) == ("DELETE_COMPLETE", True)
    assert stacks.api.describe_stacks()["Stacks"] == []
    assert [item["StackStatus"] for item in stacks.api.list_stacks()["StackSummaries"]] == ["DELETE_COMPLETE"]
    stacks.api.delete_stack(StackName="demo")
    assert stacks.create(chain())["StackId"] != stack["StackId"]


def test_a_name_is_taken_once_and_a_token_repeats_the_answer(stacks, refused):
    given = {"StackName": "demo", "TemplateBody": body(chain()), "ClientRequestToken": "t"}
    first = stacks.api.create_stack(**given)["StackId"]
    assert stacks.api.create_stack(**given)["StackId"] == first
    stacks.wait(first)
    given["ClientRequestToken"] = "u"
    assert refused(stacks.api.create_stack, **given) == ("AlreadyExistsException", "Stack [demo] already exists")
    given["ClientRequestToken"] = "t"
    assert refused(stacks.api.update_stack, **given)[0] == "TokenAlreadyExistsException"


def test_outputs_parameters_and_pseudo_parameters(stacks):
    template = {
        "Parameters": {"Secret": {"Type": "String", "NoEcho": True}, "Days": {"Type": "Number", "Default": 3}},
        "Conditions": {"Many": {"Fn::Equals": [{"Ref": "Days"}, "30"]}},
        "Resources": {
            "A": parameter(
                "/a",
                {
                    "Fn::Sub": "${Secret} ${AWS::Partition} ${AWS::URLSuffix} ${AWS::AccountId} ${AWS::Region} ${AWS::StackName}"
                },
            )
        },
        "Outputs": {
            "Id": {"Value": {"Ref": "AWS::StackId"}, "Description": "of the stack"},
            "Value": {"Value": {"Fn::GetAtt": ["A", "Value"]}},
            "None": {"Value": "x", "Condition": "Many"},
        },
    }
    stack = stacks.create(template, Parameters=[{"ParameterKey": "Secret", "ParameterValue": "s3cret"}])
    assert outputs(stack) == {"Id": stack["StackId"], "Value": "s3cret aws amazonaws.com 123456789012 us-east-1 demo"}
    assert stack["Parameters"] == [
        {"ParameterKey": "Secret", "ParameterValue": "****"},
        {"ParameterKey": "Days", "ParameterValue": "3"},
    ]


def test_a_parameter_comes_from_parameter_store(stacks, client, refused):
    template = {
        "Parameters": {"Bucket": {"Type": "AWS::SSM::Parameter::Value<String>"}},
        "Resources": {"A": parameter("/a", {"Ref": "Bucket"})},
    }
    given = {"Parameters": [{"ParameterKey": "Bucket", "ParameterValue": "/bucket"}]}
    told = refused(stacks.api.create_stack, StackName="demo", TemplateBody=body(template), **given)
    assert told == ("ValidationError", "Unable to fetch parameters [/bucket] from parameter store for this account.")
    client("ssm").put_parameter(Name="/bucket", Type="String", Value="artifacts")
    stack = stacks.create(template, **given)
    assert stack["Parameters"][0]["ResolvedValue"] == "artifacts"
    assert values(client) == {"/a": "artifacts"}


def test_subnets_given_as_parameters_must_be_there_and_cannot_be_left_out(stacks, client, refused):
    template = body({
        "Parameters": {"Subnets": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": ""}},
        "Resources": {"A": parameter("/a", {"Fn::Join": [",", {"Ref": "Subnets"}]})},
    })  # fmt: skip
    refusal = refused(stacks.api.create_stack, StackName="demo", TemplateBody=template)
    assert refusal == (
        "ValidationError",
        "Parameter validation failed: parameter value for parameter name Subnets does not exist",
    )
    given = [{"ParameterKey": "Subnets", "ParameterValue": "subnet-0123456789abcdef0"}]
    assert (
        "does not exist"
        in refused(stacks.api.create_stack, StackName="demo", TemplateBody=template, Parameters=given)[1]
    )
    subnets = [item["SubnetId"] for item in client("ec2").describe_subnets()["Subnets"][:2]]
    given[0]["ParameterValue"] = ",".join(subnets)
    assert stacks.create(template, Parameters=given)["StackStatus"] == "CREATE_COMPLETE"
    assert values(client) == {"/a": ",".join(subnets)}


def test_conditions_decide_what_is_made(stacks, refused):
    template: dict[str, Any] = {
        "Parameters": {"Env": {"Type": "String"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
        "Resources": {
            "A": parameter("/a", Condition="IsProd"),
            "B": parameter("/b", {"Fn::If": ["IsProd", {"Ref": "A"}, "none"]}, DependsOn="A"),
        },
    }
    given: dict[str, Any] = {"Parameters": [{"ParameterKey": "Env", "ParameterValue": "dev"}]}
    stacks.create(template, **given)
    assert [
        item["LogicalResourceId"]
        for item in stacks.api.list_stack_resources(StackName="demo")["StackResourceSummaries"]
    ] == ["B"]
    given["Parameters"][0]["ParameterValue"] = "prod"
    stacks.update(template, **given)
    assert len(stacks.api.describe_stack_resources(StackName="demo")["StackResources"]) == 2
    template["Resources"]["B"] = parameter("/b", {"Ref": "A"})
    given["Parameters"][0]["ParameterValue"] = "dev"
    _code, message = refused(stacks.api.update_stack, StackName="demo", TemplateBody=body(template), **given)
    assert "Unresolved resource dependencies [A] in the Resources block" in message


def test_stack_tags_reach_the_resources_and_their_own_tags_win(stacks, client):
    template = {"A": parameter("/a"), "B": parameter("/b")}
    template["B"]["Properties"]["Tags"] = {"team": "own"}
    stacks.create(template, Tags=[{"Key": "team", "Value": "ml"}])

    def tags(name):
        found = client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        return {tag["Key"]: tag["Value"] for tag in found}

    assert tags("/a") == {"team": "ml"}
    assert tags("/b")["team"] == "own"
    stacks.update(template, Tags=[{"Key": "team", "Value": "other"}, {"Key": "cost", "Value": "1"}])
    assert (tags("/a")["team"], tags("/a")["cost"]) == ("other", "1")
    stacks.update(template | {"A": parameter("/a", "2")})
    assert tags("/a")["cost"] == "1", "an update without tags keeps them"
    stacks.update(template, Tags=[])
    assert "cost" not in tags("/a")


@pytest.mark.parametrize("fault", ["access-denied", "throttling", "no-answer"])
@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_creation_that_fails_anywhere_leaves_nothing(stacks, client, fault, which):
    stacks.sandbox.set_faults(
        [
            {
                "service": "ssm",
                "operation": "PutParameter",
                "fault": fault,
                "call": which,
                "times": 1 if fault == "no-answer" else 3,
            }
        ]
    )
    stack = stacks.create(chain())
    if fault == "no-answer":  # the call had its effect, was tried again, and found the resource there
        assert (stack["StackStatus"], len(values(client))) == ("CREATE_COMPLETE", 3)
        return
    failed = "ABC"[which - 1]
    assert (stack["StackStatus"], values(client)) == ("ROLLBACK_COMPLETE", {})
    assert (
        stacks.reason("demo", "ROLLBACK_IN_PROGRESS")
        == f"The following resource(s) failed to create: [{failed}]. Rollback requested by user."
    )
    code = {"access-denied": "AccessDenied", "throttling": "Throttling"}[fault]
    assert f"HandlerErrorCode: {code})" in stacks.reason(failed, "CREATE_FAILED")
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stacks.api.update_stack(StackName="demo", TemplateBody=body(chain()))
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("more", "status", "left"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", 1),
        ({"DisableRollback": True}, "CREATE_FAILED", 1),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", 0),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE", 0),
    ],
)
def test_what_happens_on_failure_is_chosen(stacks, client, more, status, left):
    client("ssm").put_parameter(Name="/b", Type="String", Value="mine")
    stack = stacks.create(chain(), **more)
    assert (stack["StackStatus"], len(values(client))) == (status, left + 1)
    assert "already exists" in stacks.reason("B", "CREATE_FAILED", stack["StackId"])
    assert values(client)["/b"] == "mine"


def test_a_rollback_that_fails_says_so(stacks):
    stacks.sandbox.set_faults([
        {"service": "ssm", "operation": "PutParameter", "fault": "access-denied", "call": 3},
        {"service": "ssm", "operation": "DeleteParameter", "fault": "access-denied", "call": 1},
    ])  # fmt: skip
    stack = stacks.create(chain())
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "ROLLBACK_FAILED",
        "The following resource(s) failed to delete: [B]. ",
    )
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("policy", "more", "kept_in_rollback", "kept_in_deletion"),
    [
        ("Retain", {}, True, True),
        ("Retain", {"RetainExceptOnCreate": True}, False, True),
        ("RetainExceptOnCreate", {}, False, True),
        ("Delete", {}, False, False),
    ],
)
def test_deletion_policies(stacks, client, policy, more, kept_in_rollback, kept_in_deletion):
    """User Guide, "DeletionPolicy attribute"."""
    stacks.sandbox.set_faults([{"service": "ssm", "operation": "PutParameter", "fault": "access-denied", "call": 2}])
    stacks.create(chain(DeletionPolicy=policy), **more)
    assert ("/a" in values(client)) == kept_in_rollback
    assert (("A", "DELETE_SKIPPED") in stacks.events()) == kept_in_rollback
    client("ssm").delete_parameters(Names=["/a"])
    stacks.create(chain(DeletionPolicy=policy), name="other", **more)
    stacks.delete("other")
    assert (len(values(client)) == 3) == kept_in_deletion


def test_a_deletion_that_fails_keeps_what_the_resource_needs_and_can_leave_it(stacks, client, refused):
    stack = stacks.create({**chain(), "D": parameter("/d")})
    stacks.sandbox.set_faults([{"service": "ssm", "operation": "DeleteParameter", "fault": "access-denied", "call": 2}])
    assert refused(stacks.api.delete_stack, StackName="demo", RetainResources=["B"])[0] == "ValidationError"
    first = stacks.events()
    failed = stacks.delete()
    stuck = failed["StackStatusReason"].partition("[")[2].partition("]")[0]
    assert (failed["StackStatus"], stuck in "BCD") == ("DELETE_FAILED", True)
    if stuck in "BC":
        assert "/a" in values(client), f"{stuck} needs A, so A is left"
    assert len(stacks.events()) > len(first)
    done = stacks.delete(RetainResources=[stuck])
    assert (done["StackStatus"], set(values(client))) == ("DELETE_COMPLETE", {f"/{stuck.lower()}"})
    assert (stuck, "DELETE_SKIPPED") in stacks.events(stack["StackId"])


def test_what_is_gone_already_does_not_stop_a_deletion(stacks, client):
    stacks.create(chain())
    client("ssm").delete_parameters(Names=["/b"])
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_termination_protection(stacks, refused):
    stacks.create(chain(), EnableTerminationProtection=True)
    assert refused(stacks.api.delete_stack, StackName="demo") == (
        "ValidationError", "Stack [demo] cannot be deleted while TerminationProtection is enabled"
    )  # fmt: skip
    stacks.api.update_termination_protection(StackName="demo", EnableTerminationProtection=False)
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def test_a_stack_acts_by_the_caller_or_by_its_role(stacks, client, refused):
    import json

    stacks.create(chain())
    assert {call["role"] for call in stacks.sandbox.calls} == {"arn:aws:iam::123456789012:user/developer"}
    given = {"RoleARN": "arn:aws:iam::123456789012:role/deployer"}
    update = {"StackName": "demo", "TemplateBody": body(chain("2")), **given}
    assert refused(stacks.api.update_stack, **update) == (
        "ValidationError",
        f"Role {given['RoleARN']} is invalid or cannot be assumed",
    )
    client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    before = len(stacks.sandbox.calls)
    assert stacks.update(chain("2"), **given)["RoleARN"] == given["RoleARN"]
    stacks.delete()  # the role stays with the stack
    acting = {call["role"] for call in stacks.sandbox.calls[before:] if call["service"] == "ssm"}
    assert acting == {"arn:aws:sts::123456789012:assumed-role/deployer/AWSCloudFormation"}


def test_resetting_ends_the_work(stacks):
    stacks.sandbox.set_faults([{"service": "ssm", "operation": "PutParameter", "fault": "throttling", "times": None}])
    stacks.api.create_stack(StackName="demo", TemplateBody=body(chain()))
    stacks.sandbox.reset()
    stacks.sandbox.set_faults([])
    assert stacks.api.list_stacks()["StackSummaries"] == []
    assert [call["operation"] for call in stacks.sandbox.calls] == ["ListStacks"]
