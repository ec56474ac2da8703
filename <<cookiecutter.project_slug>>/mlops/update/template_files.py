"""The files of one release of a template."""

import json
import stat
import zipfile
import zlib
from pathlib import Path

from mlops.problem import Problem

QUESTIONS = "cookiecutter.json"


def unzip(file: Path, folder: Path, address: str) -> Path:
    """Unpack a zip, with its links and the modes of its files, and return the folder that holds cookiecutter.json.

    Raises:
        Problem: it is no zip, or no template is in it.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            links = []
            for member in archive.infolist():
                path = Path(archive.extract(member, folder))
                if stat.S_ISLNK(member.external_attr >> 16):
                    links.append(path)
                elif mode := member.external_attr >> 16 & 0o777:
                    path.chmod(mode | 0o600)
            for link in links:  # last, so that nothing is written through them, and none leads out
                target = link.read_text("utf-8")
                if (link.parent / target).resolve().is_relative_to(folder.resolve()):
                    link.unlink()
                    link.symlink_to(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Problem(f"{address} cannot be unpacked: {error}") from None
    # GitHub's zips hold one folder with everything in it.
    found = [*folder.glob(QUESTIONS), *folder.glob(f"*/{QUESTIONS}")]
    if not found:
        raise Problem(f"{address} holds no {QUESTIONS}, so it is no template")
    return found[0].parent


def version_in(questions: bytes, address: str) -> str:
    """Return the release that a template's cookiecutter.json names: ours, and what a company's fork adds to it.

    Raises:
        Problem: it names none.
    """
    try:
        content = json.loads(questions)
        return f"{content['_version']}{content.get('_company_version', '')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Problem(f"{QUESTIONS} of {address} names no _version; is that this template?") from None
