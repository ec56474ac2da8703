"""A job as Describe and List answer it."""

from __future__ import annotations

from typing import Any

from sandbox.sagemaker.jobs.store import PROCESSING, TRAINING, JobRecord

_NOT_SHOWN = ("Tags",)


def described(job: JobRecord) -> dict[str, Any]:
    """DescribeProcessingJob, DescribeTrainingJob, DescribeTransformJob: the request, and what became of it."""
    word = job.kind.word
    shown = {name: value for name, value in job.request.items() if name not in _NOT_SHOWN}
    shown |= {
        f"{word}JobArn": job.arn,
        f"{word}JobStatus": job.status,
        "CreationTime": job.created,
        f"{word}StartTime": job.started,
        f"{word}EndTime": job.ended,
        "FailureReason": job.failure_reason,
    }
    if job.kind is PROCESSING:
        shown |= {"ExitMessage": job.exit_message, "LastModifiedTime": job.modified}
    if job.kind is TRAINING:
        shown |= _training(job)
    return shown


def _training(job: JobRecord) -> dict[str, Any]:
    seconds = int((job.ended - job.started).total_seconds()) if job.ended and job.started else None
    return {
        "LastModifiedTime": job.modified,
        "SecondaryStatus": job.secondary[-1]["Status"],
        "SecondaryStatusTransitions": list(job.secondary),
        "ModelArtifacts": {"S3ModelArtifacts": job.artifacts} if job.artifacts else None,
        "FinalMetricDataList": job.metrics or None,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
    }


def summary(job: JobRecord) -> dict[str, Any]:
    """ProcessingJobSummary, TrainingJobSummary, TransformJobSummary."""
    word = job.kind.word
    shown = {
        f"{word}JobName": job.name,
        f"{word}JobArn": job.arn,
        f"{word}JobStatus": job.status,
        "CreationTime": job.created,
        f"{word}EndTime": job.ended,
        "LastModifiedTime": job.modified,
    }
    if job.kind is TRAINING:
        return shown | {"SecondaryStatus": job.secondary[-1]["Status"]}
    return (
        shown
        | {"FailureReason": job.failure_reason}
        | ({"ExitMessage": job.exit_message} if job.kind is PROCESSING else {})
    )
