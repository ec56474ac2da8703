"""What was decided on one revision of a pull request. A push to the source makes a new revision, on which nobody has
decided yet.

Source: API Reference, UpdatePullRequestApprovalState, OverridePullRequestApprovalRules and the operations that read
them: each is of a revision, and changes are of the current one alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(eq=False)
class Review:
    """revision: its id. approvals: ARNs of those who approve, in the order they did. overrider: ARN of who set the
    approval rules aside, or None."""

    revision: str = field(default_factory=lambda: secrets.token_hex(32))
    approvals: list[str] = field(default_factory=list)
    overrider: str | None = None
