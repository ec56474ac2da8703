"""The Resource Groups Tagging API: refused as a whole.

moto would answer from its own services and leave out what the sandbox keeps itself (CodeCommit, SageMaker's registry):
an answer that looks complete and is not.
"""

from __future__ import annotations

from sandbox.calls import Call


class Tagging:
    """No operation. Ask each service for its tags."""

    complete = True

    def describe(self, call: Call) -> None:
        """What the general rules find."""

    def reset(self) -> None:
        """Nothing is kept here."""
