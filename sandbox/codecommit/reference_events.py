"""What CodeCommit tells EventBridge of branches and tags: `CodeCommit Repository State Change`.

Source: CodeCommit User Guide, "Monitoring CodeCommit events in Amazon EventBridge and Amazon CloudWatch Events". Its
examples lack callerUserArn, which events of real repositories have. That a fast-forward names its mergeOption, too, and
that tags are told of, is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.inside import Event

if TYPE_CHECKING:
    from sandbox.codecommit.store import Repository

HEADS, TAGS = "refs/heads/", "refs/tags/"
NONE = "0" * 40
_KINDS = {HEADS: "branch", TAGS: "tag"}


@dataclass(frozen=True)
class Move:
    """A reference, by its full name, that went from one commit to another. old, new: NONE where there is none.

    merge: what the event of a merge has besides.
    """

    reference: str
    old: str
    new: str
    merge: Mapping[str, str] = field(default_factory=dict)


def reference_change(repository: Repository, move: Move, actor: str) -> Event | None:
    """The event, or None for a reference that is neither a branch nor a tag. actor: ARN of who moved it."""
    prefix = next((prefix for prefix in _KINDS if move.reference.startswith(prefix)), None)
    if prefix is None:
        return None
    name = "referenceCreated" if move.old == NONE else "referenceDeleted" if move.new == NONE else "referenceUpdated"
    detail = {
        "event": name,
        "repositoryName": repository.name,
        "repositoryId": repository.id,
        "referenceType": _KINDS[prefix],
        "referenceName": move.reference.removeprefix(prefix),
        "referenceFullName": move.reference,
        "callerUserArn": actor,
    }
    commits = {"commitId": move.new, "oldCommitId": move.old}
    detail |= {name: commit for name, commit in commits.items() if commit != NONE}
    return Event(
        source="aws.codecommit",
        detail_type="CodeCommit Repository State Change",
        detail=detail | dict(move.merge),
        resources=(repository.arn,),
        account=repository.account,
        region=repository.region,
    )
