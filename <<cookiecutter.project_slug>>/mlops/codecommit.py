"""The repository on AWS CodeCommit."""

import datetime
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from mlops import aws
from mlops.problem import Problem, Refused
from mlops.repository import RemoteRepository, Standing
from mlops.settings import Settings
from mlops.tags import ROOT_COMMIT, description, tags

ERRORS = (ClientError, BotoCoreError)
# git-codecommit.<region>.amazonaws.com, its FIPS and VPC endpoints, and China's ("Regions and Git connection
# endpoints for AWS CodeCommit").
HOST = re.compile(r"([a-z0-9-]+\.)?git-codecommit(-fips)?\.[a-z0-9-]+\.(vpce\.)?amazonaws\.com(\.cn)?")


class CodeCommit:
    """The repository `<slug>`. *Ours* means that it holds our root commit, or still nothing but our tag."""

    kind = "CodeCommit repository"
    price = "free for 5 active users a month, then 1 USD for each"

    def __init__(self, settings: Settings, root_commit: str) -> None:
        self.name = settings.source_control.repository
        self._settings = settings
        self._root_commit = root_commit
        self._client = aws.client("codecommit", settings.region)

    def look(self) -> RemoteRepository:
        """See `Host.look`. One call where there is none, else three."""
        try:
            found = self._client.get_repository(repositoryName=self.name)["repositoryMetadata"]
        except self._client.exceptions.RepositoryDoesNotExistException:
            return RemoteRepository(Standing.ABSENT)
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None
        branches = frozenset(self._branch_names())
        if branches:
            standing = Standing.OURS if self._holds_root_commit() else Standing.FOREIGN
        else:
            # Made by our setup, which then was killed before its push: nothing but our tag is in it.
            ours = self._tags(found["Arn"]).get(ROOT_COMMIT) == self._root_commit
            standing = Standing.UNFINISHED if ours else Standing.FOREIGN
        return RemoteRepository(standing, found["cloneUrlHttp"], branches, found.get("defaultBranch"))

    def _holds_root_commit(self) -> bool:
        try:
            self._client.get_commit(repositoryName=self.name, commitId=self._root_commit)
            return True
        except self._client.exceptions.CommitIdDoesNotExistException:
            return False
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def _tags(self, arn: str) -> dict[str, str]:
        try:
            return dict(self._client.list_tags_for_resource(resourceArn=arn)["tags"])
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def _branch_names(self) -> list[str]:
        try:
            pages = self._client.get_paginator("list_branches").paginate(repositoryName=self.name)
            return [branch for page in pages for branch in page["branches"]]
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def create(self, organisation: Mapping[str, str]) -> RemoteRepository:
        """See `Host.create`."""
        try:
            made = self._client.create_repository(
                repositoryName=self.name,
                repositoryDescription=description(self._settings.project.name),
                tags={**tags(self._settings, "all", self._root_commit), **organisation},
            )["repositoryMetadata"]
            return RemoteRepository(Standing.UNFINISHED, made["cloneUrlHttp"])
        except ERRORS as error:
            if not aws.took_effect_perhaps(error):
                raise Refused(aws.explain(error)) from None
            found = self.look()
            if found.standing is not Standing.UNFINISHED:
                raise Problem(aws.explain(error)) from None
            return found

    def branch_maker(self) -> Callable[[str, str], None]:
        """See `Host.branch_maker`."""
        return self._make_branch

    def _make_branch(self, name: str, commit: str) -> None:
        """Make a branch. A call whose answer was lost counts as done if the branch is there, at the commit."""
        try:
            self._client.create_branch(repositoryName=self.name, branchName=name, commitId=commit)
        except ERRORS as error:
            if not (aws.took_effect_perhaps(error) and self.tips().get(name) == commit):
                raise Problem(aws.explain(error)) from None

    def delete(self) -> None:
        """See `Host.delete`. Deleting what is gone is no error (DeleteRepository)."""
        try:
            self._client.delete_repository(repositoryName=self.name)
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def set_default_branch(self, branch: str) -> None:
        """See `Host.set_default_branch`."""
        try:
            self._client.update_default_branch(repositoryName=self.name, defaultBranchName=branch)
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def tips(self) -> dict[str, str]:
        """See `Host.tips`."""
        try:
            return {
                branch: self._client.get_branch(repositoryName=self.name, branchName=branch)["branch"]["commitId"]
                for branch in self._branch_names()
            }
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def push_options(self, url: str) -> tuple[list[str], dict[str, str]]:
        """See `Host.push_options`. The credentials travel in the environment: other users may read arguments."""
        username, password = git_credentials(url, self._settings.region)
        helper = '!f() { test "$1" = get && echo "username=$MLOPS_USERNAME" && echo "password=$MLOPS_PASSWORD"; }; f'
        return (
            ["-c", f"credential.{_host(url)}.helper=", "-c", f"credential.{_host(url)}.helper={helper}"],
            {"MLOPS_USERNAME": username, "MLOPS_PASSWORD": password},
        )

    def credential_helper(self) -> str:
        """See `Host.credential_helper`: the AWS CLI's own where it is installed, else ours, which does the same."""
        profile = os.environ.get("AWS_PROFILE")
        if shutil.which("aws"):
            return (
                "!aws " + (f"--profile {shlex.quote(profile)} " if profile else "") + "codecommit credential-helper $@"
            )
        variable = f"AWS_PROFILE={shlex.quote(profile)} " if profile else ""
        return f"!{variable}{shlex.quote(sys.executable)} -m mlops git-credential $@"


def git_credentials(url: str, region: str) -> tuple[str, str]:
    """Return the user name and password with which git reaches a CodeCommit URL for the next 15 minutes.

    The password is a signature (Signature Version 4) of a request with the method GIT; the AWS CLI's
    `codecommit credential-helper` and git-remote-codecommit sign the same way.

    Raises:
        Problem: there are no credentials.
    """
    try:
        credentials = aws.session().get_credentials()
        if credentials is None:
            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
    except BotoCoreError as error:  # such as an SSO login that has ended
        raise Problem(aws.explain(error)) from None
    address = urlsplit(url)
    request = AWSRequest(method="GIT", url=url)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    request.context["timestamp"] = now
    signer = SigV4Auth(frozen, "codecommit", region)
    canonical = f"GIT\n{address.path}\n\nhost:{address.hostname}\n\nhost\n"
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    token = f"%{frozen.token}" if frozen.token else ""
    return f"{frozen.access_key}{token}", f"{now}Z{signature}"


def answer_git(request: str, region: str) -> str:
    """Answer git's credential protocol (`man git-credential`): lines of `key=value` in, the same out.

    Only a CodeCommit host is answered, so that AWS signatures never go elsewhere.
    """
    asked = dict(line.split("=", 1) for line in request.splitlines() if "=" in line)
    host = asked.get("host", "")
    if not HOST.fullmatch(host) or "path" not in asked:
        return ""
    username, password = git_credentials(f"{asked.get('protocol', 'https')}://{host}/{asked['path']}", region)
    return f"username={username}\npassword={password}\n"


def _host(url: str) -> str:
    """Return the part of a URL that git's credential settings are keyed by."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"
