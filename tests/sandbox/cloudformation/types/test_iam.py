"""Roles and policies, made, changed and removed, as IAM's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.types.resources import ACCOUNT, gone, policy, resource, tagged, trust

pytestmark = pytest.mark.slow


def test_role(stacks, client):
    iam, arn = client("iam"), f"arn:aws:iam::{ACCOUNT}:policy"
    template = {
        "M": resource("IAM::ManagedPolicy", ManagedPolicyName="m", PolicyDocument=policy()),
        "N": resource("IAM::ManagedPolicy", ManagedPolicyName="n", PolicyDocument=policy()),
        "R": resource(
            "IAM::Role", RoleName="r", Path="/mlops/", AssumeRolePolicyDocument=trust(), Description="one", MaxSessionDuration=7200, PermissionsBoundary={"Ref": "M"},
            ManagedPolicyArns=[{"Ref": "M"}], Policies=[{"PolicyName": "p", "PolicyDocument": policy()}, {"PolicyName": "q", "PolicyDocument": policy()}], Tags=tagged(team="ml"),
        ),
    }  # fmt: skip
    assert stacks.create(template)["StackStatus"] == "CREATE_COMPLETE"
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["Path"], role["Description"], role["MaxSessionDuration"], role["AssumeRolePolicyDocument"]) == (
        "/mlops/",
        "one",
        7200,
        trust(),
    )
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == f"{arn}/m"
    assert role["Tags"] == tagged(team="ml")
    assert [item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]] == [
        f"{arn}/m"
    ]
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p", "q"]
    template["R"]["Properties"] |= {
        "AssumeRolePolicyDocument": trust("sagemaker.amazonaws.com"), "Description": "two", "PermissionsBoundary": {"Ref": "N"}, "ManagedPolicyArns": [{"Ref": "N"}],
        "Policies": [{"PolicyName": "p", "PolicyDocument": policy("s3:PutObject")}], "Tags": tagged(cost="1"),
    }  # fmt: skip
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["Description"], role["AssumeRolePolicyDocument"]) == ("two", trust("sagemaker.amazonaws.com"))
    assert (role["PermissionsBoundary"]["PermissionsBoundaryArn"], role["Tags"]) == (f"{arn}/n", tagged(cost="1"))
    assert [item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]] == [
        f"{arn}/n"
    ]
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"]
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == policy("s3:PutObject")
    del template["R"]["Properties"]["PermissionsBoundary"]
    stacks.update(template)
    assert "PermissionsBoundary" not in iam.get_role(RoleName="r")["Role"]
    iam.put_role_policy(RoleName="r", PolicyName="foreign", PolicyDocument=json.dumps(policy()))
    assert stacks.delete()["StackStatus"] == "DELETE_FAILED"
    iam.delete_role_policy(RoleName="r", PolicyName="foreign")
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
    gone(iam.get_role, RoleName="r")
    gone(iam.get_policy, PolicyArn=f"{arn}/m")


def test_policies(stacks, client):
    iam = client("iam")
    template = {
        "R": resource("IAM::Role", RoleName="r", AssumeRolePolicyDocument=trust()),
        "S": resource("IAM::Role", RoleName="s", AssumeRolePolicyDocument=trust()),
        "M": resource(
            "IAM::ManagedPolicy", Description="d", Path="/mlops/", PolicyDocument=policy("s3:A"), Roles=[{"Ref": "R"}]
        ),
        "I": resource("IAM::Policy", PolicyName="i", PolicyDocument=policy("s3:A"), Roles=[{"Ref": "R"}]),
    }
    stacks.create(template)
    arn = stacks.physical("M")
    assert arn.startswith(f"arn:aws:iam::{ACCOUNT}:policy/mlops/demo-M-")
    for number in range(1, 8):  # more often than a managed policy has versions
        template["M"]["Properties"]["PolicyDocument"] = policy(f"s3:A{number}")
        assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"] == policy("s3:A7")
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 5
    assert iam.get_role_policy(RoleName="r", PolicyName="i")["PolicyDocument"] == policy("s3:A")
    template["M"]["Properties"]["Roles"] = [{"Ref": "S"}]
    template["I"]["Properties"] |= {"PolicyName": "j", "Roles": [{"Ref": "S"}], "PolicyDocument": policy("s3:B")}
    stacks.update(template)
    assert iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"] == []
    assert iam.list_attached_role_policies(RoleName="s")["AttachedPolicies"][0]["PolicyArn"] == arn
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == []
    assert iam.get_role_policy(RoleName="s", PolicyName="j")["PolicyDocument"] == policy("s3:B")
    assert stacks.delete()["StackStatus"] == "DELETE_COMPLETE"
