"""What `mlops submit` starts from: looked at and settled before anything is sent or changed on AWS."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mlops import aws
from mlops.checkout import branch_text, checkout, commit_text
from mlops.cloud import account_stack, images, quotas
from mlops.cloud.account_stack import AccountStack
from mlops.cloud.artifacts import Artifacts, Missing
from mlops.cloud.current_version import CurrentVersion, current_version
from mlops.cloud.executions import environment as environment_named
from mlops.cloud.organisation import steps_of, with_organisation
from mlops.cloud.pipelines import Pipeline, Pipelines
from mlops.cloud.roles import TIERS, job_role
from mlops.definition.metadata import check_metadata, known_metadata
from mlops.git import root_commit
from mlops.laptop import content, store
from mlops.names import pipeline_name
from mlops.problem import NotAllowed, Problem
from mlops.runner.expressions import parameter_values
from mlops.settings import EnvironmentName, Settings, load_settings
from mlops.tags import ROOT_COMMIT, tags
from mlops.template_record import load_template_record

# Who approves a new version: in dev the gate, in prod a person; a feature's version is nobody's to deploy.
APPROVAL: dict[EnvironmentName, str] = {
    "feature": "PendingManualApproval",
    "dev": "Approved",
    "prod": "PendingManualApproval",
}
DIGEST = "0" * 64  # stands for the version of the data until S3 tells it


@dataclass(frozen=True)
class Submission:
    """Everything that is settled before the first change.

    `values` are the parameters that the place of a run gives, but for DatasetVersion: S3 tells it once the data are
    there. `missing` is what S3 lacks.
    """

    environment: EnvironmentName
    settings: Settings
    caller: aws.Caller
    stack: AccountStack
    branch: str | None
    pipeline: Pipeline
    there: dict[str, Any] | None  # the pipeline as it is, if it is
    artifacts: Artifacts
    missing: list[Missing]
    values: dict[str, str]
    current: CurrentVersion | None
    demands: list[quotas.Demand]
    at_once: int | None
    unchecked: str | None  # why the quotas could not be looked at


def prepare(wanted: EnvironmentName | None, *, stderr: bool = False) -> Submission:
    """Settle what is trained, where, under which role; nothing is changed. What takes seconds is shown.

    Raises:
        Problem: a setting, the data, the branch, the account or a permission is wrong.
    """
    state = checkout()
    environment = environment_named(wanted, state["branch"])
    settings = load_settings().of_environment(environment)
    slug = settings.project.slug
    if environment == "prod" and state["dirty"]:
        raise Problem("prod is trained from a commit, and files here differ from it; commit the changes first")
    caller = _caller(settings)
    stack = account_stack.require(settings.region)
    name = pipeline_name(slug, environment, state["branch"])
    with _only_for_ci(environment):
        there = Pipelines(settings.region).describe(name)
    current = current_version(slug, environment, settings.region)

    content.look_at_data(settings, stderr=stderr)
    built = content.built_definition(settings, stderr=stderr)
    none = store.add(content.NO_VERSION)
    trees = {"CurrentModelUri": none, "CurrentBaselineUri": none} | content.trees(settings, built)
    artifacts = Artifacts(stack, f"{TIERS[environment]}/{slug}", settings.region)
    role = job_role(settings, stack, caller.account, environment)
    values = {parameter: artifacts.uri(parameter, tree) for parameter, tree in trees.items()} | {
        "JobRole": role,
        "KmsKey": stack.kms_key,
        "ArtifactsUri": artifacts.executions,
        "ModelPackageGroup": f"{slug}-{environment}",
        "Commit": commit_text(state),
        "Branch": branch_text(state),
        "TemplateVersion": load_template_record().version,
        "ModelApprovalStatus": APPROVAL[environment],
        "TrainingImageDigest": images.digest(_training_image(built.content)),
    }
    if current:
        values |= {"CurrentModelUri": current.model_uri, "CurrentBaselineUri": current.baseline_uri}
    known = parameter_values(built.content["Parameters"], {"DatasetVersion": DIGEST} | values)
    check_metadata(known_metadata(known, settings.evaluation.metric))

    named = {**tags(settings, environment, root_commit()), **stack.tags}
    on_jobs = {key: value for key, value in named.items() if key != ROOT_COMMIT}
    laid_over = with_organisation(built.content, stack, on_jobs, known)
    demands = quotas.demands(laid_over, known)
    at_once, unchecked = _quotas(demands, settings.region)
    shown = f"{settings.project.name}: training in {environment}"
    with _only_for_ci(environment):
        missing = artifacts.missing(trees)
    return Submission(
        environment=environment,
        settings=settings,
        caller=caller,
        stack=stack,
        branch=state["branch"],
        pipeline=Pipeline(name, json.dumps(laid_over), role, named, shown),
        there=there,
        artifacts=artifacts,
        missing=missing,
        values=values,
        current=current,
        demands=demands,
        at_once=at_once,
        unchecked=unchecked,
    )


def _caller(settings: Settings) -> aws.Caller:
    caller = aws.caller(settings.region)
    aws.refuse_other_account(settings.account, caller.account, caller.place)
    return caller


@contextmanager
def _only_for_ci(environment: EnvironmentName) -> Iterator[None]:
    """Say of a refusal in prod that people need no such permission there."""
    try:
        yield
    except NotAllowed as refusal:
        if environment != "prod":
            raise
        reason = str(refusal).removesuffix(aws.ASK)
        raise NotAllowed(
            f"prod is trained by CI, when a change is merged to main; these credentials may not ({reason})"
        ) from None


def _training_image(definition: Mapping[str, Any]) -> str:
    train = next(step for step in steps_of(definition) if step["Type"] == "Training")
    return str(train["Arguments"]["AlgorithmSpecification"]["TrainingImage"])


def _quotas(demands: list[quotas.Demand], region: str) -> tuple[int | None, str | None]:
    """Return how many steps may run at once, and why that could not be told."""
    try:
        applied = quotas.applied(region)
    except quotas.Unknown as unknown:
        return None, str(unknown)
    quotas.check(demands, applied, region)
    return quotas.at_once(demands, applied), None
