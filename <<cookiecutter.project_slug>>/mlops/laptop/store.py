"""What runs on this machine leave behind, by content: `.mlops/store/<hash>/` is a folder that never changes.

It stands in for S3: `s3://laptop/<hash>/…` names what lies there, so the same data, code or result has the same URI in
every run. That makes the arguments of a step say all that it depends on.
"""

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops.own_repository import ROOT
from mlops.problem import DISK, Problem

HOME = ROOT / ".mlops"
STORE = HOME / "store"
BUCKET = "s3://laptop/"
TICK = 2_000_000_000  # nanoseconds; some file systems keep no finer time
REMEMBERED = 20  # files that need not be read again


def uri(tree: str) -> str:
    """Return the URI of a folder in the store."""
    return f"{BUCKET}{tree}"


def find(uri: str) -> Path:
    """Return the file or folder that a URI names.

    Raises:
        FileNotFoundError: there is none.
    """
    path = STORE / uri.removeprefix(BUCKET)
    if not uri.startswith(BUCKET) or not path.exists():
        raise FileNotFoundError(f"nothing lies at {uri}")
    return path


def add(files: Mapping[str, Path | bytes]) -> str:
    """Copy files, each under the name given, and return the hash of the folder that they make.

    Raises:
        Problem: somebody writes to one of them.
    """
    tree = tree_of(files)
    if (STORE / tree).exists():
        return tree
    with scratch() as folder:
        for name, content in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                shutil.copyfile(content, target)
        if _tree_hash(dict(digests(folder))) != tree:
            raise Problem(f"{', '.join(sorted(files)[:3])} changed while it was read; run again")
        return _keep(folder, tree)


def tree_of(files: Mapping[str, Path | bytes]) -> str:
    """Return the hash of the folder that files make, adding nothing."""
    return _tree_hash({name: _digest(content) for name, content in files.items()})


def add_large(files: Mapping[str, Path]) -> str:
    """Do what `add` does, but do not read a file again that was added before and has not been touched since."""
    stamps = {name: _stamp(path) for name, path in files.items()}
    memory = HOME / "added.json"
    try:
        known: dict[str, str] = dict(json.loads(memory.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        known = {}
    key = json.dumps(stamps, sort_keys=True)
    tree = known.get(key)
    if tree and (STORE / tree).exists():
        return tree
    tree = add(files)
    # A file that was written this very moment may be written again within the same tick of the clock.
    if all(time.time_ns() - path.stat().st_mtime_ns > TICK for path in files.values()):
        with scratch() as folder:
            recent = dict(list(known.items())[-REMEMBERED:])
            (folder / "added.json").write_text(json.dumps(recent | {key: tree}), "utf-8")
            (folder / "added.json").replace(memory)
    return tree


def _stamp(path: Path) -> list[object]:
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def take(folder: Path) -> str:
    """Move a folder's content into the store and return its hash. The folder is gone afterwards.

    Raises:
        ValueError: it holds what is neither a file nor a folder; says what.
    """
    for path in folder.rglob("*"):
        if path.is_symlink():
            _put_in_place(path, path.relative_to(folder).as_posix())
        elif not (path.is_file() or path.is_dir()):
            raise ValueError(f"{path.relative_to(folder).as_posix()}, which is no file: write one")
    files = files_in(folder)
    return _keep(folder, _tree_hash({name: _digest(path) for name, path in files.items()}))


def _put_in_place(link: Path, name: str) -> None:
    """Replace a link by the file that it leads to: that may be gone tomorrow."""
    if not link.is_file():
        raise ValueError(f"{name}, which is a link to no file: write a copy of what is meant")
    content = link.resolve()
    link.unlink()
    shutil.copyfile(content, link)


def files_in(folder: Path) -> dict[str, Path]:
    """Return all files below a folder, by their name from there."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


class Laptop:
    """The store as the place that a pipeline reads from and writes to."""

    def fetch(self, uri: str, folder: Path) -> None:
        """Lay copies of what is at a URI into a folder: a file under its name, else all that is below.

        Copies, because on SageMaker too a script may write where its input is; links would let it change history.

        Raises:
            FileNotFoundError: nothing is there. An empty output is nothing, as on S3.
        """
        source = find(uri.rstrip("/"))
        files = files_in(source) if source.is_dir() else {source.name: source}
        if not files:
            raise FileNotFoundError("the output that it reads is empty, and S3 has no empty folders")
        for name, path in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)

    def keep(self, folder: Path, uri: str) -> str:
        """Move a folder into the store, where content has a URI of its own.

        Raises:
            ValueError: it holds what cannot be kept; says what.
        """
        return _uri(take(folder))


_uri = uri


class scratch:  # noqa: N801 (a context manager reads as a verb)
    """A folder beside the store, on the same disk; gone at the end of the block unless it was moved.

    Raises:
        Problem: something cannot be written there: the disk is full, for example.
    """

    def __enter__(self) -> Path:
        """Make the folder."""
        try:
            HOME.mkdir(exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=HOME))
        except OSError as error:
            raise _cannot_write(error) from None
        return self.folder

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Remove what is left of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in DISK:
            raise _cannot_write(error) from None


def _cannot_write(error: OSError) -> Problem:
    where = error.filename2 or error.filename or HOME
    return Problem(
        f"{HOME.name} cannot be written: {error.strerror} ({where}); make room, or write access, and run again"
    )


def _keep(folder: Path, tree: str) -> str:
    """Rename a folder to its hash: it is there whole or not at all, whoever else does the same just now."""
    target = STORE / tree
    STORE.mkdir(parents=True, exist_ok=True)
    for path in files_in(folder).values():
        path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)  # a script that writes to its input would change history
    try:
        os.rename(folder, target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(folder)
    return target.name


def _tree_hash(digests: Mapping[str, str]) -> str:
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    try:
        return hashlib.sha256(listing.encode("utf-8")).hexdigest()[:32]
    except UnicodeEncodeError as error:
        raise ValueError(f"{error.object[error.start - 9 : error.end]!a}: S3 knows only names in UTF-8") from None


def _digest(content: Path | bytes) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file below a folder with its SHA-256."""
    for name, path in files_in(folder).items():
        yield name, _digest(path)
