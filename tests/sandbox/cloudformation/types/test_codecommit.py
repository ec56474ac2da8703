"""Repositories, made, changed and removed, as CodeCommit's own API tells (Template Reference, each type's page)."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.types.resources import gone, resource, tagged

pytestmark = pytest.mark.slow


def test_repository(stacks, client):
    codecommit = client("codecommit")
    template = {
        "R": resource("CodeCommit::Repository", RepositoryName="r", RepositoryDescription="one", Tags=tagged(team="ml"))
    }
    stacks.create(template)
    found = codecommit.get_repository(repositoryName="r")["repositoryMetadata"]
    assert (found["repositoryId"], found["repositoryDescription"]) == (stacks.physical("R"), "one")
    template["R"]["Properties"] |= {"RepositoryDescription": "two", "Tags": tagged(cost="1")}
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert codecommit.get_repository(repositoryName="r")["repositoryMetadata"]["repositoryDescription"] == "two"
    assert codecommit.list_tags_for_resource(resourceArn=found["Arn"])["tags"] == {"cost": "1"}
    stacks.delete()
    gone(codecommit.get_repository, repositoryName="r")
