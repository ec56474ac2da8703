"""A handful of what the roles of a project and people may and may not, put to AWS's own engine of IAM.

The whole matrix is tried offline, in tests/permissions; this says whether AWS's engine agrees with the one there.
SimulatePrincipalPolicy (API Reference) counts a role's inline policies and its permissions boundary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from account import aws
from verify_aws.assumptions import Finding
from verify_aws.trial import Trial

SCIENTIST = ("mlops-data-scientist", "mlops-data-scientist-code")
JOB = "sagemaker:training-job/pipelines-abcdef123456-Train-XyZ"


@dataclass(frozen=True)
class Case:
    """who: nonprod-ci and the like, or scientist. resource: service and end of an ARN, with {slug} for the project."""

    who: str
    action: str
    resource: str
    allowed: bool
    context: Mapping[str, str] = field(default_factory=dict)


def _tags(key: str, project: str, environment: str) -> dict[str, str]:
    return {f"aws:{key}/mlops:project": project, f"aws:{key}/mlops:environment": environment}


PENDING = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
APPROVED = {"sagemaker:ModelApprovalStatus": "Approved"}
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
CASES = (
    Case("nonprod-ci", "sagemaker:StartPipelineExecution", "sagemaker:pipeline/{slug}-dev", True),
    Case("nonprod-ci", "sagemaker:StartPipelineExecution", "sagemaker:pipeline/{slug}-prod", False),
    Case("nonprod-ci", "iam:PassRole", "iam:role{path}mlops-{slug}-nonprod-job", True, TO_SAGEMAKER),
    Case("nonprod-ci", "iam:PassRole", "iam:role{path}mlops-{slug}-prod-job", False, TO_SAGEMAKER),
    Case("nonprod-ci", "iam:PutRolePolicy", "iam:role{path}mlops-{slug}-nonprod-job", False),
    Case("nonprod-job", "sagemaker:CreateTrainingJob", JOB, True, _tags("RequestTag", "{slug}", "dev")),
    Case("nonprod-job", "sagemaker:CreateTrainingJob", JOB, False, _tags("RequestTag", "another", "dev")),
    Case("nonprod-job", "sagemaker:CreateTrainingJob", JOB, False, _tags("RequestTag", "{slug}", "prod")),
    Case("nonprod-job", "sagemaker:StopTrainingJob", JOB, False, _tags("ResourceTag", "another", "dev")),
    Case("nonprod-job", "s3:GetObject", "s3:{bucket}/nonprod/{slug}/content/0a1b/data.csv", True),
    Case("nonprod-job", "s3:GetObject", "s3:{bucket}/nonprod/{slug}-2/content/0a1b/data.csv", False),
    Case("nonprod-job", "s3:GetObject", "s3:{bucket}/prod/{slug}/content/0a1b/data.csv", False),
    Case("nonprod-job", "sagemaker:CreateModelPackage", "sagemaker:model-package/{slug}-prod/1", False, PENDING),
    Case("prod-job", "sagemaker:CreateModelPackage", "sagemaker:model-package/{slug}-prod/1", True, PENDING),
    Case("prod-job", "sagemaker:CreateModelPackage", "sagemaker:model-package/{slug}-prod/1", False, APPROVED),
    Case("scientist", "sagemaker:UpdateModelPackage", "sagemaker:model-package/{slug}-dev/1", True, APPROVED),
    Case("scientist", "sagemaker:UpdateModelPackage", "sagemaker:model-package/{slug}-prod/1", False, APPROVED),
    Case("scientist", "lambda:InvokeFunction", "lambda:function:mlops-account-register", True),
    Case("scientist", "lambda:InvokeFunction", "lambda:function:mlops-account-register:$LATEST", False),
    Case("scientist", "s3:GetObject", "s3:{bucket}/prod/{slug}/content/0a1b/data.csv", False),
)


@dataclass(frozen=True)
class Asked:
    """A case with real names. resource: an ARN."""

    action: str
    resource: str
    context: dict[str, str]


def asked(case: Case, names: Mapping[str, str]) -> Asked:
    """Fill in the names: slug, path, bucket, partition, region, account."""
    service, _, resource = case.resource.format(**names).partition(":")
    place = {"s3": ":", "iam": f":{names['account']}"}.get(service, f"{names['region']}:{names['account']}")
    arn = f"arn:{names['partition']}:{service}:{place}:{resource}"
    return Asked(case.action, arn, {key: value.format(**names) for key, value in case.context.items()})


def refusals(trial: Trial) -> list[Finding]:
    """What roles and people may and may not (iam simulate-principal-policy)"""
    published = trial.published()
    names = {
        **{"slug": trial.slug, "account": trial.account, "region": trial.region, "partition": trial.partition},
        **{"path": published["role-path"], "bucket": published["bucket"]},
    }
    people = _documents(trial, published["role-path"])
    return [
        _finding(case, asked(case, names), _decision(trial, case, asked(case, names), names, people)) for case in CASES
    ]


def _decision(trial: Trial, case: Case, question: Asked, names: Mapping[str, str], people: list[str]) -> str:
    """allowed, implicitDeny or explicitDeny."""
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in question.context.items()
    ]
    request: dict[str, Any] = {"ActionNames": [question.action], "ResourceArns": [question.resource]}
    request["ContextEntries"] = context
    iam = aws.client("iam")
    if case.who == "scientist":
        answer = iam.simulate_custom_policy(PolicyInputList=people, **request)
    else:
        role = trial.arn("iam", f"role{names['path']}mlops-{trial.slug}-{case.who}", region=False)
        answer = iam.simulate_principal_policy(PolicySourceArn=role, **request)
    return str(answer["EvaluationResults"][0]["EvalDecision"])


def _documents(trial: Trial, path: str) -> list[str]:
    iam, found = aws.client("iam"), []
    for name in SCIENTIST:
        arn = trial.arn("iam", f"policy{path}{name}", region=False)
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found.append(json.dumps(document))
    return found


def _finding(case: Case, question: Asked, decision: str) -> Finding:
    may = "may" if case.allowed else "may not"
    keys = ", ".join(f"{key.rpartition('/')[2]}={value}" for key, value in question.context.items())
    claim = f"{case.who} {may} {case.action} {question.resource.split(':', 5)[5]}{keys and f' ({keys})'}"
    return Finding(claim, decision, (decision == "allowed") is case.allowed)
