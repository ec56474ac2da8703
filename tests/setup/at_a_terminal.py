"""A person at a terminal."""

import os
import pty
import sys
from collections.abc import Callable

from tests.setup.stage import Quick


def on_a_terminal(
    repository: Quick, answer: str, *arguments: str, meanwhile: Callable[[], None] = lambda: None
) -> tuple[int, str]:
    """Run `mlops …` for somebody who does something else when asked and then types `answer`; return code and screen."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(repository.path)
        os.execve(sys.executable, [sys.executable, "-m", "mlops", *arguments], {**repository.environment})
    screen, asked = b"", False
    while True:
        try:
            block = os.read(terminal, 1024)
        except OSError:  # Linux: the other end is closed
            break
        if not block:
            break
        screen += block
        if b"[y/N]" in screen and not asked:
            asked = True
            meanwhile()
            os.write(terminal, answer.encode())
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), screen.decode()
