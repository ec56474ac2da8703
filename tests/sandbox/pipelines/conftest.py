"""An account with a job role and a bucket, and jobs that are a few lines of Python."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.inside import Event

ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/any:1"
BUCKET = "artifacts"
CODE = "/opt/ml/processing/input/code"
MACHINE = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    ],
}
ENDED = {"Completed", "Failed", "Stopped", "Succeeded"}


@dataclass
class Account:
    """Uploads code, makes jobs and waits for them."""

    client: Callable[..., Any]
    sandbox: Sandbox
    events: list[Event] = field(default_factory=list)
    role: str = ""
    number: int = 0

    def __post_init__(self) -> None:
        self.sagemaker, self.s3, self.iam = self.client("sagemaker"), self.client("s3"), self.client("iam")
        self.s3.create_bucket(Bucket=BUCKET)
        made = self.iam.create_role(RoleName="job", Path="/mlops/", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.role = made["Role"]["Arn"]

    def put(self, key: str, body: str | bytes) -> str:
        """Lay an object, and return its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def get(self, uri: str) -> bytes:
        """The content of an object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str = "") -> list[str]:
        """What lies in the bucket."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def code(self, script: str) -> str:
        """Upload main.py into a folder of its own."""
        self.number += 1
        return self.put(f"code/{self.number}/main.py", script).rpartition("/")[0]

    def processing(self, script: str, **changes: Any) -> dict[str, Any]:
        """A request for a job that runs a script; `inputs` and `outputs` have their own folders."""
        inputs = {"code": self.code(script), **changes.pop("inputs", {})}
        request = {
            "ProcessingJobName": f"job-{self.number}",
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "-S", f"{CODE}/main.py"],
            },
            "ProcessingInputs": [
                {
                    "InputName": name,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{name}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for name, uri in inputs.items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": name,
                        "S3Output": {
                            "S3Uri": uri,
                            "LocalPath": f"/opt/ml/processing/output/{name}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for name, uri in changes.pop("outputs", {}).items()
                ]
            },
            "ProcessingResources": {"ClusterConfig": MACHINE},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": self.role,
        }
        return request | changes

    def training(self, script: str, **changes: Any) -> dict[str, Any]:
        """A request for a job that trains with a script."""
        code = self.code(script)
        request = {
            "TrainingJobName": f"job-{self.number}",
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "-S", "/opt/ml/input/data/code/main.py"],
            },
            "InputDataConfig": [
                {"ChannelName": "code", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": code}}}
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": MACHINE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": self.role,
        }
        return request | changes

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a processing or training job, and return what it is described as once it has ended."""
        kind = "processing" if "ProcessingJobName" in request else "training"
        getattr(self.sagemaker, f"create_{kind}_job")(**request)
        return self.ended(request[f"{kind.title()}JobName"], kind)

    def ended(self, name: str, kind: str = "processing") -> dict[str, Any]:
        """Wait for a job to end."""
        word = kind.title()

        def describe() -> dict[str, Any]:
            found: dict[str, Any] = getattr(self.sagemaker, f"describe_{kind}_job")(**{f"{word}JobName": name})
            return found

        found: dict[str, Any] = until(describe, lambda found: found[f"{word}JobStatus"] in ENDED)
        return found

    def log(self, job: str, kind: str = "Processing") -> list[str]:
        """What a job printed."""
        logs, group = self.client("logs"), f"/aws/sagemaker/{kind}Jobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/algo-1-")["logStreams"]
        assert len(streams) == 1
        events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)
        return [event["message"] for event in events["events"]]

    def calls(self, operation: str) -> list[dict[str, Any]]:
        """The calls of an operation so far."""
        return [call for call in self.sandbox.calls if call["operation"] == operation]

    def told(self, detail_type: str) -> list[dict[str, Any]]:
        """The details of the events of a type."""
        return [dict(event.detail) for event in self.events if event.detail_type == detail_type]


def until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 20) -> Any:
    """Look until it is good."""
    deadline = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


@pytest.fixture
def account(sandbox: Sandbox, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account with a role and a bucket; remembers the events that its SageMaker emits."""
    made = Account(client, sandbox)
    monkeypatch.setattr(sandbox.inside, "emit", made.events.append)
    yield made
    sandbox.reset()


def archive(content: bytes) -> dict[str, bytes]:
    """The files of a tar.gz."""
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]
