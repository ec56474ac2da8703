# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations on repositories and their tags. Each docstring's rule is from the operation's page in the API
Reference (the same text is in botocore's model)."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.rules import check_repository_name, check_tag_keys, check_tags, fault, page
from sandbox.codecommit.store import Repositories, Repository

REPOSITORIES_A_PAGE = 1000
MOST_NAMES = 100


class RepositoryOperations:
    """repositories: the store. url: where the sandbox is."""

    repositories: Repositories
    url: str
    home_region: str

    def CreateRepository(self, call: Call) -> dict[str, Any]:
        """A new, empty repository without a default branch. Names are unique in an account and region."""
        name = call.params["repositoryName"]
        check_repository_name(call, name)
        tags = call.params.get("tags") or {}
        check_tags(call, tags, {})
        with self.repositories.lock:
            if self.repositories.find(call.caller.account, call.region, name):
                raise fault(call, "RepositoryNameExistsException", f"Repository named {name} already exists")
            where = "" if call.region == self.home_region else f"/{call.region}"
            repository = Repository(
                name=name,
                account=call.caller.account,
                region=call.region,
                arn=call.arn("codecommit", name),
                clone_url=f"{self.url}{where}/v1/repos/{name}",
                path=self.repositories.path_for_new(),
                description=call.params.get("repositoryDescription"),
                kms_key=call.params.get("kmsKeyId"),
                tags=dict(tags),
            )
            self.repositories.add(repository)
        return {"repositoryMetadata": _metadata(repository)}

    def GetRepository(self, call: Call) -> dict[str, Any]:
        return {"repositoryMetadata": _metadata(self.repository(call))}

    def BatchGetRepositories(self, call: Call) -> dict[str, Any]:
        """At most 100 names; unknown ones are listed, not refused."""
        names = call.params["repositoryNames"]
        if not names:
            raise fault(call, "RepositoryNamesRequiredException")
        if len(names) > MOST_NAMES:
            raise fault(call, "MaximumRepositoryNamesExceededException")
        found, missing = [], []
        for name in names:
            repository = self.repositories.find(call.caller.account, call.region, name)
            (found.append(_metadata(repository)) if repository else missing.append(name))
        errors = [
            {
                "repositoryName": name,
                "errorCode": "RepositoryDoesNotExistException",
                "errorMessage": f"{name} does not exist",
            }
            for name in missing
        ]
        return {"repositories": found, "repositoriesNotFound": missing, "errors": errors}

    def ListRepositories(self, call: Call) -> dict[str, Any]:
        """1,000 a page, by name unless `lastModifiedDate` is asked for."""
        by_date = call.params.get("sortBy") == "lastModifiedDate"
        found = sorted(
            self.repositories.all_of(call.caller.account, call.region),
            key=lambda repository: (repository.modified.timestamp() if by_date else 0, repository.name),
            reverse=call.params.get("order") == "descending",
        )
        shown, token = page(call, found, REPOSITORIES_A_PAGE, call.params.get("nextToken"))
        pairs = [
            {"repositoryName": item.name, "repositoryId": item.id} for item in shown if isinstance(item, Repository)
        ]
        return {"repositories": pairs, "nextToken": token}

    def DeleteRepository(self, call: Call) -> dict[str, Any]:
        """If there is none, a null repository ID is returned."""
        check_repository_name(call, call.params["repositoryName"])
        with self.repositories.lock:
            repository = self.repositories.find(call.caller.account, call.region, call.params["repositoryName"])
            if repository is None:
                return {}
            self.repositories.remove(repository)
        return {"repositoryId": repository.id}

    def UpdateRepositoryName(self, call: Call) -> None:
        old, new = call.params["oldName"], call.params["newName"]
        check_repository_name(call, new)
        with self.repositories.lock:
            repository = self.repositories.find(call.caller.account, call.region, old)
            if repository is None:
                raise fault(call, "RepositoryDoesNotExistException", f"{old} does not exist")
            if self.repositories.find(call.caller.account, call.region, new):
                raise fault(call, "RepositoryNameExistsException", f"Repository named {new} already exists")
            self.repositories.rename(repository, new)

    def UpdateRepositoryDescription(self, call: Call) -> None:
        repository = self.repository(call)
        repository.description = call.params.get("repositoryDescription")
        repository.touch()

    def UpdateDefaultBranch(self, call: Call) -> None:
        """Naming the current default branch again succeeds."""
        repository, branch = self.repository(call), call.params["defaultBranchName"]
        if repository.tip(branch) is None:
            raise fault(call, "BranchDoesNotExistException", f"Branch named {branch} does not exist")
        repository.set_default(branch)

    def TagResource(self, call: Call) -> None:
        repository = self.tagged(call)
        check_tags(call, call.params["tags"], repository.tags)
        repository.tags.update(call.params["tags"])

    def UntagResource(self, call: Call) -> None:
        """Keys that are not there are no error."""
        repository = self.tagged(call)
        check_tag_keys(call, call.params["tagKeys"])
        for key in call.params["tagKeys"]:
            repository.tags.pop(key, None)

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        """All tags at once: a repository has at most 50."""
        return {"tags": dict(self.tagged(call).tags)}

    def repository(self, call: Call) -> Repository:
        """The repository a call names. Raises RepositoryDoesNotExistException, RepositoryNameRequiredException."""
        name = call.params.get("repositoryName")
        if name is None:
            raise fault(call, "RepositoryNameRequiredException")
        return self.repository_named(call, name)

    def repository_named(self, call: Call, name: str) -> Repository:
        """Raises RepositoryDoesNotExistException."""
        repository = self.repositories.find(call.caller.account, call.region, name)
        if repository is None:
            raise fault(call, "RepositoryDoesNotExistException", f"{name} does not exist")
        return repository

    def tagged(self, call: Call) -> Repository:
        """The repository whose ARN a call names. Raises InvalidResourceArnException,
        RepositoryDoesNotExistException."""
        arn = call.params["resourceArn"]
        parts = arn.split(":")
        if len(parts) != 6 or parts[:3] != ["arn", call.partition, "codecommit"] or not parts[5]:
            raise fault(call, "InvalidResourceArnException")
        repository = self.repositories.find(parts[4], parts[3], parts[5])
        if repository is None or parts[4] != call.caller.account:
            raise fault(call, "RepositoryDoesNotExistException", f"{parts[5]} does not exist")
        return repository


def _metadata(repository: Repository) -> dict[str, Any]:
    return {
        "accountId": repository.account,
        "repositoryId": repository.id,
        "repositoryName": repository.name,
        "repositoryDescription": repository.description,
        "defaultBranch": repository.default_branch,
        "lastModifiedDate": repository.modified,
        "creationDate": repository.created,
        "cloneUrlHttp": repository.clone_url,
        "cloneUrlSsh": f"ssh://git-codecommit.{repository.region}.amazonaws.com/v1/repos/{repository.name}",
        "Arn": repository.arn,
        "kmsKeyId": repository.kms_key,
    }
