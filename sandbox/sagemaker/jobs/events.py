"""What jobs tell EventBridge. Source: Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge":
`SageMaker Processing Job State Change`, `... Training ...`, `... Transform ...`.

The detail is what Describe answers, with tags as a map and times in milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.inside import Event
from sandbox.sagemaker.jobs.store import JobRecord


def state_change(job: JobRecord, described: Mapping[str, Any]) -> Event:
    """described: what Describe answers at this moment."""
    return Event(
        source="aws.sagemaker",
        detail_type=f"SageMaker {job.kind.word} Job State Change",
        detail={**_plain(described), "Tags": dict(job.tags)},
        resources=(job.arn,),
        account=job.account,
        region=job.region,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
