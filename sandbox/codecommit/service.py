"""CodeCommit as the front sees it."""

from __future__ import annotations

from pathlib import Path

from sandbox.calls import Call
from sandbox.codecommit.contents import ContentOperations
from sandbox.codecommit.store import HEADS, Repositories
from sandbox.resources import request_tags


class CodeCommit(ContentOperations):
    """All that the sandbox has of CodeCommit; every other operation is answered NotImplementedInSandbox."""

    complete = True

    def __init__(self, folder: Path, url: str, region: str) -> None:
        self.repositories = Repositories(folder)
        self.url = url
        self.home_region = region

    def describe(self, call: Call) -> None:
        """Resource, tags and `codecommit:References` as the Service Authorization Reference lists them for
        CodeCommit."""
        params = call.params
        names = [params.get(name) for name in ("repositoryName", "oldName")] + list(params.get("repositoryNames") or [])
        call.resources.extend(call.arn("codecommit", name) for name in names if isinstance(name, str))
        if isinstance(params.get("resourceArn"), str):
            call.resources.append(params["resourceArn"])
        tags = request_tags(params)
        call.context.update({f"aws:RequestTag/{key}": value for key, value in tags.items()})
        keys = sorted({*tags, *(params.get("tagKeys") or [])})
        if keys:
            call.context["aws:TagKeys"] = keys
        if call.operation in ("CreateBranch", "DeleteBranch"):
            call.context["codecommit:References"] = [HEADS + params["branchName"]]
        for arn in call.resources:
            repository = self.repositories.find(call.caller.account, call.region, arn.rsplit(":", 1)[-1])
            if repository:
                call.context.update({f"aws:ResourceTag/{key}": value for key, value in repository.tags.items()})

    def reset(self) -> None:
        self.repositories.clear()
