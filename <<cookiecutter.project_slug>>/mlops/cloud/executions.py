"""Which execution people mean: that of a branch's pipeline, the latest unless they name one."""

from mlops.checkout import checkout
from mlops.cloud.pipelines import Pipelines
from mlops.names import environment_of, pipeline_name
from mlops.problem import Problem
from mlops.settings import ENVIRONMENTS, EnvironmentName, Settings

LISTED = 100  # executions that are looked through for one by its id


def environment(wanted: EnvironmentName | None, branch: str | None) -> EnvironmentName:
    """Return the environment that a person or the branch names.

    Raises:
        Problem: there is no such environment, or the branch belongs to none.
    """
    if wanted is not None and wanted not in ENVIRONMENTS:
        raise Problem(f"--env {wanted}: there is no such environment; there are: {', '.join(ENVIRONMENTS)}")
    found = wanted or environment_of(branch)
    if found is None:
        raise Problem(
            f"the branch {branch or '(none)'} belongs to no environment, as feature-*, feature/*, dev and main do; "
            "switch to one with: git switch -c feature-NAME, or name one with --env"
        )
    return found


def find(pipelines: Pipelines, settings: Settings, wanted: EnvironmentName | None, execution: str | None) -> str:
    """Return the ARN of an execution.

    Raises:
        Problem: there is none.
    """
    branch = checkout()["branch"]
    name = pipeline_name(settings.project.slug, environment(wanted, branch), branch)
    found = pipelines.executions(name, LISTED if execution else 1)
    arns = [one["PipelineExecutionArn"] for one in found]
    if execution is None and arns:
        return str(arns[0])
    if arn := next((arn for arn in arns if execution and arn.rpartition("/")[2] == execution), None):
        return str(arn)
    what = f"no execution {execution}" if execution else "no execution yet"
    raise Problem(f"the pipeline {name} has {what}; start one with: mlops submit")
