# ruff: noqa: N802 - methods are named as AWS names its operations
"""SageMaker as the front sees it: registry, jobs, models, pipelines and all tags here, everything else moto's."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.inside import Inside
from sandbox.resources import describe, request_tags
from sandbox.sagemaker.groups import GroupOperations
from sandbox.sagemaker.jobs.operations import JobOperations
from sandbox.sagemaker.jobs.store import Jobs
from sandbox.sagemaker.models import Models
from sandbox.sagemaker.packages import PackageOperations, next_version_arn
from sandbox.sagemaker.pipelines.executions import ExecutionOperations
from sandbox.sagemaker.pipelines.operations import PipelineOperations
from sandbox.sagemaker.pipelines.store import Pipelines
from sandbox.sagemaker.store import Registries, group_arn, package_arn
from sandbox.sagemaker.tags import TagOperations


class SageMaker(
    GroupOperations, PackageOperations, TagOperations, JobOperations, PipelineOperations, ExecutionOperations
):
    """The operations that the sandbox has itself; those without a method here are moto's."""

    complete = False

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.registries = Registries()
        self.models = Models()
        self.jobs = Jobs(inside.quotas)
        self.pipelines = Pipelines()
        inside.background.when_ending(self._abandon)

    def Search(self, call: Call) -> dict[str, Any]:
        """moto would search its own, empty registry and find nothing: a wrong answer. What it does search, it keeps
        alone."""
        raise NotImplementedInSandbox("sagemaker", "Search", "use the List operations")

    def describe(self, call: Call) -> None:
        """Resources and tags as the Service Authorization Reference lists them for the registry's operations."""
        params, registry = call.params, self.registries.of(call)
        groups, packages = registry.groups, registry.packages
        if "ModelPackageGroupName" in params:
            arn = group_arn(call, params["ModelPackageGroupName"])
            call.resources.append(arn)
            if call.operation == "CreateModelPackage" and arn in groups:
                call.resources.append(next_version_arn(call, groups[arn]))
        elif "ModelPackageName" in params:
            call.resources.append(package_arn(call, params["ModelPackageName"]))
        elif "ModelPackageArn" in params:
            call.resources.append(params["ModelPackageArn"])
        elif "ResourceArn" in params:
            call.resources.append(params["ResourceArn"])
        named = list(call.resources)
        describe(call)
        told = set(request_tags(params).values())  # a tag's value may be an ARN, which the call does not touch
        call.resources[:] = named or [arn for arn in call.resources if arn not in told]
        for arn in call.resources:
            call.context.update({f"aws:ResourceTag/{key}": value for key, value in (self.own_tags(arn) or {}).items()})
        for arn in named:
            package = packages.get(arn)
            group = groups.get(arn) or (package.group if package else None)
            tags = group.tags if group else (package.tags if package else {})
            call.context.update({f"aws:ResourceTag/{key}": value for key, value in tags.items()})

    def own_tags(self, arn: str) -> MutableMapping[str, str] | None:
        """The tags of a job, a model or a pipeline, to be changed in place; None if there is none."""
        found = self.jobs.find(arn) or self.models.by_arn.get(arn) or self.pipelines.by_arn.get(arn)
        return found.tags if found else None

    def resource_tags(self, call: Call, arn: str) -> Mapping[str, str]:
        """For the condition key aws:ResourceTag/…; a version has those of its group."""
        registry = self.registries.of(call)
        package = registry.packages.get(arn)
        group = registry.groups.get(arn) or (package.group if package else None)
        if group or package:
            return group.tags if group else package.tags if package else {}
        try:
            return self._tags(call, arn)
        except AwsError:  # it does not exist, or can have no tags
            return {}

    def reset(self) -> None:
        self.jobs.clear()
        self.pipelines.clear()
        self.models.by_arn.clear()
        self.registries.clear()

    def _abandon(self) -> None:
        """Every execution and every job ends at once, and tells nobody."""
        self.pipelines.abandon()
        self.jobs.abandon()
