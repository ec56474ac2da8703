# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations on branches. Each docstring's rule is from the operation's page in the API Reference."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.reference_events import HEADS, NONE, Move
from sandbox.codecommit.repositories import RepositoryOperations
from sandbox.codecommit.rules import check_branch_name, fault, is_full_id, page
from sandbox.codecommit.store import GitFailed

# Not documented; small enough that clients which forget to page are found out.
BRANCHES_A_PAGE = 100


class BranchOperations(RepositoryOperations):
    def CreateBranch(self, call: Call) -> None:
        """Points a new branch to a commit that is there. Never sets the default branch."""
        repository, branch, commit = self.repository(call), call.params["branchName"], call.params["commitId"]
        check_branch_name(call, branch)
        if not is_full_id(commit):
            raise fault(call, "InvalidCommitIdException")
        if repository.commit(commit) != commit:
            raise fault(call, "CommitDoesNotExistException")
        try:
            repository.git("update-ref", HEADS + branch, commit, NONE)
        except GitFailed as error:
            code = "BranchNameExistsException" if repository.tip(branch) else "InvalidBranchNameException"
            raise fault(call, code) from error
        self.repositories.moved(repository, [Move(HEADS + branch, NONE, commit)], call.caller.arn)

    def GetBranch(self, call: Call) -> dict[str, Any]:
        """The model requires nothing, yet both names are: their exceptions say so."""
        repository, branch = self.repository(call), call.params.get("branchName")
        if branch is None:
            raise fault(call, "BranchNameRequiredException")
        check_branch_name(call, branch)
        commit = repository.tip(branch)
        if commit is None:
            raise fault(call, "BranchDoesNotExistException", f"Branch named {branch} does not exist")
        return {"branch": {"branchName": branch, "commitId": commit}}

    def ListBranches(self, call: Call) -> dict[str, Any]:
        """Takes nextToken but no page size."""
        names = self.repository(call).branches()
        shown, token = page(call, names, BRANCHES_A_PAGE, call.params.get("nextToken"))
        return {"branches": shown, "nextToken": token}

    def DeleteBranch(self, call: Call) -> dict[str, Any]:
        """The default branch is refused. A branch that is not there is no error (the operation declares none).
        Open pull requests from or to the branch are closed (User Guide, "Close a pull request")."""
        repository, branch = self.repository(call), call.params["branchName"]
        check_branch_name(call, branch)
        with repository.lock:
            if branch == repository.default_branch:
                raise fault(call, "DefaultBranchCannotBeDeletedException")
            commit = repository.tip(branch)
            if commit is None:
                return {}
            repository.git("update-ref", "-d", HEADS + branch)
            self.repositories.moved(repository, [Move(HEADS + branch, commit, NONE)], call.caller.arn)
        return {"deletedBranch": {"branchName": branch, "commitId": commit}}
