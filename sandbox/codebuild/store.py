"""Projects, builds and their phases, as CodeBuild keeps them. A build outlives its project (API Reference,
DeleteProject)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, RLock
from typing import Any
from uuid import uuid4

from sandbox.callers import Caller
from sandbox.codebuild.container import Container

IN_PROGRESS, SUCCEEDED, FAILED, FAULT, STOPPED, TIMED_OUT = (
    "IN_PROGRESS",
    "SUCCEEDED",
    "FAILED",
    "FAULT",
    "STOPPED",
    "TIMED_OUT",
)
Context = dict[str, str]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Project:
    """given: the settings by the API's member names, with CodeBuild's defaults. builds: how many were ever started."""

    name: str
    arn: str
    given: dict[str, Any]
    tags: dict[str, str]
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    builds: int = 0


@dataclass
class Phase:
    """contexts: what the API tells of it; None until it ended, and for a phase in which nothing was said."""

    name: str
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    status: str | None = None
    contexts: list[Context] | None = None

    @property
    def seconds(self) -> int:
        return int((self.ended - self.started).total_seconds()) if self.ended else 0


@dataclass
class Build:
    """settings: the project's, with the overrides of this build. caller: the service role, taken.

    container: its processes, once there are any. stop: why it is to end before its time, STOPPED or TIMED_OUT. done:
    set when nothing of it is left. lock guards stop, the status and the phases.
    """

    id: str
    arn: str
    number: int
    project: str
    region: str
    account: str
    initiator: str
    settings: dict[str, Any]
    caller: Caller
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    status: str = IN_PROGRESS
    phases: list[Phase] = field(default_factory=list)
    resolved: str | None = None
    log_group: str | None = None
    log_stream: str | None = None
    exported: list[dict[str, str]] = field(default_factory=list)
    stop: str | None = None
    abandoned: bool = False
    container: Container | None = field(default=None, repr=False)
    done: Event = field(default_factory=Event, repr=False)
    lock: RLock = field(default_factory=RLock, repr=False)

    @property
    def uuid(self) -> str:
        """The part of the id behind the project's name: also the name of the log stream."""
        return self.id.partition(":")[2]

    @property
    def complete(self) -> bool:
        return self.ended is not None


def new_build_id(project: str) -> str:
    return f"{project}:{uuid4()}"


class Store:
    """By account and region."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._projects: dict[tuple[str, str, str], Project] = {}
        self._builds: dict[tuple[str, str, str], Build] = {}
        # (account, region, token) -> when, with which parameters, and which build came of it
        self.tokens: dict[tuple[str, str, str], tuple[datetime, dict[str, Any], Build]] = {}

    def project(self, account: str, region: str, name: str) -> Project | None:
        return self._projects.get((account, region, name))

    def projects(self, account: str, region: str) -> list[Project]:
        return [
            found for (owner, where, _), found in list(self._projects.items()) if (owner, where) == (account, region)
        ]

    def add_project(self, account: str, region: str, project: Project) -> None:
        self._projects[account, region, project.name] = project

    def remove_project(self, account: str, region: str, name: str) -> None:
        self._projects.pop((account, region, name), None)

    def build(self, account: str, region: str, identity: str) -> Build | None:
        """identity: a build's id or ARN (API Reference, BatchGetBuilds: ids; ARNs are taken as well)."""
        return self._builds.get((account, region, identity.rpartition(":build/")[2]))

    def builds(self, account: str, region: str) -> list[Build]:
        """In the order in which they were started."""
        return [found for (owner, where, _), found in list(self._builds.items()) if (owner, where) == (account, region)]

    def add_build(self, build: Build) -> None:
        self._builds[build.account, build.region, build.id] = build

    def all_builds(self) -> Iterator[Build]:
        yield from list(self._builds.values())

    def clear(self) -> None:
        with self.lock:
            self._projects.clear()
            self._builds.clear()
            self.tokens.clear()
