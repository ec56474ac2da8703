"""What travels to the jobs, in the artifact bucket by content: `<tier>/<slug>/content/<hash>/<file>`; settings lie in a
folder of their own, which more people may read.

It is the store of this machine, tree by tree: so what is sent cannot change while it is sent, the same code or data has
the same URI from every clone, SageMaker's step cache knows it again, and what is there already is not sent again.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.cloud.account_stack import AccountStack
from mlops.laptop import content, store
from mlops.problem import NotAllowed, Problem

ERRORS = (ClientError, BotoCoreError)
AT_ONCE = 8  # small files: their time is that of the answers
PART = 64 * 2**20  # bytes; when the network fails, a part is sent again as a whole
LONGEST_KEY = 1024  # bytes (S3 User Guide, "Naming Amazon S3 objects")
# Another clone has sent the same file meanwhile, or we have, and the answer was lost (PutObject, If-None-Match).
WRITTEN = {"PreconditionFailed", "ConditionalRequestConflict"}


@dataclass(frozen=True)
class Missing:
    """One file that is not in the bucket yet."""

    key: str
    file: Path
    size: int  # bytes


class Artifacts:
    """What one project has in the bucket, in one tier: below `<tier>/<slug>/`."""

    def __init__(self, stack: AccountStack, folder: str, region: str) -> None:
        """Look below a folder of the bucket; what is sent is encrypted under the account's key."""
        self.bucket, self.folder, self.kms_key = stack.bucket, folder, stack.kms_key
        self._client = aws.client("s3", region)
        for operation in ("PutObject", "CompleteMultipartUpload"):  # upload_file takes no IfNoneMatch
            self._client.meta.events.register(f"before-call.s3.{operation}", _only_once, unique_id=f"once-{operation}")

    @property
    def executions(self) -> str:
        """The URI below which executions leave what they make."""
        return f"s3://{self.bucket}/{self.folder}/executions"

    def uri(self, parameter: str, tree: str) -> str:
        """Return what a parameter is given for a tree of the store, named by its hash."""
        return content.uri(f"s3://{self.bucket}/{self._key(parameter, tree)}", parameter)

    def _key(self, parameter: str, tree: str) -> str:
        return f"{self.folder}/{'settings' if parameter == 'SettingsUri' else 'content'}/{tree}"

    def missing(self, trees: Mapping[str, str]) -> list[Missing]:
        """Return the files of trees, by the parameter that each is for, that are not in the bucket, or not whole.

        Raises:
            NotAllowed: these credentials may not look.
            Problem: AWS refused otherwise, or a name is too long for S3.
        """
        folders = {self._key(parameter, tree): tree for parameter, tree in trees.items()}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [file for found in pool.map(self._missing, folders, folders.values()) for file in found]

    def _missing(self, folder: str, tree: str) -> list[Missing]:
        folder = f"{folder}/"  # a hash may not be the beginning of another key
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=folder)
            there = {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}
        except ERRORS as error:
            refusal = NotAllowed if aws.code(error) in aws.ACCESS_DENIED else Problem
            raise refusal(f"s3://{self.bucket}/{folder} cannot be looked at: {aws.explain(error)}") from None
        files = [
            Missing(f"{folder}{name}", path, path.stat().st_size)
            for name, path in store.files_in(store.find(store.uri(tree))).items()
        ]
        too_long = next((file for file in files if len(file.key.encode("utf-8")) > LONGEST_KEY), None)
        if too_long:
            raise Problem(f"{too_long.key}: S3 takes names of {LONGEST_KEY} bytes; give the file a shorter one")
        return [file for file in files if there.get(file.key) != file.size]

    def send(self, files: Iterable[Missing], progress: Callable[[int], None] = lambda _: None) -> None:
        """Send files, several at a time; `progress` hears of the bytes that went.

        Safe to repeat, and to break off: a key says what its content is. What is there is never written again: data in
        a new version of the object would be other data to a run that is under way.

        Raises:
            Problem: AWS refused; what went through stays, and is not sent again.
        """
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for task in [pool.submit(self._send, file, progress) for file in files]:
                task.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _send(self, file: Missing, progress: Callable[[int], None]) -> None:
        try:
            self._client.upload_file(
                str(file.file),
                self.bucket,
                file.key,
                ExtraArgs={"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key},
                Callback=progress,
                Config=TransferConfig(multipart_threshold=PART, multipart_chunksize=PART),
            )
        except (*ERRORS, S3UploadFailedError) as error:
            cause = error.__context__  # boto3 wraps AWS's answer in one that begins with the file's name
            known = cause if isinstance(cause, ERRORS) else error
            there = self._size(file.key) if aws.code(known) in WRITTEN else None
            if there == file.size:
                return
            why = aws.explain(known)
            if there is not None:
                why = f"{there} bytes lie there, and its name says that they are {file.size}; have that object deleted"
            raise Problem(f"s3://{self.bucket}/{file.key} cannot be written: {why}") from None

    def _size(self, key: str) -> int | None:
        try:
            return int(self._client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])
        except ERRORS:
            return None


def _only_once(params: dict[str, Any], **_: Any) -> None:
    """Have S3 refuse what would replace an object."""
    params["headers"]["If-None-Match"] = "*"
