"""`mlops setup`: the remote repository, the model package groups and the project's roles, all or nothing."""

import functools
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mlops import aws
from mlops.clone import Connection
from mlops.cloud import project_roles
from mlops.cloud.project_roles import ProjectRoles
from mlops.codecommit import CodeCommit
from mlops.git import GitFailed, git, root_commit
from mlops.github import GitHub
from mlops.groups import KIND, Group, ModelPackageGroups
from mlops.problem import Problem
from mlops.repository import BRANCHES, DEFAULT_BRANCH, Host, RemoteRepository, Standing
from mlops.settings import Settings
from mlops.terminal import step
from mlops.undo import Undo, all_or_nothing

AGAIN = "mlops setup"
PUSH_ATTEMPTS = 2


@dataclass(frozen=True)
class Action:
    """One line of the plan."""

    does: str  # "create", "push", "complete", "exists", "by hand"
    kind: str
    name: str
    cost: str = ""


@dataclass(frozen=True)
class Plan:
    """What is there, and from it what setup would do."""

    caller: aws.Caller
    region: str
    host: Host
    root_commit: str
    remote: RemoteRepository
    groups: list[Group]
    roles: ProjectRoles
    by_hand: bool = False  # the repository is on GitHub and `gh` is not here

    @property
    def new_branches(self) -> list[str]:
        """The branches that the remote repository lacks."""
        return [branch for branch in BRANCHES if branch not in self.remote.branches]

    @property
    def new_groups(self) -> list[Group]:
        """The groups to create."""
        return [group for group in self.groups if group.standing is Standing.ABSENT]

    def actions(self) -> list[Action]:
        """Return the plan as lines for people and for `--json`."""
        return [self._repository_action(), *map(self._group_action, self.groups), *self._role_actions()]

    def _repository_action(self) -> Action:
        if self.by_hand:
            return Action("by hand", self.host.kind, self.host.name, self.host.price)
        if self.remote.standing is Standing.ABSENT:
            return Action("create", self.host.kind, f"{self.host.name} ({', '.join(BRANCHES)})", self.host.price)
        if self.new_branches:
            return Action("push", self.host.kind, f"{self.host.name} ({', '.join(self.new_branches)})", self.host.price)
        if self._remote_incomplete():
            return Action("complete", self.host.kind, f"{self.host.name} ({DEFAULT_BRANCH} as the default branch)")
        return Action("exists", self.host.kind, self.host.name)

    def _group_action(self, group: Group) -> Action:
        absent = group.standing is Standing.ABSENT
        return Action("create" if absent else "exists", KIND, group.name, "free" if absent else "")

    def _role_actions(self) -> list[Action]:
        roles = self.roles
        if roles.missing:
            return [Action("by an administrator", f"{project_roles.KIND}s", "see below")]
        made = [Action("create", project_roles.KIND, name, "free") for name in roles.to_make]
        return made + [Action("exists", project_roles.KIND, name) for name in roles.there]

    def nothing_to_do(self) -> bool:
        """Whether everything on AWS is as it should be."""
        return not (self.new_groups or self._remote_incomplete() or self.roles.to_make)

    def _remote_incomplete(self) -> bool:
        return not self.by_hand and (bool(self.new_branches) or self.remote.default_branch != DEFAULT_BRANCH)

    def as_json(self) -> dict[str, object]:
        """Return the plan as plain data."""
        return {
            "account": self.caller.account,
            "alias": self.caller.alias,
            "region": self.region,
            "principal": self.caller.arn,
            "actions": [asdict(action) for action in self.actions()],
        }


def host_of(settings: Settings, root: str) -> Host:
    """Return the host that the settings name."""
    return GitHub(settings, root) if settings.source_control.host == "github" else CodeCommit(settings, root)


def make_plan(settings: Settings) -> Plan:
    """Look at everything that setup would touch, changing nothing.

    Raises:
        Problem: AWS cannot be asked, the credentials are for another account, or a name is taken by others.
    """
    root = root_commit()
    caller = aws.caller(settings.region)
    aws.refuse_other_account(settings.account, caller.account, caller.place)
    host = host_of(settings, root)
    by_hand = isinstance(host, GitHub) and not host.installed()
    remote = RemoteRepository(Standing.OURS) if by_hand else host.look()
    if remote.standing is Standing.FOREIGN:
        raise Problem(
            f"the {host.kind} {host.name} exists and is not this one (it lacks the root commit {root[:12]}); "
            "nothing was touched. Generate with another project_slug, or remove it if it is yours."
        )
    groups = ModelPackageGroups(settings, root).look()
    for group in groups:
        if group.standing is Standing.FOREIGN:
            raise Problem(
                f"the {KIND} {group.name} exists and is not this repository's (its tag mlops:root-commit is not "
                f"{root[:12]}…); nothing was touched. Generate with another project_slug, or remove it if it is yours."
            )
    roles = project_roles.look(settings, root)
    return Plan(caller, settings.region, host, root, remote, groups, roles, by_hand)


def carry_out(plan: Plan, settings: Settings) -> None:
    """Create what the plan lacks, with progress; on any failure remove what this call made.

    Raises:
        Problem: what failed, what was left (nothing, but for trouble), and what to do.
    """
    with all_or_nothing(AGAIN) as undo:
        if not plan.by_hand:
            _repository(plan, undo)
        groups = ModelPackageGroups(settings, plan.root_commit)
        for group in plan.new_groups:
            take_back = functools.partial(_delete_group, groups, group.name)
            with (
                step(f"Creating {KIND} {group.name}", f"{KIND} {group.name}"),
                undo.making(f"the {KIND} {group.name}", take_back),
            ):
                groups.create(group, plan.roles.organisation_tags)
        if plan.roles.to_make:
            _roles(plan.roles, undo)


def _roles(roles: ProjectRoles, undo: Undo) -> None:
    """Have the roles made; they are taken back only if none was there before: others may be in use."""
    what = f"{project_roles.KIND}s {', '.join(roles.to_make)}"
    take_back = roles.remove if roles.none_is_there else lambda: None
    with step(f"Registering {roles.slug}", what), undo.making(f"the {what}", take_back):
        roles.register()


def _repository(plan: Plan, undo: Undo) -> None:
    host, remote = plan.host, plan.remote
    inside = undo  # what is made in a repository that was there before
    if remote.standing is Standing.ABSENT:
        inside = Undo()  # forgotten: it goes with the new repository
        take_back = functools.partial(_delete_repository, host, plan.root_commit)
        with (
            step(f"Creating {host.kind} {host.name}", f"{host.kind} {host.name}"),
            undo.making(f"the {host.kind} {host.name}", take_back),
        ):
            remote = host.create(plan.roles.organisation_tags)
    connection = Connection(host, remote.url)
    undo.add("the git settings of this clone", connection.snapshot())
    connection.make()
    if plan.new_branches:
        branches = " and ".join(plan.new_branches)
        take_back = functools.partial(_unpush, connection, plan.root_commit, plan.new_branches)
        with (
            step(f"Pushing {branches}", f"{branches} at {plan.root_commit[:12]}, the untouched render"),
            inside.making(f"what was pushed to the {host.kind} {host.name}", take_back),
        ):
            _push(connection, plan.root_commit, plan.new_branches)
    connection.fetch_untracked()
    if remote.default_branch != DEFAULT_BRANCH:  # None: then the host chose one of those just pushed
        if remote.default_branch:
            inside.add(
                f"{DEFAULT_BRANCH} as the default branch of the {host.kind} {host.name}",
                functools.partial(host.set_default_branch, remote.default_branch),
            )
        with step(f"Making {DEFAULT_BRANCH} the default branch", f"{DEFAULT_BRANCH} is the default branch"):
            host.set_default_branch(DEFAULT_BRANCH)


def _push(connection: Connection, root: str, branches: list[str]) -> None:
    """Put the root commit, nothing later, into new branches; where the host can make the default branch, it does."""
    make = connection.host.branch_maker()
    pushed = [branch for branch in branches if make is None or branch != DEFAULT_BRANCH]
    if pushed:
        _push_until_there(connection, root, pushed)
    if make and DEFAULT_BRANCH in branches:
        make(DEFAULT_BRANCH, root)
    connection.track(branches, root)


def _push_until_there(connection: Connection, root: str, branches: list[str]) -> None:
    """Push to new branches; an answer that was lost is looked up."""
    references = [f"{root}:refs/heads/{branch}" for branch in branches]
    for attempt in range(1, PUSH_ATTEMPTS + 1):
        try:
            _git_push(connection, references)
            break
        except GitFailed:
            tips = connection.host.tips()
            if all(tips.get(branch) == root for branch in branches):
                break
            if attempt == PUSH_ATTEMPTS:
                raise
            time.sleep(1)  # a repository made a moment ago may not answer git yet


def _unpush(connection: Connection, root: str, branches: list[str]) -> None:
    """Remove the branches again that this run pushed, where they still are as it left them.

    Raises:
        Problem: the host refused, as CodeCommit does for the default branch; says which are left.
    """

    def left() -> list[str]:
        tips = connection.host.tips()
        return [branch for branch in branches if tips.get(branch) == root]

    if ours := left():
        leases = [f"--force-with-lease=refs/heads/{branch}:{root}" for branch in ours]
        try:
            _git_push(connection, [f":refs/heads/{branch}" for branch in ours], leases)
        except GitFailed as failure:
            if still := left():
                raise Problem(f"{' and '.join(still)} stayed: {failure}") from None


def _git_push(connection: Connection, references: list[str], leases: Sequence[str] = ()) -> None:
    """Push to the URL itself, these references alone: whatever the clone's remotes, hooks and push settings say."""
    alone = ["--quiet", "--no-verify", "--no-follow-tags", "--no-signed", *leases]
    options, environment = connection.host.push_options(connection.url)
    git(*options, "push", *alone, connection.url, *references, environment=environment)


def _delete_repository(host: Host, root: str) -> None:
    """Delete the repository that this run made, unless somebody has pushed to it meanwhile.

    Raises:
        Problem: there are commits that came from elsewhere, or the host refused.
    """
    if host.look().standing not in {Standing.UNFINISHED, Standing.OURS}:
        return
    pushed = [branch for branch, tip in host.tips().items() if tip != root]
    if pushed:
        raise Problem(f"others have pushed to {', '.join(pushed)}")
    host.delete()


def _delete_group(groups: ModelPackageGroups, name: str) -> None:
    if groups.is_ours(name):
        groups.delete(name)
