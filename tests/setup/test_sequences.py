"""Random interleavings of what people and networks do.

However it is mixed: what is another team's stays as it is, a commit that is reachable nowhere else is never lost, and
a version is never removed without --force.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.setup.account import Account, incomplete
from tests.setup.faults import fault, faults
from tests.setup.stage import Clone

CALLS = [
    ("codecommit", "CreateRepository"),
    ("codecommit", "GetRepository"),
    ("codecommit", "GitPush"),
    ("codecommit", "UpdateDefaultBranch"),
    ("codecommit", "DeleteRepository"),
    ("sagemaker", "CreateModelPackageGroup"),
    ("sagemaker", "DeleteModelPackageGroup"),
    ("sagemaker", "ListTags"),
]
A_FAULT = st.one_of(
    st.none(),
    st.tuples(
        st.sampled_from(CALLS),
        st.integers(1, 4),
        st.sampled_from(["throttling", "access-denied", "server-error", "no-answer", "dropped"]),
        st.sampled_from([1, None]),
    ),
)
STEP = st.one_of(
    st.tuples(st.just("setup"), A_FAULT),
    st.tuples(st.just("teardown"), A_FAULT),
    st.tuples(st.just("teardown --force"), A_FAULT),
    st.tuples(st.sampled_from(["their push", "my push", "fetch", "their group", "their repository", "version"])),
)


class History:
    """What happened so far, and what must therefore still be there."""

    def __init__(self, clone: Clone, folder: Path) -> None:
        self.clone, self.account, self.folder = clone, clone.account, folder
        self.theirs: dict[str, dict[str, object]] = {"repositories": {}, "groups": {}}
        self.commits: set[str] = set()
        self.versions: set[str] = set()
        self.number = 0

    def happen(self, what: str, trouble: Any = None) -> None:
        if what.startswith(("setup", "teardown")):
            command = what.split()
            wanted = []
            if trouble:
                call, number, name, times = trouble
                wanted = [fault((*call, number), name, times)]
            with faults(self.account.sandbox, *wanted):
                done = self.clone.mlops(*command, "--yes")
            assert done.code in (0, 1)
            assert "Traceback" not in done.stderr
            assert len(done.stderr.splitlines()) == done.code, done
            if "--force" in command:
                self.versions &= self.present_versions()
        else:
            getattr(self, what.replace(" ", "_"))()
        self.check()

    def is_ours(self) -> bool:
        state = self.account.state()["repositories"]
        return self.clone.slug in state and self.clone.slug not in self.theirs["repositories"]

    def their_push(self) -> None:
        if self.is_ours() and self.account.refs(self.clone.slug):
            self.number += 1
            other = self.folder / f"clone-{self.number}"
            self.account.git("clone", "--quiet", self.account.url(self.clone.slug), str(other), cwd=self.folder)
            self.account.git("commit", "--quiet", "--allow-empty", f"--message={self.number}", cwd=other)
            self.account.git("push", "--quiet", "origin", f"HEAD:refs/heads/idea-{self.number}", cwd=other)
            self.commits.add(self.account.git("rev-parse", "HEAD", cwd=other))

    def my_push(self) -> None:
        self.number += 1
        git, path = self.account.git, self.clone.path
        git("commit", "--quiet", "--allow-empty", f"--message=mine {self.number}", cwd=path)
        self.commits.add(git("rev-parse", "HEAD", cwd=path))
        if self.is_ours() and self.account.refs(self.clone.slug):
            git("push", "--quiet", self.account.url(self.clone.slug), f"HEAD:refs/heads/mine-{self.number}", cwd=path)

    def fetch(self) -> None:
        if self.is_ours():
            url = self.account.url(self.clone.slug)
            self.account.git("fetch", "--quiet", url, "+refs/*:refs/kept/*", cwd=self.clone.path)

    def their_group(self) -> None:
        name = f"{self.clone.slug}-prod"
        if name not in self.account.state()["groups"]:
            self.account.make_group(name, {"team": "theirs"})
            self.account.register(name)
            self.theirs["groups"][name] = self.account.state()["groups"][name]

    def their_repository(self) -> None:
        name = self.clone.slug
        if name not in self.account.state()["repositories"]:
            self.number += 1
            self.account.make_foreign(self.folder / f"theirs-{self.number}", name, [])
            self.theirs["repositories"][name] = self.account.state()["repositories"][name]

    def version(self) -> None:
        group = f"{self.clone.slug}-dev"
        if group in self.account.state()["groups"]:
            self.versions.add(self.account.register(group))

    def present_versions(self) -> set[str]:
        return {version for group in self.account.state()["groups"].values() for version in group["versions"]}

    def check(self) -> None:
        state = self.account.state()
        for kind, resources in self.theirs.items():
            for name, before in resources.items():
                assert state[kind].get(name) == before, f"{name} is another team's"
        assert self.versions <= self.present_versions()
        reachable = set(self.account.git("rev-list", "--all", cwd=self.clone.path).split())
        if self.is_ours():
            reachable |= set(self.account.refs(self.clone.slug).values())  # each was pushed to a branch of its own
        assert self.commits <= reachable, "commits were lost"


@pytest.mark.slow
def test_whatever_happens_nothing_of_others_and_no_work_is_lost(
    clone: Clone, account: Account, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The combinations that nobody thinks of: a push between a failed teardown and a setup, a name taken in between."""

    @settings(max_examples=8)
    @given(st.lists(STEP, min_size=3, max_size=7))
    def try_out(steps: list[tuple[object, ...]]) -> None:
        account.sandbox.reset()
        account.sandbox.set_faults([])
        clone.restore()
        history = History(clone, tmp_path_factory.mktemp("history"))
        for step in steps:
            history.happen(*step)  # type: ignore[arg-type]
        if not any(history.theirs.values()):
            done = clone.mlops("setup")
            assert done.code == 0, done
            if not history.commits:
                missing = incomplete(account, clone.path, clone.slug, clone.root_commit, "champion-challenger")
                assert missing == []

    try_out()
