"""`mlops doctor`: is everything in place, and if not, what to do. Reads only, but for `--fix` in this clone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from packaging.version import Version

from mlops import aws
from mlops.clone import Connection
from mlops.cloud import project_roles
from mlops.cloud.account_stack import STACK, NotDeployed
from mlops.git import GitFailed, git, root_commit
from mlops.github import GitHub
from mlops.groups import KIND, ModelPackageGroups
from mlops.image_support import support_of_framework
from mlops.problem import NotAllowed, Problem
from mlops.repository import BRANCHES, DEFAULT_BRANCH, RemoteRepository, Standing
from mlops.settings import Settings, load_settings
from mlops.setup import host_of
from mlops.template_record import load_template_record

MAKE_SETUP = "run: mlops setup"
ASK = "mlops setup tells whom to ask, and for what"


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    state: str  # "ok", "warn" or "fail"
    what: str
    detail: str = ""
    fix: str = ""


def examine(fix: bool = False) -> Iterator[Finding]:
    """Look at this clone, then at AWS, and yield what is found; stop where the rest depends on what failed.

    Args:
        fix: write what is missing in this clone's git settings. Nothing on AWS is changed.
    """
    try:
        settings = load_settings()
        yield Finding("ok", "settings", f"{settings.project.name} ({settings.project.slug})")
        yield from _owner(settings)
        yield image(settings, datetime.now(UTC).date())
        root = root_commit()
        yield from _branches(root)
        caller = aws.caller(settings.region)
    except Problem as problem:
        yield Finding("fail", "this clone and its credentials", str(problem))
        return
    yield _account(settings, caller)
    yield from _repository(settings, root, fix)
    yield from _groups(settings, root)
    yield from _account_stack(settings, root)


def _owner(settings: Settings) -> Iterator[Finding]:
    if settings.project.owner.endswith("@example.com"):
        yield Finding("warn", "owner", settings.project.owner, "set project.owner in mlops.yaml to your team's address")


def image(settings: Settings, today: date) -> Finding:
    """Look at how long AWS will patch the image of jobs and endpoints; a warning comes 60 days before the end."""
    model = settings.model
    support = support_of_framework(model.framework, model.framework_version)
    what = f"image {support.image}"
    if support.state(today) in {"ending", "ended"}:
        fix = "set model.framework_version in mlops.yaml to a newer one, and train again"
        return Finding("warn", what, support.sentence(today), f"{fix}; the newest come with: mlops update")
    return Finding("ok", what, support.sentence(today))


def _branches(root: str) -> Iterator[Finding]:
    for branch in BRANCHES:
        if git("for-each-ref", f"refs/heads/{branch}", f"refs/remotes/*/{branch}"):
            yield Finding("ok", f"branch {branch}")
        else:
            yield Finding("fail", f"branch {branch}", "not in this clone", f"run: git branch {branch} {root[:12]}")


def _account(settings: Settings, caller: aws.Caller) -> Finding:
    who = f"{caller.arn} in account {caller.place}, {settings.region}"
    if settings.account not in {None, caller.account}:
        return Finding("fail", "AWS account", who, f"use credentials of {settings.account}, which mlops.yaml names")
    return Finding("ok", "AWS account", who)


def _repository(settings: Settings, root: str, fix: bool) -> Iterator[Finding]:
    host = host_of(settings, root)
    if isinstance(host, GitHub) and not host.installed():
        yield Finding("warn", host.kind, "gh is not installed: not looked at", "install gh from cli.github.com")
        return
    what = f"{host.kind} {host.name}"
    try:
        remote = host.look()
    except Problem as problem:
        yield Finding("fail", what, str(problem))
        return
    if remote.standing is Standing.ABSENT:
        yield Finding("fail", what, "does not exist", MAKE_SETUP)
    elif remote.standing is Standing.UNFINISHED:
        yield Finding("fail", what, "is still empty: a setup did not come to its end", MAKE_SETUP)
    elif remote.standing is Standing.FOREIGN:
        yield Finding("fail", what, "is not this one: it lacks the root commit", "use another project.slug")
    else:
        yield from _remote(what, remote)
        yield from _connection(Connection(host, remote.url), fix)


def _remote(what: str, remote: RemoteRepository) -> Iterator[Finding]:
    missing = [branch for branch in BRANCHES if branch not in remote.branches]
    if missing:
        yield Finding("fail", what, f"lacks {' and '.join(missing)}", MAKE_SETUP)
    elif remote.default_branch != DEFAULT_BRANCH:
        yield Finding("fail", what, f"has {remote.default_branch} as its default branch", MAKE_SETUP)
    else:
        yield Finding("ok", what, remote.url)


def _connection(connection: Connection, fix: bool) -> Iterator[Finding]:
    missing = connection.missing()
    if missing and fix:
        try:
            connection.make()
        except GitFailed as problem:
            yield Finding("fail", "git push from this clone", str(problem))
            return
        yield Finding("ok", "git push from this clone", f"now has {' and '.join(missing)}")
    elif missing:
        yield Finding("fail", "git push from this clone", f"lacks {' and '.join(missing)}", "run: mlops doctor --fix")
    else:
        yield Finding("ok", "git push from this clone", f"goes to {connection.remote}")


def _groups(settings: Settings, root: str) -> Iterator[Finding]:
    try:
        groups = ModelPackageGroups(settings, root).look()
    except Problem as problem:
        yield Finding("fail", f"{KIND}s", str(problem))
        return
    for group in groups:
        what = f"{KIND} {group.name}"
        if group.standing is Standing.OURS:
            yield Finding("ok", what)
        elif group.standing is Standing.ABSENT:
            yield Finding("fail", what, "does not exist", MAKE_SETUP)
        else:
            yield Finding(
                "fail",
                what,
                "is not this repository's",
                "use another project.slug, or remove it if it is yours",
            )


def _account_stack(settings: Settings, root: str) -> Iterator[Finding]:
    """Look at the account stack and the project's roles. Without them all that is local works: that is a warning."""
    what = f"account stack {STACK}"
    try:
        roles = project_roles.look(settings, root)
    except Problem as problem:
        yield Finding("fail", what, str(problem))
        return
    if isinstance(roles.missing, NotDeployed):
        yield Finding("warn", what, "is not deployed: nothing can be trained on SageMaker", ASK)
    elif isinstance(roles.missing, NotAllowed):
        yield Finding("warn", what, f"is out of reach: {roles.missing}", ASK)
    elif roles.missing:
        yield Finding("fail", what, str(roles.missing))
    elif roles.stack:
        yield Finding("ok", what, _release(roles.stack.version, load_template_record().version))
    for name in roles.to_make:
        yield Finding("fail", f"{project_roles.KIND} {name}", "is missing, or not as it should be", MAKE_SETUP)
    for name in roles.there:
        yield Finding("ok", f"{project_roles.KIND} {name}")


def _release(stack: str, repository: str) -> str:
    """Return the release of the stack, and which side is from an older one where they differ."""
    if stack == repository:
        return stack
    older = "the stack" if Version(stack) < Version(repository) else "this repository"
    return f"{stack}; this repository is of {repository}: {older} is older, and both get along"
