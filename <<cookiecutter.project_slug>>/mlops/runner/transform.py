"""A transform job: CreateTransformJob, as a process that asks the model's own code."""

import sys
from pathlib import Path
from typing import Any

from mlops.model_archive import ARCHIVE, Broken, unpack
from mlops.runner.job import Job, JobFailed, Result

WORKER = Path(__file__).with_name("transform_worker.py")


def run(job: Job, arguments: dict[str, Any], container: dict[str, Any]) -> Result:
    """Send every object of the input through the model; each gets an output with `.out` at its name.

    Raises:
        JobFailed: the process failed, or the model refused a record.
    """
    source = arguments["TransformInput"]
    packed = job.lay_in(container["ModelDataUrl"], "/opt/ml/packed/model")
    model = job.prepare("/opt/ml/model")
    try:
        unpack(packed / ARCHIVE, model)
    except (Broken, FileNotFoundError) as error:
        raise JobFailed(f"step {job.step} cannot unpack the model's {ARCHIVE}: {error}") from None
    inputs = job.lay_in(source["DataSource"]["S3DataSource"]["S3Uri"], "/opt/ml/transform/input")
    outputs = job.prepare("/opt/ml/transform/output")
    options = {
        "--model-dir": model,
        "--input-dir": inputs,
        "--output-dir": outputs,
        "--content-type": source.get("ContentType", "text/csv"),
        "--accept": arguments["TransformOutput"].get("Accept", "text/csv"),
        "--split": source.get("SplitType", "None"),
        "--strategy": arguments.get("BatchStrategy", "MultiRecord"),
        "--max-payload-mb": arguments.get("MaxPayloadInMB", 6),  # CreateTransformJob's default
        "--assemble": arguments["TransformOutput"].get("AssembleWith", "None"),
    }
    command = [sys.executable, str(WORKER), *[str(word) for option in options.items() for word in option]]
    job.run(command, job.folder, container.get("Environment", {}) | arguments.get("Environment", {}), None)
    uri = job.keep("/opt/ml/transform/output", arguments["TransformOutput"]["S3OutputPath"])
    result = Result({"TransformJobName": job.name, "TransformJobStatus": "Completed", **arguments}, {"output": uri})
    result.properties["TransformOutput"] = {**arguments["TransformOutput"], "S3OutputPath": uri}
    return result
