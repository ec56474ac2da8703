"""How a phase ends other than well. The status code and the words are what the phase's context tells."""

from __future__ import annotations


class PhaseFailed(Exception):
    """code: e.g. `COMMAND_EXECUTION_ERROR`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotHere(PhaseFailed):
    """The buildspec asks for what the sandbox has not: the build ends in FAULT, which no build of AWS does for it."""

    def __init__(self, what: str) -> None:
        super().__init__("NotImplementedInSandbox", f"sandbox/ has no {what} in builds. Build on a real account.")


class Interrupted(Exception):
    """The build was stopped, timed out, or the sandbox forgets everything."""


def yaml_error(message: str) -> PhaseFailed:
    return PhaseFailed("YAML_FILE_ERROR", message)


def client_error(message: str) -> PhaseFailed:
    return PhaseFailed("CLIENT_ERROR", message)
