"""The current version of an environment: what a new model is held against."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.problem import Problem
from mlops.settings import EnvironmentName

# A feature's model is held against what is in dev: a branch has no history of its own.
COMPARED_WITH: dict[EnvironmentName, EnvironmentName] = {"feature": "dev", "dev": "dev", "prod": "prod"}
PAGE = 100  # versions in one answer: the most (ListModelPackages, MaxResults)


@dataclass(frozen=True)
class CurrentVersion:
    """A version of the registry. `baseline_uri`: what its training data looked like; without one, its model."""

    arn: str
    number: int
    model_uri: str
    baseline_uri: str


def current_version(slug: str, environment: EnvironmentName, region: str) -> CurrentVersion | None:
    """Return the newest approved version that a model of this environment is compared with, if there is one.

    Raises:
        Problem: AWS refused, or the group is not there.
    """
    group = f"{slug}-{COMPARED_WITH[environment]}"
    client = aws.client("sagemaker", region)
    try:
        # A page may be empty, and not the last: SageMaker cuts it before it looks at the status.
        pages = client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
            PaginationConfig={"PageSize": PAGE},
        )
        newest = next((found["ModelPackageArn"] for page in pages for found in page["ModelPackageSummaryList"]), None)
        if newest is None:
            return None
        version = client.describe_model_package(ModelPackageName=newest)
    except (ClientError, BotoCoreError) as error:
        if "does not exist" in str(error):
            raise Problem(f"the model package group {group} does not exist; run: mlops setup") from None
        raise Problem(aws.explain(error)) from None
    return _read(version)


def _read(version: dict[str, Any]) -> CurrentVersion:
    statistics = version.get("DriftCheckBaselines", {}).get("ModelDataQuality", {}).get("Statistics", {})
    model = version["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    return CurrentVersion(
        arn=version["ModelPackageArn"],
        number=version["ModelPackageVersion"],
        model_uri=model,
        baseline_uri=statistics.get("S3Uri", model),  # the data check says then what is wrong with it
    )
