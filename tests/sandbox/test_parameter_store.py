"""Parameter Store. Source of the rules: Systems Manager API Reference, PutParameter, unless a docstring names another."""

from __future__ import annotations

import pytest


@pytest.fixture
def ssm(shared_client):
    return shared_client("ssm")


@pytest.fixture
def put(ssm):
    def parameter(Name="/mlops/x", Value="1", Type="String", **params):  # noqa: N803 - AWS's names
        return ssm.put_parameter(Name=Name, Value=Value, Type=Type, **params)

    return parameter


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("aws", "ValidationException"),
        ("SSM-x", "ValidationException"),
        ("/ssm/x", "ValidationException"),
        ("/aws/x", "AccessDeniedException"),
        ("/a b", "ValidationException"),
        ("/a/é", "ValidationException"),
        ("a/b", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("/a/", "ValidationException"),
        ("/" + "/".join("a" * 16), "HierarchyLevelLimitExceededException"),
        ("/" + "a" * 967, "ValidationException"),
    ],
)
def test_a_name_that_no_parameter_may_have(put, refused, name, code):
    """Name: "Naming Constraints"; 1011 characters with the ARN before it."""
    assert refused(put, Name=name)[0] == code


def test_names_at_the_limits(put):
    put(Name="/" + "/".join("a" * 15))
    put(Name="/" + "a" * 966)
    put(Name="/mlops/aws/ssm")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Value": ""}, "ValidationException"),
        ({"Value": "x" * 4097}, "ValidationException"),
        ({"Value": "é" * 2049}, "ValidationException"),
        ({"Value": "x" * 8193, "Tier": "Advanced"}, "ValidationException"),
        ({"Value": "a {{ssm:b}}"}, "ValidationException"),
        ({"Value": "abc", "AllowedPattern": r"^\d+$"}, "ParameterPatternMismatchException"),
        ({"Value": "1,b", "Type": "StringList", "AllowedPattern": r"^\d+$"}, "ParameterPatternMismatchException"),
        ({"Value": "1", "AllowedPattern": "("}, "InvalidAllowedPatternException"),
        ({"Type": "SecureString", "KeyId": "alias/none"}, "InvalidKeyId"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "ValidationException"),
        ({"Tags": [{"Key": "a", "Value": "1"}], "Overwrite": True}, "ValidationException"),
    ],
)
def test_a_value_that_no_parameter_may_have(put, refused, params, code):
    assert refused(put, **params)[0] == code


def test_sizes_at_the_limits_and_lists(put, ssm):
    """Managing parameter tiers: 4 KB, 8 KB."""
    put(Value="x" * 4096)
    put(Name="/big", Value="x" * 8192, Tier="Advanced")
    put(Name="/list", Value="subnet-1,subnet-2", Type="StringList", AllowedPattern="^subnet-")
    got = ssm.get_parameter(Name="/list")["Parameter"]
    assert (got["Type"], got["Value"], got["Version"]) == ("StringList", "subnet-1,subnet-2", 1)


def test_a_parameter_is_overwritten_only_if_asked_and_keeps_its_type(put, ssm, refused):
    """Overwrite; ParameterAlreadyExists; HierarchyTypeMismatchException."""
    put(Tags=[{"Key": "a", "Value": "b"}])
    assert refused(put, Value="2")[0] == "ParameterAlreadyExists"
    assert refused(put, Value="2", Type="StringList", Overwrite=True)[0] == "HierarchyTypeMismatchException"
    assert ssm.put_parameter(Name="/mlops/x", Value="2", Overwrite=True)["Version"] == 2
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/mlops/x")["TagList"] == [
        {"Key": "a", "Value": "b"}
    ]


def test_what_is_not_there(put, ssm, refused):
    put()
    ssm.delete_parameter(Name="/mlops/x")
    assert refused(ssm.get_parameter, Name="/mlops/x")[0] == "ParameterNotFound"
    assert refused(ssm.delete_parameter, Name="/mlops/x")[0] == "ParameterNotFound"
    assert ssm.get_parameters(Names=["/mlops/x"])["InvalidParameters"] == ["/mlops/x"]


def test_a_path_is_read_in_pages_of_at_most_ten(put, ssm, refused):
    """GetParametersByPath: MaxResults at most 10; a path begins with a slash; InvalidNextToken."""
    for number in range(12):
        put(Name=f"/mlops/p{number}")
    first = ssm.get_parameters_by_path(Path="/mlops")
    assert (len(first["Parameters"]), bool(first["NextToken"])) == (10, True)
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/mlops")
    assert len({item["Name"] for page in pages for item in page["Parameters"]}) == 12
    assert refused(ssm.get_parameters_by_path, Path="/mlops", MaxResults=11)[0] == "ValidationException"
    assert refused(ssm.get_parameters_by_path, Path="mlops")[0] == "ValidationException"
    for function, params in (
        (ssm.get_parameters_by_path, {"Path": "/mlops"}),
        (ssm.describe_parameters, {}),
        (ssm.get_parameter_history, {"Name": "/mlops/p1"}),
    ):
        assert refused(function, **params, NextToken="made up")[0] == "InvalidNextToken"


def test_tags_that_aws_keeps_to_itself(put, ssm, refused):
    """AddTagsToResource."""
    put()
    named = {"ResourceType": "Parameter", "ResourceId": "/mlops/x"}
    assert refused(ssm.add_tags_to_resource, **named, Tags=[{"Key": "AWS:x", "Value": "1"}])[0] == "ValidationException"
    assert (
        refused(ssm.add_tags_to_resource, ResourceType="Parameter", ResourceId="/no", Tags=[])[0] == "InvalidResourceId"
    )
