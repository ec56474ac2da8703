"""Look-ups in EC2, and the tagging API that is refused."""

from __future__ import annotations

import pytest


@pytest.fixture
def ec2(shared_client):
    return shared_client("ec2")


@pytest.mark.slow
def test_subnets_and_security_groups_are_found(ec2):
    subnet = ec2.describe_subnets()["Subnets"][0]
    assert ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["VpcId"] == subnet["VpcId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]
    assert ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"][0]["VpcId"] == group["VpcId"]


def test_subnets_and_security_groups_that_are_not_there(ec2, refused):
    """EC2 API Reference, "Error codes for the Amazon EC2 API"."""
    nowhere = "0123456789abcdef0"
    assert refused(ec2.describe_subnets, SubnetIds=[f"subnet-{nowhere}"])[0] == "InvalidSubnetID.NotFound"
    assert refused(ec2.describe_subnets, SubnetIds=["sg-1"])[0] == "InvalidSubnetID.Malformed"
    assert refused(ec2.describe_security_groups, GroupIds=["default"])[0] == "InvalidGroupId.Malformed"
    assert refused(ec2.describe_security_groups, GroupIds=[f"sg-{nowhere}"]) == (
        "InvalidGroup.NotFound",
        f"The security group 'sg-{nowhere}' does not exist",
    )


@pytest.mark.parametrize("params", [{}, {"ResourceTypeFilters": ["sagemaker:model-package-group"]}])
def test_resources_by_tag_are_not_answered_by_half(shared_client, refused, params):
    """moto knows nothing of the sandbox's own services, and would leave them out."""
    tagging = shared_client("resourcegroupstaggingapi")
    assert refused(tagging.get_resources, **params)[0] == "NotImplementedInSandbox"
