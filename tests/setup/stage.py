"""Where setup is tried out: the AWS account as the sandbox has it, and a clone that can be put back as it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from sandbox.server import Sandbox

GROUPS = {
    "baseline": ("feature", "dev", "prod"),
    "champion-challenger": ("feature", "dev", "prod", "champion", "challenger"),
}
OWNER = "vision@hospital.org"  # not the example: that one is warned about
State = dict[str, Any]


class Account:
    """The sandbox's account, looked at and changed with other means than mlops': boto3 and git."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.environment = sandbox.environment()
        session = boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=sandbox.region,
        )
        self.codecommit = session.client("codecommit", endpoint_url=sandbox.url)
        self.sagemaker = session.client("sagemaker", endpoint_url=sandbox.url)

    def state(self) -> State:
        """Everything that setup could make, change or remove, in full."""
        names = [found["repositoryName"] for found in self.codecommit.list_repositories()["repositories"]]
        pages = self.sagemaker.get_paginator("list_model_package_groups").paginate()
        groups = [group for page in pages for group in page["ModelPackageGroupSummaryList"]]
        return {
            "repositories": {name: self._repository(name) for name in names},
            "groups": {group["ModelPackageGroupName"]: self._group(group) for group in groups},
        }

    def _names(self) -> dict[str, set[str]]:
        groups = self.sagemaker.list_model_package_groups(MaxResults=100)["ModelPackageGroupSummaryList"]
        repositories = self.codecommit.list_repositories()["repositories"]
        return {
            "repositories": {found["repositoryName"] for found in repositories},
            "groups": {group["ModelPackageGroupName"] for group in groups},
        }

    def _repository(self, name: str) -> State:
        found = self.codecommit.get_repository(repositoryName=name)["repositoryMetadata"]
        return {
            "id": found["repositoryId"],
            "url": found["cloneUrlHttp"],
            "description": found.get("repositoryDescription"),
            "default": found.get("defaultBranch"),
            "tags": self.codecommit.list_tags_for_resource(resourceArn=found["Arn"])["tags"],
            "branches": self._branches(name),
        }

    def _branches(self, repository: str) -> dict[str, str]:
        pages = self.codecommit.get_paginator("list_branches").paginate(repositoryName=repository)
        return {
            branch: self.codecommit.get_branch(repositoryName=repository, branchName=branch)["branch"]["commitId"]
            for page in pages
            for branch in page["branches"]
        }

    def _group(self, group: dict[str, Any]) -> State:
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group["ModelPackageGroupName"]
        )
        return {
            "created": group["CreationTime"],
            "description": group.get("ModelPackageGroupDescription"),
            "tags": {
                tag["Key"]: tag["Value"]
                for tag in self.sagemaker.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
            },
            "versions": [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]],
        }

    def url(self, repository: str) -> str:
        """The clone URL."""
        found = self.codecommit.get_repository(repositoryName=repository)["repositoryMetadata"]
        return str(found["cloneUrlHttp"])

    def refs(self, repository: str) -> dict[str, str]:
        """Every reference of a repository, branches and tags."""
        lines = self.git("ls-remote", self.url(repository), cwd=Path.cwd()).splitlines()
        return {name: commit for commit, name in (line.split("\t") for line in lines) if name != "HEAD"}

    def git(self, *arguments: str, cwd: Path) -> str:
        """Run git as a user of this account."""
        done = subprocess.run(
            ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@else.where", *arguments],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip()

    def make_repository(self, name: str, **tags: str) -> str:
        """Make an empty repository that no mlops knows; return its clone URL."""
        self.codecommit.create_repository(repositoryName=name, repositoryDescription="of another team", tags=tags)
        return self.url(name)

    def make_group(self, name: str, tags: dict[str, str] | None = None) -> None:
        """Make a model package group."""
        as_list = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        self.sagemaker.create_model_package_group(
            ModelPackageGroupName=name, ModelPackageGroupDescription="of another team", Tags=as_list
        )

    def register(self, group: str) -> str:
        """Register a version; return its ARN."""
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification={
                "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
        return str(made["ModelPackageArn"])

    def make_foreign(self, folder: Path, repository: str, groups: Sequence[str]) -> None:
        """Make what another team has: a repository with branches and a tag, groups with a version."""
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main", cwd=folder)
        self.git("commit", "--quiet", "--allow-empty", "--message=Theirs", cwd=folder)
        self.git("tag", "v1", cwd=folder)
        url = self.make_repository(repository, team="theirs")
        self.git("push", "--quiet", url, "main", "main:dev", "v1", cwd=folder)
        for group in groups:
            self.make_group(group, {"team": "theirs"})
            self.register(group)

    def remove_new(self, before: State) -> None:
        """Remove whatever is there and was not there before."""
        now = self._names()
        for name in now["repositories"] - before["repositories"].keys():
            self.codecommit.delete_repository(repositoryName=name)
        for name in now["groups"] - before["groups"].keys():
            self.sagemaker.delete_model_package_group(ModelPackageGroupName=name)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Zygote:
    """Starts commands quickly: see zygote.py. One at a time."""

    def __init__(self, folder: Path) -> None:
        self._output = [folder / "stdout", folder / "stderr"]
        bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "pycache")}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            env={**os.environ, **bytecode},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def preload(self, root: Path, environment: Mapping[str, str]) -> None:
        """Make the commands of this repository quicker still."""
        self._ask(preload=True, root=str(root), environment=environment)
        self._number()

    def start(self, root: Path, environment: Mapping[str, str], *arguments: str) -> int:
        """Start a command; return its process group."""
        stdout, stderr = map(str, self._output)
        self._ask(root=str(root), arguments=arguments, stdout=stdout, stderr=stderr, environment=environment)
        return self._number()

    def wait(self) -> Done:
        """Wait until the command has ended."""
        code = self._number()
        stdout, stderr = (file.read_text("utf-8") if file.exists() else "" for file in self._output)
        return Done(code, stdout, stderr)

    def _ask(self, **request: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@dataclass(frozen=True)
class Quick:
    """What `Repository` of the tests is, with commands that start quickly."""

    path: Path
    environment: Mapping[str, str]
    zygote: Zygote

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository; with `check`, the test fails if it does."""
        done = subprocess.run(
            command, cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert not (check and done.returncode), done
        return done

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        return self.run("git", *arguments).stdout.rstrip("\n")

    def commit(self, message: str, *options: str) -> str:
        """Commit what there is, nothing if need be; return the id."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@hospital.org"]
        self.git(*who, "commit", "--quiet", "--allow-empty", "--message", message, *options)
        return self.git("rev-parse", "HEAD")

    def mlops(self, *arguments: str, check: bool = True, **environment: str) -> Done:
        """Run `mlops …`; with `check`, the test fails if it does."""
        self.zygote.start(self.path, {**self.environment, **environment}, *arguments)
        done = self.zygote.wait()
        assert not (check and done.code), done
        return done

    def refusal(self, *arguments: str, **environment: str) -> str:
        """The one line with which a command fails."""
        done = self.mlops(*arguments, check=False, **environment)
        assert (done.code, len(done.stderr.splitlines())) == (1, 1), done
        return done.stderr.rstrip("\n")

    @property
    def slug(self) -> str:
        return self.path.name

    @property
    def root_commit(self) -> str:
        """The id of the untouched render."""
        return self.git("rev-list", "--max-parents=0", "HEAD")

    def at(self, path: Path, **environment: str) -> Quick:
        """The same in another folder."""
        return replace(self, path=path, environment={**self.environment, **environment})


class Clone:
    """A generated repository that `restore` puts back, for many commands."""

    def __init__(self, path: Path, account: Account, zygote: Zygote, folder: Path) -> None:
        self.path, self.account, self._zygote = path, account, zygote
        self._pristine = folder / "pristine"
        shutil.copytree(path, self._pristine, symlinks=True)
        zygote.preload(path, account.environment)

    def restore(self) -> None:
        """Make the clone's git settings and references what they were when it was generated."""
        shutil.rmtree(self.path / ".git/refs")
        for part in ("config", "HEAD"):
            shutil.copy(self._pristine / ".git" / part, self.path / ".git" / part)
        shutil.copytree(self._pristine / ".git/refs", self.path / ".git/refs")

    @property
    def root_commit(self) -> str:
        return (self._pristine / ".git/refs/heads/main").read_text().strip()

    @property
    def slug(self) -> str:
        return self.path.name

    def start(self, *arguments: str, **environment: str) -> int:
        """Start a command; return its process group."""
        return self._zygote.start(self.path, {**self.account.environment, **environment}, *arguments)

    def wait(self) -> Done:
        """Wait until the command has ended."""
        return self._zygote.wait()

    def mlops(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end."""
        self.start(*arguments, **environment)
        return self.wait()

    def state(self) -> dict[str, str]:
        """The git settings and all references."""
        return git_state(self.path)


def git_state(path: Path) -> dict[str, str]:
    """The git settings and all references of a clone."""
    folder = path / ".git"
    files = [folder / "config", folder / "HEAD", *sorted((folder / "refs").rglob("*"))]
    return {str(file.relative_to(folder)): file.read_text() for file in files if file.is_file()}


def incomplete(
    account: Account, clone: Path, slug: str, root: str, scenario: str, now: State | None = None
) -> list[str]:
    """What setup should have made and has not, or has made otherwise, in words."""
    wrong: list[str] = []
    now = now or account.state()

    def check(right: object, what: str) -> None:
        if not right:
            wrong.append(what)

    def is_ours(tags: dict[str, str], environment: str) -> bool:
        return (
            tags.keys() == {f"mlops:{key}" for key in ("project", "environment", "owner", "template", "root-commit")}
            and (tags["mlops:project"], tags["mlops:environment"]) == (slug, environment)
            and tags["mlops:root-commit"] == root
        )

    repository = now["repositories"].get(slug)
    check(repository, "the repository")
    if repository:
        check(repository["branches"] == {"main": root, "dev": root}, f"branches: {repository['branches']}")
        check(repository["default"] == "main", f"default branch: {repository['default']}")
        check(is_ours(repository["tags"], "all"), f"tags of the repository: {repository['tags']}")
        git = {
            "remote.origin.url": repository["url"],
            "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
            "branch.main.remote": "origin",
            "branch.main.merge": "refs/heads/main",
            "branch.dev.remote": "origin",
            "branch.dev.merge": "refs/heads/dev",
            f"credential.{account.sandbox.url}.usehttppath": "true",
        }
        listed = account.git("config", "--local", "--list", cwd=clone).splitlines()
        for key, value in git.items():
            check(f"{key}={value}" in listed, f"git config {key}")
        helper = f"credential.{account.sandbox.url}.helper="
        check([line for line in listed if line.startswith(helper)][-1:] not in ([], [helper]), "credential helper")
        state = git_state(clone)
        for branch in ("main", "dev"):
            check(state.get(f"refs/remotes/origin/{branch}") == root + "\n", f"refs/remotes/origin/{branch}")
    for name in GROUPS[scenario]:
        group = now["groups"].get(f"{slug}-{name}")
        check(group, f"group {name}")
        if group:
            environment = name if name in GROUPS["baseline"] else "prod"
            check(is_ours(group["tags"], environment), f"tags of group {name}: {group['tags']}")
    return wrong


@contextmanager
def faults(sandbox: Sandbox, *wanted: dict[str, Any]) -> Iterator[None]:
    """The faults, while the block runs."""
    sandbox.set_faults(list(wanted))
    try:
        yield
    finally:
        sandbox.set_faults([])


def fault(call: tuple[str, str, int], name: str, times: int | None = 1) -> dict[str, Any]:
    """The fault that strikes a call (service, operation, which one)."""
    service, operation, number = call
    return {"service": service, "operation": operation, "call": number, "times": times, "fault": name}


def until_it_hangs(sandbox: Sandbox, call: tuple[str, str, int], name: str, start: int) -> None:
    """Wait until the sandbox holds the call's connection open. The first `start` entries of its log are older."""
    service, operation, number = call
    for _ in range(3000):
        if any((entry.get("fault"), entry["operation"]) == (name, operation) for entry in sandbox.calls[start:]):
            return
        # One that hangs before its effect is written down when it ends, but counted when it comes.
        if name == "hang-before" and sandbox._faults._calls[service, operation] >= number:
            return
        time.sleep(0.01)
    raise AssertionError(f"{operation} never came")


def let_go(sandbox: Sandbox, start: int, number: int = 1) -> None:
    """End the calls that hang before their effect, the `number` first ones of the block: clients try again."""
    from sandbox.connection import stopping

    stopping.set()
    while sum(entry.get("fault") == "hang-before" for entry in sandbox.calls[start:]) < number:
        time.sleep(0.01)
    stopping.clear()


def end(group: int, number: signal.Signals) -> None:
    """Send a signal as its usual sender does: a terminal to all processes, `kill` to one; a power cut ends all."""
    if number is signal.SIGTERM:
        os.kill(group, number)
    else:
        os.killpg(group, number)


def calls_since(sandbox: Sandbox, start: int) -> list[tuple[str, str, int]]:
    """The AWS calls after the first `start`: service, operation, and the how manieth of its kind."""
    counted: dict[tuple[str, str], int] = {}
    calls = []
    for entry in sandbox.calls[start:]:
        kind = entry["service"], entry["operation"]
        counted[kind] = counted.get(kind, 0) + 1
        calls.append((*kind, counted[kind]))
    return calls
