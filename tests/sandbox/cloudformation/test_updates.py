"""Updates and change sets (User Guide, "Update behaviors of stack resources", "Update stacks using change sets")."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cloudformation.conftest import body, outputs
from tests.sandbox.cloudformation.test_stacks import chain, parameter, values

pytestmark = pytest.mark.slow


def test_only_what_differs_is_changed(stacks, client):
    stacks.create(chain())
    before = len(stacks.sandbox.calls)
    stack = stacks.update(chain("2"))
    assert (stack["StackStatus"], values(client)["/a"]) == ("UPDATE_COMPLETE", "2")
    assert [call["operation"] for call in stacks.sandbox.calls[before:] if call["service"] == "ssm"][:1] == [
        "PutParameter"
    ]
    assert [event for event in stacks.events() if "UPDATE" in event[1]] == [
        ("demo", "UPDATE_IN_PROGRESS"), ("A", "UPDATE_IN_PROGRESS"), ("A", "UPDATE_COMPLETE"),
        ("demo", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), ("demo", "UPDATE_COMPLETE"),
    ]  # fmt: skip


def test_an_update_without_changes_is_refused(stacks, refused):
    stacks.create(chain())
    for template in (chain(), {"Resources": chain(), "Description": "new words", "Metadata": {"a": 1}}):
        told = refused(stacks.api.update_stack, StackName="demo", TemplateBody=body(template))
        assert told == ("ValidationError", "No updates are to be performed.")
    assert (
        refused(stacks.api.update_stack, StackName="none", TemplateBody=body(chain()))[1]
        == "Stack with id none does not exist"
    )


def test_an_update_of_the_outputs_alone_is_one(stacks):
    stacks.create(chain())
    assert outputs(stacks.update({"Resources": chain(), "Outputs": {"A": {"Value": {"Ref": "A"}}}})) == {"A": "/a"}
    changes = stacks.change_set({"Resources": chain(), "Outputs": {"B": {"Value": {"Ref": "B"}}}})
    assert (changes["Status"], changes["Changes"]) == ("CREATE_COMPLETE", [])


def test_previous_template_and_values(stacks, client, refused):
    template = {
        "Parameters": {"V": {"Type": "String"}, "W": {"Type": "String", "Default": "w"}},
        "Resources": {"A": parameter("/a", {"Fn::Sub": "${V}${W}"})},
    }
    stacks.create(
        template,
        Parameters=[{"ParameterKey": "V", "ParameterValue": "1"}, {"ParameterKey": "W", "ParameterValue": "2"}],
    )
    given = {"StackName": "demo", "UsePreviousTemplate": True}
    keep = {"ParameterKey": "V", "UsePreviousValue": True}
    stacks.wait(stacks.api.update_stack(**given, Parameters=[keep])["StackId"])
    assert values(client) == {"/a": "1w"}, "a parameter that is not named has its default again"
    assert "must have values" in refused(stacks.api.update_stack, **given)[1]
    unknown = {"ParameterKey": "X", "UsePreviousValue": True}
    assert (
        refused(stacks.api.update_stack, **given, Parameters=[keep, unknown])[1]
        == "Parameters: [X] do not exist in the template"
    )


def test_a_replacement_makes_the_new_before_it_removes_the_old(stacks, client):
    stacks.create(chain())
    template = chain()
    template["A"]["Properties"]["Name"] = "/d"
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert values(client) == {"/d": "1", "/b": "/d", "/c": "/b"}
    assert [event for event in stacks.events() if event[0] in "AB"][-6:] == [
        ("A", "UPDATE_IN_PROGRESS"), ("A", "UPDATE_COMPLETE"), ("B", "UPDATE_IN_PROGRESS"), ("B", "UPDATE_COMPLETE"),
        ("A", "DELETE_IN_PROGRESS"), ("A", "DELETE_COMPLETE"),
    ]  # fmt: skip
    assert stacks.physical("A") == "/d"


def test_the_update_replace_policy_keeps_the_old(stacks, client):
    stacks.create(chain(UpdateReplacePolicy="Retain"))
    template = chain(UpdateReplacePolicy="Retain")
    template["A"]["Properties"]["Name"] = "/d"
    stacks.update(template)
    assert {"/a", "/d"} <= set(values(client))


def test_a_named_resource_is_not_replaced_under_its_own_name(stacks, client):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role: dict[str, Any] = {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": trust},
    }
    stacks.create({"R": role})
    role["Properties"]["Path"] = "/other/"
    assert stacks.update({"R": role})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "cannot update a stack when a custom-named resource requires replacing" in stacks.reason(
        "R", "UPDATE_FAILED"
    )
    assert client("iam").get_role(RoleName="r")["Role"]["Path"] == "/"


def test_what_the_template_no_longer_has_goes_and_what_is_new_comes(stacks, client):
    stacks.create(chain())
    template = {"A": parameter("/a"), "D": parameter("/d"), "E": parameter("/e", DeletionPolicy="Retain")}
    stacks.update(template)
    assert set(values(client)) == {"/a", "/d", "/e"}
    stacks.update({"A": parameter("/a")})
    assert set(values(client)) == {"/a", "/e"}
    assert ("E", "DELETE_SKIPPED") in stacks.events()


@pytest.mark.parametrize("which", [1, 2, 3, 4])
def test_a_failed_update_restores_what_was(stacks, client, which):
    """A changes, B is replaced, C follows, D is new: the which-th of these calls fails."""
    stacks.create(chain())
    template = {**chain("2"), "D": parameter("/d", {"Ref": "C"})}
    template["B"]["Properties"]["Name"] = "/e"
    stacks.sandbox.set_faults(
        [{"service": "ssm", "operation": "PutParameter", "fault": "access-denied", "call": which}]
    )
    stack = stacks.update(template)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert values(client) == {"/a": "1", "/b": "/a", "/c": "/b"}
    statuses = [status for name, status in stacks.events() if name == "demo"]
    assert statuses[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    failed = "ABCD"[which - 1]
    assert (
        stacks.reason("demo", "UPDATE_ROLLBACK_IN_PROGRESS")
        == f"The following resource(s) failed to update: [{failed}]. "
    )
    stacks.sandbox.set_faults([])
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert values(client) == {"/a": "2", "/e": "/a", "/c": "/e", "/d": "/c"}
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    assert values(client) == {}


def test_a_rollback_that_fails_and_one_that_is_not_wanted(stacks, client):
    stacks.create(chain())
    fault = {"service": "ssm", "operation": "PutParameter", "fault": "access-denied"}
    stacks.sandbox.set_faults([{**fault, "call": 1}])
    stack = stacks.update(chain("2"), DisableRollback=True)
    assert stack["StackStatus"] == "UPDATE_FAILED"
    stacks.delete()
    stacks.create(chain())
    stacks.sandbox.set_faults([{**fault, "call": 1, "times": None}])
    assert stacks.update(chain("2"))["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    stacks.sandbox.set_faults([])
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_a_type_is_not_changed(stacks, refused):
    stacks.create(chain())
    template = {**chain(), "C": {"Type": "AWS::Logs::LogGroup"}}
    assert (
        "Update of resource type is not permitted"
        in refused(stacks.api.update_stack, StackName="demo", TemplateBody=body(template))[1]
    )


def test_a_change_set_makes_a_stack(stacks, client, refused):
    changes = stacks.change_set(chain(), kind="CREATE", Description="first")
    assert (changes["Status"], changes["ExecutionStatus"], changes["Description"]) == (
        "CREATE_COMPLETE",
        "AVAILABLE",
        "first",
    )
    assert [change["ResourceChange"]["Action"] for change in changes["Changes"]] == ["Add", "Add", "Add"]
    assert stacks.api.describe_stacks(StackName="demo")["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert values(client) == {}
    assert refused(stacks.api.update_stack, StackName="demo", TemplateBody=body(chain()))[0] == "ValidationError"
    stack = stacks.execute(changes)
    assert (stack["StackStatus"], stack["ChangeSetId"], len(values(client))) == (
        "CREATE_COMPLETE",
        changes["ChangeSetId"],
        3,
    )
    _code, message = refused(
        stacks.api.create_change_set,
        StackName="demo",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=body(chain()),
    )
    assert "already exists and cannot be created again" in message
    done = stacks.api.describe_change_set(StackName="demo", ChangeSetName="changes")
    assert done["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert refused(stacks.api.execute_change_set, ChangeSetName=changes["ChangeSetId"])[0] == "InvalidChangeSetStatus"


def test_a_change_set_without_changes_fails_with_awss_words(stacks, refused):
    stacks.create(chain())
    changes = stacks.change_set(chain())
    assert (changes["Status"], changes["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert (
        changes["StatusReason"]
        == "The submitted information didn't contain changes. Submit different information to create a change set."
    )
    assert refused(stacks.api.execute_change_set, ChangeSetName=changes["ChangeSetId"])[0] == "InvalidChangeSetStatus"
    code, message = refused(
        stacks.api.create_change_set, StackName="none", ChangeSetName="c", TemplateBody=body(chain())
    )
    assert (code, message) == ("ValidationError", "Stack [none] does not exist")


def test_a_change_set_says_what_changes_why_and_what_is_replaced(stacks):
    template = {"Parameters": {"V": {"Type": "String", "Default": "1"}}, "Resources": chain({"Ref": "V"})}
    stacks.create({**template, "Resources": {**template["Resources"], "D": parameter("/d", DeletionPolicy="Retain")}})
    template["Resources"]["B"]["Properties"]["Name"] = "/e"
    template["Resources"]["E"] = parameter("/x")
    changes = stacks.change_set(template, Parameters=[{"ParameterKey": "V", "ParameterValue": "2"}], Tags=[])
    found = {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in changes["Changes"]}
    assert {name: (item["Action"], item.get("Replacement"), item.get("PolicyAction")) for name, item in found.items()} == {
        "A": ("Modify", "False", None), "B": ("Modify", "True", "ReplaceAndDelete"), "C": ("Modify", "False", None),
        "D": ("Remove", None, "Retain"), "E": ("Add", None, None),
    }  # fmt: skip
    assert found["A"]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "Value", "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "ParameterReference",
            "CausingEntity": "V",
        }
    ]
    assert found["B"]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "Name", "RequiresRecreation": "Always"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]
    assert found["C"]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "Value", "RequiresRecreation": "Never"},
            "Evaluation": "Dynamic",
            "ChangeSource": "ResourceReference",
            "CausingEntity": "B",
        }
    ]
    assert (found["B"]["PhysicalResourceId"], found["B"]["Scope"]) == ("/b", ["Properties"])


def test_a_change_set_finds_wrong_properties_and_taken_names_before_anything_is_made(stacks, client):
    """User Guide, "Validate stack deployments": the details are in DescribeEvents."""
    client("ssm").put_parameter(Name="/a", Type="String", Value="mine")
    wrong = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "Text", "Valu": "1", "Tier": {"Ref": "A"}}}
    changes = stacks.change_set({"A": parameter("/a"), "W": wrong}, kind="CREATE")
    assert (changes["Status"], changes["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    hooks = "AWS::EarlyValidation::ResourceExistenceCheck, AWS::EarlyValidation::PropertyValidation"
    assert changes["StatusReason"].startswith(f"The following hook(s)/validation failed: [{hooks}]")
    events = stacks.api.describe_events(ChangeSetName=changes["ChangeSetId"])["OperationEvents"]
    assert sorted((event["LogicalResourceId"], event["ValidationStatusReason"]) for event in events) == [
        ("A", "Resource of type 'AWS::SSM::Parameter' with identifier '/a' already exists."),
        ("W", "#/Type: Text is not a valid enum value"),
        ("W", "#: extraneous key [Valu] is not permitted"),
        ("W", "#: required key [Value] not found"),
    ]


def test_wrong_properties_fail_a_stack_that_is_made_without_a_change_set(stacks):
    wrong = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1", "Colour": "red"}}
    assert stacks.create({"W": wrong})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.reason("W", "CREATE_FAILED") == (
        "Properties validation failed for resource W with message:\n[#: extraneous key [Colour] is not permitted]"
    )


def test_change_sets_are_listed_deleted_and_gone_after_an_execution(stacks, refused):
    stacks.create(chain())
    first = stacks.change_set(chain("2"), change_set="one")
    stacks.change_set(chain("3"), change_set="two")
    names = [item["ChangeSetName"] for item in stacks.api.list_change_sets(StackName="demo")["Summaries"]]
    assert names == ["one", "two"]
    assert (
        refused(stacks.api.create_change_set, StackName="demo", ChangeSetName="two", TemplateBody=body(chain("4")))[0]
        == "AlreadyExistsException"
    )
    stacks.execute(first)
    assert refused(stacks.api.describe_change_set, ChangeSetName="two", StackName="demo")[0] == "ChangeSetNotFound"
    stacks.change_set(chain("3"), change_set="two")
    stacks.api.delete_change_set(StackName="demo", ChangeSetName="two")
    stacks.api.delete_change_set(StackName="demo", ChangeSetName="two")
    assert refused(stacks.api.execute_change_set, ChangeSetName="two", StackName="demo")[0] == "ChangeSetNotFound"
    assert stacks.api.get_template(StackName="demo")["TemplateBody"] == {"Resources": chain("2")}


@pytest.mark.parametrize(
    ("choice", "status"),
    [("DO_NOTHING", "CREATE_FAILED"), ("DELETE", "DELETE_COMPLETE"), ("ROLLBACK", "ROLLBACK_COMPLETE")],
)
def test_a_change_set_says_what_happens_on_failure(stacks, choice, status):
    changes = stacks.change_set(chain(), kind="CREATE", OnStackFailure=choice)
    stacks.sandbox.set_faults([{"service": "ssm", "operation": "PutParameter", "fault": "access-denied", "call": 2}])
    assert stacks.execute(changes)["StackStatus"] == status


def test_a_stack_under_review_can_be_deleted(stacks):
    stacks.change_set(chain(), kind="CREATE")
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id demo does not exist"):
        stacks.api.describe_stacks(StackName="demo")
