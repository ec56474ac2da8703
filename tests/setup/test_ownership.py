"""What is not ours is never adopted, pushed to or deleted, whatever it looks like.

*Ours* is a repository that holds our root commit (or is still empty and carries it as a tag), and a group that carries
it as a tag. Two teams that choose the same name must not meet in each other's repository.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.setup.account import Account, State
from tests.setup.faults import fault, faults, let_go, until_it_hangs
from tests.setup.stage import Quick

Render = Callable[..., Quick]


@pytest.fixture
def mine(repository: Render) -> Quick:
    return repository()


def tags_of(mine: Quick, **other: str) -> dict[str, str]:
    """All tags that setup gives, with some of them otherwise."""
    return {
        "mlops:project": mine.slug,
        "mlops:environment": "all",
        "mlops:owner": "vision@hospital.org",
        "mlops:template": "0.1.0",
        "mlops:root-commit": mine.root_commit,
        **other,
    }


def with_commits(account: Account, mine: Quick, tmp_path: Path) -> None:
    account.make_foreign(tmp_path / "theirs", mine.slug, [])


def empty(account: Account, mine: Quick, tmp_path: Path) -> None:
    account.make_repository(mine.slug)


def with_our_tags_but_another_root(account: Account, mine: Quick, tmp_path: Path) -> None:
    account.make_repository(mine.slug, **tags_of(mine, **{"mlops:root-commit": "0" * 40}))


def with_our_root_commit_as_a_tag_but_other_commits(account: Account, mine: Quick, tmp_path: Path) -> None:
    account.make_foreign(tmp_path / "theirs", mine.slug, [])
    account.codecommit.tag_resource(
        resourceArn=f"arn:aws:codecommit:us-east-1:123456789012:{mine.slug}", tags=tags_of(mine)
    )


def a_group_without_tags(account: Account, mine: Quick, tmp_path: Path) -> None:
    account.make_group(f"{mine.slug}-prod")


def a_group_with_our_tags_but_another_root(account: Account, mine: Quick, tmp_path: Path) -> None:
    account.make_group(f"{mine.slug}-dev", tags_of(mine, **{"mlops:root-commit": "0" * 40}))
    account.register(f"{mine.slug}-dev")


REPOSITORIES = [with_commits, empty, with_our_tags_but_another_root, with_our_root_commit_as_a_tag_but_other_commits]
FOREIGN = [*REPOSITORIES, a_group_without_tags, a_group_with_our_tags_but_another_root]


def all_of(account: Account) -> tuple[State, dict[str, dict[str, str]]]:
    """The account with every reference, git tags too."""
    state = account.state()
    return state, {name: account.refs(name) for name in state["repositories"]}


@pytest.mark.slow
@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_others_have_under_our_name_stays_theirs(
    account: Account, mine: Quick, tmp_path: Path, foreign: Callable[[Account, Quick, Path], None]
) -> None:
    """Neither setup nor teardown changes it, with --force and --yes; setup makes nothing beside it."""
    foreign(account, mine, tmp_path)
    before, git_before = all_of(account), mine.git("config", "--local", "--list")
    line = mine.refusal("setup", "--yes")
    assert "nothing was touched" in line
    assert "Generate with another project_slug" in line
    assert all_of(account) == before
    assert mine.git("config", "--local", "--list") == git_before
    done = mine.mlops("teardown", "--yes", "--force")
    assert "There is nothing to remove." in done.stdout
    assert "keep" in done.stdout
    assert all_of(account) == before
    assert mine.mlops("doctor", check=False).code == 1


@pytest.mark.slow
@pytest.mark.parametrize("foreign", REPOSITORIES)
def test_a_repository_that_others_make_meanwhile_stays_theirs(
    account: Account, mine: Quick, aws: Sandbox, tmp_path: Path, foreign: Callable[[Account, Quick, Path], None]
) -> None:
    """Between our look and our creation somebody takes the name: the clearing up must not take it from them."""
    call, start = ("codecommit", "CreateRepository", 1), len(aws.calls)
    with faults(aws, fault(call, "hang-before")):
        mine.zygote.start(mine.path, mine.environment, "setup")
        until_it_hangs(aws, call, "hang-before", start)
        aws.set_faults([])
        foreign(account, mine, tmp_path)
        before = all_of(account)
        let_go(aws, start)  # the call is tried again and finds the name taken
        done = mine.zygote.wait()
    assert (done.code, len(done.stderr.splitlines())) == (1, 1), done
    assert all_of(account) == before


@pytest.mark.slow
def test_a_group_that_others_make_meanwhile_stays_theirs(account: Account, mine: Quick, aws: Sandbox) -> None:
    """The same for a group, and with the repository already made: that one goes again."""
    call, start = ("sagemaker", "CreateModelPackageGroup", 2), len(aws.calls)
    with faults(aws, fault(call, "hang-before")):
        mine.zygote.start(mine.path, mine.environment, "setup")
        until_it_hangs(aws, call, "hang-before", start)
        aws.set_faults([])
        account.make_group(f"{mine.slug}-dev", tags_of(mine, **{"mlops:root-commit": "0" * 40}))
        theirs = account.state()["groups"][f"{mine.slug}-dev"]
        let_go(aws, start)
        done = mine.zygote.wait()
    assert (done.code, len(done.stderr.splitlines())) == (1, 1), done
    assert account.state() == {"repositories": {}, "groups": {f"{mine.slug}-dev": theirs}}


@pytest.mark.slow
def test_another_render_of_the_same_slug_is_another_repository(repository: Render, account: Account) -> None:
    """Two people generate a model of the same name: the second must not push into the first one's repository."""
    first, second = repository(), repository(project_name="Tumor diagnosis", task="regression")
    assert first.slug == second.slug
    first.mlops("setup")
    before = all_of(account)
    assert "lacks the root commit" in second.refusal("setup")
    second.mlops("teardown", "--yes", "--force")
    assert all_of(account) == before
    first.mlops("teardown", "--yes")
    assert account.state() == {"repositories": {}, "groups": {}}
    second.mlops("setup")


@pytest.mark.slow
def test_a_history_merged_in_later_does_not_change_what_is_ours(
    repository: Render, account: Account, tmp_path: Path
) -> None:
    """`git merge --allow-unrelated-histories` brings a second root: what was set up before must still be ours."""
    mine = repository()
    mine.mlops("setup")
    old = tmp_path / "old"
    account.git("init", "--quiet", str(old), cwd=tmp_path)
    account.git("commit", "--quiet", "--allow-empty", "--message=Old", "--date=2001-01-01T00:00:00Z", cwd=old)
    mine.git("fetch", "--quiet", str(old), "HEAD")
    mine.git(
        *("-c", "user.name=A", "-c", "user.email=a@b.c"),
        *("merge", "--quiet", "--allow-unrelated-histories", "--message=Merge", "FETCH_HEAD"),
    )
    assert "Everything else is there already." in mine.mlops("setup").stdout
