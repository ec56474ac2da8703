"""SageMaker's model registry: what moto believes and AWS does not. Each docstring names the source of the rule."""

from __future__ import annotations

import pytest

GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/demo-dev"
CONTAINER = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1", "ModelDataUrl": "s3://bucket/model.tar.gz"}
SPECIFICATION = {
    "Containers": [CONTAINER],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def group(sagemaker):
    return sagemaker.create_model_package_group(ModelPackageGroupName="demo-dev", Tags=[{"Key": "a", "Value": "1"}])[
        "ModelPackageGroupArn"
    ]


@pytest.fixture
def register(sagemaker, group):
    def make(**params):
        given = {"ModelPackageGroupName": "demo-dev", "InferenceSpecification": SPECIFICATION, **params}
        return sagemaker.create_model_package(**given)["ModelPackageArn"]

    return make


def test_a_group_is_described_with_who_made_it(sagemaker, group):
    """DescribeModelPackageGroup: required members of its output; UserContext.IamIdentity."""
    got = sagemaker.describe_model_package_group(ModelPackageGroupName="demo-dev")
    assert (got["ModelPackageGroupArn"], got["ModelPackageGroupStatus"]) == (GROUP, "Completed")
    assert got["CreatedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::123456789012:user/developer"
    by_arn = sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)
    assert by_arn["CreationTime"] == got["CreationTime"]


def test_a_second_group_of_the_same_name_is_refused(sagemaker, group, refused):
    """Observed by users of the API: ValidationException, "Model Package Group already exists"; moto replaces the
    group."""
    code, message = refused(sagemaker.create_model_package_group, ModelPackageGroupName="demo-dev")
    assert (code, message) == ("ValidationException", f"Model Package Group already exists: {GROUP}")
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [{"Key": "a", "Value": "1"}]


def test_a_group_that_is_not_there_does_not_exist(sagemaker, refused):
    """AWS's own CloudFormation resource provider recognises it by ValidationException and "does not exist"."""
    for operation in (sagemaker.describe_model_package_group, sagemaker.delete_model_package_group):
        assert refused(operation, ModelPackageGroupName="demo-dev") == (
            "ValidationException",
            f"ModelPackageGroup {GROUP} does not exist.",
        )
    assert refused(sagemaker.create_model_package, ModelPackageGroupName="demo-dev")[0] == "ValidationException"
    assert refused(sagemaker.list_model_packages, ModelPackageGroupName="demo-dev")[0] == "ValidationException"


def test_a_group_is_deleted_only_after_its_versions(sagemaker, register, refused):
    """DeleteModelPackageGroup declares ConflictException; Developer Guide, "Delete a Model Group"."""
    arn = register()
    assert refused(sagemaker.delete_model_package_group, ModelPackageGroupName="demo-dev")[0] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="demo-dev")
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_groups_are_listed_by_creation_ascending_in_pages(sagemaker, refused):
    """ListModelPackageGroups: SortBy "The default is CreationTime", SortOrder "The default is Ascending"."""
    names = [f"g-{letter}" for letter in "zyxwvutsrqpo"]
    for name in names:
        sagemaker.create_model_package_group(ModelPackageGroupName=name)

    def listed(**params):
        pages = sagemaker.get_paginator("list_model_package_groups").paginate(**params)
        return [item["ModelPackageGroupName"] for page in pages for item in page["ModelPackageGroupSummaryList"]]

    assert listed() == names
    assert listed(SortOrder="Descending") == names[::-1]
    assert listed(SortBy="Name", NameContains="g-", MaxResults=5) == sorted(names)
    assert listed(NameContains="zzz") == []
    first = sagemaker.list_model_package_groups()
    assert len(first["ModelPackageGroupSummaryList"]) == 10
    created = first["ModelPackageGroupSummaryList"][4]["CreationTime"]
    assert "g-z" not in listed(CreationTimeAfter=created)
    assert refused(sagemaker.list_model_package_groups, NextToken="made-up")[0] == "ValidationException"
    assert refused(sagemaker.list_model_packages, NextToken=first["NextToken"])[0] == "ValidationException"


def test_tags_of_a_group_are_added_overwritten_and_deleted(sagemaker, group, refused):
    """AddTags: "Adds or overwrites one or more tags"; Tagging AWS Resources: 50 a resource, unique keys, no aws:
    prefix."""
    answer = sagemaker.add_tags(ResourceArn=group, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    assert answer["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    sagemaker.delete_tags(ResourceArn=group, TagKeys=["b", "never"])
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [{"Key": "a", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    for tags in (many, [{"Key": "aws:x", "Value": ""}], [{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}]):
        assert refused(sagemaker.add_tags, ResourceArn=group, Tags=tags)[0] == "ValidationException"
    assert (
        refused(sagemaker.create_model_package_group, ModelPackageGroupName="x", Tags=many + many[:1])[0]
        == "ValidationException"
    )
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [{"Key": "a", "Value": "2"}]


@pytest.mark.parametrize(
    "resource", ["model-package-group/none", "model-package/none/1", "model/none", "pipeline/none", "endpoint/none"]
)
def test_arns_of_nothing_have_no_tags(sagemaker, refused, resource):
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:{resource}"
    assert refused(sagemaker.list_tags, ResourceArn=arn)[0] == "ValidationException"
    assert refused(sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])[0] == "ValidationException"
    assert refused(sagemaker.delete_tags, ResourceArn=arn, TagKeys=["a"])[0] == "ValidationException"


def test_a_resource_of_another_region_is_not_here(sagemaker, client, group, refused):
    assert refused(client("sagemaker", region="eu-west-1").list_tags, ResourceArn=group)[0] == "ValidationException"


def test_tags_of_what_moto_keeps_are_overwritten_too(sagemaker):
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1"
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": image})
    arn = sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[
            {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        ],
    )["EndpointConfigArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]


def test_versions_are_numbered_and_a_number_is_never_used_twice(sagemaker, register):
    first, second = register(), register()
    assert (first, second) == (f"{GROUP.replace('-group', '')}/1", f"{GROUP.replace('-group', '')}/2")
    sagemaker.delete_model_package(ModelPackageName=second)
    assert register().endswith("/3")
    got = sagemaker.describe_model_package(ModelPackageName=first)
    assert (got["ModelPackageVersion"], got["ModelApprovalStatus"], got["ModelPackageStatus"]) == (
        1,
        "PendingManualApproval",
        "Completed",
    )
    assert got["InferenceSpecification"] == SPECIFICATION
    assert "ModelPackageName" not in got


def test_a_version_takes_no_tags(sagemaker, register, refused, group):
    """CreateModelPackage, Tags: "If you supply ModelPackageGroupName ... you cannot supply a tag argument." """
    params = {"ModelPackageGroupName": "demo-dev", "Tags": [{"Key": "a", "Value": "b"}]}
    assert refused(sagemaker.create_model_package, **params)[0] == "ValidationException"
    assert refused(sagemaker.add_tags, ResourceArn=register(), Tags=params["Tags"])[0] == "ValidationException"


def test_a_name_and_a_group_exclude_each_other(sagemaker, group, refused):
    """Observed (getmoto/moto pull request 7165): "Both ModelPackageName and ModelPackageGroupName are provided";
    "Missing ARN."."""
    both = refused(sagemaker.create_model_package, ModelPackageGroupName="demo-dev", ModelPackageName="x")
    assert both[0] == "ValidationException"
    assert both[1].startswith("Both ModelPackageName and ModelPackageGroupName are provided")
    assert refused(sagemaker.create_model_package) == ("ValidationException", "Missing ARN.")


def test_the_same_client_token_makes_one_version(sagemaker, register, refused):
    """CreateModelPackage, ClientToken: "guarantees that the call to this API is idempotent"; ConflictException is
    declared."""
    first = register(ClientToken="token-1")
    assert register(ClientToken="token-1") == first
    assert register(ClientToken="token-2") != first
    params = {"ModelPackageGroupName": "demo-dev", "ClientToken": "token-1"}
    assert refused(sagemaker.create_model_package, **params)[0] == "ConflictException"
    assert len(sagemaker.list_model_packages(ModelPackageGroupName="demo-dev")["ModelPackageSummaryList"]) == 2


@pytest.mark.parametrize(
    "metadata",
    [
        {"layers": "[50, 100]"},
        {"url": "https://x/?versionId=1"},
        {"note": 'a "quoted" word'},
        {"tag": "a#b"},
        {"value": ""},
        {"k" * 129: "v"},
        {"k": "v" * 257},
        {f"k{number}": "v" for number in range(51)},
        {},
    ],
)
def test_metadata_that_aws_refuses_is_refused_at_creation_and_update(sagemaker, register, refused, metadata):
    """CustomerMetadataMap, CustomerMetadataKey, CustomerMetadataValue: at most 50, 128, 256;
    [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]."""
    params = {"ModelPackageGroupName": "demo-dev", "CustomerMetadataProperties": metadata}
    arn = register()
    assert refused(sagemaker.create_model_package, **params)[0] == "ValidationException"
    assert (
        refused(sagemaker.update_model_package, ModelPackageArn=arn, CustomerMetadataProperties=metadata)[0]
        == "ValidationException"
    )


def test_an_update_merges_metadata_and_leaves_the_rest(sagemaker, register, refused):
    """UpdateModelPackage, CustomerMetadataProperties and CustomerMetadataPropertiesToRemove; moto replaces the whole
    map."""
    arn = register(CustomerMetadataProperties={"a": "1", "b": "2"}, ModelPackageDescription="d")
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"b": "3", "c": "4"})
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["a", "never"])
    got = sagemaker.describe_model_package(ModelPackageName=arn)
    assert got["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert (got["ModelApprovalStatus"], got["ApprovalDescription"], got["ModelPackageDescription"]) == (
        "Approved",
        "good",
        "d",
    )
    assert got["LastModifiedBy"]["IamIdentity"]["Arn"].endswith("user/developer")
    many = {f"k{number}": "v" for number in range(49)}
    assert (
        refused(sagemaker.update_model_package, ModelPackageArn=arn, CustomerMetadataProperties=many)[0]
        == "ValidationException"
    )


def test_what_is_not_a_version_cannot_be_updated_or_deleted(sagemaker, refused):
    """UpdateModelPackage: "Updates a versioned model." """
    name = sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=SPECIFICATION)[
        "ModelPackageArn"
    ]
    assert (
        refused(sagemaker.update_model_package, ModelPackageArn=name, ApprovalDescription="x")[0]
        == "ValidationException"
    )
    assert sagemaker.describe_model_package(ModelPackageName="alone")["ModelPackageName"] == "alone"
    sagemaker.delete_model_package(ModelPackageName="alone")
    assert refused(sagemaker.delete_model_package, ModelPackageName="alone")[0] == "ValidationException"
    assert refused(sagemaker.describe_model_package, ModelPackageName="alone")[0] == "ValidationException"


def test_versions_are_listed_by_creation_ascending_and_filtered(sagemaker, register):
    """ListModelPackages: SortOrder "The default is Ascending"; ModelPackageType: UNVERSIONED "is the default value"."""
    arns = [register(ModelApprovalStatus="Approved" if number % 2 else "Rejected") for number in range(12)]
    sagemaker.create_model_package(ModelPackageName="alone")

    def listed(**params):
        pages = sagemaker.get_paginator("list_model_packages").paginate(**params)
        return [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]

    assert listed(ModelPackageGroupName="demo-dev") == arns
    assert listed(ModelPackageGroupName="demo-dev", SortOrder="Descending", MaxResults=5) == arns[::-1]
    assert listed(ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved") == arns[1::2]
    assert [arn.rpartition("/")[2] for arn in listed()] == ["alone"]
    assert len(listed(ModelPackageType="Both")) == 13


def test_a_search_of_the_registry_is_not_answered_with_nothing(sagemaker, refused):
    assert refused(sagemaker.search, Resource="ModelPackage")[0] == "NotImplementedInSandbox"
