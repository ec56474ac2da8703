"""What is recorded of a version, on this machine or on AWS, and whether that is enough to make it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.git import run_git
from mlops.problem import Problem
from mlops.settings import ENVIRONMENTS, EnvironmentName

COMMIT = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")  # of SHA-1 or SHA-256 repositories
DIRTY = "-dirty"


@dataclass(frozen=True)
class Original:
    """A version as it was made. `settings` are those in force then; `data_uri` names the table by its content.

    `model_uri`: the content of model/, where it was not committed; `jobs_uri`: that of mlops/jobs then. `missing` says
    what is not recorded, or cannot be read.
    """

    what: str  # "version 3 of this machine"
    environment: EnvironmentName
    commit: str
    settings: Mapping[str, Any]
    metrics: Mapping[str, float]
    main_metric: str
    packages: Mapping[str, str]
    python: str | None
    data_uri: str
    model_uri: str | None = None
    jobs_uri: str | None = None
    missing: tuple[str, ...] = ()


def of_this_machine(number: int) -> Original:
    """Return what the history of this machine says of a version.

    A run from a dirty tree can be made again all the same: model/ lies in the store as it was.

    Raises:
        Problem: there is no such version, its run is gone, or what is recorded is not enough.
    """
    from mlops.laptop.runs import find
    from mlops.laptop.versions import versions

    known = {version.number: version for version in versions()}
    if number not in known:
        there = f"there are: {', '.join(map(str, known))}" if known else "there is none yet: mlops run"
        raise Problem(f"there is no version {number} on this machine; {there} (one of AWS: --env dev)")
    run = find(known[number].run)
    what, record = f"version {number} of this machine", run.record
    git, parameters = record.get("git") or {}, record.get("parameters") or {}
    if record.get("status") == "Unreadable":
        raise Problem(f"{what} cannot be made again: {run.verdict.why}")
    dirty = bool(git.get("dirty"))
    return Original(
        what=what,
        environment=record["environment"],
        commit=_in_this_clone(str(git.get("commit") or "none"), what),
        settings=run.settings,
        metrics=_some({name: float(metric["value"]) for name, metric in run.metrics.items()}, what),
        main_metric=run.metric,
        packages=record.get("packages") or {},
        python=record.get("python"),
        data_uri=str(parameters.get("DataUri")),
        model_uri=parameters.get("ModelCodeUri") if dirty else None,
        jobs_uri=parameters.get("JobScriptsUri") if dirty else None,
    )


def of_registry(number: int, environment: str) -> Original:
    """Return what the registry on AWS, and the settings and lineage that it names, say of a version.

    Raises:
        Problem: there is no such version, what is recorded is not enough, or AWS refused.
    """
    from mlops.cloud.project import own
    from mlops.cloud.stored_json import metric_values, part
    from mlops.cloud.version_table import full
    from mlops.cloud.versions import Registry

    if environment not in ENVIRONMENTS:
        raise Problem(f"--env {environment}: there is no such environment; there are: {', '.join(ENVIRONMENTS)}")
    registry = Registry(own())
    found = full(registry.version(registry.group(environment, None), number), registry.project.region)
    version, lineage = found.version, found.lineage.content
    what, commit = f"version {number} of {version.group.name}", version.metadata.get("commit", "none")
    if commit.endswith(DIRTY):
        raise Problem(
            f"{what} cannot be made again: its code was changed after commit {commit[:10]}, and the change is in no "
            "commit; commit before mlops submit"
        )
    if found.settings.problem:
        raise Problem(f"{what} cannot be made again: {found.settings.problem}")
    main, came_to = version.metric
    metrics = metric_values(lineage) or _number(main, came_to)
    return Original(
        what=what,
        environment=environment,
        commit=_in_this_clone(commit, what),
        settings=found.settings.content,
        metrics=_some(metrics, what),
        main_metric=main,
        packages={name: str(number) for name, number in part(lineage, "packages").items()},
        python=lineage.get("python"),
        data_uri=version.metadata.get("dataset_uri", "none"),
        missing=(found.lineage.problem,) if found.lineage.problem else (),
    )


def _in_this_clone(commit: str, what: str) -> str:
    if not COMMIT.match(commit):
        raise Problem(f"{what} cannot be made again: no commit is recorded, it was made outside of git")
    if run_git(["cat-file", "-e", f"{commit}^{{commit}}"]).returncode:
        raise Problem(
            f"{what} was made of commit {commit[:10]}, which this clone has not; fetch first: git fetch --all"
        )
    return commit


def _some(metrics: dict[str, float], what: str) -> dict[str, float]:
    if not metrics:
        raise Problem(f"{what} has no metrics on record: there is nothing to compare with")
    return metrics


def _number(name: str, text: str) -> dict[str, float]:
    try:
        return {name: float(text)} if name else {}
    except ValueError:
        return {}
