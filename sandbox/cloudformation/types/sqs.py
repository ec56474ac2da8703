"""AWS::SQS::Queue and AWS::SQS::QueuePolicy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_map, changed, tag_changes
from sandbox.cloudformation.types.policies import document
from sandbox.cloudformation.work import Work

# What a property is when it is not given (SQS API Reference, SetQueueAttributes).
_DEFAULTS = {
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
_FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit")


class Queue(Handler):
    type = "AWS::SQS::Queue"
    name = "QueueName"
    attributes = ("Arn", "QueueName", "QueueUrl")
    handled = dict.fromkeys([*_DEFAULTS, *_FIFO, "QueueName", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        suffix = ".fifo" if wanted.get("FifoQueue") else ""
        name = wanted.get("QueueName") or work.generated_name(80 - len(suffix)) + suffix
        # CreateQueue answers success where a queue of that name has the same attributes.
        self.refuse_taken(work, name)
        attributes = {key: _text(wanted[key]) for key in (*_DEFAULTS, *_FIFO) if key in wanted}
        tags = {"tags": as_map(wanted["Tags"])} if wanted.get("Tags") else {}
        url = work.client("sqs").create_queue(QueueName=name, Attributes=attributes, **tags)["QueueUrl"]
        work.made(url, Arn=work.arn("sqs", name), QueueName=name, QueueUrl=url)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        sqs, url = work.client("sqs"), work.physical_id
        differing = [key for key in changed(old, new) if key in (*_DEFAULTS, *_FIFO)]
        if differing:
            wanted = {key: _text(new.get(key, _DEFAULTS.get(key, "false"))) for key in differing}
            sqs.set_queue_attributes(QueueUrl=url, Attributes=wanted)
        added, removed = tag_changes(old, new)
        if added:
            sqs.tag_queue(QueueUrl=url, Tags=added)
        if removed:
            sqs.untag_queue(QueueUrl=url, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("sqs").delete_queue(QueueUrl=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("sqs").get_queue_url(QueueName=name)
        return True


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)


class QueuePolicy(Handler):
    """Replaces the policy that a queue has; two of them on one queue are the template's mistake, on AWS too."""

    type = "AWS::SQS::QueuePolicy"
    handled = {"PolicyDocument": None, "Queues": None}  # noqa: RUF012

    def create(self, work: Work, wanted: Properties) -> None:
        work.made(work.generated_name(80))
        self.update(work, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        for url in new["Queues"]:
            self._set(work, url, document(new["PolicyDocument"]))
        for url in old.get("Queues", []):
            if url not in new["Queues"]:
                self._set(work, url, "")

    def delete(self, work: Work, held: Properties) -> None:
        for url in held["Queues"]:
            self._set(work, url, "")

    def _set(self, work: Work, url: str, policy: str) -> None:
        work.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
