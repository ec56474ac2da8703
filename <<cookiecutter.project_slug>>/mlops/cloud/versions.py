"""The versions of a project in SageMaker's model registry."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.cloud.people import name_of
from mlops.cloud.project import Project
from mlops.names import CHAMPION_CHALLENGER
from mlops.problem import Problem
from mlops.settings import ENVIRONMENTS

ERRORS = (ClientError, BotoCoreError)
AT_ONCE = 8  # calls; more are throttled
ROLES = (*ENVIRONMENTS, *CHAMPION_CHALLENGER)  # of groups: what stands behind the slug in their names
METRIC = "metric_"
COMPLETED = "Completed"


@dataclass(frozen=True)
class Group:
    """A model package group that is there."""

    name: str
    arn: str
    role: str  # feature, dev, prod, champion, challenger

    def arn_of(self, number: int) -> str:
        """Return the ARN of one of its versions."""
        place = self.arn.rsplit(":", 1)[0]
        return f"{place}:model-package/{self.name}/{number}"

    @property
    def account(self) -> str:
        """The account that it is in."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class Version:
    """A version; `described` is what DescribeModelPackage says of it."""

    group: Group
    described: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Its number in the group."""
        return int(self.described["ModelPackageVersion"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.described["ModelPackageArn"])

    @property
    def status(self) -> str:
        """Whether it is whole: Pending, InProgress, Completed, Failed, Deleting."""
        return str(self.described["ModelPackageStatus"])

    @property
    def approval(self) -> str:
        """What was decided: Approved, Rejected, PendingManualApproval."""
        return str(self.described.get("ModelApprovalStatus") or "")

    @property
    def reason(self) -> str:
        """What was said for the decision."""
        return str(self.described.get("ApprovalDescription") or "")

    @property
    def created(self) -> datetime:
        """When it was registered."""
        moment: datetime = self.described["CreationTime"]
        return moment.astimezone(UTC)

    @property
    def registered_by(self) -> str:
        """Who registered it: mostly the role of a job."""
        return name_of(self.described.get("CreatedBy"))

    @property
    def changed(self) -> datetime | None:
        """When it was changed last, if it was. A decision is a change; SageMaker keeps only the last one."""
        moment: datetime | None = self.described.get("LastModifiedTime")
        return moment and moment.astimezone(UTC)

    @property
    def changed_by(self) -> str:
        """Who changed it last."""
        return name_of(self.described.get("LastModifiedBy"))

    @property
    def metadata(self) -> Mapping[str, str]:
        """What was noted at registration: commit, branch, dataset_version and so on."""
        return self.described.get("CustomerMetadataProperties") or {}

    @cached_property
    def metric(self) -> tuple[str, str]:
        """The main metric: its name, and what it came to."""
        names = sorted(key for key in self.metadata if key.startswith(METRIC))
        return (names[0].removeprefix(METRIC), self.metadata[names[0]]) if names else ("", "")

    @property
    def container(self) -> Mapping[str, Any]:
        """The container that serves it: Image, ImageDigest, ModelDataUrl."""
        containers = (self.described.get("InferenceSpecification") or {}).get("Containers") or [{}]
        first: Mapping[str, Any] = containers[0]
        return first


class Registry:
    """The registry of one project."""

    def __init__(self, project: Project) -> None:
        """Ask nothing yet."""
        self.project = project
        self._client = aws.client("sagemaker", project.region)

    def groups(self) -> list[Group]:
        """Return the groups that the project has.

        Raises:
            Problem: AWS refused, there are none, or they are in another account than the settings say.
        """
        project = self.project
        wanted = {f"{project.slug}-{role}": role for role in ROLES}
        try:
            pages = self._client.get_paginator("list_model_package_groups").paginate(
                NameContains=project.slug, PaginationConfig={"PageSize": 100}
            )
            found = {
                group["ModelPackageGroupName"]: group["ModelPackageGroupArn"]
                for page in pages
                for group in page["ModelPackageGroupSummaryList"]
            }
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None
        groups = [Group(name, found[name], role) for name, role in wanted.items() if name in found]
        if not groups:
            where = f"in {project.region} of the account that the credentials are for"
            raise Problem(f"{project.slug} has no model package group {where}; check both, or run: mlops setup")
        aws.refuse_other_account(project.account, groups[0].account, groups[0].account)
        return groups

    def group(self, environment: str | None, group: str | None) -> Group:
        """Return the group that `--env` or `--group` names.

        Raises:
            Problem: as `groups`, or it is not there.
        """
        return one_of(self.groups(), environment, group)

    def newest(self, groups: Iterable[Group], most: int) -> tuple[list[Version], bool]:
        """Return the newest versions of some groups, at most so many, and whether there are more.

        Raises:
            Problem: AWS refused.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            listed = list(pool.map(lambda group: [(group, one) for one in self._listed(group, most + 1)], groups))
            found = sorted(
                (one for several in listed for one in several),
                key=lambda pair: (pair[1]["CreationTime"], pair[1]["ModelPackageVersion"]),
                reverse=True,
            )
            described = list(pool.map(lambda pair: self.described(pair[0], pair[1]["ModelPackageArn"]), found[:most]))
        return [version for version in described if version], len(found) > most

    def _listed(self, group: Group, most: int, **filters: str) -> list[dict[str, Any]]:
        """Return the newest versions of a group as ListModelPackages has them: its own order begins with the oldest."""
        try:
            pages = self._client.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group.name,
                SortBy="CreationTime",
                SortOrder="Descending",
                PaginationConfig={"PageSize": min(100, most)},
                **filters,
            )
            return list(islice((one for page in pages for one in page["ModelPackageSummaryList"]), most))
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def described(self, group: Group, arn: str) -> Version | None:
        """Return a version, or None where there is none.

        Raises:
            Problem: AWS refused.
        """
        try:
            return Version(group, self._client.describe_model_package(ModelPackageName=arn))
        except ERRORS as error:
            if aws.code(error) == "ValidationException" and "does not exist" in str(error):
                return None
            raise Problem(aws.explain(error)) from None

    def version(self, group: Group, number: int) -> Version:
        """Return a version.

        Raises:
            Problem: there is none of that number, or AWS refused.
        """
        found = self.described(group, group.arn_of(number)) if number > 0 else None
        if found is None:
            newest = [one["ModelPackageVersion"] for one in self._listed(group, 1)]
            there = f"the newest is {newest[0]}" if newest else "there is none yet"
            raise Problem(f"{group.name} has no version {number}; {there}")
        return found

    def anywhere(self, number: int) -> Version:
        """Return the version of that number, whichever group has it.

        Raises:
            Problem: none has it or several do; or AWS refused.
        """
        groups = self.groups()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            looked = list(pool.map(lambda group: number > 0 and self.described(group, group.arn_of(number)), groups))
        found = [version for version in looked if version]
        if len(found) == 1:
            return found[0]
        names = " and ".join(version.group.name for version in found)
        if names:
            raise Problem(f"version {number} is in {names}; say which: --group {found[0].group.role}")
        raise Problem(f"no group of {self.project.slug} has a version {number}; look with: mlops status")

    def approved(self, group: Group, most: int) -> list[Version]:
        """Return the last approved versions, the newest first. The first is the current one.

        Raises:
            Problem: AWS refused.
        """
        listed = self._listed(group, most, ModelApprovalStatus="Approved")
        found = (self.described(group, one["ModelPackageArn"]) for one in listed)
        return [version for version in found if version and version.approval == "Approved"]


def one_of(groups: list[Group], environment: str | None, group: str | None) -> Group:
    """Return the group that `--env` (its environment) or `--group` (its role or its name) means.

    Raises:
        Problem: both are given and differ, or it is not there.
    """
    roles = {known.role: known for known in groups} | {known.name: known for known in groups}
    wanted = group or environment or ""
    if environment and group and roles.get(environment) != roles.get(group):
        raise Problem(f"--env {environment} and --group {group} are two groups; name one")
    if wanted not in roles:
        option = "--group" if group else "--env"
        there = ", ".join(known.role for known in groups)
        raise Problem(f"{option} {wanted}: there is no such model package group; there are: {there}")
    return roles[wanted]
