"""This clone's own git settings: the remote, and how git authenticates there."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlops.git import git, read_config
from mlops.own_repository import ROOT
from mlops.repository import BRANCHES, Host

SPARE_REMOTE = "upstream-mlops"
GitConfig = dict[str, list[str]]


def remotes(root: Path = ROOT) -> list[str]:
    """Return the names of the remotes that may be the project's repository, the likeliest first."""
    config = read_config(root)
    return [name for name in (SPARE_REMOTE, "origin") if f"remote.{name}.url" in config]


@dataclass(frozen=True)
class Connection:
    """What connects this clone with the remote repository at `url`."""

    host: Host
    url: str

    @property
    def section(self) -> str:
        """The part of git's configuration that holds the credential helper: this host only, in this clone only."""
        address = urlsplit(self.url)
        return f"credential.{address.scheme}://{address.netloc}"

    @property
    def remote(self) -> str:
        """The name of the remote: `origin`, unless the team uses that name for another place."""
        return self._remote_in(read_config())

    def _remote_in(self, settings: GitConfig) -> str:
        elsewhere = [url for url in settings.get("remote.origin.url", []) if place(url) != place(self.url)]
        return SPARE_REMOTE if elsewhere else "origin"

    def missing(self) -> list[str]:
        """Return, in words, what plain `git push` still lacks in this clone."""
        settings, lacks = read_config(), []
        remote = self._remote_in(settings)
        urls = settings.get(f"remote.{remote}.url", [])
        if not self._leads_here(urls):
            lacks.append(f"the remote {remote}")
        # A remote by SSH brings its own keys.
        by_https = not urls or self.url in urls
        if by_https and self.host.credential_helper() not in settings.get(f"{self.section}.helper", []):
            lacks.append("the credential helper")
        return lacks

    def _leads_here(self, urls: list[str]) -> bool:
        return bool(urls) and all(place(url) == place(self.url) for url in urls)

    def make(self) -> None:
        """Write the settings and leave those that are right.

        Of those that belong together, the one that is looked at comes last: then a run that was killed in between
        is completed by the next.

        Raises:
            Problem: git cannot write its configuration.
        """
        settings, helper = read_config(), self.host.credential_helper()
        remote = self._remote_in(settings)
        if not self._leads_here(settings.get(f"remote.{remote}.url", [])):  # the spare one may name an earlier place
            _write(f"remote.{remote}.fetch", f"+refs/heads/*:refs/remotes/{remote}/*")
            _write(f"remote.{remote}.url", self.url)
        if helper not in settings.get(f"{self.section}.helper", []):
            _write(f"{self.section}.useHttpPath", "true")
            # The empty value drops inherited helpers, such as a key chain that would keep expired signatures.
            _write(f"{self.section}.helper", "")
            git("config", "--local", "--add", f"{self.section}.helper", helper)
        if "push.autosetupremote" not in settings:
            _write("push.autoSetupRemote", "true")
        for branch in BRANCHES:
            if f"branch.{branch}.remote" not in settings:
                _write(f"branch.{branch}.merge", f"refs/heads/{branch}")
                _write(f"branch.{branch}.remote", remote)

    def snapshot(self) -> Callable[[], None]:
        """Return what brings the present settings and remote-tracking branches back."""
        file = ROOT / git("rev-parse", "--git-path", "config")
        before, refs_before = file.read_bytes(), self._tracking_refs()

        def restore() -> None:
            for ref in self._tracking_refs() - refs_before:
                git("update-ref", "-d", ref)
            if file.read_bytes() != before:
                draft = Path(f"{file}.mlops")
                draft.write_bytes(before)
                shutil.copymode(file, draft)
                os.replace(draft, file)

        return restore

    def track(self, branches: list[str], commit: str) -> None:
        """Note that the remote has `branches` at `commit`, as `git push` does."""
        remote = self.remote
        for branch in branches:
            git("update-ref", f"refs/remotes/{remote}/{branch}", commit)

    def fetch_untracked(self) -> None:
        """Fetch the branches of which this clone knows nothing yet: another clone, or a run that was killed, made them.

        Raises:
            GitFailed: the host does not answer git.
        """
        remote = self.remote
        missing = {f"refs/remotes/{remote}/{branch}": branch for branch in BRANCHES}
        for ref in self._tracking_refs():
            missing.pop(ref, None)
        if missing:
            options, environment = self.host.push_options(self.url)
            references = [f"+refs/heads/{branch}:{ref}" for ref, branch in missing.items()]
            git(*options, "fetch", "--quiet", "--no-tags", self.url, *references, environment=environment)

    def _tracking_refs(self) -> set[str]:
        return set(git("for-each-ref", "--format=%(refname)", "refs/remotes/").split())


def place(url: str) -> str:
    """Return host and path of a git URL: what HTTPS and SSH URLs of one repository share."""
    short = re.fullmatch(r"(?:[^@/:]+@)?([^@/:]+):(?!/)(.+)", url)  # git@github.com:owner/name.git
    address = urlsplit(f"ssh://{short[1]}/{short[2]}" if short else url)
    host = address.netloc.rpartition("@")[2]
    return f"{host}{address.path.rstrip('/').removesuffix('.git')}"


def _write(key: str, value: str) -> None:
    git("config", "--local", "--replace-all", key, value)
