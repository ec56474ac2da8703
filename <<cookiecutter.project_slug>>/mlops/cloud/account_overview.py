"""All projects of an account, found by the tags of their model package groups."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.cloud.project import Project, is_slug
from mlops.cloud.version_table import APPROVAL
from mlops.cloud.versions import AT_ONCE, ROLES, Group, Registry, Version
from mlops.image_support import Support, support_of
from mlops.laptop.plain_text import one_line
from mlops.problem import Problem

ERRORS = (ClientError, BotoCoreError)
PROJECT, OWNER, TEMPLATE = "mlops:project", "mlops:owner", "mlops:template"
NONE, UNKNOWN = "-", "?"
COLOURS = {"ended": "red", "ending": "yellow"}


@dataclass(frozen=True)
class Overview:
    """One project. `newest` by role of the group; `live` is "-" where nothing is deployed, "?" where it is unknown."""

    project: str
    owner: str
    template: str
    newest: dict[str, Version | None]
    live: str
    image: Support

    def as_json(self, today: date) -> dict[str, Any]:
        """Return it for programs."""
        newest = {
            role: version and {"version": version.number, "approval": version.approval}
            for role, version in self.newest.items()
        }
        return {
            "project": self.project,
            "owner": self.owner,
            "template": self.template,
            "newest": newest,
            "live": {NONE: None}.get(self.live, self.live),
            "image": self.image.image or None,
            "image_patched_until": self.image.ends.isoformat() if self.image.ends else None,
            "image_support": self.image.state(today),
        }


class Account:
    """What the account has, in one region."""

    def __init__(self, region: str) -> None:
        """Ask nothing yet."""
        self.region = region
        self.unseen: list[str] = []  # what could not be looked at, and why
        self._client = aws.client("sagemaker", region)

    def projects(self) -> list[Overview]:
        """Return all projects, by name.

        Raises:
            Problem: AWS refused.
        """
        groups = self._groups()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tags = list(pool.map(lambda group: self._tags(group[1]), groups))
        by_project: dict[str, list[tuple[Group, dict[str, str]]]] = {}
        for (name, arn), found in zip(groups, tags, strict=True):
            slug = found.get(PROJECT, "")
            role = name.removeprefix(f"{slug}-")
            if is_slug(slug) and role in ROLES and name == f"{slug}-{role}":
                by_project.setdefault(slug, []).append((Group(name, arn, role), found))
        return [self._overview(slug, by_project[slug]) for slug in sorted(by_project)]

    def _groups(self) -> list[tuple[str, str]]:
        try:
            pages = self._client.get_paginator("list_model_package_groups").paginate(PaginationConfig={"PageSize": 100})
            return [
                (group["ModelPackageGroupName"], group["ModelPackageGroupArn"])
                for page in pages
                for group in page["ModelPackageGroupSummaryList"]
            ]
        except ERRORS as error:
            raise Problem(aws.explain(error)) from None

    def _tags(self, arn: str) -> dict[str, str]:
        try:
            pages = self._client.get_paginator("list_tags").paginate(ResourceArn=arn)
            return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        except ERRORS as error:
            if aws.code(error) not in aws.ACCESS_DENIED:
                raise Problem(aws.explain(error)) from None
            self.unseen.append(f"{arn.rpartition('/')[2]}: its tags may not be read (sagemaker:ListTags)")
            return {}

    def _overview(self, slug: str, tagged: list[tuple[Group, dict[str, str]]]) -> Overview:
        groups = sorted((group for group, _ in tagged), key=lambda group: ROLES.index(group.role))
        registry = Registry(Project(slug, self.region))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            newest = list(pool.map(lambda group: self._newest(registry, group), groups))
        by_role = {group.role: version for group, version in zip(groups, newest, strict=True)}
        group = next((group for role in ("champion", "prod") for group in groups if group.role == role), groups[0])
        live = self._live(group.name)
        tags = next((tags for tagged_group, tags in tagged if tagged_group is group), tagged[0][1])
        serving = self._serving(registry, group, live) or next(iter(filter(None, reversed(newest))), None)
        image = support_of(serving.container.get("Image") if serving else None)
        return Overview(slug, tags.get(OWNER, ""), tags.get(TEMPLATE, ""), by_role, live, image)

    def _newest(self, registry: Registry, group: Group) -> Version | None:
        try:
            versions, _ = registry.newest([group], 1)
        except Problem as problem:
            self.unseen.append(f"{group.name}: {problem}")
            return None
        return versions[0] if versions else None

    def _live(self, endpoint: str) -> str:
        """Return the version that an endpoint serves, by the name of its configuration."""
        try:
            found = self._client.describe_endpoint(EndpointName=endpoint)
        except ERRORS as error:
            # "Could not find endpoint": DescribeEndpoint declares no error for one that is not there.
            return NONE if aws.code(error) == "ValidationException" and "ould not find" in str(error) else UNKNOWN
        return live_version(endpoint, found.get("EndpointConfigName") or "")

    def _serving(self, registry: Registry, group: Group, live: str) -> Version | None:
        try:
            return registry.described(group, group.arn_of(int(live))) if live.isdecimal() else None
        except Problem:
            return None


def live_version(endpoint: str, configuration: str) -> str:
    """Return the version in a configuration's name, `<endpoint>-v<version>-<8 hex>`, maybe with an attempt's number."""
    match = re.fullmatch(rf"{re.escape(endpoint)}-v(\d+)-[0-9a-f]{{8}}(-\d+)?", configuration)
    return match[1] if match else UNKNOWN


def lines(projects: list[Overview], today: date) -> tuple[list[str], list[list[str]], list[str]]:
    """Return headings, rows and styles."""
    headings = ["project", "owner", "template", "newest versions", "live", "image", "patches"]
    rows = []
    for project in projects:
        newest = ", ".join(_newest_words(project)) or "none"
        cells = [project.project, project.owner, project.template, newest, project.live]
        cells += [project.image.image or NONE, project.image.sentence(today) if project.image.image else NONE]
        rows.append([one_line(cell, 120) for cell in cells])
    return headings, rows, [COLOURS.get(project.image.state(today), "") for project in projects]


def _newest_words(project: Overview) -> Iterator[str]:
    for role, version in project.newest.items():
        if version:
            yield f"{role} {version.number} {APPROVAL.get(version.approval, version.approval)}"


def warnings(projects: list[Overview], today: date) -> list[str]:
    """Return a line for each project whose image is soon, or already, without security patches."""
    return [
        f"{project.project}: {project.image.image} is {project.image.sentence(today)}; "
        "set model.framework_version in its mlops.yaml to a newer one, and train again"
        for project in projects
        if project.image.state(today) in COLOURS
    ]
