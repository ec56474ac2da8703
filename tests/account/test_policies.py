"""Least privilege: what the policies may hold at all, how large they may be, and that the boundary covers the roles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from policy_sentry.querying.actions import get_action_data, get_actions_with_access_level

from tests.account import policies
from tests.account.policies import Statement, statements
from tests.account.resolved import Resolved

NETWORK = {
    "SubnetIds": ",".join(f"subnet-{number:017x}" for number in range(16)),  # the most that SageMaker takes
    "SecurityGroupIds": ",".join(f"sg-{number:017x}" for number in range(5)),
}
PLAIN = Resolved()
FULL = Resolved(NETWORK)
# Names as long as they can be; GovCloud has the longest ARNs.
LONGEST = Resolved(NETWORK | {"RolePath": "/machine-learning/"}, partition="aws-us-gov", region="us-gov-west-1")
SLUG = "a" * 32


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    """Comparing patterns recurses once for each character."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(4000)
    yield
    sys.setrecursionlimit(before)


def identity(stack: Resolved) -> list[Statement]:
    """The statements of all policies that people and roles get."""
    named = policies.managed(stack) | policies.inline(stack) | policies.of_roles(stack)
    named |= policies.of_roles(stack, source_control={"host": "github", "repository": "my-org/it"})
    return [statement for where, document in named.items() for statement in statements(where, document)]


ALL = identity(FULL)
# In the policy of a key, `*` is the key; in a bucket's, the principal is everybody and everything is a refusal.
RESOURCE_POLICIES = [s for where, document in policies.of_resources(FULL).items() for s in statements(where, document)]


def test_there_are_as_many_policies_as_the_design_names() -> None:
    assert {statement.where.split(":")[0] for statement in ALL} == {
        *("Boundary", "RegisterRole", "DataScientist", "DataScientistCode", "Approver"),
        *("nonprod-ci", "nonprod-job", "prod-ci", "prod-job"),
    }
    assert len(RESOURCE_POLICIES) == 6


@pytest.mark.parametrize("statement", ALL + RESOURCE_POLICIES, ids=lambda s: s.where)
def test_actions_are_named_and_exist(statement: Statement) -> None:
    assert statement.keys <= {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}  # no NotAction, …
    for action in statement.actions:
        if statement.effect == "Deny" and action == "s3:*":  # TLS, for whatever S3 will ever be asked
            continue
        assert "*" not in action
        assert "?" not in action
        assert policies.resource_types(action) is not None, f"there is no action {action}"
    assert len(set(statement.actions)) == len(statement.actions)


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.where)
def test_resources_are_named_where_the_service_can_name_them(statement: Statement) -> None:
    for action in statement.actions:
        types = policies.resource_types(action) or ()
        if "*" in statement.resources:
            assert not types, f"{action} can be limited to {types}"
            assert statement.resources == ["*"]
        else:
            fitting = [r for r in statement.resources if any(policies.overlap(r, form) for form in types)]
            assert fitting, f"{action} knows {types} and none of {statement.resources}"


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.where)
def test_every_resource_is_of_use(statement: Statement) -> None:
    """A pattern that no action of its statement can be asked about is a mistake, or a hope."""
    types = [form for action in statement.actions for form in policies.resource_types(action) or ()]
    for resource in statement.resources:
        assert resource == "*" or any(policies.overlap(resource, form) for form in types), resource


def test_only_the_images_and_shared_networks_may_be_another_accounts() -> None:
    resources = [r.split(":") for s in ALL if s.effect == "Allow" for r in s.resources if r != "*"]
    foreign = {parts[2] for parts in resources if parts[4] not in {"123456789012", ""}}
    assert foreign == {"ecr", "ec2"}


@pytest.mark.parametrize("stack", [PLAIN, LONGEST], ids=["plain", "longest"])
def test_sizes_are_within_iams_quotas(stack: Resolved) -> None:
    """IAM User Guide, "IAM and AWS STS quotas": 6,144 characters a managed policy, 10,240 all inline ones of a role."""
    for name, document in policies.managed(stack).items():
        assert policies.size(document) <= 6144, f"{name}: {policies.size(document)}"
    for name, document in (policies.of_roles(stack, project=SLUG) | policies.inline(stack)).items():
        assert policies.size(document) <= 10240, f"{name}: {policies.size(document)}"


@pytest.mark.parametrize("stack", [PLAIN, FULL], ids=["plain", "network"])
def test_the_boundary_allows_all_that_the_roles_may(stack: Resolved) -> None:
    boundary = [*statements("", policies.managed(stack)["Boundary"])]
    for label, document in policies.of_roles(stack).items():
        for statement in statements(label, document):
            for action in statement.actions:
                wide = [resource for each in boundary if action in each.actions for resource in each.resources]
                for resource in statement.resources:
                    assert any(policies.covers(each, resource) for each in wide), f"{label}: {action} on {resource}"


def test_the_boundary_allows_nothing_that_no_role_may() -> None:
    used = {a for document in policies.of_roles(FULL).values() for s in statements("", document) for a in s.actions}
    allowed = {action for s in statements("", policies.managed(FULL)["Boundary"]) for action in s.actions}
    assert allowed == used


def allowed(where: str, action: str, resource: str) -> list[Statement]:
    """The statements that allow an action on a resource, whatever their conditions; none where one refuses it always."""
    fitting = [
        s
        for s in ALL
        if s.where.startswith(where) and action in s.actions and any(fnmatchcase(resource, r) for r in s.resources)
    ]
    refused = any(s.effect == "Deny" and not s.condition for s in fitting)
    return [] if refused else [s for s in fitting if s.effect == "Allow"]


PLACE = "us-east-1:123456789012"
VERSION = f"arn:aws:sagemaker:{PLACE}:model-package/tumor-diagnosis-%s/3"


@pytest.mark.parametrize("group", ["prod", "champion", "challenger"])
def test_only_approvers_approve_for_production(group: str) -> None:
    who = {s.where.split(":")[0] for s in ALL if allowed(s.where, "sagemaker:UpdateModelPackage", VERSION % group)}
    assert who == {"Approver"}
    for where in ("nonprod-job", "nonprod-ci", "prod-ci", "DataScientist"):
        assert not allowed(where, "sagemaker:CreateModelPackage", VERSION % group)


@pytest.mark.parametrize("resource", ["model-package/tumor-diagnosis-%s/3", "model-package-group/tumor-diagnosis-%s"])
@pytest.mark.parametrize("group", ["prod", "champion", "challenger"])
def test_data_scientists_register_nothing_there_whatever_else_they_have(group: str, resource: str) -> None:
    """CreateModelPackage is authorized on version or group (Service Authorization Reference): both are refused."""
    arn = f"arn:aws:sagemaker:{PLACE}:{resource % group}"
    refusals = [s for s in ALL if s.where.startswith("DataScientist") and s.effect == "Deny" and not s.condition]
    assert any("sagemaker:CreateModelPackage" in s.actions and _any(arn, s.resources) for s in refusals)


def _any(resource: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(resource, pattern) for pattern in patterns)


@pytest.mark.parametrize("label", ["nonprod-job", "prod-job"])
def test_a_job_role_has_what_sagemaker_documents(label: str) -> None:
    """Developer Guide, "How to use SageMaker AI execution roles": CreateProcessingJob, CreateTrainingJob and CreateModel,
    with a private VPC, encrypted input, and keys for output and volume."""
    documented = {
        "cloudwatch": "PutMetricData",
        "logs": "CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents",
        "s3": "GetObject ListBucket PutObject",
        "ecr": "BatchCheckLayerAvailability BatchGetImage GetAuthorizationToken GetDownloadUrlForLayer",
        "ec2": "CreateNetworkInterface CreateNetworkInterfacePermission DeleteNetworkInterface "
        "DeleteNetworkInterfacePermission DescribeDhcpOptions DescribeNetworkInterfaces DescribeSecurityGroups "
        "DescribeSubnets DescribeVpcs",
        "kms": "CreateGrant Decrypt Encrypt",
    }
    wanted = {f"{service}:{action}" for service, actions in documented.items() for action in actions.split()}
    had = {action for s in statements(label, policies.of_roles(FULL)[label]) for action in s.actions}
    assert wanted - had == set()


def test_the_production_pipeline_registers_what_waits_for_approval() -> None:
    [statement] = allowed("prod-job", "sagemaker:CreateModelPackage", VERSION % "prod")
    assert statement.condition == {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}


@pytest.mark.parametrize("label", ["nonprod-ci", "nonprod-job", "prod-ci", "prod-job"])
def test_a_project_reaches_its_own_tier_and_no_other_project(label: str) -> None:
    """Each resource is the project's by name, or by a tag in the condition, or nobody's in particular."""
    tier = label.split("-")[0]
    shared: tuple[str, ...] = (
        "s3:::mlops-account-bucket-0123456789ab",
        ":key/",
        "/aws/sagemaker/",
        "parameter/mlops/account",
    )
    shared += (":repository/sagemaker-", ":repository/*", ":ec2:", ":servicequotas:", "pipelines-*", ":codecommit:")
    own: dict[str, tuple[str, ...]] = {
        "nonprod": ("diagnosis-feature", "diagnosis-dev", "/nonprod/tumor-diagnosis/", "-nonprod-job")
    }
    own["prod"] = (
        "diagnosis-prod",
        "diagnosis-champion",
        "diagnosis-challenger",
        "/prod/tumor-diagnosis/",
        "-prod-job",
    )
    for statement in statements(label, policies.of_roles(FULL)[label]):
        for resource in set(statement.resources) - {"*"}:
            if "tumor-" in resource:
                assert any(part in resource for part in own[tier]) or resource.endswith(":tumor-diagnosis"), resource
            else:
                assert any(part in resource for part in shared), resource
            if "pipelines-*" in resource:
                tags = {key.split("/")[1]: value for key, value in statement.condition["StringEquals"].items()}
                environments = ["feature", "dev"] if tier == "nonprod" else ["prod"]
                assert tags == {"mlops:project": "tumor-diagnosis", "mlops:environment": environments}


def test_files_of_production_are_closed_to_data_scientists() -> None:
    bucket = "arn:aws:s3:::mlops-account-bucket-0123456789ab"
    mine = ("DataScientist", "s3:GetObject"), ("DataScientist", "s3:PutObject")
    for who, action in mine:
        assert allowed(who, action, f"{bucket}/nonprod/it/content/abc/model/train.py")
        assert not allowed(who, action, f"{bucket}/prod/it/content/abc/data.csv")
        assert not allowed(who, action, f"{bucket}/prod/it/content/abc/nonprod/data.csv")
    for read in ("executions/abc/Compare/lineage/a.json", "executions/abc/Evaluate/report.html", "settings/a.json"):
        assert allowed("DataScientist", "s3:GetObject", f"{bucket}/prod/it/{read}")
        assert not allowed("DataScientist", "s3:PutObject", f"{bucket}/prod/it/{read}")
    assert not allowed("DataScientist", "s3:PutObject", f"{bucket}/prod/it/executions/abc/nonprod/x")
    assert not allowed("DataScientist", "s3:GetObject", f"{bucket}/prod/it/executions/abc/Train/model.tar.gz")


def test_whatever_moves_main_is_refused_to_data_scientists() -> None:
    """All that writes and knows codecommit:References, but CreateBranch, which moves no branch that is there."""
    writing = get_actions_with_access_level("codecommit", "Write")
    known = {action for action in writing if "codecommit:References" in str(get_action_data(*action.split(":")))}
    moves_none = {"codecommit:CreateBranch", "codecommit:CreateUnreferencedMergeCommit"}
    [refusal] = [s for s in ALL if s.effect == "Deny" and "codecommit:GitPush" in s.actions]
    assert {*refusal.actions} == known - moves_none
    assert refusal.condition == {
        "Null": {"codecommit:References": "false"},
        "ForAnyValue:StringEquals": {"codecommit:References": "refs/heads/main"},
    }


@pytest.mark.parametrize(
    "name", ["mlops-account-register", "admin", "mlops-x-nonprod-other", "OrganizationAccountAccessRole"]
)
@pytest.mark.parametrize("action", ["CreateRole", "PutRolePolicy", "TagRole", "DeleteRole", "UpdateAssumeRolePolicy"])
def test_the_function_makes_no_role_but_a_projects(name: str, action: str) -> None:
    for path in ("/mlops/", "/"):
        assert not allowed("RegisterRole", f"iam:{action}", f"arn:aws:iam::123456789012:role{path}{name}")
    assert allowed("RegisterRole", f"iam:{action}", "arn:aws:iam::123456789012:role/mlops/mlops-it-prod-ci")


def test_an_organisations_boundary_takes_the_place_of_the_stacks() -> None:
    theirs = "arn:aws:iam::123456789012:policy/theirs"
    stack = Resolved({"PermissionsBoundaryArn": theirs})
    assert "Boundary" not in stack.resources
    assert stack.resources["RegisterRole"]["Properties"]["PermissionsBoundary"] == theirs
    assert stack.resources["Register"]["Properties"]["Environment"]["Variables"]["BOUNDARY"] == theirs
    [needs] = [s for s in statements("", policies.inline(stack)["RegisterRole"]) if "iam:CreateRole" in s.actions]
    assert needs.condition == {"StringEquals": {"iam:PermissionsBoundary": theirs}}
