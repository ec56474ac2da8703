# ruff: noqa: N802 - methods are named as AWS names its operations
"""Create, update, describe, list and delete pipelines. Rules: the operations' pages in the API Reference; where a page
is silent, what users of the API quote."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.inside import Inside
from sandbox.sagemaker.listing import listed
from sandbox.sagemaker.pipelines import definition
from sandbox.sagemaker.pipelines.store import Pipeline, Pipelines
from sandbox.sagemaker.roles import cannot_assume, take
from sandbox.sagemaker.store import invalid, now, user_context
from sandbox.sagemaker.tags import check_new_tags

_SHOWN = ("PipelineDisplayName", "PipelineDescription", "RoleArn")


class PipelineOperations:
    inside: Inside
    pipelines: Pipelines

    def CreatePipeline(self, call: Call) -> dict[str, Any]:
        """Raises ValidationException for a name that is taken ("Pipeline names must be unique within an AWS account and
        region", as users quote it) and for a definition that is wrong."""
        params = call.params
        _refuse_aliases(call)
        arn = call.arn("sagemaker", f"pipeline/{params['PipelineName']}")
        with self.pipelines.lock:
            made = self.pipelines.made_before(call)
        if made:
            return {"PipelineArn": made}
        tags = check_new_tags(params.get("Tags") or [], {})
        text = self._definition(call)
        if text is None:
            raise invalid("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
        read = definition.read(call, text)
        take(self.inside, call, params["RoleArn"], "SageMaker", cannot_assume(params["RoleArn"]), arn)
        who = user_context(call)
        with self.pipelines.lock:
            if arn in self.pipelines.by_arn:
                raise invalid(
                    "Pipeline names must be unique within an AWS account and region. "
                    f"Pipeline with name ({params['PipelineName']}) already exists."
                )
            self.pipelines.by_arn[arn] = Pipeline(params["PipelineName"], arn, dict(params), read, tags, who, who)
            self.pipelines.remember(call, arn)
        return {"PipelineArn": arn}

    def UpdatePipeline(self, call: Call) -> dict[str, Any]:
        """Executions that run keep the definition that they began with."""
        params = call.params
        _refuse_aliases(call)
        pipeline = self.pipelines.named(call, params["PipelineName"])
        text = self._definition(call)
        read = definition.read(call, text) if text is not None else None
        if "RoleArn" in params:
            take(self.inside, call, params["RoleArn"], "SageMaker", cannot_assume(params["RoleArn"]), pipeline.arn)
        with self.pipelines.lock:
            pipeline.request |= params
            pipeline.definition = read or pipeline.definition
            pipeline.version += 1
            pipeline.modified, pipeline.modified_by = now(), user_context(call)
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": pipeline.version}

    def DescribePipeline(self, call: Call) -> dict[str, Any]:
        if "PipelineVersionId" in call.params:
            raise NotImplementedInSandbox("sagemaker", call.operation, "it keeps no versions of a pipeline")
        with self.pipelines.lock:
            pipeline = self.pipelines.named(call, call.params["PipelineName"])
            return {
                "PipelineArn": pipeline.arn,
                "PipelineName": pipeline.name,
                "PipelineDefinition": pipeline.definition.text,
                "PipelineStatus": "Active",
                "ParallelismConfiguration": pipeline.request.get("ParallelismConfiguration"),
                "CreationTime": pipeline.created,
                "LastModifiedTime": pipeline.modified,
                "LastRunTime": pipeline.last_run,
                "CreatedBy": pipeline.created_by,
                "LastModifiedBy": pipeline.modified_by,
                **_shown(pipeline),
            }

    def DeletePipeline(self, call: Call) -> dict[str, Any]:
        """ "Deletes a pipeline if there are no running instances of the pipeline ... When you delete a pipeline, all
        instances of the pipeline are deleted." """
        with self.pipelines.lock:
            made = self.pipelines.made_before(call)
            if made:
                return {"PipelineArn": made}
            pipeline = self.pipelines.named(call, call.params["PipelineName"])
            executions = self.pipelines.of(pipeline)
            if any(execution.running for execution in executions):
                raise AwsError(
                    "ConflictException", f"Pipeline {pipeline.arn} cannot be deleted while it has running executions"
                )
            for execution in executions:
                del self.pipelines.executions[execution.arn]
            del self.pipelines.by_arn[pipeline.arn]
            self.pipelines.remember(call, pipeline.arn)
        return {"PipelineArn": pipeline.arn}

    def ListPipelines(self, call: Call) -> dict[str, Any]:
        """Newest first: the order is not documented."""
        params = call.params
        _as_registry_lists(params)
        where = call.arn("sagemaker", f"pipeline/{params.get('PipelineNamePrefix', '')}")
        with self.pipelines.lock:
            found = [pipeline for pipeline in self.pipelines.by_arn.values() if pipeline.arn.startswith(where)]
            shown, token = listed(
                call, found, name=lambda item: item.name, created=lambda item: item.created, tie=lambda item: item.name
            )
            return {"PipelineSummaries": [_summary(pipeline) for pipeline in shown], "NextToken": token}

    def _definition(self, call: Call) -> str | None:
        """The text that a request gives, or that lies where it says, which is read as the caller."""
        params = call.params
        text, place = params.get("PipelineDefinition"), params.get("PipelineDefinitionS3Location")
        if text is not None and place is not None:
            raise invalid("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
        if place is None:
            return text
        s3 = self.inside.client("s3", call.caller, call.region)
        version = {"VersionId": place["VersionId"]} if "VersionId" in place else {}
        try:
            found: bytes = s3.get_object(Bucket=place["Bucket"], Key=place["ObjectKey"], **version)["Body"].read()
            return found.decode()
        except (s3.exceptions.ClientError, UnicodeDecodeError) as error:
            raise invalid(
                f"Unable to read pipeline definition from s3://{place['Bucket']}/{place['ObjectKey']}: {error}"
            ) from None


def _refuse_aliases(call: Call) -> None:
    if call.params.get("PipelineVersionAliases"):
        raise NotImplementedInSandbox("sagemaker", call.operation, "it keeps no versions of a pipeline")


def _as_registry_lists(params: dict[str, Any]) -> None:
    """Members of the lists of pipelines, as `listed` knows them."""
    params.setdefault("SortOrder", "Descending")
    for ours, theirs in (("CreationTimeAfter", "CreatedAfter"), ("CreationTimeBefore", "CreatedBefore")):
        if theirs in params:
            params[ours] = params[theirs]


def _shown(pipeline: Pipeline) -> dict[str, Any]:
    return {name: pipeline.request.get(name) for name in _SHOWN}


def _summary(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        "LastExecutionTime": pipeline.last_run,
        **_shown(pipeline),
    }
