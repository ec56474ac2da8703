"""Whatever is done to branches, by git or by the API, both show the same afterwards."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

BRANCHES = ("main", "dev", "feature/a", "feature")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["push", "force", "delete-by-git", "create", "delete", "default"]),
        st.sampled_from(BRANCHES),
        st.integers(0, 2),
    ),
    max_size=5,
)


def test_branches_by_git_and_by_the_api_agree(sandbox, codecommit, clone):
    work = clone("source")
    commits = [work.commit(content=str(number)) for number in range(3)]

    @settings(max_examples=12)
    @given(STEPS)
    def check(steps):
        codecommit.create_repository(repositoryName="demo")
        try:
            _compare(codecommit, work, commits, f"{sandbox.url}/v1/repos/demo", steps)
        finally:
            codecommit.delete_repository(repositoryName="demo")

    check()


def _compare(codecommit, work, commits, url, steps):
    expected: dict[str, str] = {}
    default = None
    for what, branch, number in steps:
        commit = commits[number]
        taken = any(branch.startswith(other + "/") or other.startswith(branch + "/") for other in expected)
        if what in ("push", "force"):
            behind = branch in expected and commits.index(expected[branch]) > number
            works = not taken and (what == "force" or not behind)
            done = work.git(
                "push", *(["-f"] if what == "force" else []), url, f"{commit}:refs/heads/{branch}", check=False
            )
            assert (done.returncode == 0) is works, done.stderr
            if works:
                expected[branch] = commit
                default = default or branch
        elif what == "delete-by-git":
            done = work.git("push", url, f":refs/heads/{branch}", check=False)
            if branch in expected:
                assert (done.returncode == 0) is (branch != default), done.stderr
                if branch != default:
                    del expected[branch]
        elif what == "create":
            known = bool(expected) and commits.index(max(expected.values(), key=commits.index)) >= number
            works = known and branch not in expected and not taken
            if known or not expected:
                params = {"repositoryName": "demo", "branchName": branch, "commitId": commit}
                assert _succeeds(codecommit.create_branch, **params) is works
                if works:
                    expected[branch] = commit
        elif what == "delete":
            works = branch != default
            assert _succeeds(codecommit.delete_branch, repositoryName="demo", branchName=branch) is works
            if works:
                expected.pop(branch, None)
        elif what == "default":
            works = branch in expected
            assert _succeeds(codecommit.update_default_branch, repositoryName="demo", defaultBranchName=branch) is works
            default = branch if works else default
    by_api = {
        name: codecommit.get_branch(repositoryName="demo", branchName=name)["branch"]["commitId"]
        for name in codecommit.list_branches(repositoryName="demo")["branches"]
    }
    shown = work.git("ls-remote", "--symref", url).stdout.splitlines()
    by_git = {line.split("\t")[1][11:]: line.split("\t")[0] for line in shown if "\trefs/heads/" in line}
    head = [line.split()[1][11:] for line in shown if line.startswith("ref: ")]
    assert by_api == by_git == expected
    assert codecommit.get_repository(repositoryName="demo")["repositoryMetadata"].get("defaultBranch") == default
    assert head == ([default] if default else [])


def _succeeds(call, **params):
    try:
        call(**params)
    except ClientError:
        return False
    return True
