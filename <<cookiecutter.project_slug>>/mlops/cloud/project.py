"""Which project a command is about: this repository's, or one of the account's by its name, without a clone."""

import os
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from mlops import aws
from mlops.own_repository import refuse_elsewhere
from mlops.problem import Problem
from mlops.settings import Slug, load_settings


@dataclass(frozen=True)
class Project:
    """A project, and where its model package groups are. `account`: the one that its settings name, if they do."""

    slug: str
    region: str
    account: str | None = None


def chosen(name: str | None) -> Project:
    """Return the project that `--project` names; without it, that of this repository.

    Raises:
        Problem: the name can be none, this is in no repository, or there is no region.
    """
    return named(name) if name is not None else own()


def own() -> Project:
    """Return the project of this repository.

    Raises:
        Problem: the current folder is in another one, or in none; or the settings are wrong.
    """
    refuse_elsewhere()
    settings = load_settings()
    return Project(settings.project.slug, settings.region, settings.account)


def named(name: str) -> Project:
    """Return a project of the account.

    Raises:
        Problem: no project can have that name, or there is no region.
    """
    if not is_slug(name):
        raise Problem(f"--project {name}: no project has such a name; it is the slug, such as tumor-diagnosis")
    return Project(name, region())


def is_slug(name: str) -> bool:
    """Tell whether a project can have that name."""
    try:
        TypeAdapter(Slug).validate_python(name)
    except ValidationError:
        return False
    return True


def region() -> str:
    """Return the region of the environment or of the profile, else that of this repository.

    Raises:
        Problem: there is none.
    """
    found = os.environ.get("AWS_REGION") or aws.session().region_name
    if found:
        return str(found)
    try:
        return own().region
    except Problem:
        how = "set AWS_REGION, or give the profile one: aws configure set region us-east-1"
        raise Problem(f"no region is set; {how}") from None
