"""CodeCommit's API on commits, files and differences, against a repository that git pushed."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def pushed(clone):
    """A repository with two commits on main: a script, a link and a folder, then a change of each kind."""
    work = clone()
    (work.path / "run.sh").write_text("#!/bin/sh\n")
    (work.path / "run.sh").chmod(0o755)
    os.symlink("run.sh", work.path / "link")
    (work.path / "gone.txt").write_text("gone\n")
    first = work.commit("data/deep/a ü.txt", "a\n", "first\n\nbody")
    (work.path / "gone.txt").unlink()
    (work.path / "new.txt").write_text("new\n")
    second = work.commit("data/deep/a ü.txt", "b\n", "second")
    work.git("tag", "v1", first)
    work.git("push", "-q", "origin", "main", "v1")
    return work, first, second


def test_a_commit_is_described_as_git_has_it(codecommit, pushed):
    """API Reference, Commit: dates are "timestamp format with GMT offset", as in `1484167798 -0800`."""
    work, first, second = pushed
    commit = codecommit.get_commit(repositoryName="demo", commitId=second)["commit"]
    assert (commit["parents"], commit["message"]) == ([first], "second\n")
    assert commit["treeId"] == work.git("rev-parse", f"{second}^{{tree}}").stdout.strip()
    assert commit["author"] == {
        "name": "Ada",
        "email": "ada@example.com",
        "date": work.git("log", "-1", "--format=%ad", "--date=raw").stdout.strip(),
    }


def test_commits_that_are_not_there_are_refused_or_listed(codecommit, pushed, refused):
    _, first, second = pushed
    assert (
        refused(codecommit.get_commit, repositoryName="demo", commitId="1" * 40)[0] == "CommitIdDoesNotExistException"
    )
    assert refused(codecommit.get_commit, repositoryName="demo", commitId=first[:7])[0] == "InvalidCommitIdException"
    answer = codecommit.batch_get_commits(repositoryName="demo", commitIds=[second, "1" * 40, first[:7]])
    assert [commit["commitId"] for commit in answer["commits"]] == [second]
    assert [error["errorCode"] for error in answer["errors"]] == [
        "CommitDoesNotExistException",
        "InvalidCommitIdException",
    ]


def test_a_file_is_read_by_branch_tag_commit_and_reference(codecommit, pushed, refused):
    _, first, second = pushed
    params = {"repositoryName": "demo", "filePath": "data/deep/a ü.txt"}
    for specifier, content in (
        (None, b"b\n"),
        ("main", b"b\n"),
        ("v1", b"a\n"),
        (first, b"a\n"),
        ("refs/heads/main", b"b\n"),
    ):
        got = codecommit.get_file(**params, **({"commitSpecifier": specifier} if specifier else {}))
        assert got["fileContent"] == content
    assert (got["commitId"], got["fileSize"], got["fileMode"]) == (second, 2, "NORMAL")
    assert codecommit.get_blob(repositoryName="demo", blobId=got["blobId"])["content"] == b"b\n"
    assert codecommit.get_file(repositoryName="demo", filePath="run.sh")["fileMode"] == "EXECUTABLE"
    assert codecommit.get_file(repositoryName="demo", filePath="link")["fileMode"] == "SYMLINK"
    assert refused(codecommit.get_file, repositoryName="demo", filePath="data")[0] == "FileDoesNotExistException"
    assert refused(codecommit.get_file, repositoryName="demo", filePath="a/../b")[0] == "InvalidPathException"
    assert refused(codecommit.get_file, **params, commitSpecifier="none")[0] == "CommitDoesNotExistException"
    assert refused(codecommit.get_file, **params, commitSpecifier="main~1")[0] == "InvalidCommitException"
    assert refused(codecommit.get_blob, repositoryName="demo", blobId="1" * 40)[0] == "BlobIdDoesNotExistException"


def test_a_file_above_six_megabytes_is_too_large_for_the_api(codecommit, clone, refused):
    """User Guide, "Quotas": "Maximum of 6 MB for any individual file when using the CodeCommit console, APIs, or the
    AWS CLI"."""
    work = clone()
    work.commit("big.bin", b"\0" * (6 * 1024 * 1024 + 1))
    work.git("push", "-q", "origin", "main")
    assert refused(codecommit.get_file, repositoryName="demo", filePath="big.bin")[0] == "FileTooLargeException"


def test_a_folder_lists_each_kind_of_entry(codecommit, pushed, refused):
    root = codecommit.get_folder(repositoryName="demo", folderPath="/")
    assert [entry["absolutePath"] for entry in root["subFolders"]] == ["data"]
    assert [(entry["absolutePath"], entry["fileMode"]) for entry in root["files"]] == [
        ("new.txt", "NORMAL"),
        ("run.sh", "EXECUTABLE"),
    ]
    assert [entry["absolutePath"] for entry in root["symbolicLinks"]] == ["link"]
    deep = codecommit.get_folder(repositoryName="demo", folderPath="data/deep")
    assert [(entry["absolutePath"], entry["relativePath"]) for entry in deep["files"]] == [
        ("data/deep/a ü.txt", "a ü.txt")
    ]
    assert refused(codecommit.get_folder, repositoryName="demo", folderPath="none")[0] == "FolderDoesNotExistException"


def test_differences_are_additions_changes_and_deletions_page_by_page(codecommit, pushed, refused):
    _, first, _ = pushed
    params = {"repositoryName": "demo", "beforeCommitSpecifier": first, "afterCommitSpecifier": "main"}
    pages = list(codecommit.get_paginator("get_differences").paginate(**params, MaxResults=2))
    found = {
        (item["changeType"], (item.get("afterBlob") or item["beforeBlob"])["path"])
        for page in pages
        for item in page["differences"]
    }
    assert found == {("A", "new.txt"), ("D", "gone.txt"), ("M", "data/deep/a ü.txt")}
    assert [len(page["differences"]) for page in pages] == [2, 1]
    everything = codecommit.get_differences(repositoryName="demo", afterCommitSpecifier="v1")["differences"]
    assert {item["changeType"] for item in everything} == {"A"}
    inside = codecommit.get_differences(**params, afterPath="data")["differences"]
    assert [item["afterBlob"]["path"] for item in inside] == ["data/deep/a ü.txt"]
    assert refused(codecommit.get_differences, **params, MaxResults=0)[0] == "InvalidMaxResultsException"


def test_an_empty_repository_has_no_commit_to_read(codecommit, refused):
    codecommit.create_repository(repositoryName="demo")
    assert refused(codecommit.get_folder, repositoryName="demo", folderPath="/")[0] == "CommitDoesNotExistException"
