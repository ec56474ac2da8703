"""A template at its source: which releases there are, and their files."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from packaging.version import InvalidVersion, Version

from mlops.template_record import TemplateRecord


@dataclass(frozen=True)
class Release:
    """One state of a template."""

    version: str  # as its cookiecutter.json says
    commit: str | None = None  # where the template is a git repository
    ahead: int = 0  # commits since the release of that version

    @property
    def name(self) -> str:
        """What people call it, and the update's branch: 0.3.0, or 0.3.0-5-g1a2b3c4 for five commits later."""
        return f"{self.version}-{self.ahead}-g{(self.commit or '')[:7]}" if self.ahead else self.version


class Template(Protocol):
    """Where releases come from. Each method raises Problem where the source does not answer."""

    address: str  # for people: without a password
    source: str | None  # the address as a record may name it; None where it will be gone

    def newest(self) -> Release:
        """Return what an update goes to, unless people say otherwise."""

    def find(self, wanted: str) -> Release:
        """Return a release by its version; a Problem names those that there are."""

    def of_record(self, record: TemplateRecord) -> Release:
        """Return the release that a repository was rendered from."""

    def commits_between(self, old: Release, new: Release) -> int | None:
        """Return how many commits `new` has that `old` has not; None where there are no commits."""

    def uncommitted(self) -> bool:
        """Tell whether somebody works on the template there and has not committed: an update knows nothing of that."""

    def unpack(self, release: Release, folder: Path) -> Path:
        """Put the files of a release into an empty folder, and return the one that holds cookiecutter.json."""


def lasting(address: str) -> str | None:
    """Return an address that another person can use on another day: no password in it, and no temporary folder."""
    address = without_password(address)
    temporary = Path(tempfile.gettempdir()).resolve()
    return None if Path(address).is_absolute() and Path(address).is_relative_to(temporary) else address


def without_password(address: str) -> str:
    """Return an address as it may be shown, and written into a commit."""
    if not address.startswith(("http://", "https://")):
        return address
    url = urlsplit(address)
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))


def later(version: str, other: str) -> bool:
    """Tell whether a version came after another; one that is no version comes before all."""
    return _order(version) > _order(other)


def _order(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0.dev0")
