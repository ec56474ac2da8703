"""model.tar.gz: how a model is packed after training, and unpacked before it is asked."""

import gzip
import tarfile
import zlib
from pathlib import Path

ARCHIVE = "model.tar.gz"


class Broken(Exception):
    """It is no archive that can be unpacked; the message says why, in one line."""


def pack(folder: Path, archive: Path) -> None:
    """Pack a model as SageMaker does, but so that the same files are the same bytes.

    Links are packed as what they lead to: they would lead nowhere where the model is unpacked.
    """
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", 1, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a model into a folder, which is made.

    Raises:
        Broken: it is damaged, or would write outside of the folder.
        FileNotFoundError: there is no such archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with archive.open("rb") as file:
        try:
            with gzip.open(file) as content, tarfile.open(fileobj=content, mode="r|") as tar:
                extract(tar, folder)
                while content.read(2**20):  # to the checksum behind the last file
                    pass
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise Broken(" ".join(str(error).split()) or type(error).__name__) from None


def extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Extract what stays in the folder. Python itself sees to that since 3.11.4; before, links are refused as well.

    Raises:
        TarError: an entry would lie or lead outside, or is none that data consist of.
    """
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    for member in tar:
        member.name = member.name.lstrip("/")
        if ".." in member.name.split("/") or not (member.isfile() or member.isdir()):
            raise tarfile.ExtractError(f"{member.name!r} is no file or folder inside of it")
        tar.extract(member, folder)
