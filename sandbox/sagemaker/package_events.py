"""What versions and packages tell EventBridge: `SageMaker Model Package State Change`.

Source: Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge", SageMaker model package state
change, whose example is an update of a version. UpdatedModelPackageFields is of updates only, and holds the members
that the documentation lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.calls import Call
from sandbox.inside import Event

# Members of UpdateModelPackage, and how the event calls them.
UPDATED = {
    "ModelLifeCycle": "ModelLifeCycle",
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "SourceUri": "sourceUri",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
}
_NOT_TOLD = ("CreatedBy", "LastModifiedBy")


def state_change(call: Call, described: Mapping[str, Any], updated: bool) -> Event:
    """described: what DescribeModelPackage answers at this moment. updated: whether the call was an update."""
    detail = {name: _plain(value) for name, value in described.items() if value is not None and name not in _NOT_TOLD}
    detail.setdefault("LastModifiedTime", detail["CreationTime"])
    if updated:
        detail["UpdatedModelPackageFields"] = list(
            dict.fromkeys(UPDATED[name] for name in call.params if name in UPDATED)
        )
    arn = str(described["ModelPackageArn"])
    return Event(
        source="aws.sagemaker",
        detail_type="SageMaker Model Package State Change",
        detail=detail,
        resources=(arn,),
        account=call.caller.account,
        region=call.region,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
