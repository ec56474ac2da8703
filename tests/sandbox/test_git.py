"""git against the sandbox's CodeCommit: the real git, over HTTP, with CodeCommit's credentials."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.slow


def refs_of(codecommit, name="demo"):
    return {
        branch: codecommit.get_branch(repositoryName=name, branchName=branch)["branch"]["commitId"]
        for branch in codecommit.list_branches(repositoryName=name)["branches"]
    }


def test_the_clone_url_is_the_one_that_get_repository_names(sandbox, codecommit):
    codecommit.create_repository(repositoryName="demo")
    url = codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["cloneUrlHttp"]
    assert url == f"{sandbox.url}/v1/repos/demo"


def test_a_pushed_commit_is_what_the_api_and_another_clone_see(codecommit, clone):
    first = clone()
    commit = first.commit()
    first.git("push", "origin", "main")
    assert refs_of(codecommit) == {"main": commit}
    other = clone(folder="other")
    assert other.git("rev-parse", "HEAD").stdout.strip() == commit
    newer = first.commit(content="more\n")
    first.git("push", "origin", "main")
    other.git("pull", "-q")
    assert other.git("rev-parse", "HEAD").stdout.strip() == newer


def test_the_branch_of_the_first_push_becomes_the_default_branch(codecommit, clone):
    """CodeCommit User Guide, "Working with branches": "A branch is created for you as part of that first commit from
    Git, and it is set as the default branch for your repository."""
    work = clone()
    assert "defaultBranch" not in codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]
    work.commit()
    work.git("push", "origin", "main:trunk")
    work.git("push", "origin", "main:dev")
    assert codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["defaultBranch"] == "trunk"
    assert clone(folder="other").git("symbolic-ref", "--short", "HEAD").stdout.strip() == "trunk"


def test_a_tag_alone_does_not_become_the_default_branch(codecommit, clone):
    work = clone()
    work.commit()
    work.git("push", "origin", "HEAD:refs/tags/v1")
    assert "defaultBranch" not in codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]


def test_two_branches_in_one_first_push_leave_the_first_as_default(codecommit, clone):
    work = clone()
    work.commit()
    work.git("push", "origin", "main", "main:dev")
    assert set(refs_of(codecommit)) == {"main", "dev"}
    assert codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["defaultBranch"] == "main"


def test_a_plain_push_that_would_lose_commits_is_refused_and_a_forced_one_is_not(codecommit, clone):
    work = clone()
    base = work.commit()
    work.git("push", "origin", "main")
    lost = work.commit(content="lost\n")
    work.git("push", "origin", "main")
    work.git("reset", "-q", "--hard", base)
    kept = work.commit(content="kept\n")
    refused = work.git("push", "origin", "main", check=False)
    assert refused.returncode == 1
    assert "non-fast-forward" in refused.stderr
    assert refs_of(codecommit) == {"main": lost}
    work.git("push", "--force", "origin", "main")
    assert refs_of(codecommit) == {"main": kept}


def test_the_default_branch_cannot_be_deleted_by_a_push_and_others_can(codecommit, clone):
    """CodeCommit User Guide, "Delete a branch in AWS CodeCommit": "You cannot use the instructions in this topic to
    delete a repository's default branch"; the topic has Git's `push --delete` among its ways."""
    work = clone()
    commit = work.commit()
    work.git("push", "origin", "main", "main:dev")
    refused = work.git("push", "origin", "--delete", "main", check=False)
    assert refused.returncode == 1
    assert "deletion of the current branch prohibited" in refused.stderr
    work.git("push", "origin", "--delete", "dev")
    assert refs_of(codecommit) == {"main": commit}


def test_branch_names_that_codecommit_rules_out_are_refused_in_a_push(codecommit, clone):
    """CodeCommit User Guide, "Quotas", branch names: not exactly 40 hexadecimal characters, not the single character @,
    at most 256 characters."""
    work = clone()
    work.commit()
    work.git("push", "origin", "main")
    longest = "a/" * 100 + "b" * 56
    for name in ("a" * 40, "@", longest + "c"):
        assert work.git("push", "origin", f"HEAD:refs/heads/{name}", check=False).returncode == 1, name
    work.git("push", "origin", f"HEAD:refs/heads/{longest}", "HEAD:refs/heads/" + "g" * 40)
    assert set(refs_of(codecommit)) == {"main", longest, "g" * 40}


def test_a_push_of_more_than_4000_references_is_refused(tmp_path):
    """CodeCommit User Guide, "Quotas": "Number of references in a single push: Maximum of 4,000, including create,
    delete, and update". The hook alone: such a push takes git itself ten seconds."""
    from sandbox.codecommit.store import Repositories

    Repositories(tmp_path, lambda event: None)
    line = f"{'0' * 40} {'1' * 40} refs/tags/t\n"
    for count, code in ((4000, 0), (4001, 1)):
        done = subprocess.run(
            [tmp_path / "hooks" / "pre-receive"], input=line * count, text=True, capture_output=True, check=False
        )
        assert done.returncode == code


@pytest.mark.slow
def test_a_large_pack_arrives_in_chunks(codecommit, clone):
    """git sends what is larger than http.postBuffer in chunks, after a probe that is no push."""
    work = clone()
    content = os.urandom(3 * 1024 * 1024)
    work.commit("big.bin", content)
    work.git("-c", "http.postBuffer=65536", "push", "origin", "main")
    assert codecommit.get_file(repositoryName="demo", filePath="big.bin")["fileContent"] == content
    assert (clone(folder="other").path / "big.bin").read_bytes() == content


@pytest.mark.slow
def test_a_fetch_with_many_commits_sends_a_compressed_request(clone, sandbox):
    """git compresses the list of what it has when that is longer than 1024 bytes (remote-curl.c)."""
    work, other = clone(), clone(folder="other")
    tree = work.git("write-tree").stdout.strip()
    for number in range(40):
        commit = work.git("commit-tree", "-m", str(number), tree).stdout.strip()
        other.git("fetch", "-q", str(work.path), commit)
        other.git("update-ref", f"refs/heads/b{number}", commit)
    work.commit()
    work.git("push", "-q", "origin", "main")
    other.git("fetch", "-q")
    assert other.git("rev-parse", "origin/main").stdout == work.git("rev-parse", "main").stdout


def test_pushes_at_the_same_time_to_different_branches_all_arrive(codecommit, clone):
    work = clone()
    commit = work.commit()
    work.git("push", "origin", "main")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: work.git("push", "origin", f"main:b{number}", check=False), range(8)))
    assert [push.returncode for push in done] == [0] * 8
    assert refs_of(codecommit) == {"main": commit, **{f"b{number}": commit for number in range(8)}}


@pytest.mark.slow
def test_of_pushes_at_the_same_time_to_one_branch_exactly_one_wins(codecommit, clone):
    base = clone()
    base.commit()
    base.git("push", "origin", "main")
    copies = [clone(folder=f"copy{number}") for number in range(4)]
    commits = [copy.commit(content=f"{number}\n") for number, copy in enumerate(copies)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda copy: copy.git("push", "origin", "main", check=False).returncode, copies))
    winners = [commit for commit, code in zip(commits, done, strict=True) if code == 0]
    assert len(winners) == 1
    assert refs_of(codecommit) == {"main": winners[0]}


def test_an_unknown_repository_is_not_found(sandbox, git_env, tmp_path):
    done = subprocess.run(
        ["git", "clone", f"{sandbox.url}/v1/repos/nowhere", str(tmp_path / "x")],
        env=git_env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 128
    assert "not found" in done.stderr


def test_a_deleted_repository_takes_no_push_and_a_renamed_one_moves(codecommit, clone):
    work = clone()
    work.commit()
    work.git("push", "origin", "main")
    codecommit.update_repository_name(oldName="demo", newName="other")
    assert "not found" in work.git("fetch", check=False).stderr
    url = codecommit.get_repository(repositoryName="other")["repositoryMetadata"]["cloneUrlHttp"]
    work.git("remote", "set-url", "origin", url)
    work.git("fetch")
    codecommit.delete_repository(repositoryName="other")
    assert "not found" in work.git("push", "origin", "main:x", check=False).stderr


@pytest.mark.slow
def test_the_real_aws_clis_credential_helper_is_accepted(sandbox, codecommit, git_env, aws_cli):
    """awscli/customizations/codecommit.py signs what the sandbox's own, faster helper signs."""
    codecommit.create_repository(repositoryName="demo")
    env = {name: value for name, value in git_env.items() if not name.startswith("GIT_CONFIG")}
    env["GIT_CONFIG_GLOBAL"] = os.devnull
    helper = f"!{aws_cli} codecommit credential-helper --ignore-host-check $@"
    done = subprocess.run(
        [
            "git",
            "-c",
            f"credential.helper={helper}",
            "-c",
            "credential.UseHttpPath=true",
            "ls-remote",
            f"{sandbox.url}/v1/repos/demo",
        ],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_both_helpers_make_the_same_password(sandbox, git_env, monkeypatch):
    from sandbox.git_credentials import password
    from sandbox.signatures import git_password

    arguments = ("eu-west-1", "127.0.0.1", "/v1/repos/demo", "20260102T030405")
    assert password("secret", *arguments) == git_password("AKIA", "secret", *arguments)


def test_without_credentials_with_a_wrong_secret_or_an_old_password_git_is_refused(sandbox, codecommit, git_env):
    """CodeCommit answers 403 to credentials that are not right (User Guide, "Troubleshooting HTTPS connections"); the
    password is good for 15 minutes."""
    import base64
    import time
    import urllib.error
    import urllib.request

    from sandbox.git_credentials import password

    codecommit.create_repository(repositoryName="demo")
    url = f"{sandbox.url}/v1/repos/demo"

    def status(user, secret_part):
        request = urllib.request.Request(url + "/info/refs?service=git-upload-pack")  # noqa: S310
        if user:
            request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{secret_part}".encode()).decode())
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def made(secret, age=0):
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() - age))
        return password(secret, sandbox.region, "127.0.0.1", "/v1/repos/demo", stamp)

    key, secret = sandbox.endpoint.access_key, sandbox.endpoint.secret
    assert status(key, made(secret)) == 200
    assert status(None, None) == 401
    assert status(key, made("wrong")) == 403
    assert status("AKIANOBODYNOBODYNOBO", made(secret)) == 403
    assert status(key, made(secret, age=16 * 60)) == 403
    assert status(key, made(secret, age=14 * 60)) == 200
    assert status(key + "%token", made(secret)) == 403
    assert status("ASIASANDBOXEXPIREDXX", made(secret)) == 403


def test_temporary_credentials_push_as_the_assumed_role(sandbox, client, codecommit, clone):
    """CodeCommit's user name for temporary credentials: access key id, %, session token."""
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
    )
    client("iam").create_role(RoleName="ci", AssumeRolePolicyDocument=trust)
    given = client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/ci", RoleSessionName="build")[
        "Credentials"
    ]
    work = clone()
    work.commit()
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    work.env = {
        **work.env,
        **dict(
            zip(
                ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
                (given[n] for n in names),
                strict=True,
            )
        ),
    }
    work.git("push", "origin", "main")
    assert sandbox.calls[-1]["role"] == "arn:aws:sts::123456789012:assumed-role/ci/build"


def test_a_repository_of_another_region_is_another_repository(sandbox, client, codecommit, git_env, tmp_path):
    codecommit.create_repository(repositoryName="demo")
    there = client("codecommit", region="eu-west-1")
    assert there.list_repositories()["repositories"] == []
    url = there.create_repository(repositoryName="demo")["repositoryMetadata"]["cloneUrlHttp"]
    assert url == f"{sandbox.url}/eu-west-1/v1/repos/demo"
    done = subprocess.run(
        ["git", "clone", "-q", url, str(tmp_path / "there")], env=git_env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_git_settings_of_the_environment_are_kept(sandbox):
    base = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "Ada",
    }
    env = sandbox.environment(sandbox.environment(base))
    assert shutil.which("git")
    shown = subprocess.run(
        ["git", "config", "--get-all", "user.name"], env=env, capture_output=True, text=True, check=True
    ).stdout
    assert shown == "Ada\n"
    assert env["GIT_CONFIG_COUNT"] == "4"
