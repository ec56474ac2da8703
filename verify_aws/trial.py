"""One run of the loop: where it happens, and under which names."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from account import aws
from account.stack import NAME, look

ROOT = Path(__file__).resolve().parents[1]
BRANCH = "feature-verify"


@dataclass
class Trial:
    """folder: what the repository is generated in. deployed: whether the account stack is this run's, and goes with it.
    executions: ARNs, the oldest first."""

    account: str
    region: str
    partition: str
    principal: str  # ARN
    use_stack: bool
    slug: str
    folder: Path | None = None
    deployed: bool = False
    executions: list[str] = field(default_factory=list)

    @classmethod
    def here(cls, use_stack: bool) -> Trial:
        """The account and the region of the environment, under a slug that nobody has."""
        who = aws.client("sts").get_caller_identity()
        region = str(boto3.DEFAULT_SESSION.region_name if boto3.DEFAULT_SESSION else boto3.Session().region_name)
        slug = f"verify-{uuid.uuid4().hex[:8]}"
        return cls(who["Account"], region, who["Arn"].split(":")[1], who["Arn"], use_stack, slug)

    @property
    def repository(self) -> Path:
        """The generated repository."""
        return (self.folder or Path()) / self.slug

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """An ARN of this account; IAM's have no region."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account}:{resource}"

    def group(self) -> str:
        """The model package group that versions of the branch land in."""
        return f"{self.slug}-feature"

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        """The steps of an execution by name, as ListPipelineExecutionSteps has them."""
        pages = aws.client("sagemaker").get_paginator("list_pipeline_execution_steps")
        found = pages.paginate(PipelineExecutionArn=execution)
        return {step["StepName"]: step for page in found for step in page["PipelineExecutionSteps"]}

    def jobs(self, execution: str) -> list[str]:
        """The ARNs of the jobs that an execution started; a step that was reused has none."""
        kinds = ("ProcessingJob", "TrainingJob")
        metadata = [step.get("Metadata", {}) for step in self.steps(execution).values() if not reused(step)]
        return [held[kind]["Arn"] for held in metadata for kind in kinds if kind in held]

    def published(self) -> dict[str, str]:
        """What the account stack tells repositories, by the name of the parameter."""
        pages = aws.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/mlops/account")
        found = {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}
        return {name.rpartition("/")[2]: value for name, value in found.items()}


def reused(step: dict[str, Any]) -> bool:
    """Whether a step's result was that of an earlier execution."""
    return "CacheHitResult" in step


def stack_is_there() -> bool:
    """Whether the account has the account stack in this region, in whatever state."""
    return look(aws.client("cloudformation"), NAME) is not None
