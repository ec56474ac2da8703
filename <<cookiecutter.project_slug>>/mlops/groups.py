"""The model package groups: where the versions of each environment are registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.names import model_package_groups
from mlops.problem import Problem, Refused
from mlops.repository import Standing
from mlops.settings import Settings
from mlops.tags import ROOT_COMMIT, as_list, description, tags

ERRORS = (ClientError, BotoCoreError)
KIND = "model package group"


@dataclass(frozen=True)
class Group:
    """A model package group of the scenario, as it was found."""

    name: str
    environment: str
    standing: Standing


class ModelPackageGroups:
    """The groups of one repository. *Ours* is a group that carries the tag of our root commit."""

    def __init__(self, settings: Settings, root_commit: str) -> None:
        self._settings = settings
        self._root_commit = root_commit
        self._client = aws.client("sagemaker", settings.region)

    def look(self) -> list[Group]:
        """Find out which groups are there: one call, and one more for each that is.

        Raises:
            Problem: AWS refused.
        """
        try:
            pages = self._client.get_paginator("list_model_package_groups").paginate(
                NameContains=self._settings.project.slug, PaginationConfig={"PageSize": 100}
            )
            arns = {
                group["ModelPackageGroupName"]: group["ModelPackageGroupArn"]
                for page in pages
                for group in page["ModelPackageGroupSummaryList"]
            }
            return [
                Group(name, environment, self._standing(arns.get(name)))
                for name, environment in model_package_groups(self._settings).items()
            ]
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def _standing(self, arn: str | None) -> Standing:
        if arn is None:
            return Standing.ABSENT
        pages = self._client.get_paginator("list_tags").paginate(ResourceArn=arn)
        found = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        return Standing.OURS if found.get(ROOT_COMMIT) == self._root_commit else Standing.FOREIGN

    def create(self, group: Group, organisation: Mapping[str, str]) -> None:
        """Make a group, with the tags that the organisation wants on everything.

        A call whose answer was lost counts as done if the group is ours.

        Raises:
            Problem: AWS refused.
        """
        project = self._settings.project
        try:
            self._client.create_model_package_group(
                ModelPackageGroupName=group.name,
                ModelPackageGroupDescription=description(f"{group.name}: {project.name}"),
                Tags=as_list({**tags(self._settings, group.environment, self._root_commit), **organisation}),
            )
        except ERRORS as error:
            if not aws.took_effect_perhaps(error):
                raise Refused(aws.explain(error)) from None
            if not self.is_ours(group.name):
                raise Problem(aws.explain(error)) from None

    def is_ours(self, name: str) -> bool:
        """Whether the group exists and is ours.

        Raises:
            Problem: AWS refused.
        """
        return any(found.name == name and found.standing is Standing.OURS for found in self.look())

    def versions(self, name: str) -> list[str]:
        """Return the ARNs of the versions in a group.

        Raises:
            Problem: AWS refused.
        """
        try:
            pages = self._client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name)
            return [version["ModelPackageArn"] for page in pages for version in page["ModelPackageSummaryList"]]
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def delete_version(self, arn: str) -> None:
        """Remove one version; it cannot be brought back.

        Raises:
            Problem: AWS refused.
        """
        self._delete(self._client.delete_model_package, ModelPackageName=arn)

    def delete(self, name: str) -> None:
        """Remove an empty group: SageMaker refuses while it holds versions.

        Raises:
            Problem: AWS refused.
        """
        self._delete(self._client.delete_model_package_group, ModelPackageGroupName=name)

    def _delete(self, call: Any, **what: str) -> None:
        try:
            call(**what)
        except ERRORS as error:
            # SageMaker answers a second deletion, after a lost answer, with a ValidationException.
            if not (aws.took_effect_perhaps(error) and "does not exist" in str(error)):
                raise Problem(aws.explain(error)) from None
