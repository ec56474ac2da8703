"""What a job does between its creation and its end: a thread, in which mlops' runner starts it as a process.

The process sees a container's environment, not the sandbox's: the job's own variables, and its role's credentials.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.callers import Caller
from sandbox.inside import Inside
from sandbox.sagemaker.jobs.bucket import INTERNAL, Bucket, TransferFailed
from sandbox.sagemaker.jobs.description import described
from sandbox.sagemaker.jobs.events import state_change
from sandbox.sagemaker.jobs.logs import Shipment
from sandbox.sagemaker.jobs.store import ENDED, PROCESSING, TRAINING, JobRecord
from sandbox.sagemaker.runner import (
    Job,
    JobFailed,
    JobTimedOut,
    NoCapacity,
    Problem,
    Result,
    Stopped,
    last_lines,
    processing,
)
from sandbox.sagemaker.store import now

LONGEST = 1024  # bytes of FailureReason and of ExitMessage
# As users of CreateTrainingJob quote it.
CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
_OVERTIME = "MaxRuntimeExceeded"
Run = Callable[[Job, dict[str, Any]], Result]


@dataclass(frozen=True)
class _Container(Job):
    """Tells of the phases of a job, which are the secondary statuses of a training job."""

    entered: Callable[[str, str], None] = lambda status, message: None

    def lay_in(self, uri: str, path: str) -> Path:
        self.entered("Downloading", "Downloading input data")
        return super().lay_in(uri, path)

    def run(self, command: Sequence[str], folder: Path, variables: Mapping[str, str], limit: float | None) -> None:
        self.entered("Training", "Training image download completed. Training in progress.")
        super().run(command, folder, variables, limit)

    def keep(self, path: str, uri: str) -> str:
        self.entered("Uploading", "Uploading generated training model")
        return super().keep(path, uri)


class Work:
    """One job at work. run: mlops' runner for this kind of jobs."""

    def __init__(self, inside: Inside, job: JobRecord, caller: Caller, run: Run, key: str | None) -> None:
        self._inside, self._record, self._caller, self._run, self._key = inside, job, caller, run, key
        self._folder = inside.folder / "sagemaker" / job.arn.rpartition(":")[2]

    def start(self) -> None:
        """Begin, and return at once."""
        self._enter("Starting", "Starting the training job")
        self._tell()
        self._inside.background.start(self._work)

    def _work(self) -> None:
        record = self._record
        record.started = record.modified = now()
        try:
            status, reason = "Completed", None
            self._container()
        except Stopped:
            status = "Stopped"
        except JobTimedOut:
            status = "Stopped"
            self._enter(_OVERTIME, "Training job runtime exceeded MaxRuntimeInSeconds provided")
        except TransferFailed as failed:
            status, reason = "Failed", str(failed)
        except JobFailed as failed:
            status, reason = "Failed", self._algorithm_error(failed)
        except NoCapacity:
            status, reason = "Failed", CAPACITY
        except Problem as problem:
            status, reason = "Failed", f"ClientError: {problem}"
        except Exception:  # a mistake of the sandbox's
            if not record.abandoned:
                traceback.print_exc()
            status, reason = "Failed", INTERNAL
        self._end(status, reason)

    def _container(self) -> None:
        record = self._record
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        log = self._folder / "log.txt"
        s3 = self._inside.client("s3", self._caller, record.region)
        environment = self._environment()
        place = Bucket(s3, self._key)
        job = _Container(record.name, record.name, self._folder, log, place, record.processes, environment, self._enter)
        shipment = Shipment(
            self._inside.client("logs", self._caller, record.region), record.kind.log_group, record.name, log
        )
        try:
            result = self._run(job, record.request)
        finally:
            shipment.close()
            record.exit_message = self._exit_message()
            record.metrics = self._metrics(log)
        record.artifacts = result.properties.get("ModelArtifacts", {}).get("S3ModelArtifacts")

    def _environment(self) -> dict[str, str]:
        """What a container has. Source: Developer Guide, "How Amazon SageMaker AI Runs Your Training Image"; the
        credentials stand for those that a container finds at AWS_CONTAINER_CREDENTIALS_RELATIVE_URI."""
        own = {f"{self._record.kind.word.upper()}_JOB_ARN": self._record.arn}
        return {
            **self._inside.credentials(self._caller, self._record.region),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",  # jobs that run at the same time share this machine's cores
            **(own if self._record.kind is TRAINING else {}),
        }

    def _algorithm_error(self, failed: JobFailed) -> str:
        """As users quote it: `AlgorithmError: [what the container left], exit code: 1`. What the runner itself says,
        without a process that failed, is no word of the container's."""
        if failed.code is None:
            return f"AlgorithmError: {failed}"
        message = self._failure_file() if self._record.kind is TRAINING else self._record.exit_message
        return f"AlgorithmError: {message or ''}, exit code: {failed.code}"

    def _failure_file(self) -> str:
        """Source: Developer Guide, "How Amazon SageMaker AI Signals Algorithm Success and Failure": the first 1024
        characters of /opt/ml/output/failure."""
        file = self._folder / "opt/ml/output/failure"
        return _cut(file.read_text("utf-8", "replace")) if file.is_file() else ""

    def _exit_message(self) -> str | None:
        """DescribeProcessingJob, ExitMessage: up to 1 KB of /opt/ml/output/message. mlops' runner starts the script
        without the starter that writes it, so what that would write is the last line of the log."""
        if self._record.kind is not PROCESSING:
            return None
        file = self._folder / "opt/ml/output/message"
        if file.is_file():
            return _cut(file.read_text("utf-8", "replace"))
        entry = " ".join(self._record.request["AppSpecification"].get("ContainerEntrypoint", []))
        failed = isinstance(sys.exc_info()[1], JobFailed)
        lines = last_lines(self._folder / "log.txt", 1) if failed and processing.STARTER in entry else []
        return _cut(lines[0]) if lines else None

    def _metrics(self, log: Path) -> list[dict[str, Any]]:
        """MetricDefinition: a regular expression, whose first group is the number. The last one printed counts."""
        if self._record.kind is not TRAINING or not log.is_file():
            return []
        text, found = log.read_text("utf-8", "replace"), []
        for metric in self._record.request["AlgorithmSpecification"].get("MetricDefinitions", []):
            matches = re.findall(metric["Regex"], text)
            if matches:
                last = matches[-1] if isinstance(matches[-1], str) else matches[-1][0]
                found.append({"MetricName": metric["Name"], "Value": float(last), "Timestamp": now()})
        return found

    def _enter(self, status: str, message: str) -> None:
        """The next SecondaryStatus of a training job, if it is another one."""
        record, moment = self._record, now()
        record.modified = moment
        if record.kind is not TRAINING or (record.secondary and record.secondary[-1]["Status"] == status):
            return
        if record.secondary:
            record.secondary[-1]["EndTime"] = moment
        record.secondary.append({"Status": status, "StartTime": moment, "StatusMessage": message})

    def _end(self, status: str, reason: str | None) -> None:
        record = self._record
        shutil.rmtree(self._folder, ignore_errors=True)
        with record.lock:
            if not (record.secondary and record.secondary[-1]["Status"] == _OVERTIME):
                self._enter(status, f"Training job {status.lower()}")
            record.failure_reason = _cut(reason) if reason else None
            record.ended = record.modified = now()
            record.status = status
        if not record.abandoned:
            self._tell()
        record.done.set()

    def _tell(self) -> None:
        self._inside.emit(state_change(self._record, described(self._record)))


def stop(inside: Inside, job: JobRecord) -> None:
    """Begin to end a job that runs; its thread does the rest."""
    with job.lock:
        if job.status in ENDED:
            return
        job.status, job.modified = "Stopping", now()
        inside.emit(state_change(job, described(job)))
    inside.background.start(job.processes.stop)


def _cut(text: str) -> str:
    return text.encode()[:LONGEST].decode("utf-8", "ignore")
