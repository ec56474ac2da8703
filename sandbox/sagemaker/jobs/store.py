"""Jobs and what is known of them, by account and region."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, RLock, Thread
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.sagemaker.runner import Processes
from sandbox.sagemaker.store import invalid, now


@dataclass(frozen=True)
class Kind:
    """What the three kinds of jobs have names for. word: as in `ProcessingJobName`. path: of their ARNs."""

    word: str
    path: str

    @property
    def log_group(self) -> str:
        """Source: Developer Guide, "CloudWatch Logs for Amazon SageMaker AI"."""
        return f"/aws/sagemaker/{self.word}Jobs"


PROCESSING = Kind("Processing", "processing-job")
TRAINING = Kind("Training", "training-job")
TRANSFORM = Kind("Transform", "transform-job")
KINDS = {kind.path: kind for kind in (PROCESSING, TRAINING, TRANSFORM)}

ENDED = ("Completed", "Failed", "Stopped")


@dataclass(eq=False)
class JobRecord:
    """One job. request: what it was created with. failed: whether by its own code, by data, or by AWS, says
    failure_reason. done: set once it has ended."""

    kind: Kind
    name: str
    arn: str
    account: str
    region: str
    role: str
    request: dict[str, Any]
    tags: dict[str, str]
    status: str = "InProgress"
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    started: datetime | None = None
    ended: datetime | None = None
    failure_reason: str | None = None
    exit_message: str | None = None
    secondary: list[dict[str, Any]] = field(default_factory=list)
    artifacts: str | None = None
    metrics: list[dict[str, Any]] = field(default_factory=list)
    processes: Processes = field(default_factory=Processes)
    done: Event = field(default_factory=Event)
    lock: RLock = field(default_factory=RLock)  # held while its status changes
    abandoned: bool = False
    thread: Thread | None = None


class Jobs:
    """All jobs of a sandbox. lock: held while one is looked at or changed, never while one works."""

    def __init__(self) -> None:
        self._by_arn: dict[str, JobRecord] = {}
        self.lock = RLock()

    def add(self, job: JobRecord) -> None:
        """Raises ResourceInUse, in the words that users of CreateProcessingJob quote."""
        with self.lock:
            if job.arn in self._by_arn:
                raise AwsError(
                    "ResourceInUse",
                    "Job name must be unique within an AWS account and region, "
                    f"and a job with this name already exists ({job.arn})",
                )
            self._by_arn[job.arn] = job

    def find(self, arn: str) -> JobRecord | None:
        return self._by_arn.get(arn)

    def of(self, call: Call, kind: Kind) -> list[JobRecord]:
        """The jobs of one kind in the account and region of a call."""
        where = (call.caller.account, call.region)
        with self.lock:
            return [job for job in self._by_arn.values() if job.kind is kind and (job.account, job.region) == where]

    def named(self, call: Call, kind: Kind) -> JobRecord:
        """The job that a call names. Raises ValidationException ("Requested resource not found.", as users of
        StopTrainingJob and DescribeTrainingJob quote it)."""
        found = self.find(call.arn("sagemaker", f"{kind.path}/{call.params[f'{kind.word}JobName']}"))
        if found is None:
            raise invalid("Requested resource not found.")
        return found

    def running(self) -> list[JobRecord]:
        with self.lock:
            return [job for job in self._by_arn.values() if not job.done.is_set()]

    def clear(self) -> None:
        """End all that runs, at once, and forget everything."""
        ending = self.running()
        for job in ending:
            job.abandoned = True
        for job in ending:
            job.processes.stop(grace=0)
        for job in ending:
            if job.thread is not None:
                job.thread.join(timeout=5)
        with self.lock:
            self._by_arn.clear()
