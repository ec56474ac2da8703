"""Merging CodeCommit's pull requests, by fast-forward, by squash and by a three-way merge. Each docstring names the page a rule is from."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow

DEVELOPER = "arn:aws:iam::123456789012:user/developer"
LINES = "".join(f"line {number}\n" for number in range(20))


REFUSED_SQUASHES: list[tuple[dict[str, Any], str]] = [
    ({"authorName": "x" * 1025}, "NameLengthExceededException"),
    ({"email": "x" * 257}, "InvalidEmailException"),
    ({"email": "<ada@example.com>"}, "InvalidEmailException"),
    ({"conflictDetailLevel": "WORD_LEVEL"}, "InvalidConflictDetailLevelException"),
    ({"conflictResolutionStrategy": "GUESS"}, "InvalidConflictResolutionStrategyException"),
    ({"conflictResolution": {"deleteFiles": [{"filePath": "x"}]}}, "InvalidConflictResolutionException"),
    (
        {"conflictResolution": {"replaceContents": [{"filePath": "x", "replacementType": "ANY"}]}},
        "InvalidReplacementTypeException",
    ),
    ({"conflictResolution": {"deleteFiles": [{}]}}, "PathRequiredException"),
    ({"conflictResolutionStrategy": "ACCEPT_SOURCE"}, "NotImplementedInSandbox"),
    ({"keepEmptyFolders": True}, "NotImplementedInSandbox"),
]


@pytest.fixture
def work(clone, codecommit):
    """A working copy with main and feature, one commit ahead, and the pull request 1 from feature to main."""
    made = clone()
    made.commit("kept.txt", LINES)
    made.git("push", "-q", "origin", "main")
    made.git("checkout", "-q", "-b", "feature")
    made.commit("new.txt", message="Add new.txt")
    made.git("push", "-q", "origin", "feature")
    codecommit.create_pull_request(
        title="A change",
        targets=[{"repositoryName": "demo", "sourceReference": "feature", "destinationReference": "main"}],
    )
    return made


@pytest.fixture
def fast_forward(codecommit):
    def merge(**params):
        given = {"pullRequestId": "1", "repositoryName": "demo", **params}
        return codecommit.merge_pull_request_by_fast_forward(**given)["pullRequest"]

    return merge


@pytest.fixture
def squash(codecommit):
    def merge(**params):
        given = {"pullRequestId": "1", "repositoryName": "demo", **params}
        return codecommit.merge_pull_request_by_squash(**given)["pullRequest"]

    return merge


@pytest.fixture
def three_way(codecommit):
    def merge(**params):
        given = {"pullRequestId": "1", "repositoryName": "demo", **params}
        return codecommit.merge_pull_request_by_three_way(**given)["pullRequest"]

    return merge


def on_main(work, name, content):
    """A commit on main, pushed; feature is checked out again."""
    work.git("checkout", "-q", "main")
    commit = work.commit(name, content)
    work.git("push", "-q", "origin", "main")
    work.git("checkout", "-q", "feature")
    return commit


def on_feature(work, name, content):
    work.commit(name, content)
    work.git("push", "-q", "origin", "feature")


def tip(codecommit, branch="main"):
    return codecommit.get_branch(repositoryName="demo", branchName=branch)["branch"]["commitId"]


def is_open(codecommit):
    return codecommit.get_pull_request(pullRequestId="1")["pullRequest"]["pullRequestStatus"] == "OPEN"


def test_a_fast_forward_moves_the_destination_and_closes(codecommit, work, fast_forward):
    """API Reference, MergePullRequestByFastForward: "If the merge is successful, it closes the pull request"; User
    Guide, "Merge a pull request": "No merge commit will be created"."""
    source = work.git("rev-parse", "feature").stdout.strip()
    merged = fast_forward(sourceCommitId=source)
    assert merged["pullRequestStatus"] == "CLOSED"
    (target,) = merged["pullRequestTargets"]
    assert target["mergeMetadata"] == {"isMerged": True, "mergedBy": DEVELOPER, "mergeOption": "FAST_FORWARD_MERGE"}
    assert target["destinationCommit"] == work.git("rev-parse", "main").stdout.strip()
    assert tip(codecommit) == source
    assert tip(codecommit, "feature") == source


def test_a_fast_forward_closes_every_pull_request_that_it_merges(codecommit, work, fast_forward):
    """User Guide, "Merge a pull request"."""
    codecommit.create_pull_request(title="Twin", targets=[{"repositoryName": "demo", "sourceReference": "feature"}])
    fast_forward()
    twin = codecommit.get_pull_request(pullRequestId="2")["pullRequest"]
    assert twin["pullRequestTargets"][0]["mergeMetadata"]["isMerged"] is True


def test_branches_that_diverged_are_not_fast_forwarded(codecommit, work, refused, fast_forward):
    """ManualMergeRequiredException."""
    ahead = on_main(work, "other.txt", "x")
    assert refused(fast_forward)[0] == "ManualMergeRequiredException"
    assert tip(codecommit) == ahead
    assert is_open(codecommit)


def test_a_squash_is_one_commit_on_the_destination(codecommit, work, squash):
    """API Reference, MergePullRequestBySquash: authorName is "used as both the author and committer"."""
    on_feature(work, "more.txt", "more")
    ahead = on_main(work, "other.txt", "x")
    merged = squash(authorName="Ada Lovelace", email="ada@example.com", commitMessage="Both files")
    commit = tip(codecommit)
    (target,) = merged["pullRequestTargets"]
    assert target["mergeMetadata"] == {
        "isMerged": True,
        "mergedBy": DEVELOPER,
        "mergeOption": "SQUASH_MERGE",
        "mergeCommitId": commit,
    }
    made = codecommit.get_commit(repositoryName="demo", commitId=commit)["commit"]
    assert made["parents"] == [ahead]
    assert made["message"].strip() == "Both files"
    for role in ("author", "committer"):
        assert (made[role]["name"], made[role]["email"]) == ("Ada Lovelace", "ada@example.com")
    work.git("fetch", "-q")
    files = work.git("ls-tree", "-r", "--name-only", "origin/main").stdout.split()
    assert files == ["kept.txt", "more.txt", "new.txt", "other.txt"]


def test_a_three_way_merge_keeps_the_commits_of_both_sides(codecommit, work, three_way):
    """User Guide, "Merge a pull request": "creates a merge commit for the merge in the destination branch, but also
    retains the individual commits made in the source branch"; API Reference, MergeMetadata."""
    source = work.git("rev-parse", "feature").stdout.strip()
    ahead = on_main(work, "other.txt", "x")
    merged = three_way(authorName="Ada Lovelace", email="ada@example.com", commitMessage="Both files")
    commit = tip(codecommit)
    (target,) = merged["pullRequestTargets"]
    option = {"mergeOption": "THREE_WAY_MERGE", "mergeCommitId": commit}
    assert target["mergeMetadata"] == {"isMerged": True, "mergedBy": DEVELOPER, **option}
    assert merged["pullRequestStatus"] == "CLOSED"
    made = codecommit.get_commit(repositoryName="demo", commitId=commit)["commit"]
    assert (made["parents"], made["message"].strip()) == ([ahead, source], "Both files")
    assert {(made[role]["name"], made[role]["email"]) for role in ("author", "committer")} == {
        ("Ada Lovelace", "ada@example.com")
    }
    work.git("fetch", "-q")
    files = work.git("ls-tree", "-r", "--name-only", "origin/main").stdout.split()
    assert files == ["kept.txt", "new.txt", "other.txt"]


def test_a_three_way_merge_makes_a_commit_where_a_fast_forward_would_do(codecommit, work, three_way):
    before, source = tip(codecommit), tip(codecommit, "feature")
    three_way()
    made = codecommit.get_commit(repositoryName="demo", commitId=tip(codecommit))["commit"]
    assert made["parents"] == [before, source]
    assert source in made["message"]


def test_a_three_way_merge_refuses_what_a_squash_refuses(codecommit, work, refused, three_way):
    """API Reference, MergePullRequestByThreeWay: its parameters and errors are those of MergePullRequestBySquash."""
    assert [refused(three_way, **params)[0] for params, _ in REFUSED_SQUASHES] == [code for _, code in REFUSED_SQUASHES]
    on_main(work, "new.txt", "other")
    assert refused(three_way, conflictDetailLevel="LINE_LEVEL")[0] == "ManualMergeRequiredException"
    assert is_open(codecommit)


def test_a_squash_message_holds_those_of_the_commits(codecommit, work, squash):
    """User Guide, "Merge a pull request": "By default, the commit message for that squash commit contains all the commit
    messages of the changes in the source branch"."""
    work.commit("more.txt", message="Add more.txt")
    work.git("push", "-q", "origin", "feature")
    squash()
    made = codecommit.get_commit(repositoryName="demo", commitId=tip(codecommit))["commit"]
    assert "Add new.txt" in made["message"]
    assert "Add more.txt" in made["message"]
    assert made["author"]["name"] == "developer"


def test_a_file_that_both_changed_is_merged_by_lines_alone(codecommit, work, refused, squash):
    """API Reference, MergePullRequestBySquash, conflictDetailLevel: "the default FILE_LEVEL ... returns a not-mergeable
    result if the same file has differences in both branches"."""
    on_main(work, "kept.txt", LINES.replace("line 1\n", "main\n"))
    on_feature(work, "kept.txt", LINES.replace("line 18\n", "feature\n"))
    assert refused(squash)[0] == "ManualMergeRequiredException"
    assert refused(squash, conflictDetailLevel="FILE_LEVEL")[0] == "ManualMergeRequiredException"
    squash(conflictDetailLevel="LINE_LEVEL")
    merged = codecommit.get_file(repositoryName="demo", filePath="kept.txt")["fileContent"].decode()
    assert merged == LINES.replace("line 1\n", "main\n").replace("line 18\n", "feature\n")


def test_the_same_line_changed_by_both_is_a_conflict(codecommit, work, refused, squash):
    """The same: "LINE_LEVEL ... is considered not mergeable if the same file in both branches has differences on the
    same line"."""
    ahead = on_main(work, "kept.txt", LINES.replace("line 1\n", "main\n"))
    on_feature(work, "kept.txt", LINES.replace("line 1\n", "feature\n"))
    assert refused(squash, conflictDetailLevel="LINE_LEVEL")[0] == "ManualMergeRequiredException"
    assert tip(codecommit) == ahead
    assert is_open(codecommit)


def test_the_same_change_by_both_is_none(codecommit, work, squash):
    on_main(work, "new.txt", "content\n")
    squash()
    assert not is_open(codecommit)


def test_an_edit_does_not_follow_a_rename(work, refused, squash):
    """Nothing says that CodeCommit looks for renames: strictly, one deleted what the other edited."""
    on_main(work, "kept.txt", LINES + "more\n")
    work.git("mv", "kept.txt", "renamed.txt")
    on_feature(work, "x.txt", "x")
    assert refused(squash, conflictDetailLevel="LINE_LEVEL")[0] == "ManualMergeRequiredException"


def test_a_file_where_the_other_has_a_folder_is_a_conflict(work, refused, squash):
    on_main(work, "place", "a file")
    on_feature(work, "place/file.txt", "in a folder")
    assert refused(squash)[0] == "ManualMergeRequiredException"


def test_unrelated_histories_are_not_merged(codecommit, work, refused):
    work.git("checkout", "-q", "--orphan", "alone")
    work.commit("kept.txt", "other")
    work.git("push", "-q", "origin", "alone")
    target = {"repositoryName": "demo", "sourceReference": "alone"}
    made = codecommit.create_pull_request(title="Alone", targets=[target])["pullRequest"]
    assert "mergeBase" not in made["pullRequestTargets"][0]
    for merge in (codecommit.merge_pull_request_by_squash, codecommit.merge_pull_request_by_fast_forward):
        assert refused(merge, pullRequestId="2", repositoryName="demo")[0] == "ManualMergeRequiredException"


@pytest.mark.parametrize("way", ["squash", "fast_forward", "three_way"])
def test_what_all_merges_refuse(codecommit, work, refused, way):
    """API Reference, MergePullRequestBySquash and its siblings, "Errors"."""
    merge = getattr(codecommit, f"merge_pull_request_by_{way}")
    codecommit.create_repository(repositoryName="other")
    params = {"pullRequestId": "1", "repositoryName": "demo"}
    for changes, code in (
        ({"repositoryName": "none"}, "RepositoryDoesNotExistException"),
        ({"repositoryName": "a b"}, "InvalidRepositoryNameException"),
        ({"repositoryName": "other"}, "RepositoryNotAssociatedWithPullRequestException"),
        ({"sourceCommitId": "abc"}, "InvalidCommitIdException"),
        ({"sourceCommitId": tip(codecommit)}, "TipOfSourceReferenceIsDifferentException"),
    ):
        assert refused(merge, **{**params, **changes})[0] == code
    assert refused(merge, pullRequestId="1")[0] == "RepositoryNameRequiredException"
    assert is_open(codecommit)
    reviewed = tip(codecommit, "feature")
    on_feature(work, "late.txt", "pushed after the review")
    assert refused(merge, **params, sourceCommitId=reviewed)[0] == "TipOfSourceReferenceIsDifferentException"
    merge(**params)
    after = tip(codecommit)
    assert refused(merge, **params)[0] == "PullRequestAlreadyClosedException"
    assert tip(codecommit) == after


def test_what_a_squash_refuses(codecommit, work, refused, squash):
    """User Guide, "Quotas" (user names, email addresses); API Reference, MergePullRequestBySquash, "Errors"."""
    assert [refused(squash, **params)[0] for params, _ in REFUSED_SQUASHES] == [code for _, code in REFUSED_SQUASHES]
    assert is_open(codecommit)


def test_a_message_above_the_quota_is_refused(codecommit, work, refused, squash, monkeypatch):
    """User Guide, "Quotas", "Metadata for a commit": 20 MB (here 20 bytes); CommitMessageLengthExceededException."""
    monkeypatch.setattr("sandbox.codecommit.merge_strategies.LARGEST_METADATA", 20)
    assert refused(squash, commitMessage="é" * 11)[0] == "CommitMessageLengthExceededException"
    squash(commitMessage="é" * 10)


def test_a_push_that_is_faster_wins(codecommit, work, refused, squash, sandbox, monkeypatch):
    """ConcurrentReferenceUpdateException: "the target branch has been modified ... while the merge was in progress"."""
    from sandbox.codecommit import merge_strategies

    made = merge_strategies._commit

    def slow(call, repository, *rest):
        repository.git("update-ref", "refs/heads/main", "refs/heads/feature")
        return made(call, repository, *rest)

    monkeypatch.setattr(merge_strategies, "_commit", slow)
    assert refused(squash)[0] == "ConcurrentReferenceUpdateException"


def test_merges_carry_the_repository_and_the_destination_for_policies(codecommit, sandbox, work, squash):
    """Service Authorization Reference, CodeCommit: codecommit:References applies to the merges, and not to
    CreatePullRequest; every operation on a pull request is on its repository."""
    arn = "arn:aws:codecommit:us-east-1:123456789012:demo"
    codecommit.tag_resource(resourceArn=arn, tags={"a": "1"})
    codecommit.get_pull_request(pullRequestId="1")
    codecommit.list_pull_requests(repositoryName="demo")
    codecommit.create_pull_request(title="Twin", targets=[{"repositoryName": "demo", "sourceReference": "feature"}])
    codecommit.update_pull_request_status(pullRequestId="2", pullRequestStatus="CLOSED")
    squash()
    calls = sandbox.calls[-5:]
    assert [call["resource"] for call in calls] == [arn] * 5
    tags = {"aws:ResourceTag/a": "1"}
    assert [call["context"] for call in calls[:4]] == [tags] * 4
    assert calls[4]["context"] == {**tags, "codecommit:References": ["refs/heads/main"]}


def test_a_call_for_no_pull_request_names_no_resource(codecommit, sandbox, refused):
    refused(codecommit.get_pull_request, pullRequestId="9")
    assert sandbox.calls[-1]["resource"] is None
