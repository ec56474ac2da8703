"""The loop, the questions and the removal, whatever happens."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from account import aws
from account.problem import Problem
from account.terminal import say
from verify_aws.assumptions import ASSUMPTIONS, Finding
from verify_aws.commands import Command, Commands
from verify_aws.loop import loop
from verify_aws.refusals import refusals
from verify_aws.removal import left_over, remove
from verify_aws.trial import Trial


@dataclass
class Outcome:
    """What came of it. failure: why the loop ended early. left: what is still there, or could not be removed."""

    commands: list[Command] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failure: str | None = None
    left: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all went well, AWS agreed, and nothing is left."""
        return not (self.failure or self.left or any(finding.agrees is False for finding in self.findings))


def carry_out(trial: Trial) -> Outcome:
    """Run everything, and remove what was made, also after a failure or Ctrl-C."""
    outcome, commands = Outcome(), Commands()
    try:
        with aws.explained():
            loop(trial, commands)
        say("\nAsking AWS about what the sandbox assumes …", "bold")
        for question in (*ASSUMPTIONS, refusals):
            outcome.findings += _asked(question, trial)
    except Problem as problem:
        outcome.failure = str(problem)
    except KeyboardInterrupt:
        outcome.failure = "it was interrupted"
    finally:
        # What is half removed would cost money: a second Ctrl-C waits.
        before = {number: signal.signal(number, _not_now) for number in (signal.SIGINT, signal.SIGTERM)}
        if outcome.failure:
            say(f"\n{outcome.failure}: removing what was made", "bold red")
        outcome.left = remove(trial, commands)
        outcome.left += left_over(trial)
        for number, handler in before.items():
            signal.signal(number, handler)
    outcome.commands = commands.done
    return outcome


def _asked(question: Callable[[Trial], list[Finding]], trial: Trial) -> list[Finding]:
    """A question that AWS refuses to answer is a finding, too: the others are still asked."""
    try:
        return question(trial)
    except (ClientError, BotoCoreError) as error:
        return [Finding((question.__doc__ or "").splitlines()[0], " ".join(str(error).split()), None)]


def _not_now(number: int, frame: object) -> None:
    say("Removing what was made; this ends by itself.", "yellow")
