"""Templates that AWS refuses whatever the parameters, in its words; and what the sandbox lacks, refused as such."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.cloudformation.conftest import body

BUCKET = {"Type": "AWS::S3::Bucket"}


def ref(name):
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": name}}}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("just text", "Template format error: unsupported structure."),
        ("A: [", "Template format error: YAML not well-formed. (line 1, column 5)"),
        ('{"A": }', "Template format error: JSON not well-formed. (line 1, column 7)"),
        ("A: &a 1\nB: *a", "Template error: YAML aliases are not allowed in CloudFormation templates"),
        ("A: 1\nA: 2", "Template format error: YAML not well-formed. (line 2, column 1)"),
        ("Resources: {A: {Type: !Nope x}}", "Template format error: YAML not well-formed."),
        ({"Resources": {}}, "Template format error: At least one Resources member must be defined."),
        ({"Resources": {"B": BUCKET}, "Extra": 1}, "Invalid template property or properties [Extra]"),
        ({"Resources": {"B": {}}}, "Template format error: [/Resources/B] Every Resources object must contain a Type member."),
        ({"Resources": {"B": {**BUCKET, "Propertes": {}}}}, "Invalid template resource property 'Propertes'"),
        ({"Resources": {"B-1": BUCKET}}, "Template format error: Resources name B-1 is non alphanumeric."),
        ({"Resources": {"B": {"Type": "AWS::S3::Bukket"}}}, "Template format error: Unrecognized resource types: [AWS::S3::Bukket]"),
        ({"Resources": {"B": ref("Nothing")}}, "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template"),
        ({"Resources": {"B": {**BUCKET, "DependsOn": "Nothing"}}}, "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template"),
        ({"Resources": {"B": BUCKET}, "Outputs": {"O": {"Value": {"Ref": "Nothing"}}}}, "Template format error: Unresolved resource dependencies [Nothing] in the Outputs block of the template"),
        ({"Resources": {"B": BUCKET}, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["C", "Arn"]}}}}, "Template error: instance of Fn::GetAtt references undefined resource C"),
        ({"Resources": {"B": BUCKET}, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["B", "Colour"]}}}}, "Template error: resource B does not support attribute type Colour in Fn::GetAtt"),
        ({"Resources": {"A": ref("B"), "B": ref("A")}}, "Circular dependency between resources: [A, B]"),
        ({"Resources": {"A": {**BUCKET, "DeletionPolicy": "Keep"}}}, "Template format error: Unrecognized DeletionPolicy Keep for resource A"),
        ({"Resources": {"A": {**BUCKET, "Condition": "No"}}}, "Template format error: Unresolved condition dependency No in the Resources block of the template"),
        ({"Resources": {"A": BUCKET}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "A"}, "x"]}}}, "Cannot reference resources in the Conditions block of the template"),
        ({"Resources": {"A": BUCKET}, "Parameters": {"A": {"Type": "String"}}}, "Template format error: Duplicate names [A] in the Parameters and Resources blocks"),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Upper": "x"}}}}}, "Template error: encountered unsupported function: Fn::Upper"),
    ],
)  # fmt: skip
def test_a_template_is_refused_in_awss_words(stacks, refused, template, words):
    code, message = refused(stacks.api.create_stack, StackName="demo", TemplateBody=body(template))
    assert (code, words in message) == ("ValidationError", True), message
    assert stacks.api.describe_stacks()["Stacks"] == []


@pytest.mark.parametrize(
    ("template", "lacks"),
    [
        ({"Resources": {"A": {"Type": "AWS::EC2::Instance"}}}, "the resource type AWS::EC2::Instance (resource A)"),
        ({"Resources": {"A": {"Type": "Custom::Thing"}}}, "the resource type Custom::Thing"),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"WebsiteConfiguration": {}}}}}, "the property WebsiteConfiguration of AWS::S3::Bucket"),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": {"Rules": [{"Transition": {}}]}}}}}, "the property LifecycleConfiguration.Rules.Transition"),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "{{resolve:ssm:name}}"}}}}, "dynamic references"),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::ImportValue": "x"}}}}}, "the function Fn::ImportValue"),
        ({"Resources": {"A": BUCKET}, "Outputs": {"O": {"Value": "x", "Export": {"Name": "x"}}}}, "exports (output O)"),
        ({"Resources": {"A": BUCKET}, "Transform": "AWS::Serverless-2016-10-31"}, "transforms and macros"),
        ({"Resources": {"A": BUCKET}, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["A", "WebsiteURL"]}}}}, "the attribute WebsiteURL of AWS::S3::Bucket"),
    ],
)  # fmt: skip
def test_what_the_sandbox_lacks_is_refused_before_anything_is_made(stacks, refused, template, lacks):
    code, message = refused(stacks.api.create_stack, StackName="demo", TemplateBody=body(template))
    assert (code, lacks in message) == ("NotImplementedInSandbox", True), message
    assert stacks.api.list_stacks()["StackSummaries"] == []
    assert {call["service"] for call in stacks.sandbox.calls} == {"cloudformation"}


@pytest.mark.parametrize(
    "more",
    [
        {"StackPolicyBody": "{}"},
        {"NotificationARNs": ["arn:aws:sns:us-east-1:123456789012:t"]},
        {"TimeoutInMinutes": 5},
    ],
)
def test_requests_with_members_that_would_be_ignored_are_refused(stacks, refused, more):
    given = {"StackName": "demo", "TemplateBody": body({"B": BUCKET}), **more}
    assert refused(stacks.api.create_stack, **given)[0] == "NotImplementedInSandbox"


def test_an_operation_without_a_method_is_refused(stacks, refused):
    assert refused(stacks.api.detect_stack_drift, StackName="demo")[0] == "NotImplementedInSandbox"


def padded(size):
    text = body({"B": BUCKET})
    return text[:-1] + " " * (size - len(text)) + "}"


def test_the_size_of_a_template_in_the_request_is_limited(stacks, refused):
    """User Guide, "Understand CloudFormation quotas": 51,200 bytes."""
    code, message = refused(stacks.api.validate_template, TemplateBody=padded(51_201))
    assert (code, "Member must have length less than or equal to 51200" in message) == ("ValidationError", True)
    stacks.api.validate_template(TemplateBody=padded(51_200))


@pytest.mark.slow
def test_a_template_comes_from_s3_by_any_of_its_addresses(stacks, client, refused):
    s3 = client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="a/b.json", Body=padded(60_000).encode())
    for url in (
        f"{stacks.sandbox.url}/templates/a/b.json",
        "https://s3.amazonaws.com/templates/a/b.json",
        "https://templates.s3.us-east-1.amazonaws.com/a/b.json",
    ):
        assert stacks.api.get_template_summary(TemplateURL=url)["ResourceTypes"] == ["AWS::S3::Bucket"]
    missing = f"{stacks.sandbox.url}/templates/none"
    assert refused(stacks.api.validate_template, TemplateURL=missing) == (
        "ValidationError",
        "S3 error: The specified key does not exist.",
    )
    assert (
        refused(stacks.api.validate_template, TemplateURL="https://example.com/x")[1]
        == "TemplateURL must be a supported URL."
    )
    s3.put_object(Bucket="templates", Key="big", Body=padded(1024 * 1024 + 1).encode())
    assert (
        "Template may not exceed"
        in refused(stacks.api.validate_template, TemplateURL=f"{stacks.sandbox.url}/templates/big")[1]
    )


def test_a_summary_tells_parameters_capabilities_and_types(stacks):
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    given = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "It",
        "Metadata": {"a": 1},
        "Parameters": {"P": {"Type": "Number", "Default": 3, "Description": "how many", "NoEcho": True}},
        "Resources": {"R": role, "B": BUCKET},
    }
    found = stacks.api.get_template_summary(TemplateBody=json.dumps(given))
    assert found["Parameters"] == [
        {
            "ParameterKey": "P",
            "DefaultValue": "3",
            "ParameterType": "Number",
            "NoEcho": True,
            "Description": "how many",
            "ParameterConstraints": {},
        }
    ]
    assert (found["Capabilities"], found["ResourceTypes"]) == (
        ["CAPABILITY_IAM"],
        ["AWS::IAM::Role", "AWS::S3::Bucket"],
    )
    assert (found["Description"], found["Version"], json.loads(found["Metadata"])) == ("It", "2010-09-09", {"a": 1})
    assert found["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ({}, [], "CAPABILITY_IAM"),
        ({"RoleName": "r"}, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
        ({}, ["CAPABILITY_NAMED_IAM"], None),
    ],
)
def test_iam_must_be_acknowledged(stacks, refused, name, given, wanted):
    """User Guide, "Acknowledging IAM resources in CloudFormation templates"."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    template = body({"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, **name}}})
    if wanted is None:
        assert stacks.create(template, Capabilities=given)["StackStatus"] == "CREATE_COMPLETE"
        return
    expected = ("InsufficientCapabilitiesException", f"Requires capabilities : [{wanted}]")
    assert refused(stacks.api.create_stack, StackName="demo", TemplateBody=template, Capabilities=given) == expected
