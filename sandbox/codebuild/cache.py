"""A project's cache in S3: real calls, as the service role.

Source: User Guide, "Amazon S3 caching" and "Buildspec syntax", cache. With a key, a copy is made once and never
changed; the primary key is matched exactly, fallback keys by prefix, one after the other; caches of other paths are
other caches; without a namespace a cache is its project's own. Where the objects lie, and that a cache that cannot be
read or written costs the build nothing but time, is assumed.
"""

from __future__ import annotations

import glob
import hashlib
import shutil
import tarfile
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.codebuild.buildspec import CacheSpec
from sandbox.codebuild.failures import NotHere
from sandbox.codebuild.logs import BuildLog
from sandbox.codebuild.shell import Shell
from sandbox.codebuild.store import Build
from sandbox.inside import Inside

_ROOT = "/root/"  # the HOME of a real container


class Cache:
    """spec: what the buildspec says, or None. source: CODEBUILD_SRC_DIR, to which paths are relative. home: stands for
    /root."""

    def __init__(
        self,
        inside: Inside,
        build: Build,
        spec: CacheSpec | None,
        shell: Shell,
        log: BuildLog,
        source: Path,
        home: Path,
    ) -> None:
        settings = build.settings.get("cache") or {}
        self._spec = spec if settings.get("type") == "S3" else None
        self._shell, self._log = shell, log
        self._roots = {"source": source, "home": home}
        self._bucket, _, prefix = str(settings.get("location") or "").partition("/")
        self._base = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._base += settings.get("cacheNamespace") or build.project
        self._s3: Any = inside.client("s3", build.caller, build.region) if self._spec else None
        self._file = home.parent / "cache.tar.gz"
        self._key: str | None = None

    def restore(self) -> None:
        """Lay what was cached into the source. Raises NotHere for paths that lie elsewhere."""
        spec = self._spec
        if spec is None:
            self._log.say("Skip cache due to: no paths specified to be cached")
            return
        for path in spec.paths:
            self._located(path)
        if spec.key is not None:
            version = hashlib.sha256("\n".join(spec.paths).encode()).hexdigest()
            self._base += f"/{version}/"
            self._key = self._shell.expand(spec.key)
        if not spec.restores:
            return
        try:
            found = self._find(spec)
            if found is None:
                self._log.say("Unable to download cache: no cache found")
                return
            with self._file.open("wb") as file:
                shutil.copyfileobj(self._s3.get_object(Bucket=self._bucket, Key=found)["Body"], file)
            with tarfile.open(self._file) as archive:
                for member in archive.getmembers():
                    root, _, member.name = member.name.partition("/")
                    archive.extract(member, self._roots[root], filter="fully_trusted")
            self._log.say(f"Cache downloaded from s3://{self._bucket}/{found}")
        except (ClientError, BotoCoreError) as error:
            self._log.say(f"Unable to download cache: {error}")

    def save(self) -> None:
        """Keep what is to be cached, unless there is a copy under the key already."""
        spec = self._spec
        if spec is None or not spec.saves:
            return
        name = self._base + (self._key or "")
        self._log.say("Uploading S3 cache...")
        try:
            if self._key is not None and self._exists(name):
                self._log.say(f"Cache s3://{self._bucket}/{name} exists and is not updated")
                return
            with tarfile.open(self._file, "w:gz") as archive:
                for root, path in self._files(spec):
                    archive.add(path, f"{root}/{path.relative_to(self._roots[root])}", recursive=False)
            with self._file.open("rb") as file:
                self._s3.put_object(Bucket=self._bucket, Key=name, Body=file)
            self._log.say(f"Cache uploaded to s3://{self._bucket}/{name}")
        except (ClientError, BotoCoreError, OSError) as error:
            self._log.say(f"Unable to upload cache: {error}")

    def _find(self, spec: CacheSpec) -> str | None:
        """The object to restore from."""
        name = self._base + (self._key or "")
        if self._exists(name):
            return name
        for fallback in spec.fallback_keys if self._key is not None else []:
            prefix = self._base + self._shell.expand(fallback)
            found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix).get("Contents", [])
            if found:
                return str(max(found, key=lambda item: (item["LastModified"], item["Key"]))["Key"])
        return None

    def _exists(self, name: str) -> bool:
        try:
            self._s3.head_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def _files(self, spec: CacheSpec) -> list[tuple[str, Path]]:
        """Each file and link once; a folder that is named stands for all below it."""
        found: dict[Path, str] = {}
        for path in spec.paths:
            root, pattern = self._located(path)
            for name in glob.glob(pattern, root_dir=self._roots[root], recursive=True, include_hidden=True):
                entry = self._roots[root] / name
                below = (
                    entry.rglob("*") if entry.is_dir() and not entry.is_symlink() and "*" not in pattern else [entry]
                )
                found |= {item: root for item in below if item.is_symlink() or not item.is_dir()}
        return [(root, path) for path, root in found.items()]

    def _located(self, path: str) -> tuple[str, str]:
        """(which root, pattern below it). Raises NotHere."""
        if path.startswith(_ROOT):
            return "home", path.removeprefix(_ROOT).rstrip("/")
        if path.startswith("/") or ".." in path.split("/") or "$" in path:
            raise NotHere(f"cache path {path}")
        return "source", path.removeprefix("./").rstrip("/")
