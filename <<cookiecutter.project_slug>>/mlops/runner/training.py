"""A training job: CreateTrainingJob, as a process."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops.model_archive import ARCHIVE, pack
from mlops.problem import Problem
from mlops.runner import training_driver
from mlops.runner.job import CONTAINER, REASON, Job, JobFailed, JobTimedOut, Result

DATA = "/opt/ml/input/data"
DATA_ARCHIVE = "output.tar.gz"  # what SageMaker makes of /opt/ml/output/data, beside model.tar.gz


def run(job: Job, arguments: dict[str, Any]) -> Result:
    """Lay in the channels, run the entry script, pack the model.

    Raises:
        JobFailed: the process failed, or left no model.
        Problem: the request asks for what cannot be done here.
    """
    channels = {}
    for channel in arguments.get("InputDataConfig", []):
        name = channel["ChannelName"]
        channels[name] = job.lay_in(channel["DataSource"]["S3DataSource"]["S3Uri"], f"{DATA}/{name}")
    model = job.prepare("/opt/ml/model")
    extra = job.prepare("/opt/ml/output/data")
    configuration = _configuration(job, arguments, list(channels))
    command, folder, variables = _start(job, arguments, channels, configuration)
    limit = arguments.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    try:
        job.run(command, folder, variables, limit)
    except JobFailed as failed:
        raise _own_reason(job, failed) from None
    if not any(model.iterdir()):
        raise JobFailed(f"step {job.step} left no model: it must write one into $SM_MODEL_DIR (/opt/ml/model)")
    archive = job.prepare("/opt/ml/packed/model")
    pack(model, archive / ARCHIVE)
    shutil.rmtree(model)
    place = f"{arguments['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}/output"
    uri = job.keep("/opt/ml/packed/model", place)
    result = Result({"TrainingJobName": job.name, "TrainingJobStatus": "Completed", **arguments}, {"model": uri})
    result.properties["ModelArtifacts"] = {"S3ModelArtifacts": f"{uri}/{ARCHIVE}"}
    if any(extra.iterdir()):
        pack(extra, job.prepare("/opt/ml/packed/data") / DATA_ARCHIVE)
        result.outputs["data"] = job.keep("/opt/ml/packed/data", place)
    return result


def script(arguments: dict[str, Any], find: Callable[[Any], Path]) -> tuple[Any, str] | None:
    """Return the script that a request starts: the URI of the channel in which it lies, not yet resolved, and its name.

    `find` returns where a channel lies on this machine.
    """
    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in arguments.get("InputDataConfig", [])
    }
    if not {"code", "sm_drivers"} <= channels.keys():
        return None
    name = _read(find(channels["sm_drivers"]) / "sourcecode.json").get("entry_script")
    return (channels["code"], name) if name else None


def _configuration(job: Job, arguments: dict[str, Any], channels: list[str]) -> dict[str, dict[str, Any]]:
    """Write what SageMaker lays into /opt/ml/input/config."""
    resources = arguments["ResourceConfig"]
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    content: dict[str, dict[str, Any]] = {
        "hyperparameters": {name: job.mapped(value) for name, value in arguments.get("HyperParameters", {}).items()},
        "inputdataconfig": dict.fromkeys(channels, channel),
        "resourceconfig": {
            "current_host": training_driver.HOST,
            "current_instance_type": resources.get("InstanceType", ""),
            "hosts": [training_driver.HOST],
            "network_interface_name": "eth0",
        },
    }
    folder = job.prepare("/opt/ml/input/config")
    for name, part in content.items():
        (folder / f"{name}.json").write_text(json.dumps(part), "utf-8")
    return content


def _start(
    job: Job, arguments: dict[str, Any], channels: dict[str, Path], configuration: dict[str, dict[str, Any]]
) -> tuple[list[str], Path, dict[str, str]]:
    """Return the command, the folder in which it starts, and its variables."""
    algorithm = arguments["AlgorithmSpecification"]
    words = [*algorithm.get("ContainerEntrypoint", []), *algorithm.get("ContainerArguments", [])]
    if not words:
        raise Problem(f"step {job.step} starts what its image holds; name a ContainerEntrypoint to run it here")
    environment = {**arguments.get("Environment", {}), "TRAINING_JOB_NAME": job.name}
    if not any(training_driver.SCRIPT in word for word in words):
        return job.command(words), job.inside(CONTAINER), environment
    drivers = channels["sm_drivers"]
    variables = training_driver.variables(
        str(job.inside(CONTAINER)),
        job.name,
        entry_script=training_driver.entry_script(
            job.step, _read(drivers / "sourcecode.json"), _read(drivers / "distributed.json")
        ),
        resources=configuration["resourceconfig"],
        inputs=configuration["inputdataconfig"],
        hyperparameters=configuration["hyperparameters"],
        environment=environment,
    )
    return training_driver.command(sys.executable, variables), channels["code"], environment | variables


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return content or {}


def _own_reason(job: Job, failed: JobFailed) -> JobFailed:
    """Return what the script wrote to /opt/ml/output/failure, if it did: SageMaker shows it as the FailureReason."""
    try:
        text = job.inside("/opt/ml/output/failure").read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return failed
    if not text or isinstance(failed, JobTimedOut):
        return failed
    return JobFailed(f"step {job.step} failed: {' '.join(text.split())[:REASON]}", failed.code)
