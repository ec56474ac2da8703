"""`mlops submit`: send what is new, bring the pipeline up to date, start it.

Each step can be repeated, and nothing before the last one has an effect on anybody: content lies under its hash, and a
pipeline that is not started does nothing. So whatever fails, the next `mlops submit` goes on from there.
"""

from dataclasses import dataclass

from mlops import aws
from mlops.cloud.pipelines import Pipelines
from mlops.cloud.submission import Submission
from mlops.cloud.transfer import Transfer
from mlops.jobs.dataset_version import dataset_version
from mlops.problem import Problem
from mlops.terminal import step


@dataclass(frozen=True)
class Started:
    """An execution that has begun."""

    pipeline: str
    arn: str
    change: str | None  # what became of the pipeline: "created", "updated"

    @property
    def id(self) -> str:
        """The execution's id, as `mlops logs --execution` takes it."""
        return self.arn.rpartition("/")[2]


def carry_out(submission: Submission, *, stderr: bool = False) -> Started:
    """Start training.

    Raises:
        Problem: AWS refused, or the data are not there as they were sent.
    """
    if submission.missing:
        total = sum(file.size for file in submission.missing)
        with Transfer(len(submission.missing), total, stderr=stderr) as transfer:
            submission.artifacts.send(submission.missing, transfer.advance)
    region, pipeline = submission.settings.region, submission.pipeline
    try:
        version = dataset_version(submission.values["DataUri"], aws.client("s3", region))
    except (FileNotFoundError, ValueError) as error:
        raise Problem(str(error)) from None
    pipelines = Pipelines(region)
    with step(f"Bringing the pipeline {pipeline.name} up to date", f"pipeline {pipeline.name}", stderr=stderr):
        change = pipelines.bring_up_to_date(pipeline, submission.there)
    values = submission.values | {"DatasetVersion": version}
    arn = pipelines.start(pipeline.name, values, submission.at_once, f"commit-{submission.values['Commit'][:12]}")
    return Started(pipeline.name, arn, change)
