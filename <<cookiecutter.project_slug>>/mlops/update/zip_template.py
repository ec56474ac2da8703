"""A template in zips: one file for each release, named after it, in a folder, on a web server or on S3.

A zip holds one release, and an update needs two: the one that a repository came from, and the newer one. So their names
end in the version (template-0.3.0.zip), and those of other releases lie beside it.
"""

import http.client
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.problem import Problem
from mlops.template_record import TemplateRecord
from mlops.update.template import Release, lasting, later
from mlops.update.template_files import QUESTIONS, unzip, version_in

VERSIONED = re.compile(r"(.*?)[-_]?v?([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+]*)\.zip")
TIMEOUT = 60  # seconds for a web server


class ZipTemplate:
    """The zips beside each other at one address: a zip, a folder, or s3://bucket/folder/."""

    def __init__(self, address: str) -> None:
        """Find out which releases there are, where the address can be listed.

        Raises:
            Problem: nothing is there.
        """
        self.address, self.source = address, lasting(address)
        self._files = dict(self._listed())  # version: its address
        if not self._files:
            raise Problem(f"there is no template at {address}; name its new place: mlops update --template ADDRESS")

    def newest(self) -> Release:
        """See `Template.newest`: the highest version."""
        newest = next(iter(self._files))
        for version in self._files:
            newest = version if later(version, newest) else newest
        return Release(newest)

    def find(self, wanted: str) -> Release:
        """See `Template.find`."""
        version = wanted.removeprefix("v")
        if version in self._files:
            return Release(version)
        named = VERSIONED.fullmatch(self.address)
        if _on_the_web(self.address) and named:  # cannot be listed; unpacking tells whether it is there
            self._files[version] = self.address.replace(named[2], version)
            return Release(version)
        raise Problem(
            f"the release {wanted} is not at {self.address}; there are: {', '.join(self._files)}. "
            "Keep one zip for each release there, named after it, such as template-0.3.0.zip"
        )

    def of_record(self, record: TemplateRecord) -> Release:
        """See `Template.of_record`."""
        return self.find(record.version)

    def commits_between(self, old: Release, new: Release) -> None:
        """See `Template.commits_between`."""

    def uncommitted(self) -> bool:
        """See `Template.uncommitted`."""
        return False

    def unpack(self, release: Release, folder: Path) -> Path:
        """See `Template.unpack`.

        Raises:
            Problem: the file is gone, is no zip, or holds another release than its name says.
        """
        address = self._files[release.version]
        with TemporaryDirectory() as scratch:
            root = unzip(_fetched(address, Path(scratch)), folder, address)
        version = version_in((root / QUESTIONS).read_bytes(), address)
        if version != release.version:
            raise Problem(f"{address} holds the release {version}, not {release.version}; name it after what it holds")
        return root

    def _listed(self) -> Iterator[tuple[str, str]]:
        named = VERSIONED.fullmatch(self.address)
        if self.address.endswith(".zip") and not named:
            with TemporaryDirectory() as folder:
                root = unzip(_fetched(self.address, Path(folder)), Path(folder, "template"), self.address)
                yield version_in((root / QUESTIONS).read_bytes(), self.address), self.address
        elif _on_the_web(self.address) and named:
            yield named[2], self.address
        else:
            stem = named[1] if named else self.address.rstrip("/") + "/"
            for address in _beside(stem):
                found = VERSIONED.fullmatch(address)
                if found and (not named or found[1] == stem):
                    yield found[2], address


def _on_the_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def _beside(stem: str) -> Iterator[str]:
    """Yield the addresses of all files that begin so, in a folder or on S3."""
    if not stem.startswith("s3://"):
        yield from map(str, sorted(Path(stem).glob("*.zip") if stem.endswith("/") else Path(stem).parent.glob("*.zip")))
        return
    from botocore.exceptions import BotoCoreError, ClientError

    from mlops import aws

    bucket, _, prefix = stem.removeprefix("s3://").partition("/")
    try:
        pages = aws.client("s3", None).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", []):
                yield f"s3://{bucket}/{found['Key']}"
    except (ClientError, BotoCoreError) as error:
        raise Problem(f"{stem} cannot be listed: {aws.explain(error)}") from None


def _fetched(address: str, folder: Path) -> Path:
    """Return a file of this machine, or a copy of one that lies elsewhere."""
    file = folder / "template.zip"
    if address.startswith("s3://"):
        from mlops.own_data.data_source import download

        download(address, file, None)
    elif _on_the_web(address):
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as answer, file.open("wb") as copy:  # noqa: S310
                shutil.copyfileobj(answer, copy)
        except urllib.error.HTTPError as error:
            raise Problem(f"{address} cannot be fetched: the server answered {error.code} {error.reason}") from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise Problem(f"{address} cannot be fetched: {getattr(error, 'reason', error)}") from None
    elif Path(address).is_file():
        return Path(address)
    else:
        raise Problem(f"there is no template at {address}; name its new place: mlops update --template ADDRESS")
    return file
