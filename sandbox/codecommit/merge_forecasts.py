# ruff: noqa: N802 - methods are named as AWS names its operations
"""What a merge would meet, before it is made. Rules: the operations' pages in the API Reference; User Guide, "Resolve
conflicts in a pull request"."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.branch_merging import SIDES, BranchMergeOperations, commit_of
from sandbox.codecommit.conflicts import conflicts
from sandbox.codecommit.merge_strategies import Strategy
from sandbox.codecommit.merged_tree import NotMergeable, try_merge
from sandbox.codecommit.rules import fault, page
from sandbox.codecommit.store import Repository
from sandbox.errors import NotImplementedInSandbox

# Not documented.
CONFLICTS_A_PAGE = 100


class MergeForecastOperations(BranchMergeOperations):
    def GetMergeOptions(self, call: Call) -> dict[str, Any]:
        """The strategies by which the source can be merged into the destination."""
        repository, source, destination = self._compared(call)
        base = repository.merge_base(destination, source)
        options = [strategy.value for strategy in Strategy if _can(call, repository, strategy, destination, source)]
        commits = {"sourceCommitId": source, "destinationCommitId": destination, "baseCommitId": base or ""}
        return {"mergeOptions": options, **commits}

    def GetMergeConflicts(self, call: Call) -> dict[str, Any]:
        """ "If the specified merge strategy is FAST_FORWARD_MERGE, this list is always empty." """
        params, size = call.params, call.params.get("maxConflictFiles", CONFLICTS_A_PAGE)
        if size < 1:
            raise fault(call, "InvalidMaxConflictFilesException")
        repository, source, destination = self._compared(call)
        strategy, base = Strategy(params["mergeOption"]), repository.merge_base(destination, source)
        found: list[dict[str, Any]] = []
        if base and strategy is not Strategy.FAST_FORWARD:
            found = conflicts(repository, base, destination, source, _by_lines(call))
        shown, token = page(call, found, size, params.get("nextToken"))
        return {
            "mergeable": _can(call, repository, strategy, destination, source),
            "destinationCommitId": destination,
            "sourceCommitId": source,
            "baseCommitId": base,
            "conflictMetadataList": shown,
            "nextToken": token,
        }

    def _compared(self, call: Call) -> tuple[Repository, str, str]:
        """The repository, the source and the destination. Raises NotImplementedInSandbox for resolving conflicts."""
        resolution = call.params.get("conflictResolutionStrategy", "NONE")
        if resolution != "NONE":
            raise NotImplementedInSandbox("codecommit", call.operation, resolution)
        repository = self.repository(call)
        source, destination = (commit_of(call, repository, f"{side}CommitSpecifier") for side in SIDES)
        return repository, source, destination


def _by_lines(call: Call) -> bool:
    return call.params.get("conflictDetailLevel") == "LINE_LEVEL"


def _can(call: Call, repository: Repository, strategy: Strategy, destination: str, source: str) -> bool:
    """Whether the merge itself would go through."""
    if strategy is Strategy.FAST_FORWARD:
        return repository.merge_base(destination, source) == destination
    try:
        try_merge(repository, destination, source, _by_lines(call))
    except NotMergeable:
        return False
    return True
