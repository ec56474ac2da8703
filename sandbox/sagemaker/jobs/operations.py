# ruff: noqa: N802 - methods are named as AWS names its operations
"""Create, describe, list and stop jobs. Rules: the operations' pages in the API Reference; where a page is silent, what
users of the API quote."""

from __future__ import annotations

from functools import partial
from typing import Any

from sandbox.callers import Caller
from sandbox.calls import Call
from sandbox.errors import NotImplementedInSandbox
from sandbox.inside import Inside
from sandbox.sagemaker.jobs import checks, work
from sandbox.sagemaker.jobs.description import described, summary
from sandbox.sagemaker.jobs.store import ENDED, PROCESSING, TRAINING, TRANSFORM, JobRecord, Jobs, Kind
from sandbox.sagemaker.listing import listed
from sandbox.sagemaker.models import ModelOperations
from sandbox.sagemaker.roles import cannot_assume, take
from sandbox.sagemaker.runner import processing, training, transform
from sandbox.sagemaker.store import invalid
from sandbox.sagemaker.tags import check_new_tags

_SESSION = "SageMaker"  # of the role that a job takes
_LOCAL = "/opt/ml/processing"


class JobOperations(ModelOperations):
    inside: Inside
    jobs: Jobs

    def CreateProcessingJob(self, call: Call) -> dict[str, Any]:
        """Raises ResourceInUse, ValidationException."""
        params = call.params
        machine = params["ProcessingResources"]["ClusterConfig"]
        checks.required(
            call,
            "ProcessingResources.ClusterConfig.InstanceCount",
            "ProcessingResources.ClusterConfig.InstanceType",
        )
        checks.check_image(params["AppSpecification"]["ImageUri"])
        checks.check_volume(call, machine)
        checks.check_network(call, params.get("NetworkConfig", {}).get("VpcConfig"))
        inputs, output_config = params.get("ProcessingInputs", []), params.get("ProcessingOutputConfig", {})
        outputs = output_config.get("Outputs", [])
        for part in (*(item.get("S3Input") for item in inputs), *(item.get("S3Output") for item in outputs)):
            _check_local_path(part)
        checks.check_unique("input name", (item["InputName"] for item in inputs))
        checks.check_unique("output name", (item["OutputName"] for item in outputs))
        checks.check_key(call, output_config.get("KmsKeyId"))
        return self._create(call, PROCESSING, params["RoleArn"], processing.run, output_config.get("KmsKeyId"))

    def CreateTrainingJob(self, call: Call) -> dict[str, Any]:
        """Raises ResourceInUse, ValidationException; the latter too if an input is not there, as users quote it."""
        params = call.params
        checks.required(
            call,
            "AlgorithmSpecification.TrainingImage",
            "ResourceConfig.InstanceType",
            "ResourceConfig.InstanceCount",
            "ResourceConfig.VolumeSizeInGB",
            "StoppingCondition",
        )
        checks.check_image(params["AlgorithmSpecification"]["TrainingImage"])
        checks.check_volume(call, params["ResourceConfig"])
        checks.check_network(call, params.get("VpcConfig"))
        checks.check_unique("channel name", (channel["ChannelName"] for channel in params.get("InputDataConfig", [])))
        key = params["OutputDataConfig"].get("KmsKeyId")
        checks.check_key(call, key)
        return self._create(call, TRAINING, params["RoleArn"], training.run, key)

    def CreateTransformJob(self, call: Call) -> dict[str, Any]:
        """A transform runs as the role of its model. Raises ResourceInUse, ValidationException."""
        params = call.params
        checks.check_volume(call, params["TransformResources"])
        key = params["TransformOutput"].get("KmsKeyId")
        checks.check_key(call, key)
        model = self.models.named(call, params["ModelName"], "Could not find model")
        if model.role is None:
            raise NotImplementedInSandbox("sagemaker", call.operation, f"the model {model.name} has no role")
        container = self.container_of(call, model)
        return self._create(call, TRANSFORM, model.role, partial(transform.run, container=container), key)

    def DescribeProcessingJob(self, call: Call) -> dict[str, Any]:
        return self._describe(call, PROCESSING)

    def DescribeTrainingJob(self, call: Call) -> dict[str, Any]:
        return self._describe(call, TRAINING)

    def DescribeTransformJob(self, call: Call) -> dict[str, Any]:
        return self._describe(call, TRANSFORM)

    def ListProcessingJobs(self, call: Call) -> dict[str, Any]:
        """By CreationTime, Ascending (API Reference)."""
        return self._list(call, PROCESSING, "Ascending")

    def ListTrainingJobs(self, call: Call) -> dict[str, Any]:
        """By CreationTime, Ascending (API Reference)."""
        return self._list(call, TRAINING, "Ascending")

    def ListTransformJobs(self, call: Call) -> dict[str, Any]:
        """By CreationTime, Descending (API Reference)."""
        return self._list(call, TRANSFORM, "Descending")

    def StopProcessingJob(self, call: Call) -> None:
        self._stop(call, PROCESSING)

    def StopTrainingJob(self, call: Call) -> None:
        self._stop(call, TRAINING)

    def StopTransformJob(self, call: Call) -> None:
        """ "When you stop a batch transform job before it is completed, Amazon SageMaker doesn't store the job's output
        in Amazon S3." """
        self._stop(call, TRANSFORM)

    def _create(self, call: Call, kind: Kind, role: str, run: work.Run, key: str | None) -> dict[str, Any]:
        checks.check_that_it_can_run(call, kind)
        tags = check_new_tags(call.params.get("Tags") or [], {})
        name = call.params[f"{kind.word}JobName"]
        arn = call.arn("sagemaker", f"{kind.path}/{name}")
        caller = take(self.inside, call, role, _SESSION, cannot_assume(role), arn)
        if kind is TRAINING:
            self._check_inputs(call, caller)
        job = JobRecord(kind, name, arn, call.caller.account, call.region, role, dict(call.params), tags)
        self.jobs.add(job)
        work.Work(self.inside, job, caller, run, key).start()
        return {f"{kind.word}JobArn": arn}

    def _check_inputs(self, call: Call, caller: Caller) -> None:
        """Before it takes a training job, SageMaker looks for its inputs, as the job's role."""
        s3 = None
        for channel in call.params.get("InputDataConfig", []):
            s3 = s3 or self.inside.client("s3", caller, call.region)
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            bucket, _, prefix = uri.removeprefix("s3://").partition("/")
            try:
                found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount", 0)
            except s3.exceptions.ClientError:
                found = 0
            if not found:
                raise invalid(
                    f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
                    f"bucket exists in the selected region ({call.region}), that objects exist under that S3 prefix, "
                    f'and that the role "{call.params["RoleArn"]}" has "s3:ListBucket" permissions on bucket '
                    f'"{bucket}".'
                )

    def _describe(self, call: Call, kind: Kind) -> dict[str, Any]:
        job = self.jobs.named(call, kind)
        with job.lock:
            return described(job)

    def _list(self, call: Call, kind: Kind, order: str) -> dict[str, Any]:
        call.params.setdefault("SortOrder", order)
        status = call.params.get("StatusEquals")
        found = [job for job in self.jobs.of(call, kind) if status in (None, job.status)]
        shown, token = listed(
            call, found, name=lambda item: item.name, created=lambda item: item.created, tie=lambda item: item.name
        )
        return {f"{kind.word}JobSummaries": [summary(job) for job in shown], "NextToken": token}

    def _stop(self, call: Call, kind: Kind) -> None:
        """A job that has ended is refused, as users of StopTrainingJob quote it."""
        job = self.jobs.named(call, kind)
        if job.status in ENDED:
            word = kind.word.lower()
            raise invalid(f"The request was rejected because the {word} job is in status {job.status}.")
        work.stop(self.inside, job)


def _check_local_path(part: dict[str, Any] | None) -> None:
    """ProcessingS3Input, LocalPath: "LocalPath is an absolute path to the input data", below /opt/ml/processing."""
    path = (part or {}).get("LocalPath") or ""
    if not f"{path}/".startswith(f"{_LOCAL}/") or ".." in path.split("/"):
        raise invalid(f"LocalPath '{path}' must be an absolute path that begins with {_LOCAL}/")
