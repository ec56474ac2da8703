"""`mlops teardown`: remove what setup made, and nothing that exists nowhere else."""

import re
from dataclasses import asdict, dataclass

from mlops import aws
from mlops.cloud import project_roles
from mlops.cloud.account_stack import NotDeployed
from mlops.cloud.pipelines import KIND as PIPELINE
from mlops.cloud.pipelines import Pipelines
from mlops.cloud.project_roles import ProjectRoles
from mlops.git import GitFailed, git, root_commit
from mlops.groups import KIND, ModelPackageGroups
from mlops.problem import Problem
from mlops.repository import Host, Standing
from mlops.settings import Settings
from mlops.setup import host_of
from mlops.terminal import step

AGAIN = "mlops teardown"
# HEAD repeats a branch; a pull request's merge is GitHub's own try-out ("Checking out pull requests locally").
MADE_BY_THE_HOST = re.compile(r"HEAD|refs/pull/\d+/merge")


@dataclass(frozen=True)
class Removal:
    """One resource, and whether it goes."""

    does: str  # "remove" or "keep"
    kind: str
    name: str
    why: str = ""
    versions: tuple[str, ...] = ()  # the ARNs that go with a group


@dataclass(frozen=True)
class RemovalPlan:
    """What teardown would do."""

    caller: aws.Caller
    region: str
    host: Host
    roles: ProjectRoles
    removals: list[Removal]

    def nothing_to_do(self) -> bool:
        """Whether nothing would be removed."""
        return all(removal.does == "keep" for removal in self.removals)

    def as_json(self) -> dict[str, object]:
        """Return the plan as plain data."""
        return {
            "account": self.caller.account,
            "region": self.region,
            "principal": self.caller.arn,
            "removals": [asdict(removal) for removal in self.removals],
        }


def make_plan(settings: Settings, force: bool) -> RemovalPlan:
    """Look at everything that is there, changing nothing. With `force`, versions go too.

    Raises:
        Problem: AWS cannot be asked, or the credentials are for another account.
    """
    root = root_commit()
    caller = aws.caller(settings.region)
    aws.refuse_other_account(settings.account, caller.account, caller.place)
    host = host_of(settings, root)
    roles = project_roles.look(settings, root)
    pipelines = [Removal("remove", PIPELINE, name) for name in Pipelines(settings.region).of_project(settings, root)]
    removals = [*pipelines, *_groups(settings, root, force), *_roles(roles), *_repository(host)]
    return RemovalPlan(caller, settings.region, host, roles, removals)


def _roles(roles: ProjectRoles) -> list[Removal]:
    if roles.missing and not isinstance(roles.missing, NotDeployed):
        return [Removal("keep", f"{project_roles.KIND}s", f"mlops-{roles.slug}-*", f"out of reach: {roles.missing}")]
    names = [name for name, arn in roles.named() if arn]
    return [Removal("remove", project_roles.KIND, name) for name in names]


def _groups(settings: Settings, root: str, force: bool) -> list[Removal]:
    groups = ModelPackageGroups(settings, root)
    removals = []
    for group in groups.look():
        if group.standing is Standing.FOREIGN:
            removals.append(Removal("keep", KIND, group.name, "it is not this repository's"))
        elif group.standing is Standing.OURS:
            versions = tuple(groups.versions(group.name))
            number = f"{len(versions)} version{'s' if len(versions) != 1 else ''}"
            if versions and not force:
                removals.append(Removal("keep", KIND, group.name, f"it holds {number}; --force removes them too"))
            else:
                removals.append(Removal("remove", KIND, group.name, f"with {number}" if versions else "", versions))
    return removals


def _repository(host: Host) -> list[Removal]:
    remote = host.look()
    if remote.standing is Standing.ABSENT:
        return []
    if remote.standing is Standing.FOREIGN:
        return [Removal("keep", host.kind, host.name, "it is not this one: it lacks the root commit")]
    elsewhere = commits_nowhere_else(host, remote.url)
    if elsewhere:
        why = f"{', '.join(elsewhere)} not in this clone; fetch first: git fetch {remote.url} '+refs/*:refs/kept/*'"
        return [Removal("keep", host.kind, host.name, why)]
    return [Removal("remove", host.kind, host.name, "with its pull requests; every commit is in this clone")]


def commits_nowhere_else(host: Host, url: str) -> list[str]:
    """Return the references of the remote repository whose commits no reference of this clone reaches.

    Raises:
        Problem: git cannot read the remote repository.
    """
    options, environment = host.push_options(url)
    lines = git(*options, "ls-remote", url, environment=environment).splitlines()
    references = [line.split("\t") for line in lines]
    return [name for commit, name in references if not MADE_BY_THE_HOST.fullmatch(name) and not _is_here(commit)]


def _is_here(commit: str) -> bool:
    try:
        return git("for-each-ref", "--count=1", "--contains", commit) != ""
    except GitFailed:  # this clone does not have the object at all
        return False


def carry_out(plan: RemovalPlan, settings: Settings) -> None:
    """Remove what the plan says, the repository last; running it again goes on where it stopped.

    Raises:
        Problem: AWS refused.
    """
    groups = ModelPackageGroups(settings, root_commit())
    for removal in plan.removals:
        if removal.does != "remove":
            continue
        try:
            with step(f"Removing {removal.kind} {removal.name}", f"{removal.kind} {removal.name} removed"):
                if removal.kind == KIND:
                    for version in removal.versions:
                        groups.delete_version(version)
                    groups.delete(removal.name)
                elif removal.kind == PIPELINE:
                    Pipelines(settings.region).delete(removal.name)
                elif removal.kind == project_roles.KIND:
                    plan.roles.remove()
                else:
                    _delete(plan.host)
        except Problem as problem:
            raise Problem(f"{str(problem).rstrip('.')}; what is gone stays gone. To go on: {AGAIN}") from None


def _delete(host: Host) -> None:
    """Delete the repository if it still may go: the question may have stood on the screen for hours."""
    for removal in _repository(host):
        if removal.does == "keep":
            raise Problem(f"the {removal.kind} {removal.name} was kept: {removal.why}")
        host.delete()
