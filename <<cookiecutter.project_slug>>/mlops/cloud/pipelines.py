"""SageMaker pipelines: one for each environment, and for each feature branch; brought up to date, then started."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.problem import NotAllowed, Problem
from mlops.settings import Settings
from mlops.tags import ROOT_COMMIT, as_list, description

ERRORS = (ClientError, BotoCoreError)
KIND = "pipeline"
ABSENT = "ResourceNotFound"  # DescribePipeline
OVER = {"Succeeded", "Failed", "Stopped"}


@dataclass(frozen=True)
class Pipeline:
    """A pipeline as it should be. `definition` is the JSON text."""

    name: str
    definition: str
    role: str  # ARN
    tags: Mapping[str, str]
    shown: str  # for people


class Pipelines:
    """The pipelines of one region."""

    def __init__(self, region: str) -> None:
        """Ask nothing yet."""
        self._client = aws.client("sagemaker", region)

    def describe(self, name: str) -> dict[str, Any] | None:
        """Return what DescribePipeline answers, or None: there is none.

        Raises:
            NotAllowed: these credentials may not look at it.
            Problem: AWS refused otherwise.
        """
        try:
            answer: dict[str, Any] = self._client.describe_pipeline(PipelineName=name)
            return answer
        except ERRORS as error:
            if aws.code(error) == ABSENT:
                return None
            refusal = NotAllowed if aws.code(error) in aws.ACCESS_DENIED else Problem
            raise refusal(f"pipeline {name}: {aws.explain(error)}") from None

    def bring_up_to_date(self, pipeline: Pipeline, there: Mapping[str, Any] | None) -> str | None:
        """Make or change a pipeline and return what was done: "created", "updated", or None.

        Raises:
            Problem: AWS refused.
        """
        request = {
            "PipelineName": pipeline.name,
            "PipelineDefinition": pipeline.definition,
            "RoleArn": pipeline.role,
            "PipelineDescription": description(pipeline.shown),
        }
        try:
            if there is None:
                token = _token(pipeline.name, pipeline.definition, str(time.time_ns()))
                self._client.create_pipeline(**request, ClientRequestToken=token, Tags=as_list(dict(pipeline.tags)))
                return "created"
            changed = differs(pipeline, there)
            if changed:
                self._client.update_pipeline(**request)
            arn = there["PipelineArn"]
            if not pipeline.tags.items() <= self._tags(arn).items():
                # All of them: by the project's and the environment's tag in the request IAM tells who may.
                self._client.add_tags(ResourceArn=arn, Tags=as_list(dict(pipeline.tags)))
            return "updated" if changed else None
        except ERRORS as error:
            raise Problem(f"pipeline {pipeline.name}: {_explain(error)}") from None

    def _tags(self, arn: str) -> dict[str, str]:
        pages = self._client.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def start(self, name: str, parameters: Mapping[str, str], at_once: int | None, shown: str) -> str:
        """Start an execution and return its ARN. An answer that was lost does not start it twice.

        Args:
            at_once: how many steps may run at the same time; None: as SageMaker likes.
            shown: its display name, for people.

        Raises:
            Problem: AWS refused.
        """
        values = [{"Name": key, "Value": value} for key, value in parameters.items()]
        request: dict[str, Any] = {"PipelineName": name, "PipelineParameters": values}
        if at_once:
            request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": at_once}
        token = _token(name, json.dumps(values), str(time.time_ns()))
        try:
            answer = self._client.start_pipeline_execution(
                **request, PipelineExecutionDisplayName=shown, ClientRequestToken=token
            )
            return str(answer["PipelineExecutionArn"])
        except ERRORS as error:
            raise Problem(f"pipeline {name} cannot be started: {_explain(error)}") from None

    def stop(self, arn: str) -> None:
        """Stop an execution: its jobs are stopped, and no other step begins.

        Raises:
            Problem: AWS refused.
        """
        try:
            self._client.stop_pipeline_execution(
                PipelineExecutionArn=arn, ClientRequestToken=_token(arn, str(time.time_ns()))
            )
        except ERRORS as error:
            raise Problem(f"execution {arn}: {aws.explain(error)}") from None

    def execution(self, arn: str) -> dict[str, Any]:
        """Return what DescribePipelineExecution answers.

        Raises:
            Problem: AWS refused.
        """
        try:
            answer: dict[str, Any] = self._client.describe_pipeline_execution(PipelineExecutionArn=arn)
            return answer
        except ERRORS as error:
            raise Problem(f"execution {arn}: {aws.explain(error)}") from None

    def executions(self, name: str, count: int) -> list[dict[str, Any]]:
        """Return the latest executions of a pipeline, the newest first; none where there is no such pipeline.

        Raises:
            Problem: AWS refused.
        """
        try:
            answer = self._client.list_pipeline_executions(
                PipelineName=name, SortBy="CreationTime", SortOrder="Descending", MaxResults=count
            )
            return list(answer["PipelineExecutionSummaries"])
        except ERRORS as error:
            if aws.code(error) == ABSENT:
                return []
            raise Problem(f"pipeline {name}: {aws.explain(error)}") from None

    def steps(self, arn: str) -> list[dict[str, Any]]:
        """Return the steps that an execution has begun, in that order.

        Raises:
            Problem: AWS refused.
        """
        try:
            pages = self._client.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=arn, SortOrder="Ascending"
            )
            return [step for page in pages for step in page["PipelineExecutionSteps"]]
        except ERRORS as error:
            raise Problem(f"execution {arn}: {aws.explain(error)}") from None

    def of_project(self, settings: Settings, root_commit: str) -> list[str]:
        """Return the names of the pipelines that carry the tag of our root commit.

        Raises:
            Problem: AWS refused.
        """
        try:
            pages = self._client.get_paginator("list_pipelines").paginate(PipelineNamePrefix=settings.project.slug)
            found = {one["PipelineName"]: one["PipelineArn"] for page in pages for one in page["PipelineSummaries"]}
            return [name for name, arn in found.items() if self._tags(arn).get(ROOT_COMMIT) == root_commit]
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def delete(self, name: str) -> None:
        """Remove a pipeline with the record of its executions. What they registered stays.

        Raises:
            Problem: AWS refused.
        """
        token = _token(name, str(time.time_ns()))
        try:
            self._client.delete_pipeline(PipelineName=name, ClientRequestToken=token)
        except ERRORS as error:
            if aws.code(error) != ABSENT:  # a second deletion, after an answer that was lost
                raise Problem(f"pipeline {name}: {aws.explain(error)}") from None


def differs(pipeline: Pipeline, there: Mapping[str, Any]) -> bool:
    """Tell whether a pipeline is another than it should be; the order of JSON's keys does not count."""
    same = json.loads(there["PipelineDefinition"]) == json.loads(pipeline.definition)
    return not same or there["RoleArn"] != pipeline.role


def _explain(error: Exception) -> str:
    """Put an AWS error in one line; a role that cannot be used is what a missing setup looks like."""
    if isinstance(error, ClientError) and "assume role" in str(error):
        said = " ".join(error.response["Error"]["Message"].split()).rstrip(".")
        return f"SageMaker cannot use its role ({said}); one made just now takes a minute, a missing one: mlops setup"
    return aws.explain(error)


def _token(*parts: str) -> str:
    """Return a client request token: 64 characters; SageMaker takes 32 to 128."""
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
