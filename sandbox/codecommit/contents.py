# ruff: noqa: N802 - methods are named as AWS names its operations
"""CodeCommit's operations that read commits, files and differences. Rules: the operations' pages in the API
Reference."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any

from sandbox.calls import Call
from sandbox.codecommit.branches import BranchOperations
from sandbox.codecommit.rules import fault, is_full_id, page
from sandbox.codecommit.store import GitFailed, Repository

LARGEST_FILE = 6 * 1024 * 1024
MOST_COMMITS = 100
DIFFERENCES_A_PAGE = 100
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
MODES = {"100644": "NORMAL", "100755": "EXECUTABLE", "120000": "SYMLINK"}


@dataclass(frozen=True)
class Entry:
    """A line of `git ls-tree`. path: from the root of the repository."""

    mode: str
    kind: str
    id: str
    path: str


class ContentOperations(BranchOperations):
    def GetCommit(self, call: Call) -> dict[str, Any]:
        repository, commit = self.repository(call), call.params["commitId"]
        if not is_full_id(commit):
            raise fault(call, "InvalidCommitIdException")
        if repository.commit(commit) != commit:
            raise fault(call, "CommitIdDoesNotExistException", f"{commit} does not exist")
        return {"commit": _commit(repository, commit)}

    def BatchGetCommits(self, call: Call) -> dict[str, Any]:
        """Full ids only, at most 100; those not found are listed, not refused."""
        repository, ids = self.repository(call), call.params["commitIds"]
        if not ids:
            raise fault(call, "CommitIdsListRequiredException")
        if len(ids) > MOST_COMMITS:
            raise fault(call, "CommitIdsLimitExceededException")
        commits, errors = [], []
        for commit in ids:
            if is_full_id(commit) and repository.commit(commit) == commit:
                commits.append(_commit(repository, commit))
            else:
                code = "CommitDoesNotExistException" if is_full_id(commit) else "InvalidCommitIdException"
                errors.append({"commitId": commit, "errorCode": code, "errorMessage": f"{commit}: {code}"})
        return {"commits": commits, "errors": errors}

    def GetBlob(self, call: Call) -> dict[str, Any]:
        repository, blob = self.repository(call), call.params["blobId"]
        if not is_full_id(blob):
            raise fault(call, "InvalidBlobIdException")
        try:
            if int(repository.git("cat-file", "-s", blob)) > LARGEST_FILE:
                raise fault(call, "FileTooLargeException")
            return {"content": repository.git("cat-file", "blob", blob)}
        except GitFailed as error:
            raise fault(call, "BlobIdDoesNotExistException") from error

    def GetFile(self, call: Call) -> dict[str, Any]:
        """Without a commit specifier, the head of the default branch."""
        repository = self.repository(call)
        commit = resolve(repository, call, call.params.get("commitSpecifier"))
        path = bare_path(call, call.params["filePath"])
        entries = tree_entries(repository, commit, path) if path else []
        if len(entries) != 1 or entries[0].kind != "blob":
            raise fault(call, "FileDoesNotExistException")
        size = int(repository.git("cat-file", "-s", entries[0].id))
        if size > LARGEST_FILE:
            raise fault(call, "FileTooLargeException")
        return {
            "commitId": commit,
            "blobId": entries[0].id,
            "filePath": path,
            "fileMode": MODES[entries[0].mode],
            "fileSize": size,
            "fileContent": repository.git("cat-file", "blob", entries[0].id),
        }

    def GetFolder(self, call: Call) -> dict[str, Any]:
        repository = self.repository(call)
        commit = resolve(repository, call, call.params.get("commitSpecifier"))
        path = bare_path(call, call.params["folderPath"])
        try:
            tree = repository.git("rev-parse", "--verify", "--quiet", f"{commit}:{path}").decode().strip()
            entries = tree_entries(repository, tree, "", path)
        except GitFailed as error:
            raise fault(call, "FolderDoesNotExistException") from error
        answer: dict[str, Any] = {"commitId": commit, "folderPath": path, "treeId": tree}
        answer["subFolders"] = [_shown(item, path, "treeId") for item in entries if item.kind == "tree"]
        answer["subModules"] = [_shown(item, path, "commitId") for item in entries if item.kind == "commit"]
        for name, wanted in (("files", ("NORMAL", "EXECUTABLE")), ("symbolicLinks", ("SYMLINK",))):
            answer[name] = [
                {**_shown(item, path, "blobId"), "fileMode": MODES[item.mode]}
                for item in entries
                if MODES.get(item.mode) in wanted
            ]
        return answer

    def GetDifferences(self, call: Call) -> dict[str, Any]:
        """Without a `before`, everything is an addition. MaxResults must be positive."""
        repository, params = self.repository(call), call.params
        size = params.get("MaxResults", DIFFERENCES_A_PAGE)
        if size < 1:
            raise fault(call, "InvalidMaxResultsException")
        after = resolve(repository, call, params["afterCommitSpecifier"])
        before = params.get("beforeCommitSpecifier")
        base = resolve(repository, call, before) if before else _EMPTY_TREE
        paths = {bare_path(call, params[name]) for name in ("beforePath", "afterPath") if params.get(name)}
        raw = repository.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", base, after).decode(
            "utf-8", "replace"
        )
        fields = [part for part in raw.split("\0") if part]
        found = [_difference(fields[i], fields[i + 1]) for i in range(0, len(fields) - 1, 2)]
        if paths:
            found = [item for item in found if any(_within(_difference_path(item), path) for path in paths)]
        shown, token = page(call, found, size, params.get("NextToken"))
        return {"differences": shown, "NextToken": token}


def _commit(repository: Repository, commit: str) -> dict[str, Any]:
    head, _, message = repository.git("cat-file", "commit", commit).decode("utf-8", "replace").partition("\n\n")
    answer: dict[str, Any] = {"commitId": commit, "parents": [], "message": message, "additionalData": ""}
    extra = []
    for line in head.split("\n"):
        name, _, value = line.partition(" ")
        if name == "tree":
            answer["treeId"] = value
        elif name == "parent":
            answer["parents"].append(value)
        elif name in ("author", "committer"):
            person, _, rest = value.rpartition("> ")
            who, _, email = person.rpartition(" <")
            answer[name] = {"name": who, "email": email, "date": rest}
        else:
            extra.append(line)
    answer["additionalData"] = "\n".join(extra)
    return answer


def resolve(repository: Repository, call: Call, specifier: str | None) -> str:
    """The commit a specifier means: a full commit id, a branch, a tag, a full reference or HEAD. None means HEAD.

    Raises InvalidCommitException, CommitDoesNotExistException.
    """
    specifier = specifier or "HEAD"
    if specifier.startswith("-") or any(part in specifier for part in (":", "^", "~", "@{", "..", " ")):
        raise fault(call, "InvalidCommitException")
    if is_full_id(specifier) or specifier == "HEAD" or specifier.startswith("refs/"):
        candidates = [specifier]
    else:
        candidates = [f"refs/heads/{specifier}", f"refs/tags/{specifier}"]
    for candidate in candidates:
        commit = repository.commit(candidate)
        if commit:
            return commit
    raise fault(call, "CommitDoesNotExistException")


def bare_path(call: Call, path: str) -> str:
    """A path without slashes at its ends. Raises InvalidPathException for one that leaves or repeats folders."""
    bare = path.strip("/")
    if bare and (posixpath.normpath(bare) != bare or bare.startswith("../") or "\0" in bare or len(bare) > 4096):
        raise fault(call, "InvalidPathException")
    return bare


def tree_entries(repository: Repository, tree: str, path: str, prefix: str = "") -> list[Entry]:
    args = ["ls-tree", "-z", "--full-tree", tree, *(["--", path] if path else [])]
    entries = []
    for line in repository.git(*args).decode("utf-8", "replace").split("\0"):
        if line:
            facts, _, name = line.partition("\t")
            mode, kind, identity = facts.split(" ")
            entries.append(Entry(mode, kind, identity, posixpath.join(prefix, name)))
    return entries


def _shown(entry: Entry, folder: str, id_name: str) -> dict[str, str]:
    relative = entry.path[len(folder) + 1 :] if folder else entry.path
    return {id_name: entry.id, "absolutePath": entry.path, "relativePath": relative}


def _difference(facts: str, path: str) -> dict[str, Any]:
    old_mode, new_mode, old, new, change = facts[1:].split(" ")
    answer: dict[str, Any] = {"changeType": {"T": "M"}.get(change[0], change[0])}
    for name, mode, identity in (("beforeBlob", old_mode, old), ("afterBlob", new_mode, new)):
        if identity.strip("0"):
            answer[name] = {"blobId": identity, "path": path, "mode": mode}
    return answer


def _difference_path(difference: dict[str, Any]) -> str:
    return str((difference.get("afterBlob") or difference["beforeBlob"])["path"])


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
