"""CodeCommit's API: repositories, branches, tags. Each docstring names the page a rule is from."""

from __future__ import annotations

import pytest


def test_a_new_repository_is_empty_and_has_codecommits_metadata(codecommit):
    """API Reference, CreateRepository: "Creates a new, empty repository." """
    made = codecommit.create_repository(repositoryName="Demo.repo_1-x", repositoryDescription="d", tags={"a": "b"})[
        "repositoryMetadata"
    ]
    assert made["Arn"] == "arn:aws:codecommit:us-east-1:123456789012:Demo.repo_1-x"
    assert made["cloneUrlSsh"] == "ssh://git-codecommit.us-east-1.amazonaws.com/v1/repos/Demo.repo_1-x"
    assert (made["accountId"], made["repositoryDescription"]) == ("123456789012", "d")
    assert "defaultBranch" not in made
    got = codecommit.get_repository(repositoryName="Demo.repo_1-x")["repositoryMetadata"]
    assert {**got, "ResponseMetadata": 0} == {**made, "ResponseMetadata": 0}
    assert codecommit.list_branches(repositoryName="Demo.repo_1-x")["branches"] == []


@pytest.mark.parametrize("name", ["a b", "a/b", "x!", "é", "demo.git", "a" * 101, ""])
def test_names_outside_the_quotas_are_invalid(codecommit, refused, name):
    """User Guide, "Quotas": letters, numbers, periods, underscores and dashes, 1 to 100 characters, not ending in
    .git."""
    assert refused(codecommit.create_repository, repositoryName=name)[0] == "InvalidRepositoryNameException"


def test_a_missing_name_has_its_own_exception(codecommit, refused):
    assert refused(codecommit.create_repository)[0] == "RepositoryNameRequiredException"
    assert refused(codecommit.get_repository)[0] == "RepositoryNameRequiredException"
    assert refused(codecommit.get_branch, repositoryName="demo")[0] == "RepositoryDoesNotExistException"


def test_names_are_unique_and_case_sensitive(codecommit, refused):
    """User Guide, "Create a repository": "Repository names are case sensitive. The name must be unique"."""
    codecommit.create_repository(repositoryName="demo")
    assert refused(codecommit.create_repository, repositoryName="demo") == (
        "RepositoryNameExistsException",
        "Repository named demo already exists",
    )
    codecommit.create_repository(repositoryName="Demo")
    assert [pair["repositoryName"] for pair in codecommit.list_repositories()["repositories"]] == ["Demo", "demo"]


def test_deleting_what_is_not_there_returns_no_id(codecommit):
    """API Reference, DeleteRepository: "If a specified repository was already deleted, a null repository ID is
    returned." """
    made = codecommit.create_repository(repositoryName="demo")["repositoryMetadata"]["repositoryId"]
    assert codecommit.delete_repository(repositoryName="demo")["repositoryId"] == made
    assert "repositoryId" not in codecommit.delete_repository(repositoryName="demo")


def test_a_batch_lists_what_it_does_not_find(codecommit, refused):
    """API Reference, BatchGetRepositories; MaximumRepositoryNamesExceededException: "Currently, this number is 100." """
    codecommit.create_repository(repositoryName="demo")
    answer = codecommit.batch_get_repositories(repositoryNames=["demo", "none"])
    assert [found["repositoryName"] for found in answer["repositories"]] == ["demo"]
    assert answer["repositoriesNotFound"] == ["none"]
    assert (
        refused(codecommit.batch_get_repositories, repositoryNames=["x"] * 101)[0]
        == "MaximumRepositoryNamesExceededException"
    )


def test_repositories_are_sorted_as_asked(codecommit, refused):
    for name in ("b", "a", "c"):
        codecommit.create_repository(repositoryName=name)
    codecommit.update_repository_description(repositoryName="a", repositoryDescription="new")
    names = lambda **params: [pair["repositoryName"] for pair in codecommit.list_repositories(**params)["repositories"]]  # noqa: E731
    assert names() == ["a", "b", "c"]
    assert names(sortBy="lastModifiedDate") == ["b", "c", "a"]
    assert names(sortBy="repositoryName", order="descending") == ["c", "b", "a"]
    assert refused(codecommit.list_repositories, sortBy="size")[0] == "InvalidSortByException"
    assert refused(codecommit.list_repositories, order="random")[0] == "InvalidOrderException"
    assert refused(codecommit.list_repositories, nextToken="made-up")[0] == "InvalidContinuationTokenException"


def test_a_renamed_repository_keeps_its_id_and_gets_a_new_arn(codecommit, refused):
    made = codecommit.create_repository(repositoryName="old")["repositoryMetadata"]
    codecommit.create_repository(repositoryName="taken")
    assert (
        refused(codecommit.update_repository_name, oldName="old", newName="taken")[0] == "RepositoryNameExistsException"
    )
    assert (
        refused(codecommit.update_repository_name, oldName="none", newName="x")[0] == "RepositoryDoesNotExistException"
    )
    codecommit.update_repository_name(oldName="old", newName="new")
    got = codecommit.get_repository(repositoryName="new")["repositoryMetadata"]
    assert (got["repositoryId"], got["Arn"]) == (made["repositoryId"], made["Arn"].replace(":old", ":new"))
    assert refused(codecommit.get_repository, repositoryName="old")[0] == "RepositoryDoesNotExistException"


def test_branches_are_made_read_and_deleted(codecommit, clone, refused):
    """API Reference, CreateBranch: it "does not set a repository's default branch"; DeleteBranch: not the default
    one, and no BranchDoesNotExistException among its errors."""
    commit = _pushed(clone)
    codecommit.create_branch(repositoryName="demo", branchName="dev", commitId=commit)
    assert codecommit.get_branch(repositoryName="demo", branchName="dev")["branch"] == {
        "branchName": "dev",
        "commitId": commit,
    }
    assert (
        refused(codecommit.create_branch, repositoryName="demo", branchName="dev", commitId=commit)[0]
        == "BranchNameExistsException"
    )
    missing = {"repositoryName": "demo", "branchName": "x", "commitId": "0" * 39 + "1"}
    assert refused(codecommit.create_branch, **missing)[0] == "CommitDoesNotExistException"
    assert refused(codecommit.create_branch, **{**missing, "commitId": commit[:8]})[0] == "InvalidCommitIdException"
    assert refused(codecommit.get_branch, repositoryName="demo", branchName="x")[0] == "BranchDoesNotExistException"
    assert (
        refused(codecommit.delete_branch, repositoryName="demo", branchName="main")[0]
        == "DefaultBranchCannotBeDeletedException"
    )
    assert codecommit.delete_branch(repositoryName="demo", branchName="dev")["deletedBranch"]["commitId"] == commit
    assert "deletedBranch" not in codecommit.delete_branch(repositoryName="demo", branchName="dev")


@pytest.mark.parametrize(
    "name",
    [
        "/a",
        "a/",
        ".a",
        "a.",
        "@",
        "a..b",
        "a//b",
        "a@{b",
        "a b",
        "a?b",
        "a^b",
        "a*b",
        "a[b",
        "a\\b",
        "a~b",
        "a:b",
        "f" * 40,
    ],
)
def test_branch_names_outside_the_quotas_are_invalid(codecommit, clone, refused, name):
    """User Guide, "Quotas", "Branch names"."""
    codecommit.create_repository(repositoryName="demo")
    params = {"repositoryName": "demo", "branchName": name, "commitId": "1" * 40}
    assert refused(codecommit.create_branch, **params)[0] == "InvalidBranchNameException"


def test_the_default_branch_is_changed_to_one_that_exists(codecommit, clone, refused):
    commit = _pushed(clone)
    codecommit.create_branch(repositoryName="demo", branchName="dev", commitId=commit)
    params = {"repositoryName": "demo", "defaultBranchName": "none"}
    assert refused(codecommit.update_default_branch, **params)[0] == "BranchDoesNotExistException"
    codecommit.update_default_branch(repositoryName="demo", defaultBranchName="dev")
    assert codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["defaultBranch"] == "dev"
    codecommit.delete_branch(repositoryName="demo", branchName="main")
    assert clone(folder="other").git("symbolic-ref", "--short", "HEAD").stdout.strip() == "dev"


def test_branches_come_in_pages_and_take_no_page_size(codecommit, clone, raw_call):
    """API Reference, ListBranches: nextToken, and no other paging parameter."""
    work = clone()
    commit = work.commit()
    work.git("push", "origin", "main")
    work.git("push", "-q", "origin", *(f"{commit}:refs/heads/b{number:03}" for number in range(120)))
    first = codecommit.list_branches(repositoryName="demo")
    assert len(first["branches"]) == 100
    pages = codecommit.get_paginator("list_branches").paginate(repositoryName="demo")
    assert [name for page in pages for name in page["branches"]] == sorted(
        [f"b{number:03}" for number in range(120)] + ["main"]
    )
    assert (
        raw_call("codecommit", "CodeCommit_20150413.ListBranches", {"repositoryName": "demo", "maxResults": 5}).status
        == 400
    )


def test_tags_are_added_overwritten_and_removed(codecommit, refused):
    arn = codecommit.create_repository(repositoryName="demo", tags={"a": "1"})["repositoryMetadata"]["Arn"]
    codecommit.tag_resource(resourceArn=arn, tags={"a": "2", "Größe": "x y"})
    assert codecommit.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "2", "Größe": "x y"}
    codecommit.untag_resource(resourceArn=arn, tagKeys=["a", "never"])
    assert codecommit.list_tags_for_resource(resourceArn=arn)["tags"] == {"Größe": "x y"}


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"aws:x": "1"}, "InvalidSystemTagUsageException"),
        ({"AWS:x": "1"}, "InvalidSystemTagUsageException"),
        ({"a,b": "1"}, "InvalidTagsMapException"),
        ({"a": "1;2"}, "InvalidTagsMapException"),
        ({"a ": "1"}, "InvalidTagsMapException"),
        ({"": "1"}, "InvalidTagsMapException"),
        ({"k" * 129: "1"}, "InvalidTagsMapException"),
        ({"k": "v" * 257}, "InvalidTagsMapException"),
        ({f"k{number}": "" for number in range(51)}, "TooManyTagsException"),
    ],
)
def test_tags_outside_the_quotas_are_refused_at_creation_and_later(codecommit, refused, tags, code):
    """User Guide, "Quotas": "Repository tag key names", "Repository tag values", "Maximum of 50 per resource"."""
    assert refused(codecommit.create_repository, repositoryName="x", tags=tags)[0] == code
    arn = codecommit.create_repository(repositoryName="demo")["repositoryMetadata"]["Arn"]
    assert refused(codecommit.tag_resource, resourceArn=arn, tags=tags)[0] == code
    assert codecommit.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_a_51st_tag_is_refused_and_an_overwritten_one_is_not(codecommit, refused):
    arn = codecommit.create_repository(repositoryName="demo", tags={f"k{n}": "" for n in range(50)})[
        "repositoryMetadata"
    ]["Arn"]
    codecommit.tag_resource(resourceArn=arn, tags={"k1": "new"})
    assert refused(codecommit.tag_resource, resourceArn=arn, tags={"k50": ""})[0] == "TooManyTagsException"


def test_arns_of_nothing_are_refused(codecommit, refused):
    assert refused(codecommit.list_tags_for_resource, resourceArn="demo")[0] == "InvalidResourceArnException"
    arn = "arn:aws:codecommit:us-east-1:123456789012:none"
    assert refused(codecommit.list_tags_for_resource, resourceArn=arn)[0] == "RepositoryDoesNotExistException"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("put_repository_triggers", {"repositoryName": "demo", "triggers": []}),
        ("create_commit", {"repositoryName": "demo", "branchName": "main"}),
    ],
)
def test_what_the_sandbox_lacks_is_said_clearly(codecommit, refused, operation, params):
    code, message = refused(getattr(codecommit, operation), **params)
    assert code == "NotImplementedInSandbox"
    assert "codecommit" in message


def _pushed(clone):
    work = clone()
    commit = work.commit()
    work.git("push", "-q", "origin", "main")
    return commit
