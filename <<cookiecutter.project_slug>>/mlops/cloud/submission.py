"""What `mlops submit` starts from: looked at and settled before anything is sent or changed on AWS."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops import aws
from mlops.cloud import account_stack, images, quotas
from mlops.cloud.account_stack import AccountStack
from mlops.cloud.content import Content, Missing
from mlops.cloud.current_version import CurrentVersion, current_version
from mlops.cloud.executions import environment as environment_named
from mlops.cloud.organisation import steps_of, with_organisation
from mlops.cloud.pipelines import Pipeline, Pipelines
from mlops.cloud.roles import TIERS, job_role
from mlops.git import root_commit
from mlops.laptop import preparation, store
from mlops.names import pipeline_name
from mlops.problem import Problem
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


@dataclass(frozen=True)
class Submission:
    """Everything that is settled before the first change.

    `places` name the trees of the local store by the parameter that gets their URI; `values` are those parameters that
    the place of a run gives, but for DatasetVersion, which S3 tells once the data are there.
    """

    environment: EnvironmentName
    settings: Settings
    caller: aws.Caller
    stack: AccountStack
    branch: str | None
    commit: str
    pipeline: Pipeline
    there: dict[str, Any] | None  # the pipeline as it is, if it is
    content: Content
    settings_content: Content
    places: Mapping[str, str]
    missing: list[Missing]
    values: dict[str, str]
    current: CurrentVersion | None
    demands: list[quotas.Demand]
    at_once: int | None
    unchecked: str | None  # why the quotas could not be looked at


def prepare(wanted: EnvironmentName | None) -> Submission:
    """Settle what is trained, where, under which role; nothing is changed.

    Raises:
        Problem: a setting, the data, the branch, the account or a permission is wrong.
    """
    stand = preparation.stand()
    environment = environment_named(wanted, stand["branch"])
    settings = load_settings().of_environment(environment)
    if environment == "prod" and stand["dirty"]:
        raise Problem(
            "prod is trained from a commit, and this folder holds changes that are in none; commit them first"
        )
    caller = aws.caller(settings.region)
    if settings.account not in {None, caller.account}:
        raise Problem(
            f"these credentials are for account {caller.place}, and mlops.yaml wants {settings.account}; "
            "set AWS_PROFILE to a profile of that account."
        )
    stack = account_stack.require(settings.region)
    name = pipeline_name(settings.project.slug, environment, stand["branch"])
    pipelines = Pipelines(settings.region)
    there = _existing(pipelines, name, environment)  # the first thing that only the right role may do

    preparation.look_at_data(settings)
    built = preparation.built_definition(settings)
    places = preparation.places(settings, built)
    folder = f"{settings.project.slug}/{TIERS[environment]}"
    content = Content(stack.bucket, f"{folder}/content", stack.kms_key, settings.region)
    settings_content = Content(stack.bucket, f"{folder}/settings", stack.kms_key, settings.region)
    current = current_version(settings.project.slug, environment, settings.region)
    none = store.add(preparation.NO_VERSION)
    places = {**places, "CurrentModelUri": none, "CurrentBaselineUri": none}
    role = job_role(settings, stack, caller.account, environment)
    values = {
        parameter: (settings_content if parameter == "SettingsUri" else content).uri(tree)
        for parameter, tree in places.items()
    } | {
        "JobRole": role,
        "KmsKey": stack.kms_key,
        "ArtifactsUri": f"s3://{stack.bucket}/{folder}/executions",
        "ModelPackageGroup": f"{settings.project.slug}-{environment}",
        "Commit": preparation.commit_of(stand),
        "Branch": preparation.branch_of(stand),
        "TemplateVersion": load_template_record().version,
        "ModelApprovalStatus": APPROVAL[environment],
        "TrainingImageDigest": images.digest(_training_image(built.content)),
    }
    if current:
        values |= {
            "CurrentModelUri": current.model_uri,
            "CurrentBaselineUri": current.baseline_uri
            or current.model_uri,  # the data check says what is wrong with it
        }
    known = parameter_values(built.content["Parameters"], values | {"DatasetVersion": ""})
    preparation.check_metadata(known)
    own_tags = {**stack.tags, **tags(settings, environment, root_commit())}
    job_tags = {key: value for key, value in own_tags.items() if key != ROOT_COMMIT}
    definition = with_organisation(built.content, stack, job_tags, known)
    demands = quotas.demands(definition, known)
    at_once, unchecked = _quotas(demands, settings.region)
    missing = content.missing([tree for parameter, tree in places.items() if parameter != "SettingsUri"])
    missing += settings_content.missing([places["SettingsUri"]])
    return Submission(
        environment=environment,
        settings=settings,
        caller=caller,
        stack=stack,
        branch=stand["branch"],
        commit=values["Commit"],
        pipeline=Pipeline(
            name, json.dumps(definition), role, own_tags, f"{settings.project.name}: training in {environment}"
        ),
        there=there,
        content=content,
        settings_content=settings_content,
        places=places,
        missing=missing,
        values=values,
        current=current,
        demands=demands,
        at_once=at_once,
        unchecked=unchecked,
    )


def _existing(pipelines: Pipelines, name: str, environment: EnvironmentName) -> dict[str, Any] | None:
    try:
        return pipelines.describe(name)
    except Problem as problem:
        if environment == "prod" and "is not allowed" in str(problem):
            raise Problem(
                f"prod is trained by CI, when a change is merged to main; these credentials may not ({problem})"
            ) from None
        raise


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
