"""What CodeCommit says of a merge before it is made. Each docstring names the page a rule is from."""

from __future__ import annotations

import json
import subprocess

import pytest

pytestmark = pytest.mark.slow

LINES = [f"line {number}\n" for number in range(20)]
OPTIONS = ["FAST_FORWARD_MERGE", "SQUASH_MERGE", "THREE_WAY_MERGE"]


@pytest.fixture
def work(clone):
    """A working copy of main, pushed, with some files; feature is checked out, and as far as main."""
    made = clone()
    for name, content in (("a.txt", "".join(LINES)), ("b.txt", "b\n"), ("c.bin", b"\0c"), ("d.txt", "d\n")):
        (made.path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    made.commit("e.txt")
    made.git("push", "-q", "origin", "main")
    made.git("checkout", "-q", "-b", "feature")
    return made


@pytest.fixture
def forecast(codecommit):
    """forecast("THREE_WAY_MERGE", **params) -> the conflicts of feature in main."""

    def get(option="THREE_WAY_MERGE", **params):
        given = {"repositoryName": "demo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main"}
        return codecommit.get_merge_conflicts(**{**given, "mergeOption": option, **params})

    return get


@pytest.fixture
def options(codecommit):
    def get(**params):
        given = {"repositoryName": "demo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main"}
        return codecommit.get_merge_options(**{**given, **params})

    return get


def diverge(work, on_main, on_feature):
    """A commit on each branch, pushed: content by name, None deletes."""
    for branch, files in (("main", on_main), ("feature", on_feature)):
        work.git("checkout", "-q", branch)
        for name, content in files.items():
            path = work.path / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        work.git("add", "-A")
        work.git("commit", "-q", "--allow-empty", "-m", f"on {branch}")
        work.git("push", "-q", "origin", branch)


def edited(*numbers, by):
    return "".join(f"{by}\n" if number in numbers else line for number, line in enumerate(LINES))


def head(work, reference):
    return work.git("rev-parse", reference).stdout.strip()


def test_a_source_that_is_ahead_can_be_merged_in_every_way(work, forecast, options):
    """User Guide, "Resolve conflicts in a pull request": get-merge-options names all three."""
    base = head(work, "main")
    diverge(work, {}, {"b.txt": "feature\n"})
    work.git("push", "-q", "--force", "origin", f"{base}:refs/heads/main")
    found = options()
    commits = {"sourceCommitId": head(work, "feature"), "destinationCommitId": base, "baseCommitId": base}
    assert {name: found[name] for name in commits} == commits
    assert found["mergeOptions"] == OPTIONS
    for option in OPTIONS:
        answer = forecast(option)
        assert {name: answer[name] for name in commits} == commits
        assert (answer["mergeable"], answer["conflictMetadataList"]) == (True, [])


def test_branches_that_diverged_without_a_conflict(work, forecast, options):
    """API Reference, GetMergeConflicts: of a fast-forward, "this list is always empty"."""
    diverge(work, {"a.txt": "main\n"}, {"b.txt": "feature\n"})
    assert options()["mergeOptions"] == OPTIONS[1:]
    assert [forecast(option)["mergeable"] for option in OPTIONS] == [False, True, True]
    assert [forecast(option)["conflictMetadataList"] for option in OPTIONS] == [[], [], []]


def test_a_file_that_both_changed(codecommit, work, forecast, options, refused):
    """API Reference, ConflictMetadata; conflictDetailLevel; numberOfConflicts counts hunks. What is said agrees with
    what the merges then do."""
    ours, theirs = edited(1, 5, 18, by="main"), edited(1, 10, 18, by="feature")
    diverge(work, {"a.txt": ours}, {"a.txt": theirs})
    assert options()["mergeOptions"] == []
    (conflict,) = forecast()["conflictMetadataList"]
    assert conflict == {
        "filePath": "a.txt",
        "fileSizes": {"source": len(theirs), "destination": len(ours), "base": len("".join(LINES))},
        "fileModes": dict.fromkeys(("source", "destination", "base"), "NORMAL"),
        "objectTypes": dict.fromkeys(("source", "destination", "base"), "FILE"),
        "numberOfConflicts": 1,
        "isBinaryFile": dict.fromkeys(("source", "destination", "base"), False),
        "contentConflict": True,
        "fileModeConflict": False,
        "objectTypeConflict": False,
        "mergeOperations": {"source": "M", "destination": "M"},
    }
    by_lines = forecast(conflictDetailLevel="LINE_LEVEL")
    assert by_lines["mergeable"] is False
    assert by_lines["conflictMetadataList"] == [{**conflict, "numberOfConflicts": 2}]
    diverge(work, {"a.txt": edited(5, by="main")}, {"a.txt": edited(10, by="feature")})
    assert forecast()["mergeable"] is False
    found = forecast(conflictDetailLevel="LINE_LEVEL")
    assert (found["mergeable"], found["conflictMetadataList"]) == (True, [])
    assert options(conflictDetailLevel="LINE_LEVEL")["mergeOptions"] == OPTIONS[1:]
    names = {"repositoryName": "demo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main"}
    assert refused(codecommit.merge_branches_by_squash, **names)[0] == "ManualMergeRequiredException"
    codecommit.merge_branches_by_squash(**names, conflictDetailLevel="LINE_LEVEL")


def test_conflicts_of_all_kinds_and_in_pages(work, forecast, refused):
    """API Reference, ConflictMetadata and its members; maxConflictFiles."""
    (work.path / "d.txt").chmod(0o755)
    diverge(
        work,
        {"b.txt": None, "c.bin": b"\0main", "new.txt": "main\n", "place": "a file"},
        {"b.txt": "feature\n", "c.bin": b"\0feature", "d.txt": "d\n", "new.txt": "feature\n", "place/x.txt": "x"},
    )
    keys = ("filePath", "numberOfConflicts", "contentConflict", "objectTypeConflict", "mergeOperations", "objectTypes")
    for level in ("FILE_LEVEL", "LINE_LEVEL"):
        answer = forecast(conflictDetailLevel=level)
        assert answer["mergeable"] is False
        found = {
            conflict["filePath"]: tuple(conflict[key] for key in keys) for conflict in answer["conflictMetadataList"]
        }
        modified, added = {"source": "M", "destination": "M"}, {"source": "A", "destination": "A"}
        file, three = (
            {"source": "FILE", "destination": "FILE"},
            dict.fromkeys(("source", "destination", "base"), "FILE"),
        )
        gone = {"source": "FILE", "base": "FILE"}
        folder = {"source": "DIRECTORY", "destination": "FILE"}
        assert found == {
            "b.txt": ("b.txt", 1, True, False, {"source": "M", "destination": "D"}, gone),
            "c.bin": ("c.bin", 1, True, False, modified, three),
            "new.txt": ("new.txt", 1, True, False, added, file),
            "place": ("place", 1, False, True, added, folder),
        }
    binary = next(item for item in answer["conflictMetadataList"] if item["filePath"] == "c.bin")
    assert binary["isBinaryFile"] == dict.fromkeys(("source", "destination", "base"), True)
    paths, token = [], None
    while True:
        page = forecast(maxConflictFiles=3, **({"nextToken": token} if token else {}))
        paths.append([conflict["filePath"] for conflict in page["conflictMetadataList"]])
        token = page.get("nextToken")
        if not token:
            break
    assert paths == [["b.txt", "c.bin", "new.txt"], ["place"]]
    assert refused(forecast, maxConflictFiles=0)[0] == "InvalidMaxConflictFilesException"
    assert refused(forecast, nextToken="made-up")[0] == "InvalidContinuationTokenException"


def test_modes_that_both_changed(work, forecast):
    """API Reference, ConflictMetadata, fileModeConflict."""
    diverge(work, {"new.sh": "x\n"}, {})
    work.git("checkout", "-q", "feature")
    (work.path / "new.sh").write_text("x\n")
    (work.path / "new.sh").chmod(0o755)
    work.git("add", "-A")
    work.git("commit", "-q", "-m", "executable")
    work.git("push", "-q", "origin", "feature")
    answer = forecast()
    (conflict,) = answer["conflictMetadataList"]
    assert (answer["mergeable"], conflict["contentConflict"], conflict["fileModeConflict"]) == (False, False, True)
    assert conflict["fileModes"] == {"source": "EXECUTABLE", "destination": "NORMAL"}


def test_what_is_refused(codecommit, sandbox, work, forecast, options, refused):
    """API Reference, GetMergeConflicts and GetMergeOptions, "Errors"; Service Authorization Reference: both are on the
    repository, without codecommit:References."""
    diverge(work, {}, {})
    for call in (forecast, options):
        for changes, code in (
            ({"repositoryName": "none"}, "RepositoryDoesNotExistException"),
            ({"sourceCommitSpecifier": ""}, "CommitRequiredException"),
            ({"destinationCommitSpecifier": "none"}, "CommitDoesNotExistException"),
            ({"sourceCommitSpecifier": "a..b"}, "InvalidCommitException"),
            ({"conflictDetailLevel": "WORD_LEVEL"}, "InvalidConflictDetailLevelException"),
            ({"conflictResolutionStrategy": "GUESS"}, "InvalidConflictResolutionStrategyException"),
            ({"conflictResolutionStrategy": "ACCEPT_SOURCE"}, "NotImplementedInSandbox"),
        ):
            assert refused(call, **changes)[0] == code, changes
        call()
        (check,) = sandbox.calls[-1]["authorization"]
        assert check["resource"] == "arn:aws:codecommit:us-east-1:123456789012:demo"
        assert "codecommit:References" not in check["context"]
    assert refused(forecast, option="OCTOPUS_MERGE")[0] == "InvalidMergeOptionException"
    work.git("checkout", "-q", "--orphan", "alone")
    work.commit("a.txt", "other")
    work.git("push", "-q", "origin", "alone")
    answer = forecast(sourceCommitSpecifier="alone")
    assert (answer["mergeable"], answer["conflictMetadataList"], "baseCommitId" in answer) == (False, [], False)
    assert options(sourceCommitSpecifier="alone")["mergeOptions"] == []


def test_the_aws_cli_asks_for_both(sandbox, work, aws_cli):
    diverge(work, {"b.txt": "main\n"}, {"b.txt": "feature\n"})
    words = [
        "--repository-name",
        "demo",
        "--source-commit-specifier",
        "feature",
        "--destination-commit-specifier",
        "main",
    ]

    def aws(operation, *more):
        done = subprocess.run(
            [aws_cli, "codecommit", operation, *words, *more],
            env=sandbox.environment(),
            check=True,
            capture_output=True,
            timeout=60,
        )
        return json.loads(done.stdout)

    assert aws("get-merge-options")["mergeOptions"] == []
    answer = aws("get-merge-conflicts", "--merge-option", "SQUASH_MERGE")
    assert [conflict["filePath"] for conflict in answer["conflictMetadataList"]] == ["b.txt"]
