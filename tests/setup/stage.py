"""A clone in which commands start quickly, and which can be put back as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.setup.account import Account, git_state


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Zygote:
    """Starts commands quickly: see zygote.py. One at a time."""

    def __init__(self, folder: Path) -> None:
        self._output = [folder / "stdout", folder / "stderr"]
        # Kept outside the repositories; a process of its own finds what the zygote compiled.
        self.bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "pycache")}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            env={**os.environ, **self.bytecode},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def preload(self, root: Path, environment: Mapping[str, str]) -> None:
        """Make the commands of this repository quicker still, until that of another is preloaded."""
        self._ask(preload=True, root=str(root), environment=environment)
        self._number()

    def start(self, root: Path, environment: Mapping[str, str], *arguments: str, terminal: str | None = None) -> int:
        """Start a command, for nobody or on a terminal; return its process group."""
        streams = [terminal] * 3 if terminal else [os.devnull, *map(str, self._output)]
        self._ask(root=str(root), arguments=arguments, streams=streams, environment=environment)
        return self._number()

    def wait(self) -> Done:
        """Wait until the command has ended."""
        code = self._number()
        stdout, stderr = (file.read_text("utf-8") if file.exists() else "" for file in self._output)
        return Done(code, stdout, stderr)

    def _ask(self, **request: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@dataclass(frozen=True)
class Quick:
    """What `Repository` of the tests is, with commands that start quickly."""

    path: Path
    environment: Mapping[str, str]
    zygote: Zygote

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository; with `check`, the test fails if it does."""
        done = subprocess.run(
            command, cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert not (check and done.returncode), done
        return done

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        return self.run("git", *arguments).stdout.rstrip("\n")

    def commit(self, message: str, *options: str) -> str:
        """Commit what there is, nothing if need be; return the id."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@hospital.org"]
        self.git(*who, "commit", "--quiet", "--allow-empty", "--message", message, *options)
        return self.git("rev-parse", "HEAD")

    def mlops(self, *arguments: str, check: bool = True, **environment: str) -> Done:
        """Run `mlops …`; with `check`, the test fails if it does."""
        self.zygote.start(self.path, {**self.environment, **environment}, *arguments)
        done = self.zygote.wait()
        assert not (check and done.code), done
        return done

    def refusal(self, *arguments: str, **environment: str) -> str:
        """The one line with which a command fails."""
        done = self.mlops(*arguments, check=False, **environment)
        assert (done.code, len(done.stderr.splitlines())) == (1, 1), done
        return done.stderr.rstrip("\n")

    @property
    def slug(self) -> str:
        return self.path.name

    @property
    def root_commit(self) -> str:
        """The id of the untouched render."""
        return self.git("rev-list", "--max-parents=0", "HEAD")

    def at(self, path: Path, **environment: str) -> Quick:
        """The same in another folder."""
        return replace(self, path=path, environment={**self.environment, **environment})


class Clone:
    """A generated repository that `restore` puts back, for many commands."""

    def __init__(self, path: Path, account: Account, zygote: Zygote, folder: Path) -> None:
        self.path, self.account, self._zygote = path, account, zygote
        self._pristine = folder / "pristine"
        shutil.copytree(path, self._pristine, symlinks=True)

    def restore(self) -> None:
        """Make the clone's git settings and references what they were when it was generated."""
        shutil.rmtree(self.path / ".git/refs")
        for part in ("config", "HEAD"):
            shutil.copy(self._pristine / ".git" / part, self.path / ".git" / part)
        shutil.copytree(self._pristine / ".git/refs", self.path / ".git/refs")

    @property
    def root_commit(self) -> str:
        return (self._pristine / ".git/refs/heads/main").read_text().strip()

    @property
    def slug(self) -> str:
        return self.path.name

    def start(self, *arguments: str, **environment: str) -> int:
        """Start a command; return its process group."""
        return self._zygote.start(self.path, {**self.account.environment, **environment}, *arguments)

    def wait(self) -> Done:
        """Wait until the command has ended."""
        return self._zygote.wait()

    def mlops(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end."""
        self.start(*arguments, **environment)
        return self.wait()

    def state(self) -> dict[str, str]:
        """The git settings and all references."""
        return git_state(self.path)
