"""What `mlops submit --plan` shows: what would be sent, changed and started, and what it may cost."""

import json
from typing import Any

from mlops.cloud.definition_changes import Change, changes
from mlops.cloud.sizes import files, size
from mlops.cloud.submission import Submission
from mlops.definition.parameters import STEPS
from mlops.terminal import say, table


def pipeline_change(todo: Submission) -> str:
    """Return what would become of the pipeline: "create", "update" or "exists"."""
    if todo.there is None:
        return "create"
    return "update" if definition_changes(todo) or todo.there["RoleArn"] != todo.pipeline.role else "exists"


def definition_changes(todo: Submission) -> list[Change]:
    """Return how the definition differs from the one that is there."""
    if todo.there is None:
        return []
    return changes(json.loads(todo.there["PipelineDefinition"]), json.loads(todo.pipeline.definition))


def machines(todo: Submission) -> list[dict[str, Any]]:
    """Return what each job runs on, and for how long at most: what the execution may cost."""
    found = []
    for demand in todo.demands:
        job = todo.settings.jobs.of(STEPS.get(demand.step, "default"))
        instance_type, _, usage = demand.quota.partition(" for ")
        found.append(
            {
                "step": demand.step,
                "instance_type": instance_type,
                "instances": demand.instances,
                "volume_gb": job.volume_gb,
                "at_most_minutes": job.max_minutes,
                "usage": usage,
            }
        )
    return found


def as_json(todo: Submission) -> dict[str, Any]:
    """Return the plan as plain data."""
    return {
        "account": todo.caller.account,
        "region": todo.settings.region,
        "principal": todo.caller.arn,
        "environment": todo.environment,
        "branch": todo.branch,
        "commit": todo.values["Commit"],
        "pipeline": {"name": todo.pipeline.name, "change": pipeline_change(todo), "role": todo.pipeline.role},
        "definition": [vars(change) for change in definition_changes(todo)],
        "send": [{"key": file.key, "bytes": file.size} for file in todo.missing],
        "compared_with": todo.current.arn if todo.current else None,
        "machines": machines(todo),
        "steps_at_once": todo.at_once,
        "quotas": todo.unchecked or "looked at",
    }


def show(todo: Submission) -> None:
    """Print the plan for people."""
    say(f"AWS account {todo.caller.place}, {todo.settings.region}, as {todo.caller.arn}")
    compared = f"version {todo.current.number}" if todo.current else "nothing: no version is approved yet"
    total = sum(file.size for file in todo.missing)
    sent = f"{files(len(todo.missing))}, {size(total)}, to s3://{todo.stack.bucket}" if todo.missing else "nothing new"
    rows = [
        ["commit", f"{todo.values['Commit']} ({todo.branch or 'no branch'}), into {todo.environment}"],
        ["pipeline", f"{todo.pipeline.name}: {pipeline_change(todo)}"],
        ["role", todo.pipeline.role],
        ["send", sent],
        ["compared with", compared],
        ["quotas", f"not looked at: {todo.unchecked}" if todo.unchecked else _at_once(todo)],
    ]
    table(["", ""], rows)
    if found := definition_changes(todo):
        say()
        table(["changed in the definition", "before", "after"], [[c.where, c.before, c.after] for c in found])
    say()
    rows = [
        [m["step"], f"{m['instances']} x {m['instance_type']}", f"{m['volume_gb']} GB", f"{m['at_most_minutes']} min"]
        for m in machines(todo)
    ]
    table(["step", "machines", "volume", "at most"], rows)


def _at_once(todo: Submission) -> str:
    return f"suffice, with {todo.at_once} steps at a time" if todo.at_once else "suffice"
