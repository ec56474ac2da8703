"""Projects, made, changed and removed, as CodeBuild's own API tells (Template Reference, AWS::CodeBuild::Project)."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.types.resources import resource, tagged, trust

pytestmark = pytest.mark.slow

BUILDSPEC = "version: 0.2\nphases:\n  build:\n    commands: [echo hello]\n"


def test_project(sandbox, stacks, client):
    codebuild = client("codebuild")
    template = {
        "Role": resource("IAM::Role", AssumeRolePolicyDocument=trust("codebuild.amazonaws.com")),
        "Repository": resource("CodeCommit::Repository", RepositoryName="r"),
        "P": resource(
            "CodeBuild::Project",
            Name="proj",
            Description="one",
            ServiceRole={"Fn::GetAtt": ["Role", "Arn"]},
            Source={
                "Type": "CODECOMMIT",
                "Location": {"Fn::GetAtt": ["Repository", "CloneUrlHttp"]},
                "BuildSpec": BUILDSPEC,
            },
            SourceVersion="refs/heads/main",
            Artifacts={"Type": "NO_ARTIFACTS"},
            Environment={
                "Type": "LINUX_CONTAINER",
                "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "EnvironmentVariables": [{"Name": "A", "Value": "b"}],
            },
            Cache={"Type": "S3", "Location": "bucket/prefix"},
            ConcurrentBuildLimit=1,
            TimeoutInMinutes=10,
            Tags=tagged(team="ml"),
        ),
    }
    stacks.create(template)
    (found,) = codebuild.batch_get_projects(names=[stacks.physical("P")])["projects"]
    assert (found["name"], found["description"], found["timeoutInMinutes"]) == ("proj", "one", 10)
    assert (found["source"]["buildspec"], found["sourceVersion"]) == (BUILDSPEC, "refs/heads/main")
    assert found["source"]["location"] == f"{sandbox.url}/v1/repos/r"
    variables = [{"name": "A", "value": "b", "type": "PLAINTEXT"}]
    assert found["environment"]["environmentVariables"] == variables
    assert (found["cache"], found["concurrentBuildLimit"]) == ({"type": "S3", "location": "bucket/prefix"}, 1)
    assert found["tags"] == [{"key": "team", "value": "ml"}]
    properties = template["P"]["Properties"]
    for name in ("Cache", "ConcurrentBuildLimit", "TimeoutInMinutes", "SourceVersion", "Tags"):
        del properties[name]
    properties["Description"] = "two"
    assert stacks.update(template)["StackStatus"] == "UPDATE_COMPLETE"
    (found,) = codebuild.batch_get_projects(names=["proj"])["projects"]
    assert (found["description"], found["timeoutInMinutes"], found["cache"]) == ("two", 60, {"type": "NO_CACHE"})
    assert (found["tags"], found.get("concurrentBuildLimit"), found.get("sourceVersion")) == ([], None, None)
    stacks.delete()
    assert codebuild.list_projects()["projects"] == []
