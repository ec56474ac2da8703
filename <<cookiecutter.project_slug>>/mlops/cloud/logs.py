"""What a step of an execution printed, from CloudWatch Logs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.problem import Problem

# Where jobs write; a stream's name begins with the job's (Developer Guide, "CloudWatch Logs for Amazon SageMaker AI").
GROUPS = {
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}
LAST = 100  # lines, in which the reason of a failure is looked for
EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)(: .*)?$")  # how Python ends a traceback


@dataclass(frozen=True)
class JobLog:
    """Where the log of a job is."""

    group: str
    job: str


def log_of(step: Mapping[str, Any]) -> JobLog | None:
    """Return where a step, as ListPipelineExecutionSteps shows it, writes; None: it is no job, or was not started."""
    for kind, group in GROUPS.items():
        if arn := step.get("Metadata", {}).get(kind, {}).get("Arn"):
            return JobLog(group, arn.rpartition("/")[2])
    return None


def last_words(log: JobLog, region: str) -> str | None:
    """Return what a job said last: its last exception, else its last line; None where CloudWatch does not tell.

    SageMaker's own reason is often no more than "AlgorithmError: , exit code: 1".
    """
    client = aws.client("logs", region)
    place = {"logGroupName": log.group}
    try:
        streams = client.describe_log_streams(**place, logStreamNamePrefix=f"{log.job}/")["logStreams"]
        events = [
            event
            for stream in streams
            for event in client.get_log_events(
                **place, logStreamName=stream["logStreamName"], limit=LAST, startFromHead=False
            )["events"]
        ]
    except (ClientError, BotoCoreError):
        return None
    lines = [line for event in events for line in event["message"].splitlines() if line.strip()]
    raised = [line for line in lines if EXCEPTION.match(line)]
    return next(reversed(raised or lines), None)


class Reader:
    """Reads the log of a job, each line once, however often it is asked."""

    def __init__(self, log: JobLog, region: str) -> None:
        """Begin at the first line."""
        self._log, self._client = log, aws.client("logs", region)
        self._latest = 0  # milliseconds since 1970
        self._seen: set[str] = set()

    def new_lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that came since the last time, each with its time in milliseconds since 1970.

        Raises:
            Problem: AWS refused.
        """
        try:
            pages = self._client.get_paginator("filter_log_events").paginate(
                logGroupName=self._log.group, logStreamNamePrefix=f"{self._log.job}/", startTime=self._latest
            )
            for page in pages:
                for event in page["events"]:
                    if event["eventId"] not in self._seen:
                        self._seen.add(event["eventId"])
                        self._latest = max(self._latest, event["timestamp"])
                        yield event["timestamp"], event["message"].rstrip("\n")
        except (ClientError, BotoCoreError) as error:
            if aws.code(error) != "ResourceNotFoundException":  # the first job of the region has not written yet
                raise Problem(f"the log of {self._log.job}: {aws.explain(error)}") from None
