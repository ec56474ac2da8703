"""The project's roles as setup, teardown and doctor see them: there, to be made, or out of reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.cloud import account_stack
from mlops.cloud.account_stack import AccountStack, NotDeployed
from mlops.cloud.roles import KINDS, Registration, Roles, role_name
from mlops.problem import NotAllowed, Problem
from mlops.settings import Settings

KIND = "IAM role"


@dataclass(frozen=True)
class ProjectRoles:
    """What was found. `missing` is the reason why these credentials can neither see nor make roles."""

    slug: str
    stack: AccountStack | None = None
    registration: Registration | None = None
    found: Roles | None = None
    missing: Problem | None = None

    @property
    def organisation_tags(self) -> Mapping[str, str]:
        """The tags that the organisation wants on everything; none where there is no stack."""
        return self.stack.tags if self.stack else {}

    def named(self) -> list[tuple[str, str | None]]:
        """Return each role's name and, where it is there, its ARN."""
        arns = self.found.arns if self.found else {}
        return [(role_name(self.slug, kind), arns.get(kind)) for kind in KINDS]

    @property
    def none_is_there(self) -> bool:
        """Whether a registration would make them all anew."""
        return not any(arn for _, arn in self.named())

    @property
    def to_make(self) -> list[str]:
        """The names of the roles that a registration would make or mend."""
        if self.found is None:
            return []
        return [role_name(self.slug, kind) for kind in KINDS if kind in self.found.differ]

    @property
    def there(self) -> list[str]:
        """The names of the roles that are as they should be."""
        if self.found is None:
            return []
        return [name for kind in KINDS if (name := role_name(self.slug, kind)) not in self.to_make]

    def register(self) -> None:
        """Have them made and mended.

        Raises:
            Problem: the function refused or failed, or is out of reach.
        """
        if self.registration:
            self.registration.register()

    def remove(self) -> None:
        """Have all of them removed; a second time there is nothing left to do.

        Raises:
            Problem: as `register`.
        """
        if self.registration:
            self.registration.remove()


def look(settings: Settings, root_commit: str) -> ProjectRoles:
    """Find out what there is, changing nothing.

    Raises:
        Problem: AWS refused for another reason than a missing stack or permission, or the roles are another project's.
    """
    slug = settings.project.slug
    try:
        stack = account_stack.find(settings.region)
        if apart := account_stack.mismatch(stack):
            return ProjectRoles(slug, stack, missing=apart)
        registration = Registration(settings, stack, root_commit)
        return ProjectRoles(slug, stack, registration, registration.describe())
    except (NotDeployed, NotAllowed) as missing:
        return ProjectRoles(slug, missing=missing)
