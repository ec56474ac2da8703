"""A processing job: CreateProcessingJob, as a process."""

from typing import Any

from mlops.problem import Problem
from mlops.runner.job import Job, Result

STARTER = "start.py"  # of mlops/jobs: installs requirements.txt in a container, and then starts the script
FOLDER = "/opt/ml/processing"


def run(job: Job, arguments: dict[str, Any]) -> Result:
    """Lay in the inputs, run the entry point, keep the outputs.

    Raises:
        JobFailed: the process failed.
        Problem: the request asks for what cannot be done here.
    """
    for entry in arguments.get("ProcessingInputs", []):
        job.lay_in(entry["S3Input"]["S3Uri"], _path(job, entry["S3Input"]))
    outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for output in outputs:
        job.prepare(_path(job, output["S3Output"]))
    words, started = _words(arguments["AppSpecification"])
    if not words:
        raise Problem(f"step {job.step} starts what its image holds; name a ContainerEntrypoint to run it here")
    folder = job.inside(words[1]).parent if started else job.prepare(FOLDER)
    limit = arguments.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    job.run(job.command(words), folder, arguments.get("Environment", {}), limit)
    result = Result({"ProcessingJobName": job.name, "ProcessingJobStatus": "Completed", **arguments})
    kept = []
    for output in outputs:
        s3 = output["S3Output"]
        uri = job.keep(s3["LocalPath"], s3["S3Uri"])
        result.outputs[output["OutputName"]] = uri
        kept.append({**output, "S3Output": {**s3, "S3Uri": uri}})
    result.properties["ProcessingOutputConfig"] = {"Outputs": kept}
    return result


def script(arguments: dict[str, Any]) -> tuple[Any, str] | None:
    """Return the script that a request starts: the URI of the input that it lies in, not yet resolved, and its name."""
    words, _ = _words(arguments["AppSpecification"])
    place, _, name = words[1].rpartition("/") if len(words) > 1 else ("", "", "")
    inputs = (entry["S3Input"] for entry in arguments.get("ProcessingInputs", []))
    return next(((s3["S3Uri"], name) for s3 in inputs if s3.get("LocalPath") == place), None)


def _words(app: dict[str, Any]) -> tuple[list[Any], bool]:
    """Return the command, and whether it was for the starter: what a script needs is installed here already."""
    words = [*app.get("ContainerEntrypoint", []), *app.get("ContainerArguments", [])]
    if len(words) > 2 and str(words[1]).endswith(f"/{STARTER}"):
        return [words[0], *words[2:]], True
    return words, False


def _path(job: Job, s3: dict[str, Any]) -> str:
    path = s3.get("LocalPath", "")
    if not f"{path}/".startswith(f"{FOLDER}/") or ".." in path.split("/"):  # CreateProcessingJob, LocalPath
        raise Problem(f"step {job.step} has the local path {path!r}; it must begin with {FOLDER}/")
    return str(path)
