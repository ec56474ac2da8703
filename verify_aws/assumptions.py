"""What the sandbox assumes where AWS's documentation is silent or contradicts itself, each with a question to AWS.

Where AWS says no, the sandbox is to be changed, and the line of sandbox/LENIENCIES.md or docs/pipeline.md with it.
Shapes of events are not asked for yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from account import aws
from verify_aws.probe import DENIED, NotAnswered, allow, probing
from verify_aws.trial import Trial, reused

STREAM = {"processing-job": "ProcessingJobs", "training-job": "TrainingJobs"}


@dataclass(frozen=True)
class Finding:
    """agrees: None where AWS could not be asked."""

    claim: str
    answer: str
    agrees: bool | None


def names_of_jobs(trial: Trial) -> list[Finding]:
    """A pipeline's jobs are named pipelines-<execution id>-<step>-…; the roles' policies rest on it"""
    execution = trial.executions[0].rpartition("/")[2]
    names = [arn.rpartition("/")[2] for arn in trial.jobs(trial.executions[0])]
    wrong = [name for name in names if not re.fullmatch(rf"pipelines-{execution}-\w+-\w+", name)]
    return [_finding(names_of_jobs, ", ".join(wrong) or f"{len(names)} are, such as {names[0]}", not wrong)]


def tags_of_jobs(trial: Trial) -> list[Finding]:
    """Each job carries the tags of the definition; the roles' policies rest on it"""
    client = aws.client("sagemaker")
    found = {arn: client.list_tags(ResourceArn=arn)["Tags"] for arn in trial.jobs(trial.executions[0])}
    wanted = {"Key": "mlops:project", "Value": trial.slug}
    without = [arn for arn, tags in found.items() if wanted not in tags]
    return [_finding(tags_of_jobs, f"{', '.join(without)} lack it" if without else f"{len(found)} do", not without)]


def step_cache(trial: Trial) -> list[Finding]:
    """A second execution of the same code and data reuses every job"""
    again = trial.jobs(trial.executions[1])
    hits = [name for name, step in trial.steps(trial.executions[1]).items() if reused(step)]
    said = f"reused {', '.join(hits) or 'none'}" + (f"; ran {', '.join(again)}" if again else "")
    return [_finding(step_cache, said, bool(hits) and not again)]


def logs_of_jobs(trial: Trial) -> list[Finding]:
    """The log of a job is in /aws/sagemaker/<kind of job>, in streams <job>/…"""
    logs, missing = aws.client("logs"), []
    for arn in trial.jobs(trial.executions[0]):
        kind, job = arn.split(":", 5)[5].split("/")
        group = f"/aws/sagemaker/{STREAM[kind]}"
        if not logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]:
            missing.append(job)
    return [_finding(logs_of_jobs, f"none of {', '.join(missing)}" if missing else "each has one", not missing)]


def who_registered(trial: Trial) -> list[Finding]:
    """CreatedBy of a version that a pipeline registers names the session of the job role, as IamIdentity"""
    created = _version(trial, 1).get("CreatedBy", {})
    said = created.get("IamIdentity", {}).get("Arn", f"no IamIdentity, but {sorted(created) or 'nothing'}")
    return [_finding(who_registered, said, f"/mlops-{trial.slug}-nonprod-job/" in said)]


def metadata_is_merged(trial: Trial) -> list[Finding]:
    """UpdateModelPackage adds to CustomerMetadataProperties; what it does not name stays"""
    version = _version(trial, 2)
    client, added = aws.client("sagemaker"), {"verified": "yes"}
    client.update_model_package(ModelPackageArn=version["ModelPackageArn"], CustomerMetadataProperties=added)
    after = _version(trial, 2)["CustomerMetadataProperties"]
    agrees = after == version["CustomerMetadataProperties"] | added
    return [_finding(metadata_is_merged, f"now {', '.join(sorted(after))}", agrees)]


def versions_take_no_tags(trial: Trial) -> list[Finding]:
    """A version in a group cannot be tagged"""
    tags = [{"Key": "verified", "Value": "yes"}]
    arn = _version(trial, 1)["ModelPackageArn"]
    code = _code(lambda: aws.client("sagemaker").add_tags(ResourceArn=arn, Tags=tags))
    return [_finding(versions_take_no_tags, code or "it was tagged", code == "ValidationException")]


def a_group_is_made_once(trial: Trial) -> list[Finding]:
    """A second CreateModelPackageGroup of one name is a ValidationException"""
    group = {"ModelPackageGroupName": trial.group()}
    code = _code(lambda: aws.client("sagemaker").create_model_package_group(**group))
    return [_finding(a_group_is_made_once, code or "it was made", code == "ValidationException")]


def permissions(trial: Trial) -> list[Finding]:
    """What AWS asks permission for"""
    absent, repository = f"{trial.slug}-absent", f"{trial.slug}-probe"
    place = trial.arn("codecommit", repository)
    group = trial.arn("sagemaker", f"model-package-group/{repository}")
    versions = trial.arn("sagemaker", f"model-package/{trial.group()}/*")
    tags = {"mlops:project": trial.slug}
    all_of_it = (
        allow("codecommit:CreateRepository codecommit:TagResource", place),
        allow("sagemaker:CreateModelPackageGroup sagemaker:AddTags", group),
        allow("sagemaker:ListModelPackages", "*"),
    )
    claims = (
        "GetRole of a role that is not there is asked on its name without any path",
        "CreateRepository with tags needs codecommit:TagResource, too",
        "CreateModelPackageGroup with tags needs sagemaker:AddTags, too",
        "ListModelPackages is asked on the versions of the group",
    )
    try:
        with probing(trial, *all_of_it) as probe:
            look = ("iam", "get_role", {"RoleName": absent})
            plain = probe.try_call(*look, allow("iam:GetRole", trial.arn("iam", f"role/{absent}", region=False)))
            under = probe.try_call(*look, allow("iam:GetRole", trial.arn("iam", f"role/mlops/{absent}", region=False)))
            make = ("codecommit", "create_repository", {"repositoryName": repository, "tags": tags})
            made = probe.try_call(*make, allow("codecommit:CreateRepository", place))
            as_list = [{"Key": key, "Value": value} for key, value in tags.items()]
            gather = ("sagemaker", "create_model_package_group", {"ModelPackageGroupName": repository, "Tags": as_list})
            grouped = probe.try_call(*gather, allow("sagemaker:CreateModelPackageGroup", group))
            see = ("sagemaker", "list_model_packages", {"ModelPackageGroupName": trial.group()})
            listed = probe.try_call(*see, allow("sagemaker:ListModelPackages", versions))
    except NotAnswered as reason:
        return [Finding(claim, str(reason), None) for claim in claims]
    said = f"without a path: {plain or 'found'}; below /mlops/: {under or 'found'}"
    return [
        Finding(claims[0], said, plain not in DENIED and under in DENIED),
        Finding(claims[1], made or "made without it", made in DENIED),
        Finding(claims[2], grouped or "made without it", grouped in DENIED),
        Finding(claims[3], listed or "allowed there, it succeeds", listed == ""),
    ]


ASSUMPTIONS: tuple[Callable[[Trial], list[Finding]], ...] = (
    names_of_jobs,
    tags_of_jobs,
    step_cache,
    logs_of_jobs,
    who_registered,
    metadata_is_merged,
    versions_take_no_tags,
    a_group_is_made_once,
    permissions,
)


def _finding(question: Callable[[Trial], list[Finding]], answer: str, agrees: bool) -> Finding:
    return Finding(question.__doc__ or "", answer, agrees)


def _version(trial: Trial, number: int) -> dict[str, Any]:
    arn = trial.arn("sagemaker", f"model-package/{trial.group()}/{number}")
    found: dict[str, Any] = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return found


def _code(call: Callable[[], object]) -> str:
    """The code of the error that a call ends with; "" where it succeeds."""
    try:
        call()
    except ClientError as error:
        return aws.code(error)
    return ""
