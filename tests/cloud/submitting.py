"""An account with the stack, a repository that has been set up there, and what `mlops submit` leaves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cloud.cloud_account import CloudAccount, Environment
from tests.setup.stage import Quick, Zygote

SLUG = "tumor-diagnosis"
BRANCH = "feature-depth"
READING = ("Get", "Describe", "List", "BatchGet", "Head")
Steps = dict[str, dict[str, Any]]


@dataclass
class Project:
    """The project, as a data scientist has it. `repository` is a clone on the branch of a feature."""

    account: CloudAccount
    scientist: Environment
    built: Path
    folder: Path
    zygote: Zygote
    repository: Quick = field(init=False)

    def __post_init__(self) -> None:
        self.sagemaker, self.s3 = self.account.client("sagemaker"), self.account.client("s3")
        self.ssm, self.logs = self.account.client("ssm"), self.account.client("logs")
        self.repository = self.clone("first")
        self.repository.mlops("setup")
        self.sandbox = self.account.sandbox
        parameters = self.ssm.get_parameters_by_path(Path="/mlops/account")["Parameters"]
        self.published = {parameter["Name"]: parameter["Value"] for parameter in parameters}
        self.bucket = self.published["/mlops/account/bucket"]

    def clone(self, name: str, branch: str = BRANCH) -> Quick:
        """A clean clone of the one commit, on a branch, with the pipeline's definition."""
        path = self.folder / name / SLUG
        shutil.copytree(self.built, path, symlinks=True)
        clone = Quick(path, self.scientist, self.zygote)
        clone.git("switch", "--quiet", "--create", branch)
        return clone

    def calls(self, by: str = "scientist") -> list[str]:
        """The operations that somebody called since the log was cleared."""
        return [call["operation"] for call in self.sandbox.calls if f"/{by}/" in (call["role"] or "")]

    def pipeline(self, branch: str = BRANCH) -> str:
        """The name of a branch's pipeline."""
        names = [found["PipelineName"] for found in self.sagemaker.list_pipelines()["PipelineSummaries"]]
        (name,) = [name for name in names if name.startswith(f"{SLUG}-feature-{branch.removeprefix('feature-')}-")]
        return str(name)

    def executions(self) -> list[str]:
        """The ARNs of all executions of all pipelines."""
        names = [found["PipelineName"] for found in self.sagemaker.list_pipelines()["PipelineSummaries"]]
        pages = self.sagemaker.get_paginator("list_pipeline_executions")
        return [
            execution["PipelineExecutionArn"]
            for name in names
            for page in pages.paginate(PipelineName=name)
            for execution in page["PipelineExecutionSummaries"]
        ]

    def latest(self, branch: str = BRANCH) -> dict[str, Any]:
        """What AWS says of the latest execution of a branch."""
        (found,) = self.sagemaker.list_pipeline_executions(PipelineName=self.pipeline(branch), MaxResults=1)[
            "PipelineExecutionSummaries"
        ]
        described: dict[str, Any] = self.sagemaker.describe_pipeline_execution(
            PipelineExecutionArn=found["PipelineExecutionArn"]
        )
        return described

    def steps(self, execution: Mapping[str, Any]) -> Steps:
        """The steps of an execution, by name."""
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])
        return {step["StepName"]: step for step in found["PipelineExecutionSteps"]}

    def over(self, branch: str = BRANCH) -> dict[str, Any]:
        """The latest execution of a branch, when it has ended."""
        until(lambda: self.latest(branch)["PipelineExecutionStatus"] not in {"Executing", "Stopping"})
        return self.latest(branch)

    def printed(self, step: str) -> list[str]:
        """What a training step of the latest execution has printed so far."""
        found = self.steps(self.latest()).get(step, {}).get("Metadata", {}).get("TrainingJob")
        if not found:
            return []
        place = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
        job = found["Arn"].rpartition("/")[2]
        try:
            events = self.logs.filter_log_events(**place, logStreamNamePrefix=f"{job}/")["events"]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]

    def versions(self) -> int:
        """How many versions the feature group has."""
        found = self.sagemaker.list_model_packages(ModelPackageGroupName=f"{SLUG}-feature", MaxResults=100)
        return len(found["ModelPackageSummaryList"])

    def keys(self, folder: str = "") -> set[str]:
        """What lies in the project's folder of the bucket."""
        prefix = f"nonprod/{SLUG}/{folder}"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    @contextmanager
    def publishing(self, **changes: str | None) -> Iterator[None]:
        """The account stack publishes other values, or (None) lacks them, while the block runs."""
        try:
            for name, value in changes.items():
                self._publish(f"/mlops/account/{name.replace('_', '-')}", value)
            yield
        finally:
            for name, value in self.published.items():
                self._publish(name, value)

    def _publish(self, name: str, value: str | None) -> None:
        if value is None:
            self.ssm.delete_parameter(Name=name)
        else:
            self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def until(true: Any, seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.05)


def edit(repository: Quick, file: str, old: str, new: str) -> None:
    """Change a file of a repository."""
    path = repository.path / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
