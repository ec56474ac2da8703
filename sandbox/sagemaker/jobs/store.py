"""Jobs and what is known of them, by account and region."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, RLock
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.sagemaker.runner import Processes
from sandbox.sagemaker.store import invalid, now
from sandbox.service_quotas import Quotas, Usage


@dataclass(frozen=True)
class Kind:
    """What the three kinds of jobs have names for. word: as in `ProcessingJobName`. path: of their ARNs. usage: of
    instances, as quotas call it. cluster: where a request says which instances."""

    word: str
    path: str
    usage: Usage
    cluster: tuple[str, ...]

    @property
    def log_group(self) -> str:
        """Source: Developer Guide, "CloudWatch Logs for Amazon SageMaker AI"."""
        return f"/aws/sagemaker/{self.word}Jobs"


PROCESSING = Kind("Processing", "processing-job", Usage.PROCESSING, ("ProcessingResources", "ClusterConfig"))
TRAINING = Kind("Training", "training-job", Usage.TRAINING, ("ResourceConfig",))
TRANSFORM = Kind("Transform", "transform-job", Usage.TRANSFORM, ("TransformResources",))
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

    @property
    def usage(self) -> Usage:
        """Spot instances have quotas of their own."""
        return Usage.SPOT_TRAINING if self.request.get("EnableManagedSpotTraining") else self.kind.usage

    @property
    def instances(self) -> tuple[str, int]:
        """Their type, and how many."""
        cluster: Any = self.request
        for name in self.kind.cluster:
            cluster = cluster[name]
        return cluster["InstanceType"], cluster["InstanceCount"]


class Jobs:
    """All jobs of a sandbox. lock: held while one is looked at or changed, never while one works."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._by_arn: dict[str, JobRecord] = {}
        self.lock = RLock()

    def add(self, job: JobRecord) -> None:
        """Raises ResourceInUse, in the words that users of CreateProcessingJob quote, and ResourceLimitExceeded."""
        with self.lock:
            if job.arn in self._by_arn:
                raise AwsError(
                    "ResourceInUse",
                    "Job name must be unique within an AWS account and region, "
                    f"and a job with this name already exists ({job.arn})",
                )
            self._quotas.require(job.usage, *job.instances, self._in_use(job))
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

    def abandon(self) -> None:
        """End all that runs, at once."""
        ending = self.running()
        for job in ending:
            job.abandoned = True
        for job in ending:
            job.processes.stop(grace=0)

    def clear(self) -> None:
        with self.lock:
            self._by_arn.clear()

    def _in_use(self, wanted: JobRecord) -> Counter[str]:
        """Instances by type of jobs that run, for the same usage, account and region."""
        used: Counter[str] = Counter()
        for job in self.running():
            if (job.usage, job.account, job.region) == (wanted.usage, wanted.account, wanted.region):
                kind, count = job.instances
                used[kind] += count
        return used
