"""Jobs really run, with their role, and leave what SageMaker leaves."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.pipelines.conftest import BUCKET, IMAGE, Account, archive, until

pytestmark = pytest.mark.slow

AS_JOB = "arn:aws:sts::123456789012:assumed-role/job/SageMaker"


ONE_TAG = {"Key": "a", "Value": "1"}
SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def test_a_processing_job_reads_and_writes_s3_and_logs_as_its_role(account: Account) -> None:
    account.put("data/a.csv", "1")
    account.put("data/deep/b.csv", "2")
    script = """
import pathlib
found = sorted(p.relative_to('input/data').as_posix() for p in pathlib.Path('input/data').rglob('*.csv'))
print('read', found)
pathlib.Path('output/out/deep').mkdir()
pathlib.Path('output/out/deep/sum').write_text('3')
"""
    request = account.processing(
        script, inputs={"data": f"s3://{BUCKET}/data"}, outputs={"out": f"s3://{BUCKET}/sums/"}
    )
    job = account.run(request)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert account.keys("sums/") == ["sums/deep/sum"]
    assert account.log("job-1") == ["read ['a.csv', 'deep/b.csv']"]
    roles = {call["operation"]: call["role"] for call in account.sandbox.calls if call["role"] == AS_JOB}
    assert set(roles) == {
        *("ListObjectsV2", "GetObject", "PutObject"),
        *("CreateLogGroup", "CreateLogStream", "PutLogEvents"),
    }
    statuses = [event["ProcessingJobStatus"] for event in account.told("SageMaker Processing Job State Change")]
    assert statuses == ["InProgress", "Completed"]
    last = account.events[-1]
    assert last.resources == (job["ProcessingJobArn"],)
    assert last.detail["RoleArn"] == account.role
    assert isinstance(last.detail["ProcessingEndTime"], int)
    json.dumps(dict(last.detail))


def test_a_job_sees_a_container_s_environment_and_not_the_sandbox_s(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    script = "import json, os; open('output/out/env', 'w').write(json.dumps(dict(os.environ)))"
    request = account.processing(script, outputs={"out": f"s3://{BUCKET}/o"}, Environment={"OWN": "1"})
    assert account.run(request)["ProcessingJobStatus"] == "Completed"
    monkeypatch.delenv("AWS_PROFILE")
    seen = json.loads(account.get(f"s3://{BUCKET}/o/env"))
    assert set(seen) - {"LC_CTYPE"} == {
        *("PATH", "HOME", "LANG", "PYTHONUNBUFFERED", "OMP_NUM_THREADS", "MLOPS_JOB", "OWN"),
        *("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    }
    assert seen["HOME"] != os.environ["HOME"]
    me = account.client(
        "sts", key=seen["AWS_ACCESS_KEY_ID"], secret=seen["AWS_SECRET_ACCESS_KEY"], token=seen["AWS_SESSION_TOKEN"]
    )
    assert me.get_caller_identity()["Arn"] == AS_JOB


def test_a_training_job_leaves_what_sagemaker_leaves(account: Account) -> None:
    script = """
open('model/weights', 'w').write('1')
open('output/data/curve', 'w').write('2')
print('auc=0.5;')
print('auc=0.75;')
"""
    request = account.training(script, HyperParameters={"depth": "3"})
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "auc", "Regex": "auc=(.*?);"}]
    job = account.run(request)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    place = f"s3://{BUCKET}/models/job-1/output"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"{place}/model.tar.gz"
    assert archive(account.get(f"{place}/model.tar.gz")) == {"weights": b"1"}
    assert archive(account.get(f"{place}/output.tar.gz")) == {"curve": b"2"}
    assert [metric["Value"] for metric in job["FinalMetricDataList"]] == [0.75]
    phases = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert phases == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all("EndTime" in transition for transition in job["SecondaryStatusTransitions"][:-1])
    assert account.log("job-1", "Training") == ["auc=0.5;", "auc=0.75;"]
    assert account.told("SageMaker Training Job State Change")[-1]["SecondaryStatus"] == "Completed"


@pytest.mark.parametrize(
    ("script", "reason", "message"),
    [
        ("raise SystemExit('no')", "AlgorithmError: , exit code: 1", None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "AlgorithmError: , exit code: -9", None),
        (
            "import os; os.makedirs('../output', exist_ok=True); open('../output/message', 'w').write('x' * 2000)\n"
            "raise SystemExit(2)",
            f"AlgorithmError: {'x' * 1024}, exit code: 2"[:1024],
            "x" * 1024,
        ),
    ],
)
def test_why_a_processing_job_failed(account: Account, script: str, reason: str, message: str | None) -> None:
    job = account.run(account.processing(script))
    assert (job["ProcessingJobStatus"], job["FailureReason"], job.get("ExitMessage")) == ("Failed", reason, message)
    assert account.events[-1].detail["FailureReason"] == reason


def test_the_last_word_of_a_script_that_the_starter_starts_is_the_exit_message(account: Account) -> None:
    """What mlops/jobs/start.py writes in a container; mlops' runner starts the script without it."""
    request = account.processing("raise ValueError('the table is empty')")
    request["AppSpecification"]["ContainerEntrypoint"] = [
        "python3",
        "/opt/ml/processing/input/code/start.py",
        "/opt/ml/processing/input/code/main.py",
    ]
    job = account.run(request)
    assert job["ExitMessage"] == "ValueError: the table is empty"
    assert job["FailureReason"] == "AlgorithmError: ValueError: the table is empty, exit code: 1"


def test_the_failure_file_of_a_training_job_is_its_reason(account: Account) -> None:
    job = account.run(account.training("open('output/failure', 'w').write('loss is nan'); raise SystemExit(3)"))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: loss is nan, exit code: 3"
    assert account.keys("models/") == []


def test_a_job_that_runs_too_long_is_stopped(account: Account) -> None:
    job = account.run(account.training(SLEEP, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_stopping_ends_the_process(account: Account, tmp_path: Path) -> None:
    script = f"import os, pathlib; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n{SLEEP}"
    account.sagemaker.create_processing_job(**account.processing(script))
    until((tmp_path / "pid").exists, bool)
    with pytest.raises(TimeoutError):
        account.sandbox.wait_until_quiet(0)
    account.sagemaker.stop_processing_job(ProcessingJobName="job-1")
    assert account.ended("job-1")["ProcessingJobStatus"] == "Stopped"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
    statuses = [event["ProcessingJobStatus"] for event in account.told("SageMaker Processing Job State Change")]
    assert statuses == ["InProgress", "Stopping", "Stopped"]
    account.sandbox.wait_until_quiet(5)


def test_a_reset_ends_everything_at_once(account: Account, tmp_path: Path) -> None:
    """Deaf processes too."""
    script = "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    script += f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    account.sagemaker.create_processing_job(**account.processing(script))
    until((tmp_path / "pid").exists, bool)
    start = time.monotonic()
    account.sandbox.reset()
    assert time.monotonic() - start < 2
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
    assert account.sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []


def test_inputs_that_are_not_there(account: Account, refused: Any) -> None:
    """CreateTrainingJob looks for them, as the job's role; a processing job fails."""
    nothing = f"s3://{BUCKET}/nothing"
    job = account.run(account.processing("", inputs={"data": nothing}))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed:Failed to download data. No S3 objects")
    request = account.training("")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = nothing
    code, message = refused(account.sagemaker.create_training_job, **request)
    assert (code, message.split(" given")[0]) == (
        "ValidationException",
        f'No S3 objects found under S3 URL "{nothing}"',
    )
    assert account.calls("ListObjectsV2")[-1]["role"] == AS_JOB


def test_a_bucket_that_is_not_there_fails_the_job_when_it_writes(account: Account) -> None:
    job = account.run(account.processing("open('output/out/a', 'w')", outputs={"out": "s3://no-such-bucket/o"}))
    assert job["FailureReason"].startswith(
        "ClientError: Data upload failed:Failed to upload data. PutObject failed for"
    )
    assert "NoSuchBucket" in job["FailureReason"]


@pytest.mark.parametrize(
    ("fault", "times", "reason"),
    [
        ("access-denied", None, "ClientError: Data download failed:Failed to download data. GetObject failed"),
        ("server-error", None, "InternalServerError: We encountered an internal error. Please try again."),
        ("server-error", 2, None),  # what is momentary is met by trying again
    ],
)
def test_trouble_with_data(account: Account, fault: str, times: int | None, reason: str | None) -> None:
    account.sandbox.set_faults([{"service": "s3", "operation": "GetObject", "fault": fault, "times": times}])
    job = account.run(account.processing(""))
    assert job.get("FailureReason", "").startswith(reason or "")
    assert (job["ProcessingJobStatus"] == "Completed") is (reason is None)


def test_a_role_that_may_not_write_logs_costs_the_job_its_log_and_nothing_else(account: Account) -> None:
    account.sandbox.set_faults(
        [{"service": "logs", "operation": "CreateLogStream", "fault": "access-denied", "times": None}]
    )
    assert account.run(account.processing("print('x')"))["ProcessingJobStatus"] == "Completed"
    assert account.calls("PutLogEvents") == []


def test_outputs_are_encrypted_with_the_key_that_is_named(account: Account) -> None:
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/own", TargetKeyId=key)
    for name in (key, "alias/own"):
        request = account.processing("open('output/out/a', 'w')", outputs={"out": f"s3://{BUCKET}/o"})
        request["ProcessingOutputConfig"]["KmsKeyId"] = name
        assert account.run(request)["ProcessingJobStatus"] == "Completed"
        assert account.s3.head_object(Bucket=BUCKET, Key="o/a")["SSEKMSKeyId"] == name


def test_jobs_have_tags(account: Account) -> None:
    arn = account.run(account.processing("", Tags=[ONE_TAG]))["ProcessingJobArn"]
    account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    assert account.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [ONE_TAG, {"Key": "b", "Value": "2"}]
    account.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    account.sagemaker.describe_processing_job(ProcessingJobName="job-1")
    assert account.sandbox.calls[-1]["context"]["aws:ResourceTag/b"] == "2"
    assert account.calls("CreateProcessingJob")[0]["context"]["aws:RequestTag/a"] == "1"


def test_jobs_are_listed(account: Account) -> None:
    for script in ("", "raise SystemExit(1)", ""):
        account.run(account.processing(script))
    page = account.sagemaker.list_processing_jobs(MaxResults=2)
    assert [job["ProcessingJobName"] for job in page["ProcessingJobSummaries"]] == ["job-1", "job-2"]
    rest = account.sagemaker.list_processing_jobs(MaxResults=2, NextToken=page["NextToken"])
    assert [job["ProcessingJobName"] for job in rest["ProcessingJobSummaries"]] == ["job-3"]
    failed = account.sagemaker.list_processing_jobs(StatusEquals="Failed")["ProcessingJobSummaries"]
    assert [job["FailureReason"] for job in failed] == ["AlgorithmError: , exit code: 1"]


def test_a_transform_asks_the_model_as_the_model_s_role(account: Account, refused: Any) -> None:
    inference = """
def model_fn(folder): return 2
def input_fn(body, kind): return [float(line) for line in body.decode().split()]
def predict_fn(rows, model): return [row * model for row in rows]
def output_fn(answers, kind): return '\\n'.join(map(str, answers))
"""
    train = f"import os; os.mkdir('model/code'); open('model/code/inference.py', 'w').write({inference!r})"
    data = account.run(account.training(train))["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": IMAGE, "ModelDataUrl": data}
    account.sagemaker.create_model(ModelName="m", ExecutionRoleArn=account.role, PrimaryContainer=container)
    account.put("rows/a.csv", "1\n2\n")
    request = {
        "TransformJobName": "t",
        "ModelName": "m",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/rows"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/answers", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    account.sagemaker.create_transform_job(**request)
    job = account.ended("t", "transform")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert account.get(f"s3://{BUCKET}/answers/a.csv.out") == b"2.0\n4.0\n"
    assert account.told("SageMaker Transform Job State Change")[-1]["TransformJobStatus"] == "Completed"
    unknown = request | {"TransformJobName": "u", "ModelName": "none"}
    assert refused(account.sagemaker.create_transform_job, **unknown) == (
        "ValidationException",
        'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/none".',
    )


@pytest.mark.slow
def test_the_template_s_folder_stays_free_of_caches(run_sandbox: Any) -> None:
    """Cookiecutter would copy them; `python -m sandbox` imports the runner from there."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ask = "import os, urllib.request as u; u.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/_sandbox/environment')"
    done = run_sandbox("run", "--", sys.executable, "-c", ask, env=environment)  # answered once all is imported
    assert done.returncode == 0, done.stderr
    folder = Path(__file__).parents[3] / "<<cookiecutter.project_slug>>"
    assert not list(folder.rglob("__pycache__"))
