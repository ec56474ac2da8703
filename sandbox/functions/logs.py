"""What a function prints goes to CloudWatch Logs, with the permissions of its role.

Source: Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs": the role needs logs:CreateLogGroup,
logs:CreateLogStream and logs:PutLogEvents; without them the function runs and its logs are lost.
"""

from __future__ import annotations

import base64
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_TAIL = 4096
# CloudWatch Logs quotas: bytes of a batch and of one event, with 26 for each event's overhead.
_LARGEST_BATCH, _OVERHEAD, _MOST_EVENTS = 1_048_576, 26, 10_000


def write(client: Any, group: str, stream: str, log: list[tuple[int, str]]) -> None:
    """By real calls, so that the call log shows which of them the role must be allowed. Their errors are nobody's."""
    try:
        try:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceNotFoundException:
            client.create_log_group(logGroupName=group)
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        for batch in _batches(log):
            client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
    except (ClientError, BotoCoreError):
        return


def tail(log: list[tuple[int, str]]) -> str:
    """X-Amz-Log-Result: the last 4 KB, Base64."""
    text = "".join(f"{line}\n" for _, line in log)
    return base64.b64encode(text.encode()[-_TAIL:]).decode()


def _batches(log: list[tuple[int, str]]) -> list[list[dict[str, Any]]]:
    batches: list[list[dict[str, Any]]] = [[]]
    size = 0
    for at, text in sorted(log, key=lambda entry: entry[0]):
        if not text.strip():
            continue  # the API refuses an empty message
        message = text.encode()[: _LARGEST_BATCH // 4].decode("utf-8", "ignore")
        size += len(message.encode()) + _OVERHEAD
        if size > _LARGEST_BATCH or len(batches[-1]) == _MOST_EVENTS:
            batches.append([])
            size = len(message.encode()) + _OVERHEAD
        batches[-1].append({"timestamp": at, "message": message})
    return [batch for batch in batches if batch]
