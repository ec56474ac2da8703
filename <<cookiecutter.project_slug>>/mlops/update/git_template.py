"""A template in a git repository: every commit of its main line can be rendered again."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.git import GitFailed, git, read_config, run_git
from mlops.problem import Problem
from mlops.template_record import TemplateRecord
from mlops.update.release_notes import CHANGELOG, COMPANY_CHANGELOG
from mlops.update.template import Release, lasting, without_password
from mlops.update.template_files import QUESTIONS, unzip, version_in

HEAD = "refs/mlops/head"  # what the source has checked out: the branch that its people call the main one
MAIN_LINE = ("--first-parent", "--diff-merges=first-parent", "--no-patch", "--format=%H", "--no-show-signature")
AS_COMMITTED = ("-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", f"core.attributesFile={os.devnull}")
# Cookiecutter's own abbreviations; those of a person's own configuration would mean nothing to a colleague.
ABBREVIATIONS = {
    "gh": "https://github.com/{}.git",
    "gl": "https://gitlab.com/{}.git",
    "bb": "https://bitbucket.org/{}",
}


class GitTemplate:
    """A local git repository: the template itself, or a copy of one that lies elsewhere."""

    def __init__(self, address: str, folder: Path, head: str = "HEAD") -> None:
        """Use the repository in a folder; `head` is its newest commit.

        Raises:
            Problem: git does not read it, or it has no commit.
        """
        self.address, self._folder = address, folder
        git("rev-parse", "--git-dir", root=folder)  # which says so, if it is somebody else's
        head_commit = run_git(["rev-parse", "--verify", "--quiet", f"{head}^{{commit}}"], root=folder).stdout.decode()
        if not head_commit:
            raise Problem(f"the template at {address} has no commit; commit its files, or name another: --template")
        self._head = head_commit.strip()
        origin = run_git(["config", "remote.origin.url"], root=folder).stdout.decode("utf-8", "replace").strip()
        self.source = lasting(origin) if ":" in origin else lasting(address)

    @classmethod
    def fetched(cls, url: str, home: Path) -> "GitTemplate":
        """Return the repository at a URL, through a copy that all repositories of this person share.

        Raises:
            Problem: it cannot be reached.
        """
        folder = _cache() / f"{hashlib.sha256(url.encode('utf-8')).hexdigest()[:16]}.git"
        address = without_password(url)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_suffix(".lock")):
            try:
                _fetch(url, folder, home)
            except GitFailed:
                # The copy may be damaged, by a full disk or a lock that a killed git has left: is another one better?
                with TemporaryDirectory(dir=folder.parent) as place:
                    anew = Path(place, folder.name)
                    try:
                        _fetch(url, anew, home)
                    except GitFailed as failure:
                        raise Problem(
                            f"the template at {address} cannot be fetched ({failure}); check the network and your "
                            "access, or name its new place: mlops update --template ADDRESS"
                        ) from None
                    shutil.rmtree(folder)
                    anew.rename(folder)
        return cls(address, folder, HEAD)

    def newest(self) -> Release:
        """See `Template.newest`: the commit that the source has checked out."""
        return self._release(self._head)

    def find(self, wanted: str) -> Release:
        """See `Template.find`. A branch or a commit will do, too."""
        version = wanted.removeprefix("v")
        commit = self._of_version(version) or self._resolve(wanted)
        if not commit:
            known = ", ".join(self.versions()) or "none"
            raise Problem(f"the template at {self.address} has no release {wanted!r}; there are: {known}")
        return self._release(commit)

    def of_record(self, record: TemplateRecord) -> Release:
        """See `Template.of_record`: the commit, where it was recorded and is still there, else that of the release."""
        if record.commit and (commit := self._resolve(record.commit)):
            return self._release(commit)
        return self.find(record.version)

    def commits_between(self, old: Release, new: Release) -> int:
        """See `Template.commits_between`."""
        return int(self._git("rev-list", "--count", f"{old.commit}..{new.commit}"))

    def unpack(self, release: Release, folder: Path) -> Path:
        """See `Template.unpack`."""
        file = folder.with_name(f"{folder.name}.zip")
        self._git(*AS_COMMITTED, "archive", "--format=zip", "-0", f"--output={file}", str(release.commit))
        return unzip(file, folder, f"{self.address} at {release.name}")

    def uncommitted(self) -> bool:
        """See `Template.uncommitted`."""
        if not (self._folder / ".git").exists():
            return False
        return bool(self._git("status", "--porcelain", "--untracked-files=no"))

    def _release(self, commit: str) -> Release:
        version = self._version(commit)
        start = self._of_version(version, commit)
        ahead = int(self._git("rev-list", "--count", f"{start}..{commit}")) if start else 0
        return Release(version, commit, ahead)

    def _version(self, commit: str) -> str:
        content = run_git(["show", f"{commit}:{QUESTIONS}"], root=self._folder).stdout
        return version_in(content, f"{self.address} at {commit[:12]}")

    def _of_version(self, version: str, end: str | None = None) -> str | None:
        """Return the commit of a release: its tag, else the first of the main line that has the version and its notes.

        Of a company's release, 0.3.0+acme.1, both parts count: ours, and what the fork adds.

        Tags do not always travel. `--first-parent`: a fork's release is where the fork took it, not ours.
        """
        if tag := self._resolve(f"refs/tags/v{version}") or self._resolve(f"refs/tags/{version}"):
            return tag
        ours, plus, company = version.partition("+")
        texts, notes = [f'"_version": "{ours}"'], [(f"## {ours}", CHANGELOG)]
        if plus:
            texts.append(f'"_company_version": "+{company}"')
            notes.append((f"## {version}", COMPANY_CHANGELOG))
        found = [self._first(text, QUESTIONS, end or self._head) for text in texts]
        if not all(found):
            return None
        found += [self._first(text, file, end or self._head) for text, file in notes]
        return max({commit for commit in found if commit}, key=self._place)

    def _first(self, text: str, file: str, end: str) -> str | None:
        """Return the first commit of the main line that brought a text into a file."""
        return next(iter(self._git("log", *MAIN_LINE, "--reverse", f"-S{text}", end, "--", file).split()), None)

    def _place(self, commit: str) -> int:
        """Return how far along the main line a commit of it is."""
        return int(self._git("rev-list", "--count", "--first-parent", commit))

    def versions(self) -> list[str]:
        """Return the versions of the main line, the newest first."""
        commits = self._git("log", *MAIN_LINE, '-G"_(company_)?version":', self._head, "--", QUESTIONS).split()
        return list(dict.fromkeys(self._version(commit) for commit in commits))

    def _resolve(self, revision: str) -> str | None:
        if revision.startswith("-"):
            return None
        done = run_git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], root=self._folder)
        return done.stdout.decode().strip() or None

    def _git(self, *arguments: str) -> str:
        return git(*arguments, root=self._folder)


def is_git(folder: Path) -> bool:
    """Tell whether a folder is a clone, a worktree or a bare repository."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def url_of(address: str) -> str:
    """Return the URL that an address means: Cookiecutter knows abbreviations such as gh:owner/name."""
    prefix, colon, rest = address.partition(":")
    if colon and not rest.startswith("//") and prefix in ABBREVIATIONS:
        return ABBREVIATIONS[prefix].format(rest)
    return address.removeprefix("git+")


def _cache() -> Path:
    place = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(place) / "mlops" / "templates"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other update fetches the same template."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(url: str, folder: Path, home: Path) -> None:
    if not (folder / "HEAD").exists():
        folder.mkdir(exist_ok=True)
        git("init", "--quiet", "--bare", "--template=", root=folder)
    words = ["--quiet", "--prune", "--force", "--tags", "--", url, "+refs/heads/*:refs/heads/*", f"+HEAD:{HEAD}"]
    git(*_credentials(home), "fetch", *words, root=folder)


def _credentials(home: Path) -> list[str]:
    """Return the credential settings of a clone: a company's template often lies where its models do."""
    return [
        word
        for key, values in read_config(home).items()
        if key.startswith("credential.")
        for value in values
        for word in ("-c", f"{key}={value}")
    ]
