"""AWS::Lambda::Function.

Source: Template Reference, AWS::Lambda::Function and AWS::Lambda::Function Code.
"""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloudformation.errors import Failed
from sandbox.cloudformation.types.handler import Handler, Properties, as_map, changed, picked, tag_changes
from sandbox.cloudformation.work import Work

# Properties that CreateFunction and UpdateFunctionConfiguration take, by their name there.
_CONFIGURATION = {
    "DeadLetterConfig": "DeadLetterConfig",
    "Description": "Description",
    "Environment": "Environment",
    "EphemeralStorage": "EphemeralStorage",
    "Handler": "Handler",
    "KmsKeyArn": "KMSKeyArn",
    "LoggingConfig": "LoggingConfig",
    "MemorySize": "MemorySize",
    "Role": "Role",
    "Runtime": "Runtime",
    "Timeout": "Timeout",
    "TracingConfig": "TracingConfig",
    "VpcConfig": "VpcConfig",
}
# What one of them is when it is taken out of the template (Lambda API Reference, UpdateFunctionConfiguration).
_DEFAULTS: Mapping[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KmsKeyArn": "",
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
_INLINE = {"python": "index.py", "nodejs": "index.js"}
_LARGEST_INLINE = 4 * 1024 * 1024
_PATIENCE = 60  # seconds


class Function(Handler):
    type = "AWS::Lambda::Function"
    name = "FunctionName"
    attributes = ("Arn",)
    handled = {  # noqa: RUF012
        **dict.fromkeys([*_CONFIGURATION, "Architectures", "FunctionName", "ReservedConcurrentExecutions", "Tags"]),
        "Code": dict.fromkeys(["S3Bucket", "S3Key", "S3ObjectVersion", "ZipFile"]),
        "PackageType": None,
    }

    def create(self, work: Work, wanted: Properties) -> None:
        lambda_, name = work.client("lambda"), wanted.get("FunctionName") or work.generated_name(64)
        given = _configuration(wanted) | picked(wanted, "Architectures", "PackageType")
        tags = {"Tags": as_map(wanted["Tags"])} if wanted.get("Tags") else {}
        code = archive_of(wanted)
        made = work.once(
            lambda: lambda_.create_function(FunctionName=name, Code=code, **given, **tags), "ResourceConflictException"
        )
        arn = (made or lambda_.get_function(FunctionName=name)["Configuration"])["FunctionArn"]
        work.made(name, Arn=arn)
        _wait(lambda_, name, "State", "Active")
        if "ReservedConcurrentExecutions" in wanted:
            self._concurrency(lambda_, name, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        lambda_, name, differing = work.client("lambda"), work.physical_id, changed(old, new)
        if "Code" in differing or "Architectures" in differing:
            code = archive_of(new) | picked(new, "Architectures")
            self._change(work, lambda: lambda_.update_function_code(FunctionName=name, **code))
        settings = _settings(differing, new, name)
        if settings:
            self._change(work, lambda: lambda_.update_function_configuration(FunctionName=name, **settings))
        if "ReservedConcurrentExecutions" in differing:
            self._concurrency(lambda_, name, new)
        added, removed = tag_changes(old, new)
        arn = work.arn("lambda", f"function:{name}")
        if added:
            lambda_.tag_resource(Resource=arn, Tags=added)
        if removed:
            lambda_.untag_resource(Resource=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("lambda").delete_function(FunctionName=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("lambda").get_function(FunctionName=name)
        return True

    def _change(self, work: Work, update: Callable[[], Any]) -> None:
        """One change at a time: Lambda refuses another while one is under way, be it that of a failed update which is
        being rolled back, or our own whose answer was lost."""
        lambda_, name = work.client("lambda"), work.physical_id
        _wait(lambda_, name, "LastUpdateStatus", "Successful")
        work.once(update, "ResourceConflictException")
        _wait(lambda_, name, "LastUpdateStatus", "Successful")

    def _concurrency(self, lambda_: Any, name: str, wanted: Properties) -> None:
        reserved = wanted.get("ReservedConcurrentExecutions")
        if reserved is None:
            lambda_.delete_function_concurrency(FunctionName=name)
        else:
            lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)


def _configuration(wanted: Properties) -> dict[str, Any]:
    return {theirs: wanted[ours] for ours, theirs in _CONFIGURATION.items() if ours in wanted}


def _settings(differing: list[str], new: Properties, name: str) -> dict[str, Any]:
    """What UpdateFunctionConfiguration is told; a property that was taken out gets its default."""
    defaults = {**_DEFAULTS, "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}}
    settings = {_CONFIGURATION[key]: new.get(key, defaults.get(key)) for key in differing if key in _CONFIGURATION}
    return {key: value for key, value in settings.items() if value is not None}


def archive_of(wanted: Properties) -> dict[str, Any]:
    """Where the code is, or the code itself: inline code becomes the file `index` of a ZIP archive."""
    code: dict[str, Any] = wanted["Code"]
    if "ZipFile" not in code:
        return code
    text, runtime = code["ZipFile"], wanted.get("Runtime", "")
    name = next((name for family, name in _INLINE.items() if runtime.startswith(family)), None)
    if name is None:
        raise Failed(
            f"ZipFile can only be used when Runtime is set to either of nodejs or python, not {runtime or 'nothing'}."
        )
    if len(text.encode()) > _LARGEST_INLINE:
        raise Failed(f"ZipFile holds {len(text.encode())} bytes, more than 4 MB: put the code into S3.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # A constant time, so that the same code is the same archive, with the same CodeSha256.
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
    return {"ZipFile": packed.getvalue()}


def _wait(lambda_: Any, name: str, member: str, wanted: str) -> None:
    """Until Lambda has made or changed the function: it answers before (Developer Guide, "Lambda function states")."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found: dict[str, Any] = lambda_.get_function(FunctionName=name)["Configuration"]
        if found.get(member, wanted) == wanted:
            return
        if found[member] == "Failed":
            raise Failed(f"{name}: {found.get(f'{member}Reason', 'failed')}")
        time.sleep(0.05)
    raise Failed(f"{name} is not {wanted} after {_PATIENCE} seconds")
