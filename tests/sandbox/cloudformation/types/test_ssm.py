"""Parameters, made, changed and removed, as Systems Manager's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.types.resources import gone, resource

pytestmark = pytest.mark.slow


def test_parameter(stacks, client):
    ssm = client("ssm")
    template = {
        "P": resource(
            "SSM::Parameter", Name="/p", Type="StringList", Value="a,b", Description="one", Tags={"team": "ml"}
        )
    }
    stacks.create(template)
    found = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/p"]}])["Parameters"][0]
    assert (found["Type"], found["Description"], ssm.get_parameter(Name="/p")["Parameter"]["Value"]) == (
        "StringList",
        "one",
        "a,b",
    )
    template["P"]["Properties"] |= {"Value": "c", "Tags": {"cost": "1"}}
    stacks.update(template)
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "c"
    keys = {tag["Key"] for tag in ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/p")["TagList"]}
    assert ("team" in keys, "cost" in keys) == (False, True)
    stacks.delete()
    gone(ssm.get_parameter, Name="/p")
