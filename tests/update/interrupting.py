"""An update that somebody interrupts at a chosen place."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOPPING_GIT = """\
#!/bin/sh
# git, which stops for a while at one of its commands, the first time
case " $* " in *" {command} "*) {before} [ -e {mark} ] || {{ touch {mark}; sleep 30; }};; esac
exec {git} "$@"
"""


@dataclass(frozen=True)
class Stop:
    """A place where a command stops: it is there when the mark is."""

    mark: Path
    environment: Mapping[str, str]


def at_git(command: str, folder: Path, *, after: bool = False) -> Stop:
    """Stop at a command of git, before or after it does its work."""
    folder.mkdir()
    program, git = folder / "git", shutil.which("git")
    before = f'{git} "$@";' if after else ""
    program.write_text(STOPPING_GIT.format(command=command, before=before, mark=folder / "reached", git=git))
    program.chmod(0o755)
    return Stop(folder / "reached", {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})


def interrupt(
    command: Sequence[str],
    cwd: Path,
    stop: Stop,
    environment: Mapping[str, str],
    number: int = signal.SIGINT,
    *,
    alone: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a command, send it a signal when it has stopped, and return how it ended.

    `alone`: the process gets the signal, not its group, as with `kill`.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **environment, **stop.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not stop.mark.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.02)
    (os.kill if alone else os.killpg)(process.pid, number)
    stdout, stderr = process.communicate(timeout=30)
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)
