"""What people read at the end."""

from __future__ import annotations

from account.terminal import say, table
from verify_aws.run import Outcome

WORDS = {True: "yes", False: "NO", None: "not answered"}


def show(outcome: Outcome) -> None:
    """Print which commands ran, what AWS said to each assumption, and what is left."""
    say()
    rows = [
        ("ok" if one.code == 0 else f"code {one.code}", f"{one.seconds:.0f} s", one.shown) for one in outcome.commands
    ]
    table(("", "took", "command"), rows)
    if outcome.findings:
        say()
        findings = [(finding.claim, finding.answer, WORDS[finding.agrees]) for finding in outcome.findings]
        table(("the sandbox assumes", "AWS answers", "agrees"), findings)
    say()
    say("Nothing is left." if not outcome.left else "Still there:")
    for one in outcome.left:
        say(f"  {one}")
