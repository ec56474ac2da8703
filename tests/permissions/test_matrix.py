"""Who may do what, and who may not: role x action x resource, against the policies that the account deploys.

One line an action; the columns are where it is tried: in the own project's environments, in another project's (of the
same account), in another account. A cell names all who may; everybody else must be refused there.
    NC NJ PC PJ  the project's roles nonprod-ci, nonprod-job, prod-ci, prod-job
    DS AP        the managed policies for data scientist and approver, which are for all projects
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import Sandbox
from tests.permissions.account import ACCOUNT, BUCKET, FUNCTION, KEY, OTHER, OWN, PATH, REGION, deploy
from tests.permissions.engine import Document, Engine, Policies, Request
from tests.permissions.trial import Deployed, assert_all_allowed

pytestmark = pytest.mark.slow

pytest.importorskip("account", reason="the account stack is not in this repository yet")

FOREIGN = "210987654321"
PLACES = {
    "feature": (OWN, "feature", ACCOUNT),
    "dev": (OWN, "dev", ACCOUNT),
    "prod": (OWN, "prod", ACCOUNT),
    "other feature": (OTHER, "feature", ACCOUNT),
    "other dev": (OTHER, "dev", ACCOUNT),
    "other prod": (OTHER, "prod", ACCOUNT),
    "foreign dev": (OWN, "dev", FOREIGN),
    "foreign prod": (OWN, "prod", FOREIGN),
}
MATRIX = """
action and resource                         | feature     | dev         | prod  | other feature | other dev | other prod | foreign dev | foreign prod
sagemaker:CreatePipeline pipeline           | NC DS       | NC          | PC    | DS            | -         | -          | -           | -
sagemaker:AddTags[CreatePipeline] pipeline  | NC DS       | NC          | PC    | DS            | -         | -          | -           | -
sagemaker:UpdatePipeline pipeline           | NC DS       | NC          | PC    | DS            | -         | -          | -           | -
sagemaker:StartPipelineExecution pipeline   | NC DS       | NC          | PC    | DS            | -         | -          | -           | -
sagemaker:DeletePipeline pipeline           | -           | -           | -     | -             | -         | -          | -           | -
sagemaker:DescribePipeline pipeline         | NC DS AP    | NC DS AP    | PC DS AP | DS AP      | DS AP     | DS AP      | -           | -
sagemaker:StopPipelineExecution execution   | NC DS       | NC          | PC    | DS            | -         | -          | -           | -
sagemaker:ListPipelineExecutionSteps execution | NC DS AP | NC DS AP    | PC DS AP | DS AP      | DS AP     | DS AP      | -           | -
sagemaker:CreateTrainingJob job             | NJ          | NJ          | PJ    | -             | -         | -          | -           | -
sagemaker:CreateProcessingJob processing       | NJ          | NJ          | PJ    | -             | -         | -          | -           | -
sagemaker:CreateTransformJob transform       | NJ          | NJ          | PJ    | -             | -         | -          | -           | -
sagemaker:CreateModel model                 | NJ          | NJ          | PJ    | -             | -         | -          | -           | -
sagemaker:AddTags[CreateTrainingJob] job    | NJ          | NJ          | PJ    | -             | -         | -          | -           | -
sagemaker:AddTags job                       | -           | -           | -     | -             | -         | -          | -           | -
sagemaker:AddTags group                     | -           | -           | -     | -             | -         | -          | -           | -
sagemaker:StopTrainingJob job               | NJ          | NJ          | PJ    | -             | -         | -          | -           | -
sagemaker:DescribeTrainingJob job           | NC NJ DS    | NC NJ DS    | PC PJ DS | DS         | DS        | DS         | -           | -
sagemaker:CreateModelPackage[Approved] version | NJ | NJ          | -     | -             | -         | -          | -           | -
sagemaker:CreateModelPackage[PendingManualApproval] version | NJ | NJ | PJ | -           | -         | -          | -           | -
sagemaker:UpdateModelPackage[Approved] version | DS       | DS          | AP    | DS            | DS        | AP         | -           | -
sagemaker:UpdateModelPackage[Rejected] version | DS       | DS          | AP    | DS            | DS        | AP         | -           | -
sagemaker:DescribeModelPackage version      | NC NJ DS AP | NC NJ DS AP | PC PJ DS AP | DS AP   | DS AP     | DS AP      | -           | -
sagemaker:ListModelPackages version         | NC NJ DS AP | NC NJ DS AP | PC PJ DS AP | DS AP   | DS AP     | DS AP      | -           | -
sagemaker:DeleteModelPackage version        | -           | -           | -     | -             | -         | -          | -           | -
sagemaker:CreateModelPackageGroup group     | DS          | DS          | DS    | DS            | DS        | DS         | -           | -
sagemaker:PutModelPackageGroupPolicy group  | -           | -           | -     | -             | -         | -          | -           | -
sagemaker:CreateEndpoint endpoint           | -           | -           | -     | -             | -         | -          | -           | -
sagemaker:InvokeEndpoint endpoint           | -           | -           | -     | -             | -         | -          | -           | -
s3:GetObject content                        | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:PutObject content                        | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:GetObject report                         | NC NJ DS AP | NC NJ DS AP | PC PJ DS AP | DS AP   | DS AP     | DS AP      | -           | -
s3:PutObject report                         | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:GetObject trained                        | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:GetObject disguised                      | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:PutObject disguised                      | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:ListBucket content-list                  | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
s3:ListBucket bucket                        | -           | -           | -     | -             | -         | -          | -           | -
s3:DeleteObject content                     | -           | -           | -     | -             | -         | -          | -           | -
s3:PutBucketPolicy bucket                   | -           | -           | -     | -             | -         | -          | -           | -
iam:PassRole[sagemaker] job-role            | NC NJ DS    | NC NJ DS    | PC PJ | DS            | DS        | -          | -           | -
iam:PassRole[lambda] job-role               | -           | -           | -     | -             | -         | -          | -           | -
iam:PassRole[sagemaker] ci-role             | -           | -           | -     | -             | -         | -          | -           | -
sts:AssumeRole job-role                     | -           | -           | -     | -             | -         | -          | -           | -
iam:PutRolePolicy job-role                  | -           | -           | -     | -             | -         | -          | -           | -
iam:CreateRole job-role                     | -           | -           | -     | -             | -         | -          | -           | -
iam:DeleteRolePermissionsBoundary job-role  | -           | -           | -     | -             | -         | -          | -           | -
codecommit:GitPull repository               | NC PC DS    | NC PC DS    | NC PC DS | DS         | DS        | DS         | -           | -
codecommit:GitPush branch                   | DS          | DS          | -     | DS            | DS        | -          | -           | -
codecommit:MergePullRequestByFastForward branch | DS      | DS          | AP    | DS            | DS        | AP         | -           | -
codecommit:PutFile branch                   | -           | -           | -     | -             | -         | -          | -           | -
codecommit:CreateRepository repository      | DS          | DS          | DS    | DS            | DS        | DS         | -           | -
codecommit:TagResource repository           | -           | -           | -     | -             | -         | -          | -           | -
codecommit:DeleteRepository repository      | -           | -           | -     | -             | -         | -          | -           | -
lambda:InvokeFunction registration          | DS          | DS          | DS    | DS            | DS        | DS         | -           | -
lambda:InvokeFunction removal               | -           | -           | -     | -             | -         | -          | -           | -
ssm:GetParametersByPath settings            | NC PC DS AP | NC PC DS AP | NC PC DS AP | NC PC DS AP | NC PC DS AP | NC PC DS AP | -     | -
ssm:PutParameter settings                   | -           | -           | -     | -             | -         | -          | -           | -
kms:Decrypt[s3] key                         | NC NJ PC PJ DS AP | NC NJ PC PJ DS AP | NC NJ PC PJ DS AP | NC NJ PC PJ DS AP | NC NJ PC PJ DS AP | NC NJ PC PJ DS AP | - | -
kms:Decrypt key                             | -           | -           | -     | -             | -         | -          | -           | -
kms:ScheduleKeyDeletion key                 | -           | -           | -     | -             | -         | -          | -           | -
"""
ROLES = {"NC": "nonprod-ci", "NJ": "nonprod-job", "PC": "prod-ci", "PJ": "prod-job"}
PEOPLE = {"DS": "scientist", "AP": "approver"}


@dataclass(frozen=True)
class Row:
    """One line of the table. detail: what stands in brackets behind the action."""

    action: str
    detail: str
    kind: str
    allowed: dict[str, set[str]]

    def __str__(self) -> str:
        return f"{self.action}{f'[{self.detail}]' if self.detail else ''} {self.kind}"


def rows() -> list[Row]:
    head, *lines = (line.split("|") for line in MATRIX.strip().splitlines())
    places = [cell.strip() for cell in head[1:]]
    assert places == list(PLACES)
    found = []
    for what, *cells in lines:
        action, kind = what.split()
        name, _, detail = action.rstrip("]").partition("[")
        who = {place: set(re.findall(r"[A-Z]{2}", cell)) for place, cell in zip(places, cells, strict=True)}
        found.append(Row(name, detail, kind, who))
    return found


@dataclass(frozen=True)
class Principals:
    """sessions: short name -> the ARN of a session of the role, and the role's policies. registration: the log of it."""

    sessions: dict[str, tuple[str, Policies]]
    key_policy: Document
    registration: list[dict[str, Any]]
    deployed: Deployed


@pytest.fixture(scope="module")
def principals(running_sandbox: Sandbox) -> Iterator[Principals]:
    running_sandbox.set_faults([])
    running_sandbox.reset()
    deployed = deploy(running_sandbox)
    calls = running_sandbox.calls
    policies = Deployed(running_sandbox)
    arns = {short: deployed.roles[name] for short, name in ROLES.items()}
    arns |= {short: deployed.people[name] for short, name in PEOPLE.items()}
    sessions = {
        short: (f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/session", policies.of_principal(arn))
        for short, arn in arns.items()
    }
    yield Principals(sessions, deployed.key_policy, calls, policies)
    running_sandbox.reset()


@pytest.mark.parametrize("row", rows(), ids=str)
def test_what_is_allowed_and_nothing_else(row: Row, principals: Principals, engine: Engine):
    wrong = []
    for place, allowed in row.allowed.items():
        for short, (session, policies) in principals.sessions.items():
            decision = engine.decide(policies, _request(session, row, place, principals.key_policy))
            if decision.allowed is not (short in allowed):
                wrong.append(
                    f"{place}: {short} may{'' if decision.allowed else ' not'} {row} {decision.reason}".rstrip()
                )
    assert not wrong, "\n".join(wrong)


def test_the_registration_function_may_do_all_that_it_does(principals: Principals, engine: Engine):
    """What it called while it made the roles of these tests, as its own role."""
    own = [call for call in principals.registration if f"assumed-role/{FUNCTION}/" in str(call["role"])]
    assert {"CreateRole", "PutRolePolicy", "GetRole"} <= {call["operation"] for call in own}
    assert_all_allowed(own, engine, principals.deployed)


def _request(session: str, row: Row, place: str, key_policy: Document) -> Request:
    kind = row.kind
    project, environment, account = PLACES[place]
    tier = "prod" if environment == "prod" else "nonprod"
    tags = {"mlops:project": project, "mlops:environment": environment}
    resource = _resource(kind, project, environment, tier, account)
    context: dict[str, Any] = {"aws:ResourceAccount": account, "aws:SecureTransport": "true"}
    operation = row.action.partition(":")[2]
    if kind in _TAGGED:
        made = operation.startswith("Create") or (operation == "AddTags" and row.detail)  # it has no tags yet
        if operation in _TAGGED_AT_CREATION:
            context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()} | {"aws:TagKeys": sorted(tags)}
        if not made:
            context |= {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    context |= _details(row, project, environment, tier)
    return Request(session, row.action, resource, context, account, key_policy if kind == "key" else None)


_TAGGED = {
    *("job", "processing", "transform", "model", "group", "pipeline", "version", "execution", "endpoint"),
    *("repository", "branch"),
}
_TAGGED_AT_CREATION = {
    *("CreatePipeline", "AddTags", "CreateTrainingJob", "CreateProcessingJob", "CreateTransformJob", "CreateModel"),
    "CreateModelPackageGroup",
    *("CreateRepository", "TagResource"),
}


def _resource(kind: str, project: str, environment: str, tier: str, account: str) -> str:
    pipeline = f"{project}-feature-colours-1a2b3c4d" if environment == "feature" else f"{project}-{environment}"
    sagemaker = {
        "pipeline": f"pipeline/{pipeline}",
        "execution": f"pipeline/{pipeline}/execution/abcdef123456",
        "job": "training-job/pipelines-abcdef123456-Train-XyZ",
        "processing": "processing-job/pipelines-abcdef123456-Preprocess-XyZ",
        "transform": "transform-job/pipelines-abcdef123456-Score-XyZ",
        "model": "model/pipelines-abcdef123456-Register-XyZ",
        "group": f"model-package-group/{project}-{environment}",
        "version": f"model-package/{project}-{environment}/3",
        "endpoint": f"endpoint/{project}-{environment}",
    }
    files = {
        "content": f"/{tier}/{project}/content/0a1b/data.csv",
        "report": f"/{tier}/{project}/executions/abcdef123456/Evaluate/report/report.html",
        "trained": f"/{tier}/{project}/executions/abcdef123456/Train/output/model.tar.gz",
        "disguised": f"/{tier}/{project}/content/0a1b/nonprod/settings/data.csv",  # a star of IAM crosses slashes
        "content-list": "",
        "bucket": "",
    }
    if kind in sagemaker:
        return f"arn:aws:sagemaker:{REGION}:{account}:{sagemaker[kind]}"
    if kind in files:
        bucket = BUCKET if account == ACCOUNT else "mlops-of-another-account"
        return f"arn:aws:s3:::{bucket}{files[kind]}"
    others = {
        "job-role": f"arn:aws:iam::{account}:role{PATH}mlops-{project}-{tier}-job",
        "ci-role": f"arn:aws:iam::{account}:role{PATH}mlops-{project}-{tier}-ci",
        "repository": f"arn:aws:codecommit:{REGION}:{account}:{project}",
        "branch": f"arn:aws:codecommit:{REGION}:{account}:{project}",
        "registration": f"arn:aws:lambda:{REGION}:{account}:function:mlops-account-register",
        "removal": f"arn:aws:lambda:{REGION}:{account}:function:mlops-account-register:$LATEST",
        "settings": f"arn:aws:ssm:{REGION}:{account}:parameter/mlops/account",
        "key": KEY.replace(ACCOUNT, account),
    }
    return others[kind]


def _details(row: Row, project: str, environment: str, tier: str) -> dict[str, Any]:
    """The condition keys that the line itself asks for."""
    if row.action == "iam:PassRole":
        return {"iam:PassedToService": f"{row.detail}.amazonaws.com"}
    if row.kind == "content-list":
        return {"s3:prefix": f"{tier}/{project}/content/"}
    if row.action == "s3:ListBucket":
        return {"s3:prefix": ""}
    if row.kind == "branch":
        branches = {"feature": "feature-colours", "dev": "dev", "prod": "main"}
        return {"codecommit:References": [f"refs/heads/{branches[environment]}"]}
    if row.action.startswith("kms:"):
        return {"kms:ViaService": f"s3.{REGION}.amazonaws.com"} if row.detail == "s3" else {}
    if row.action == "sagemaker:AddTags" and row.detail:
        return {"sagemaker:TaggingAction": row.detail}
    if row.action.endswith("ModelPackage") and row.detail:
        return {"sagemaker:ModelApprovalStatus": row.detail}
    return {}
