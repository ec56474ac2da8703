"""CodeCommit as the front sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sandbox.calls import Call
from sandbox.codecommit.approvals import ApprovalOperations
from sandbox.codecommit.branch_merging import target_branch
from sandbox.codecommit.comments import CommentOperations
from sandbox.codecommit.merge_forecasts import MergeForecastOperations
from sandbox.codecommit.merging import MergeOperations
from sandbox.codecommit.reference_events import HEADS
from sandbox.codecommit.store import Repositories
from sandbox.inside import Inside
from sandbox.resources import request_tags


class CodeCommit(CommentOperations, ApprovalOperations, MergeOperations, MergeForecastOperations):
    """All that the sandbox has of CodeCommit; every other operation is answered NotImplementedInSandbox."""

    complete = True

    def __init__(self, folder: Path, inside: Inside) -> None:
        self.repositories = Repositories(folder, lambda event: inside.emit(event))
        self.url = inside.url
        self.home_region = inside.region

    def describe(self, call: Call) -> None:
        """Resource, tags and `codecommit:References` as the Service Authorization Reference lists them for
        CodeCommit: operations that name a pull request or a comment alone are on its repository; the merges have the
        reference they move, CreatePullRequest has none."""
        params = call.params
        names = [params.get(name) for name in ("repositoryName", "oldName")] + list(params.get("repositoryNames") or [])
        names += [target["repositoryName"] for target in params.get("targets") or [] if target]
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
        found = self.repositories.with_pull_request(call.caller.account, call.region, params.get("pullRequestId", ""))
        if found:
            repository, pull_request = found
            if not call.resources:
                call.resources.append(repository.arn)
            if call.operation.startswith("MergePullRequest"):
                call.context["codecommit:References"] = [HEADS + pull_request.destination]
        comment = self.comment_of(call, params.get("commentId") or params.get("inReplyTo") or "")
        if comment:
            call.resources.append(comment[0].repository.arn)
        for arn in call.resources:
            named = self.repositories.find(call.caller.account, call.region, arn.rsplit(":", 1)[-1])
            if named and call.operation.startswith("MergeBranches"):
                branch = target_branch(params, named)
                if branch:
                    call.context["codecommit:References"] = [HEADS + branch]
            if named:
                call.context.update({f"aws:ResourceTag/{key}": value for key, value in named.tags.items()})

    def resource_tags(self, call: Call, arn: str) -> Mapping[str, str]:
        """For the condition key aws:ResourceTag/…."""
        found = self.repositories.find(call.caller.account, call.region, arn.rsplit(":", 1)[-1])
        return found.tags if found else {}

    def reset(self) -> None:
        self.repositories.clear()
