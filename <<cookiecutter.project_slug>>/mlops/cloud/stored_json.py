"""The JSON files on S3 that versions name: settings and lineage. What they hold is data, whoever wrote it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws

ERRORS = (ClientError, BotoCoreError)
LARGEST = 16 * 2**20  # bytes
URI = re.compile(r"^s3://(?P<bucket>[a-z0-9.-]{3,63})/(?P<key>.+)$")
SHA256 = re.compile(r"/([0-9a-f]{64})\.json$")


@dataclass(frozen=True)
class Stored:
    """What lies there; empty where it cannot be had, and then `problem` says why."""

    content: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def read(what: str, uri: str | None, region: str) -> Stored:
    """Return the JSON object at a URI. A file that is named by its hash must have it.

    Args:
        what: what it is, for the message: "lineage".
        uri: where the version says that it is, if it says.
        region: the region of the bucket.
    """
    match = URI.match(uri or "")
    if match is None:
        where = f" ({uri})" if uri else ""
        return Stored(problem=f"the version names no {what}{where}")
    try:
        answer = aws.client("s3", region).get_object(Bucket=match["bucket"], Key=match["key"])
        text: bytes = answer["Body"].read(LARGEST + 1)
    except ERRORS as error:
        return Stored(problem=_why(what, match, error))
    named = SHA256.search(match["key"])
    if len(text) > LARGEST or (named and hashlib.sha256(text).hexdigest() != named[1]):
        return Stored(problem=f"the {what} is not what was registered: {uri} has another hash than its name")
    try:
        content = json.loads(text)
    except ValueError as error:
        return Stored(problem=f"the {what} is no JSON ({error}): {uri}")
    return Stored(content) if isinstance(content, dict) else Stored(problem=f"the {what} is no JSON object: {uri}")


def _why(what: str, match: re.Match[str], error: Exception) -> str:
    match aws.code(error):
        case "NoSuchKey" | "NoSuchBucket" | "404":
            return f"the {what} is gone: there is no {match[0]}"
        case code if code in aws.ACCESS_DENIED:
            need = f"s3:GetObject on {match[0]}, and kms:Decrypt on its key"
            return f"the {what} may not be read with these credentials: it takes {need}"
    return f"the {what} cannot be read: {aws.explain(error)}"


def part(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a mapping of the content; empty where there is none."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def metric_values(lineage: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that a lineage file holds."""
    values = {
        name: metric.get("value") for name, metric in part(lineage, "metrics").items() if isinstance(metric, dict)
    }
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
