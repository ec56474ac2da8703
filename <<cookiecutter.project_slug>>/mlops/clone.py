"""This clone's own git settings: the remote, and how git authenticates there."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlops.git import git, read_config, read_config_all
from mlops.repository import BRANCHES, Host
from mlops.settings import ROOT

SPARE_REMOTE = "upstream-mlops"


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
        taken = read_config("remote.origin.url")
        return "origin" if taken in {None, self.url} else SPARE_REMOTE

    def missing(self) -> list[str]:
        """Return, in words, what plain `git push` still lacks in this clone."""
        lacks = []
        if read_config(f"remote.{self.remote}.url") != self.url:
            lacks.append(f"the remote {self.remote}")
        if self.host.credential_helper() not in read_config_all(f"{self.section}.helper"):
            lacks.append("the credential helper")
        return lacks

    def make(self) -> Callable[[], None]:
        """Write the settings, leave those that are right, and return what brings the old ones back.

        Raises:
            Problem: git cannot write its configuration.
        """
        undo = self._snapshot()
        remote, helper = self.remote, self.host.credential_helper()
        if read_config(f"remote.{remote}.url") is None:
            git("remote", "add", remote, self.url)
        if helper not in read_config_all(f"{self.section}.helper"):
            # The empty value drops inherited helpers, such as a key chain that would keep expired signatures.
            git("config", "--local", "--replace-all", f"{self.section}.helper", "")
            git("config", "--local", "--add", f"{self.section}.helper", helper)
            git("config", "--local", f"{self.section}.useHttpPath", "true")
        if read_config("push.autoSetupRemote") is None:
            git("config", "--local", "push.autoSetupRemote", "true")
        for branch in BRANCHES:
            if read_config(f"branch.{branch}.remote") is None:
                git("config", "--local", f"branch.{branch}.remote", remote)
                git("config", "--local", f"branch.{branch}.merge", f"refs/heads/{branch}")
        return undo

    def _snapshot(self) -> Callable[[], None]:
        file = ROOT / git("rev-parse", "--git-path", "config")
        before, refs_before = file.read_bytes(), self._tracking_refs()

        def undo() -> None:
            for ref in self._tracking_refs() - refs_before:
                git("update-ref", "-d", ref)
            draft = Path(f"{file}.mlops")
            draft.write_bytes(before)
            os.replace(draft, file)

        return undo

    def _tracking_refs(self) -> set[str]:
        return set(git("for-each-ref", "--format=%(refname)", f"refs/remotes/{self.remote}/").split())
