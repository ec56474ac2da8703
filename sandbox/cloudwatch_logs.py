# ruff: noqa: N802 - methods are named as AWS names its operations
"""CloudWatch Logs: what a group, a batch of events and a question may be, before moto keeps the lines.

Source: CloudWatch Logs API Reference, each operation; CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs
using AWS Key Management Service" and "Filter pattern syntax".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.kms import find_key, require_usable
from sandbox.kms.policy import lets_service_in

_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
_LARGEST_BATCH = 1_048_576
_EVENT_OVERHEAD = 26
_DAY = 24 * 60 * 60 * 1000
_TOO_OLD, _TOO_NEW = 14 * _DAY, 2 * 60 * 60 * 1000
# What moto's search understands: words that all must be there, or one phrase. It would let all lines through otherwise.
_UNDERSTOOD = re.compile(r'[A-Za-z]\w*( \w+)*|"[^"]+"', re.ASCII)
_KEY_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
)


class CloudWatchLogs:
    """Checks before moto's own answer, and answers where moto's is wrong."""

    complete = False

    def CreateLogGroup(self, call: Call) -> dict[str, Any]:
        """Log group names "can't start with the string aws/"; the key must let CloudWatch Logs in."""
        name = call.params["logGroupName"]
        if name.startswith("aws/"):
            raise _invalid(f"Log group name starts with the reserved prefix aws/: {name}")
        if call.params.get("kmsKeyId"):
            _check_key(call, name)
        return TO_MOTO

    def AssociateKmsKey(self, call: Call) -> None:
        """With a log group alone, not with query results."""
        group = _group(call)
        _check_key(call, group.name)
        group.kms_key_id = call.params["kmsKeyId"]

    def DisassociateKmsKey(self, call: Call) -> None:
        _group(call).kms_key_id = None

    def PutRetentionPolicy(self, call: Call) -> dict[str, Any]:
        """retentionInDays: "Possible values are: 1, 3, 5, 7, 14, 30, […]"."""
        days = call.params["retentionInDays"]
        if days not in _RETENTION_DAYS:
            raise _invalid(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(map(str, _RETENTION_DAYS))}]"
            )
        return TO_MOTO

    def PutLogEvents(self, call: Call) -> dict[str, Any]:
        """In order of time, within 24 hours, 1 MiB with 26 bytes for each event; what is older than 14 days or the
        retention, or more than 2 hours ahead, is left out, and the answer says so.

        tooOldLogEventEndIndex and expiredLogEventEndIndex are exclusive, tooNewLogEventStartIndex is inclusive
        (RejectedLogEventsInfo).
        """
        group, events = _group(call), call.params["logEvents"]
        if call.params["logStreamName"] not in group.streams:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        size = sum(len(event["message"].encode()) + _EVENT_OVERHEAD for event in events)
        if size > _LARGEST_BATCH:
            raise _invalid(f"Upload too large: {size} bytes exceeds limit of {_LARGEST_BATCH}")
        times = [event["timestamp"] for event in events]
        if times != sorted(times):
            raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
        now = int(datetime.now(UTC).timestamp() * 1000)
        kept_for = (group.retention_in_days or 0) * _DAY
        old = sum(time < now - _TOO_OLD for time in times)
        expired = sum(time < now - kept_for for time in times) if kept_for else 0
        new = sum(time > now + _TOO_NEW for time in times)
        valid = events[max(old, expired) : len(events) - new]
        if valid and valid[-1]["timestamp"] - valid[0]["timestamp"] > _DAY:
            raise _invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
        answer: dict[str, Any] = {"nextSequenceToken": group.put_log_events(call.params["logStreamName"], valid)}
        rejected = {
            "tooOldLogEventEndIndex": old or None,
            "expiredLogEventEndIndex": expired if expired > old else None,
            "tooNewLogEventStartIndex": len(events) - new if new else None,
        }
        if any(value is not None for value in rejected.values()):
            answer["rejectedLogEventsInfo"] = {name: value for name, value in rejected.items() if value is not None}
        return answer

    def GetLogEvents(self, call: Call) -> dict[str, Any]:
        """endTime is exclusive here ("Events with a timestamp equal to or later than this time are not included"). At
        the end of the stream the answer holds the very token that was given."""
        params, group = call.params, _group(call)
        if params["logStreamName"] not in group.streams:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        token = params.get("nextToken")
        if token is not None and not re.fullmatch(r"[fb]/-?[0-9]+", token):
            raise _invalid("The specified nextToken is invalid.")
        end = params.get("endTime")
        events, backward, forward = group.get_log_events(
            params["logStreamName"],
            params.get("startTime"),
            None if end is None else end - 1,
            params.get("limit"),
            token,
            params.get("startFromHead", False),
        )
        return {"events": events, "nextBackwardToken": backward, "nextForwardToken": forward}

    def FilterLogEvents(self, call: Call) -> dict[str, Any]:
        """Streams are interleaved by time, always; a stream that is named must exist. endTime is inclusive here."""
        params, group = call.params, _group(call)
        names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix")
        if names and prefix:
            raise _invalid("logStreamNamePrefix and logStreamNames are mutually exclusive")
        if any(name not in group.streams for name in names or []):
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        pattern = params.get("filterPattern") or ""
        if pattern and not _UNDERSTOOD.fullmatch(pattern):
            raise NotImplementedInSandbox("logs", "FilterLogEvents", f"the filter pattern {pattern!r}")
        if prefix:
            names = [name for name in group.streams if name.startswith(prefix)]
            if not names:
                return {"events": [], "searchedLogStreams": []}
        token = params.get("nextToken")
        events, following, _ = group.filter_log_events(
            group.name, names, params.get("startTime"), params.get("endTime"), params.get("limit"), token, pattern, True
        )
        return {"events": events, "nextToken": following, "searchedLogStreams": []}

    def describe(self, call: Call) -> None:
        """What the general rules find."""

    def reset(self) -> None:
        """Nothing is kept here."""


def _group(call: Call) -> Any:
    """moto's log group, by name or ARN. Raises InvalidParameterException, ResourceNotFoundException."""
    from moto.logs.models import logs_backends

    params = call.params
    if "resourceIdentifier" in params:
        raise NotImplementedInSandbox("logs", call.operation, "resourceIdentifier; use logGroupName")
    named = [params[name] for name in ("logGroupName", "logGroupIdentifier") if name in params]
    if len(named) != 1:
        raise _invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")
    name = named[0].split(":log-group:")[-1].removesuffix(":*")
    group = logs_backends[call.caller.account][call.region].groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _check_key(call: Call, name: str) -> None:
    """The key must exist, be enabled and symmetric, and its policy let the service of this region encrypt for this
    group. Raises InvalidParameterException."""
    arn = call.arn("logs", f"log-group:{name}")
    refusal = _invalid(f"The specified KMS key does not exist or is not allowed to be used with LogGroup '{arn}'")
    try:
        key = find_key(call.caller.account, call.region, call.params["kmsKeyId"], alias=False)
        require_usable(key)
    except AwsError as error:
        raise refusal from error
    suffix = ".cn" if call.partition == "aws-cn" else ""
    service = f"logs.{call.region}.amazonaws.com{suffix}"
    context = {"kms:EncryptionContext:aws:logs:arn": arn}
    if key.key_spec != "SYMMETRIC_DEFAULT" or not lets_service_in(key.policy, service, _KEY_ACTIONS, context):
        raise refusal


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
