"""The AWS account as the sandbox has it, and what setup should have made in it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
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
