"""What a run made goes, whatever became of the run; then a look at what is left."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from account import aws
from account.problem import Problem
from account.stack import NAME
from verify_aws import probe
from verify_aws.assumptions import STREAM
from verify_aws.commands import Commands
from verify_aws.trial import ROOT, Trial, stack_is_there

POLL = 5.0  # seconds
BATCH = 1000  # the most that DeleteObjects takes
STILL = ("Executing", "Stopping")


def remove(trial: Trial, commands: Commands) -> list[str]:
    """Remove everything; one thing that cannot go does not keep the others. Return what went wrong."""
    wrong: list[str] = []
    steps: list[Callable[[], None]] = [
        lambda: probe.forget(trial),
        lambda: _probe_leftovers(trial),
        lambda: _jobs(trial),
    ]
    if trial.folder and trial.repository.exists():
        steps.append(lambda: commands.python(trial.repository, "mlops", "teardown", "--yes", "--force"))
    steps.append(lambda: _files(trial))
    if trial.deployed:
        steps.append(lambda: commands.python(ROOT, "account", "remove", "--yes", "--force"))
    for step in steps:
        try:
            with aws.explained():
                step()
        except Problem as problem:
            wrong.append(str(problem))
    if trial.folder and not wrong:
        shutil.rmtree(trial.folder, ignore_errors=True)
    elif trial.folder:
        wrong.append(f"the repository is in {trial.folder}; `mlops teardown --force` in it goes on")
    return wrong


def _probe_leftovers(trial: Trial) -> None:
    """Where AWS asked less than was assumed, a question made something."""
    aws.client("codecommit").delete_repository(repositoryName=probe.name(trial))  # absent is no error
    try:
        aws.client("sagemaker").delete_model_package_group(ModelPackageGroupName=probe.name(trial))
    except ClientError as error:
        if "does not exist" not in aws.message(error):
            raise


def _jobs(trial: Trial) -> None:
    """Stop what still runs: a pipeline that does cannot be deleted. Then the logs of the jobs, and their records."""
    executions = [execution for pipeline in _pipelines(trial) for execution in _executions(pipeline)]
    client = aws.client("sagemaker")
    for execution in executions:
        if execution["PipelineExecutionStatus"] == "Executing":
            client.stop_pipeline_execution(PipelineExecutionArn=execution["PipelineExecutionArn"])
    for execution in executions:
        arn = execution["PipelineExecutionArn"]
        while client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] in STILL:
            time.sleep(POLL)
        for job in trial.jobs(arn):
            _forget_job(client, job)


def _forget_job(client: Any, arn: str) -> None:
    kind, name = arn.split(":", 5)[5].split("/")
    logs, group = aws.client("logs"), f"/aws/sagemaker/{STREAM[kind]}"
    try:
        for stream in logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]:
            logs.delete_log_stream(logGroupName=group, logStreamName=stream["logStreamName"])
    except logs.exceptions.ResourceNotFoundException:  # it never printed anything
        pass
    try:
        if kind == "training-job":
            client.delete_training_job(TrainingJobName=name)
        else:
            client.delete_processing_job(ProcessingJobName=name)
    except (ClientError, BotoCoreError):  # older SageMaker keeps a job's record for ever; it costs nothing
        return


def _files(trial: Trial) -> None:
    """The project's files with all their versions; the bucket may be others', too."""
    bucket = trial.published().get("bucket")
    if not bucket:
        return
    s3 = aws.client("s3")
    for prefix in (f"nonprod/{trial.slug}/", f"prod/{trial.slug}/"):
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": BATCH}
        )
        for page in pages:
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}) if objects else {}
            for error in answer.get("Errors", [])[:1]:
                raise Problem(f"s3://{bucket}/{error['Key']} cannot be deleted: {error.get('Message', error['Code'])}")


def left_over(trial: Trial) -> list[str]:
    """What of the project is still there: asked of each service, and of the Resource Groups Tagging API, which knows
    most services, where it answers."""
    try:
        return list(_left_over(trial))
    except (ClientError, BotoCoreError) as error:
        return [f"it could not be looked at what is left: {' '.join(str(error).split())}"]


def _left_over(trial: Trial) -> Iterator[str]:
    yield from (f"pipeline {name}" for name in _pipelines(trial))
    groups = aws.client("sagemaker").get_paginator("list_model_package_groups").paginate(NameContains=trial.slug)
    yield from (
        f"group {one['ModelPackageGroupName']}" for page in groups for one in page["ModelPackageGroupSummaryList"]
    )
    roles = aws.client("iam").get_paginator("list_roles").paginate()
    yield from (f"role {one['RoleName']}" for page in roles for one in page["Roles"] if trial.slug in one["RoleName"])
    repositories = aws.client("codecommit").get_paginator("list_repositories").paginate()
    names = [one["repositoryName"] for page in repositories for one in page["repositories"]]
    yield from (f"repository {name}" for name in names if trial.slug in name)
    if trial.deployed and stack_is_there():
        yield f"stack {NAME}"
    elif not trial.deployed and (bucket := trial.published().get("bucket")):
        for tier in ("nonprod", "prod"):
            prefix = f"{tier}/{trial.slug}/"
            found = aws.client("s3").list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=1)
            yield from (f"s3://{bucket}/{prefix}" for _ in found.get("Versions", [])[:1])
    yield from _tagged(trial)


def _tagged(trial: Trial) -> Iterator[str]:
    tag = {"Key": "mlops:project", "Values": [trial.slug]}
    try:
        pages = aws.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=[tag])
        yield from (one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"])
    except ClientError:  # not allowed, or not in this region: the services were asked one by one
        return


def _pipelines(trial: Trial) -> list[str]:
    pages = aws.client("sagemaker").get_paginator("list_pipelines").paginate(PipelineNamePrefix=trial.slug)
    return [one["PipelineName"] for page in pages for one in page["PipelineSummaries"]]


def _executions(pipeline: str) -> list[dict[str, Any]]:
    pages = aws.client("sagemaker").get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
    return [one for page in pages for one in page["PipelineExecutionSummaries"]]
