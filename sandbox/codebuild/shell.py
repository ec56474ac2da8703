"""The shell of a build: all commands run in one instance of it, so that folders and variables carry over to the next
command, whether the variables are exported or not (User Guide, "Buildspec versions", 0.2).

A command that ends the shell itself (`exit`) is followed by a new instance, with the folder and the exported variables
of the old one: the commands of `finally` and of later phases run as on AWS.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sandbox.codebuild.container import Container

# Files with commands come on 8, their exit statuses go to 9; commands see neither. 1 and 2 are the log.
_DRIVER = """exec 8<&0 9>&2 </dev/null 2>&1
[ ! -f {exports} ] || . {exports}
trap 'export -p >{exports}; pwd >{folder}' EXIT
while IFS= read -r _codebuild_command <&8; do . "$_codebuild_command" 8<&- 9>&-; echo "$?" >&9; done
"""


class Shell:
    """program: `sh` or `bash`. folder: where it begins. state: a folder of its own. log: what commands print."""

    def __init__(
        self, container: Container, program: str, environment: Mapping[str, str], folder: Path, state: Path, log: Path
    ) -> None:
        self._container, self._program, self._environment = container, program, environment
        self._folder, self._state, self._log = folder, state, log
        self._process: subprocess.Popen[bytes] | None = None
        self._commands = 0

    def run(self, command: str) -> int:
        """Its exit status. Raises Interrupted if the build is over."""
        process = self._process or self._start()
        self._commands += 1
        file = self._state / f"command-{self._commands}"
        file.write_text(command + "\n", encoding="utf-8")
        said = _ask(process, file)
        if said:
            return int(said)
        self._process = None
        with process:
            code = process.wait()
        return code if code >= 0 else 128 - code

    def expand(self, text: str) -> str:
        """A text with the shell's variables and commands in it evaluated."""
        result = self._state / "expanded"
        result.unlink(missing_ok=True)
        quoted = text.replace('"', '\\"')
        self.run(f'printf %s "{quoted}" >{shlex.quote(str(result))}')
        return result.read_text("utf-8", "replace") if result.is_file() else ""

    def _start(self) -> subprocess.Popen[bytes]:
        self._state.mkdir(parents=True, exist_ok=True)
        exports, last = self._state / "exports", self._state / "folder"
        driver = self._state / "driver"
        driver.write_text(
            _DRIVER.format(exports=shlex.quote(str(exports)), folder=shlex.quote(str(last))), encoding="utf-8"
        )
        before = Path(last.read_text("utf-8").removesuffix("\n")) if last.is_file() else self._folder
        with self._log.open("ab") as output:
            self._process = self._container.start(
                [self._program, str(driver)],
                before if before.is_dir() else self._folder,
                self._environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.PIPE,
            )
        return self._process


def _ask(process: subprocess.Popen[bytes], file: Path) -> bytes:
    """The line with the exit status of a file's commands; nothing if the shell ended with them."""
    if process.stdin is None or process.stderr is None:
        raise TypeError("a shell without pipes")
    try:
        process.stdin.write(f"{file}\n".encode())
        process.stdin.flush()
        return process.stderr.readline()
    except BrokenPipeError:
        return b""
