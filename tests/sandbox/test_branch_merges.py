"""Merging CodeCommit's branches without a pull request. Each docstring names the page a rule is from."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

pytestmark = pytest.mark.slow

WAYS = ["fast_forward", "squash", "three_way"]
LINES = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def work(clone):
    """A working copy with main, and feature a commit ahead of it; the tag v1 is main."""
    made = clone()
    made.commit("kept.txt", LINES)
    made.git("tag", "v1")
    made.git("push", "-q", "origin", "main", "v1")
    made.git("checkout", "-q", "-b", "feature")
    made.commit("new.txt", message="Add new.txt")
    made.git("push", "-q", "origin", "feature")
    return made


@pytest.fixture
def merge(codecommit):
    """merge("squash", **changes) merges feature into main; None leaves a parameter out."""

    def call(way, **changes):
        params = {"repositoryName": "demo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main"}
        params = {name: value for name, value in {**params, **changes}.items() if value is not None}
        return getattr(codecommit, f"merge_branches_by_{way}")(**params)

    return call


def head(work, reference="HEAD"):
    return work.git("rev-parse", reference).stdout.strip()


def tip(codecommit, branch="main"):
    return codecommit.get_branch(repositoryName="demo", branchName=branch)["branch"]["commitId"]


def parents(codecommit, commit):
    return codecommit.get_commit(repositoryName="demo", commitId=commit)["commit"]["parents"]


def test_each_strategy_moves_the_destination(codecommit, work, merge):
    """User Guide, "Merge a pull request", of the strategies; API Reference, the answer's commitId and treeId."""
    before, source = head(work, "main"), head(work, "feature")
    for way, expected in (("fast_forward", None), ("squash", [before]), ("three_way", [before, source])):
        codecommit.create_branch(repositoryName="demo", branchName=way, commitId=before)
        made = merge(way, destinationCommitSpecifier=way)
        assert tip(codecommit, way) == made["commitId"]
        assert made["treeId"] == head(work, "feature^{tree}")
        if expected is None:
            assert made["commitId"] == source
        else:
            assert parents(codecommit, made["commitId"]) == expected
    assert tip(codecommit, "feature") == source
    assert tip(codecommit) == before


def test_the_commit_is_by_whom_the_request_says(codecommit, work, merge):
    for way in WAYS[1:]:
        codecommit.create_branch(repositoryName="demo", branchName=way, commitId=head(work, "main"))
        person = {"authorName": "Ada Lovelace", "email": "ada@example.com"}
        commit = merge(way, destinationCommitSpecifier=way, commitMessage="Why", **person)["commitId"]
        made = codecommit.get_commit(repositoryName="demo", commitId=commit)["commit"]
        assert made["message"].strip() == "Why"
        for role in ("author", "committer"):
            assert (made[role]["name"], made[role]["email"]) == ("Ada Lovelace", "ada@example.com")


def test_conflicts_are_those_of_pull_requests(codecommit, work, merge, refused):
    """API Reference, conflictDetailLevel; the declared ManualMergeRequiredException."""
    work.commit("kept.txt", LINES.replace("line 18\n", "feature\n"))
    work.git("push", "-q", "origin", "feature")
    work.git("checkout", "-q", "main")
    ahead = work.commit("kept.txt", LINES.replace("line 1\n", "main\n"))
    work.git("push", "-q", "origin", "main")
    for way in WAYS:
        assert refused(merge, way=way)[0] == "ManualMergeRequiredException"
    commit = merge("three_way", conflictDetailLevel="LINE_LEVEL")["commitId"]
    assert parents(codecommit, commit) == [ahead, head(work, "feature")]
    merged = codecommit.get_file(repositoryName="demo", filePath="kept.txt")["fileContent"].decode()
    assert merged == LINES.replace("line 1\n", "main\n").replace("line 18\n", "feature\n")


def test_a_target_branch_gets_the_merge(codecommit, work, merge, refused):
    """API Reference, targetBranch: "The branch where the merge is applied"; the destination may be any commit."""
    before = head(work, "main")
    codecommit.create_branch(repositoryName="demo", branchName="target", commitId=before)
    source = head(work, "feature")
    for specifier in (before, "v1", "refs/tags/v1", "HEAD", "refs/heads/main"):
        made = merge("fast_forward", destinationCommitSpecifier=specifier, targetBranch="target")
        assert (made["commitId"], tip(codecommit, "target"), tip(codecommit)) == (source, source, before)
        work.git("push", "-q", "--force", "origin", f"{before}:refs/heads/target")
    merge("fast_forward", sourceCommitSpecifier="refs/heads/feature", targetBranch="target")
    refusal = refused(merge, way="three_way", destinationCommitSpecifier=before, targetBranch="target")
    assert refusal[0] == "ConcurrentReferenceUpdateException"
    assert tip(codecommit, "target") == source


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"repositoryName": None}, "RepositoryNameRequiredException"),
    ({"repositoryName": "none"}, "RepositoryDoesNotExistException"),
    ({"sourceCommitSpecifier": None}, "CommitRequiredException"),
    ({"destinationCommitSpecifier": None}, "CommitRequiredException"),
    ({"sourceCommitSpecifier": ""}, "CommitRequiredException"),
    ({"sourceCommitSpecifier": "a..b"}, "InvalidCommitException"),
    ({"sourceCommitSpecifier": "none"}, "CommitDoesNotExistException"),
    ({"destinationCommitSpecifier": "a" * 40}, "CommitDoesNotExistException"),
    ({"destinationCommitSpecifier": "v1"}, "BranchNameIsTagNameException"),
    ({"destinationCommitSpecifier": "refs/tags/v1"}, "BranchNameIsTagNameException"),
    ({"targetBranch": "v1"}, "BranchNameIsTagNameException"),
    ({"targetBranch": "none"}, "BranchDoesNotExistException"),
    ({"targetBranch": "a b"}, "InvalidTargetBranchException"),
    ({"targetBranch": "x" * 257}, "InvalidTargetBranchException"),
]


def test_what_the_merges_refuse(codecommit, work, merge, refused):
    """API Reference, MergeBranchesBySquash and the others, "Errors" (the words of each)."""
    before = tip(codecommit)
    for way in WAYS:
        for changes, code in [*REFUSED, ({"destinationCommitSpecifier": before}, "BranchNameRequiredException")]:
            assert refused(merge, way=way, **changes)[0] == code, (way, changes)
    for way in WAYS[1:]:
        for changes, code in (
            ({"authorName": "x" * 1025}, "NameLengthExceededException"),
            ({"email": "a>"}, "InvalidEmailException"),
            ({"conflictDetailLevel": "WORD_LEVEL"}, "InvalidConflictDetailLevelException"),
            ({"conflictResolutionStrategy": "ACCEPT_SOURCE"}, "NotImplementedInSandbox"),
        ):
            assert refused(merge, way=way, **changes)[0] == code, (way, changes)
    assert tip(codecommit) == before


def test_a_fast_forward_merges_the_pull_request_of_the_branches(codecommit, work, merge):
    """User Guide, "Merge a pull request": closed "automatically if the pull request is merged using the fast-forward
    merge strategy"; another strategy leaves it open."""
    target = {"repositoryName": "demo", "sourceReference": "feature"}
    codecommit.create_branch(repositoryName="demo", branchName="other", commitId=head(work, "main"))
    for destination in ("main", "other"):
        codecommit.create_pull_request(title="A change", targets=[{**target, "destinationReference": destination}])
    merge("three_way", destinationCommitSpecifier="other")
    merge("fast_forward")
    metadata = [
        codecommit.get_pull_request(pullRequestId=number)["pullRequest"]["pullRequestTargets"][0]["mergeMetadata"]
        for number in ("1", "2")
    ]
    assert metadata[0]["mergeOption"] == "FAST_FORWARD_MERGE"
    assert metadata[1] == {"isMerged": False}


def test_merges_carry_the_branch_that_they_move_for_policies(codecommit, sandbox, work, merge, refused):
    """Service Authorization Reference, CodeCommit; User Guide, "Limit pushes and merges to branches"."""
    before = head(work, "main")
    for destination, target, reference in (
        ("HEAD", None, "refs/heads/main"),
        ("refs/heads/main", None, "refs/heads/main"),
        ("main", "feature", "refs/heads/feature"),
        (before, "main", "refs/heads/main"),
        (before, None, None),
    ):
        for way in WAYS:
            params = {"destinationCommitSpecifier": destination, "targetBranch": target}
            refused(merge, way=way, sourceCommitSpecifier="none", **params)
            (check,) = sandbox.calls[-1]["authorization"]
            assert check["resource"] == "arn:aws:codecommit:us-east-1:123456789012:demo"
            assert check["action"].startswith("codecommit:MergeBranchesBy")
            assert check["context"].get("codecommit:References") == (reference and [reference])


def test_the_aws_cli_merges_branches_and_a_pull_request(codecommit, sandbox, work, aws_cli):
    def aws(*words):
        done = subprocess.run(
            [aws_cli, "codecommit", *words], env=sandbox.environment(), check=True, capture_output=True, timeout=60
        )
        return json.loads(done.stdout)

    before = head(work, "main")
    codecommit.create_branch(repositoryName="demo", branchName="other", commitId=before)
    options = ["--repository-name", "demo", "--source-commit-specifier", "feature"]
    options += ["--destination-commit-specifier", before, "--target-branch", "other"]
    made = aws("merge-branches-by-three-way", *options, "--author-name", "Ada", "--email", "ada@example.com")
    assert tip(codecommit, "other") == made["commitId"]
    for way in ("fast-forward", "squash"):
        codecommit.create_branch(repositoryName="demo", branchName=way, commitId=before)
        assert aws(f"merge-branches-by-{way}", *options[:-1], way)["treeId"] == made["treeId"]
    codecommit.create_pull_request(title="A change", targets=[{"repositoryName": "demo", "sourceReference": "feature"}])
    number = ("--pull-request-id", "1", "--repository-name", "demo", "--commit-message", "Why")
    (target,) = aws("merge-pull-request-by-three-way", *number)["pullRequest"]["pullRequestTargets"]
    assert target["mergeMetadata"]["mergeOption"] == "THREE_WAY_MERGE"
