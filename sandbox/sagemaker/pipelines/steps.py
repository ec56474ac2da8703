"""Steps as calls: what carries out an execution for mlops' runner, as the pipeline's role.

Each step is a real call of that role to this sandbox (CreateProcessingJob ... CreateModelPackage), so it is checked,
can be made to fail, and stands in the call log. How failures read: as users of ListPipelineExecutionSteps quote them.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.callers import Caller
from sandbox.inside import Inside
from sandbox.sagemaker.jobs.bucket import INTERNAL
from sandbox.sagemaker.jobs.store import Jobs
from sandbox.sagemaker.pipelines import step_cache
from sandbox.sagemaker.pipelines.apis import APIS, JOB, Api
from sandbox.sagemaker.pipelines.store import ExecutionRecord
from sandbox.sagemaker.runner import Coming, Problem, Result, Retryable, Step, Stopped

# AWS cuts a step's name to this in names of jobs: `pipelines-7qjz5e7zwzvd-fashionmnist-2021-06-93egbiyqvl`.
STEP_IN_NAMES = 20
_SUFFIX = 10
_MOST_AT_ONCE = 50  # where ParallelismConfiguration says nothing (Pipelines quotas: concurrent steps)
_THERE = ("ResourceInUse", "Cannot create already existing model")
_TRIES = 3  # of calls that only ask
_TAG = "sagemaker:pipeline-execution-arn"
# How a failure of a call, or of a job, is called in retry policies.
_THROTTLED = ("ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")
_OF_JOBS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
}


class StepsAsCalls:
    """An Executor of mlops' runner. pace: how long one second of a retry policy lasts, in seconds."""

    def __init__(
        self,
        inside: Inside,
        jobs: Jobs,
        execution: ExecutionRecord,
        take_role: Callable[[str], Caller],
        folder: Path,
        pace: float,
    ) -> None:
        most = (execution.parallelism or {}).get("MaxParallelExecutionSteps", _MOST_AT_ONCE)
        self.workers = min(most, _MOST_AT_ONCE)
        self._inside, self._jobs, self._execution = inside, jobs, execution
        self._take_role, self._folder, self._pace = take_role, folder, pace
        self._stopping = Event()
        self._calling = True
        self._running: dict[str, str] = {}  # job ARN by step
        self._token = "".join(random.choices(string.ascii_letters + string.digits, k=_SUFFIX))  # noqa: S311

    def begin(self, coming: Coming) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    def settled(self) -> None:
        pass

    def find(self, step: Step, arguments: dict[str, Any]) -> Result | None:
        found = step_cache.find(self._execution.pipeline, step, arguments)
        if found is None:
            return None
        record = self._execution.steps[step.name]
        record.metadata, record.cached_from = dict(found.metadata), found.source
        return found.run.result

    def execute(self, step: Step, arguments: dict[str, Any]) -> Result:
        """Create what the step is about, and wait for it if it is a job."""
        api = APIS[step.type]
        self._execution.steps[step.name].cache_key = step_cache.key_of(step, arguments)
        client = self._client(step)
        arn = self._create(step, api, client, self._request(step, api, arguments))
        self._execution.steps[step.name].metadata = {api.metadata: {"Arn": arn}}
        if step.type in JOB:
            self._wait(step, arn)
        described = self._ask(step, client, api.describe, self._name(api, arn))
        self.check()
        if step.type in JOB:
            self._raise_failure(step, described)
        return Result(described, api.outputs(described))

    def property_file(self, uri: str, path: str) -> Path:
        """A copy of a property file, read as the pipeline's role."""
        target = self._folder / uri.rpartition(":")[2].strip("/") / path
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        s3 = self._inside.client("s3", self._take_role("PropertyFile"), self._execution.region)
        try:
            content = s3.get_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{path}")["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return target
            raise Problem(f"ClientError: Failed to read property file {uri}/{path}: {_details(error)}") from None
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def log(self, step: str) -> Path:
        return self._folder / f"{step}.mistake.txt"

    def check(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds * self._pace)
        self.check()

    def stop(self) -> None:
        """Stop the jobs that run, as the pipeline's role."""
        self._stopping.set()
        for step, arn in list(self._running.items()):
            if self._calling:
                self._stop_job(step, arn)

    def abandon(self) -> None:
        """Stop without a call: the sandbox ends."""
        self._calling = False
        self._stopping.set()

    def close(self) -> None:
        pass

    def _client(self, step: Step | str) -> Any:
        """One attempt for each call: trying again is a matter of retry policies. The session's name is AWS's."""
        name = step if isinstance(step, str) else step.name
        caller = self._take_role(f"sagemaker-pipeline-{self._execution.id}-{name[:STEP_IN_NAMES]}")
        return self._inside.client("sagemaker", caller, self._execution.region, attempts=1)

    def _request(self, step: Step, api: Api, arguments: dict[str, Any]) -> dict[str, Any]:
        """What the service adds to a step's arguments: a name, its own tag, and where a version comes from."""
        suffix = "".join(random.choices(string.ascii_letters + string.digits, k=_SUFFIX))  # noqa: S311 - no secret
        request = dict(arguments)
        if api.name:
            request[api.name] = f"pipelines-{self._execution.id}-{_in_names(step.name)}-{suffix}"
            request["Tags"] = [*request.get("Tags", []), {"Key": _TAG, "Value": self._execution.arn}]
        else:
            request["MetadataProperties"] = {
                "GeneratedBy": self._execution.arn,
                **request.get("MetadataProperties", {}),
            }
            request["ClientToken"] = f"{self._execution.id}-{self._token}-{_in_names(step.name)}"
        return request

    def _create(self, step: Step, api: Api, client: Any, request: dict[str, Any]) -> str:
        """A call without an answer may have taken effect: it is made once more, and what is there then is its own."""
        self.check()
        operation, lost = getattr(client, _snake(api.create)), False
        while True:
            try:
                arn: str = operation(**request)[api.arn]
                return arn
            except ClientError as error:
                if lost and api.name and any(word in str(error) for word in _THERE):
                    return f"{self._execution.arn.split(':pipeline/')[0]}:{api.path}/{request[api.name]}"
                raise self._call_failed(step, api, _details(error), _kind_of_call(error)) from None
            except BotoCoreError as error:
                if lost:
                    raise self._call_failed(step, api, str(error), "Step.SERVICE_FAULT") from None
                lost = True

    def _call_failed(self, step: Step, api: Api, details: str, kind: str | None) -> Problem:
        reason = f"ClientError: Failed to invoke sagemaker:{api.create}. Error Details: {details}"
        return self._failed(step, reason, kind)

    def _failed(self, step: Step, reason: str, kind: str | None) -> Problem:
        if kind is None:
            return Problem(reason)
        if not any(kind in policy.exceptions for policy in step.retry_policies):
            shown = kind.upper().replace(".", "_")
            reason += (
                f"\nRetry not appropriate on execution of step with PipelineExecutionArn {self._execution.arn} "
                f"and StepId {step.name}. No retry policy configured for the exception type {shown}."
            )
        return Retryable(kind, reason)

    def _wait(self, step: Step, arn: str) -> None:
        self._running[step.name] = arn
        try:
            job = self._jobs.find(arn)
            if self._stopping.is_set() and self._calling:  # it was just being created
                self._stop_job(step.name, arn)
            if job is not None:
                job.done.wait()
        finally:
            del self._running[step.name]
        self.check()

    def _stop_job(self, step: str, arn: str) -> None:
        kind, _, name = arn.split(":", 5)[5].partition("/")
        word = kind.removesuffix("-job").title()
        try:
            getattr(self._client(step), f"stop_{word.lower()}_job")(**{f"{word}JobName": name})
        except (ClientError, BotoCoreError):  # it has just ended; or it may not be stopped, and runs to its end
            return

    def _ask(self, step: Step, client: Any, operation: str, name: dict[str, str]) -> dict[str, Any]:
        for left in reversed(range(_TRIES)):
            try:
                described: dict[str, Any] = getattr(client, _snake(operation))(**name)
            except (ClientError, BotoCoreError) as error:
                self.check()
                if not left:
                    raise Problem(f"ClientError: Failed to invoke sagemaker:{operation}. {error}") from None
                continue
            described.pop("ResponseMetadata")
            return described
        raise AssertionError

    def _name(self, api: Api, arn: str) -> dict[str, str]:
        return {api.name: arn.rpartition("/")[2]} if api.name else {"ModelPackageName": arn}

    def _raise_failure(self, step: Step, described: dict[str, Any]) -> None:
        status = described[f"{step.type}JobStatus"]
        if status == "Completed":
            return
        reason = described.get("FailureReason") or f"The job was stopped ({described.get('SecondaryStatus', status)})"
        kind = _OF_JOBS.get(reason.split(":")[0])
        raise self._failed(step, reason if reason == INTERNAL else f"ClientError: {reason}", kind)


def _in_names(step: str) -> str:
    """A job's name holds letters, digits and single hyphens (ProcessingJobName); a step's may hold `_`."""
    return re.sub(r"[^a-zA-Z0-9-]", "-", step)[:STEP_IN_NAMES].strip("-") or "step"


def _kind_of_call(error: ClientError) -> str | None:
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _THROTTLED:
        return "Step.THROTTLING"
    if code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    return "Step.SERVICE_FAULT" if status in (500, 502, 503, 504) else None


def _details(error: ClientError) -> str:
    return str(error.response["Error"]["Message"])


def _snake(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
