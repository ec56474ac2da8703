"""A person at a terminal."""

import os
from collections.abc import Callable

from tests.setup.stage import Quick


def on_a_terminal(
    repository: Quick, answer: str, *arguments: str, meanwhile: Callable[[], None] = lambda: None
) -> tuple[int, str]:
    """Run `mlops …` for somebody who does something else when asked and then types `answer`; return code and screen."""
    keyboard, terminal = os.openpty()
    zygote = repository.zygote
    zygote.start(repository.path, repository.environment, *arguments, terminal=os.ttyname(terminal))
    screen, asked = os.read(keyboard, 1), False
    os.close(terminal)  # not before the command has opened it, or there would be nobody at the other end
    while True:
        try:
            block = os.read(keyboard, 1024)
        except OSError:  # Linux: the other end is closed
            break
        if not block:
            break
        screen += block
        if b"[y/N]" in screen and not asked:
            asked = True
            meanwhile()
            os.write(keyboard, answer.encode())
    os.close(keyboard)
    return zygote.wait().code, screen.decode()
