"""Three trees merged by git, beside the repository: what is made here can be thrown away without a trace."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlops.git import GitFailed, git, run_git
from mlops.problem import Problem

OLDEST_GIT = (2, 38)  # `git merge-tree --write-tree`
# Whatever a person's own configuration says: an update comes out the same for everybody.
ALONE = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",  # of `git -c` where that has started us
}
SETTINGS = {
    "core.autocrlf": "false",
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "merge.conflictStyle": "merge",
    "merge.directoryRenames": "true",  # a new file of the template goes where the team moved its neighbours
    "merge.renameLimit": "0",
}
BASE, OURS, THEIRS = 1, 2, 3  # git's stages of a file in conflict


@dataclass(frozen=True)
class File:
    """A file in a tree."""

    mode: str
    blob: str


@dataclass
class Merged:
    """The tree of a merge, and what git could not decide: each path with its file in base, ours and theirs."""

    tree: str
    conflicts: dict[str, dict[int, File]] = field(default_factory=dict)


class Scratch:
    """A bare git repository of its own that also reads the objects of another one, and never writes to it."""

    def __init__(self, folder: Path, home: Path) -> None:
        """Make it in a new folder, beside the repository `home`.

        Raises:
            Problem: git is too old.
        """
        self.folder = folder
        found = git("rev-parse", "--git-common-dir", "--show-object-format", root=home).splitlines()
        objects = (home / found[0]).resolve()
        git("init", "--quiet", "--bare", "--template=", f"--object-format={found[1]}", str(folder), root=home)
        (folder / "objects" / "info").mkdir(exist_ok=True)
        (folder / "objects" / "info" / "alternates").write_text(f"{objects / 'objects'}\n", "utf-8")
        if (objects / "shallow").exists():
            (folder / "shallow").write_bytes((objects / "shallow").read_bytes())
        with (folder / "config").open("a", encoding="utf-8") as config:
            for key, value in SETTINGS.items():
                section, name = key.split(".")
                config.write(f'[{section}]\n\t{name} = "{value}"\n')

    def git(
        self,
        *arguments: str,
        content: bytes = b"",
        codes: Sequence[int] = (0,),
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git here, with more environment variables, and return what it printed.

        Raises:
            GitFailed: it ended with none of `codes`.
        """
        environment = {**ALONE, "GIT_DIR": str(self.folder), **(variables or {})}
        done = run_git(arguments, root=self.folder, environment=environment, content=content)
        if done.returncode not in codes:
            reason = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
            raise GitFailed(f"git {arguments[0]}: {reason[-1]}")
        return done.stdout

    def tree_of(self, folder: Path) -> str:
        """Return the tree of all files below a folder."""
        index = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index")), "GIT_WORK_TREE": str(folder)}
        # --force: a .gitignore in it must not keep a file out.
        self.git("add", "--all", "--force", "--", ":/", variables=index)
        return self.git("write-tree", variables=index).decode().strip()

    def files(self, tree: str, *paths: str) -> dict[str, File]:
        """Return the files of a tree, or those of them at some paths."""
        listed = self.git("ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths)
        result = {}
        for line in _texts(listed):
            facts, _, path = line.partition("\t")
            mode, _, blob = facts.split(" ")
            result[path] = File(mode, blob)
        return result

    def content(self, blob: str) -> bytes:
        """Return what a file holds."""
        return self.git("cat-file", "blob", blob)

    def keep(self, content: bytes) -> str:
        """Store a file and return its blob."""
        return self.git("hash-object", "-w", "--stdin", content=content).decode().strip()

    def commit(self, tree: str, parents: Sequence[str], message: str, identity: Mapping[str, str]) -> str:
        """Store a commit and return it."""
        words = [word for parent in parents for word in ("-p", parent)]
        made = self.git("commit-tree", tree, *words, content=message.encode("utf-8"), variables=identity)
        return made.decode().strip()

    def merge(self, base: str, ours: str, theirs: str, labels: tuple[str, str]) -> Merged:
        """Merge trees. `labels` stand at conflict markers: ours, theirs.

        Raises:
            Problem: git is too old.
        """
        nobody = {f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        # git looks for the base in the history; so there is one, made of nothing but the three.
        root = self.commit(base, [], "base", nobody)
        for label, tree in zip(labels, (ours, theirs), strict=True):
            self.git("update-ref", f"refs/heads/{label}", self.commit(tree, [root], label, nobody))
        try:
            printed = self.git("merge-tree", "--write-tree", "--no-messages", "-z", *labels, codes=(0, 1))
        except GitFailed as failure:
            version = git("version", root=self.folder).split()[2]
            if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_GIT:
                raise Problem(
                    f"this git is {version}; an update needs 2.38 or newer: install it and try again"
                ) from None
            raise failure
        tree, *files = _texts(printed)
        merged = Merged(tree)
        for line in files:
            facts, _, path = line.partition("\t")
            mode, blob, stage = facts.split(" ")
            merged.conflicts.setdefault(path, {})[int(stage)] = File(mode, blob)
        return merged

    def merge_texts(self, base: str, ours: str, theirs: str) -> str:
        """Merge texts line by line; where both changed the same lines, ours stay."""
        names = []
        for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
            (self.folder / name).write_bytes(text.encode("utf-8"))
            names.append(str(self.folder / name))
        return self.git("merge-file", "--stdout", "--ours", *names).decode("utf-8")

    def changed(self, old: str, new: str) -> list[str]:
        """Return the paths that differ between two trees."""
        return _texts(self.git("diff-tree", "-r", "-z", "--name-only", old, new))

    def with_files(self, tree: str, files: Mapping[str, File | None]) -> str:
        """Return a tree in which some files are others, or (None) are gone."""
        if not files:
            return tree
        nowhere = "0" * len(tree)
        lines = [f"{file.mode} {file.blob}\t{path}" if file else f"0 {nowhere}\t{path}" for path, file in files.items()]
        index = {"GIT_INDEX_FILE": str(self.folder / "result.index")}
        self.git("read-tree", tree, variables=index)
        self.git("update-index", "-z", "--index-info", content=_bytes("\0".join([*lines, ""])), variables=index)
        return self.git("write-tree", variables=index).decode().strip()


def _texts(printed: bytes) -> list[str]:
    """Return what stands between NULs; names of files may be no UTF-8."""
    return [part.decode("utf-8", "surrogateescape") for part in printed.split(b"\0") if part]


def printable(path: str) -> str:
    """Return the name of a file as it can be printed, in one line."""
    return _bytes(path).decode("utf-8", "backslashreplace").replace("\n", "\\n")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
