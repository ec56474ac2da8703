"""The source of a build: a fresh clone by git, with the credentials of the service role.

Source: User Guide, "Source version sample" (a commit id, a branch or a tag; refs/heads/… and refs/tags/…). What the
contexts say is what users of CodeBuild quote.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sandbox.callers import Caller
from sandbox.codebuild.container import Container
from sandbox.codebuild.failures import client_error
from sandbox.environment import Endpoint, client_environment
from sandbox.inside import Inside

_AWS_URL = re.compile(r"https://git-codecommit\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def git_variables(inside: Inside, caller: Caller, region: str, location: str) -> dict[str, str]:
    """What CodeBuild's git credential helper amounts to: git authenticates as the service role, for this sandbox's
    repositories alone, and finds them under their AWS host name as well."""
    endpoint = Endpoint(inside.url, region, caller.access_key, caller.secret, str(inside.folder))
    made = client_environment(endpoint, {})
    found = {name: value for name, value in made.items() if name.startswith("GIT_")}
    aws = _AWS_URL.match(location)
    if aws:
        count = int(found["GIT_CONFIG_COUNT"])
        base = f"{inside.url}/" if aws[1] == inside.region else f"{inside.url}/{aws[1]}/"
        found |= {
            f"GIT_CONFIG_KEY_{count}": f"url.{base}.insteadOf",
            f"GIT_CONFIG_VALUE_{count}": aws[0],
            "GIT_CONFIG_COUNT": str(count + 1),
        }
    return found


class Clone:
    """environment: that of git, with the role's credentials. folder: where the source will be."""

    def __init__(self, container: Container, environment: Mapping[str, str], folder: Path) -> None:
        self._container = container
        self._environment = {**environment, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
        self._folder = folder

    def make(self, location: str, version: str | None) -> str:
        """Clone and check out; the commit's id. Raises PhaseFailed with CLIENT_ERROR, Interrupted."""
        where = f"for primary source and source version {version or ''}".rstrip()
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        code, said = self._git(self._folder.parent, "clone", "--quiet", "--no-checkout", location, str(self._folder))
        if code:
            if "not found" in said:
                raise client_error(f"repository not found {where}")
            if "403" in said or "Authentication failed" in said:
                raise client_error(f"authorization failed {where}")
            raise client_error(f"error while downloading: {' '.join(said.split())} {where}")
        for candidate in _candidates(version):
            code, said = self._git(self._folder, "rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
            if not code:
                commit = said.strip()
                break
        else:
            raise client_error(f"{'object' if _COMMIT.fullmatch(version or '') else 'reference'} not found {where}")
        code, said = self._git(self._folder, "checkout", "--quiet", "--detach", commit)
        if code:
            raise client_error(f"error while downloading: {' '.join(said.split())} {where}")
        return commit

    def _git(self, folder: Path, *arguments: str) -> tuple[int, str]:
        process = self._container.start(
            ["git", *arguments],
            folder,
            self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = process.communicate()
        return process.returncode, said.decode("utf-8", "replace")


def _candidates(version: str | None) -> list[str]:
    """What a source version may mean, as the clone names it."""
    if not version:
        return ["refs/remotes/origin/HEAD"]
    if version.startswith("-") or any(part in version for part in ("@{", "..", ":", "^", "~", " ")):
        return []
    if _COMMIT.fullmatch(version):
        return [version]
    if version.startswith("refs/heads/"):
        return ["refs/remotes/origin/" + version.removeprefix("refs/heads/")]
    if version.startswith("refs/"):
        return [version]
    return [f"refs/remotes/origin/{version}", f"refs/tags/{version}"]
