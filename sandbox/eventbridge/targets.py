"""What may be a target of a rule, checked when it is put.

Source: API Reference, PutTargets and Target; User Guide, "Event bus targets". The wordings are those that AWS's service
was seen to answer.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.errors import NotImplementedInSandbox
from sandbox.eventbridge.store import Rule, invalid
from sandbox.eventbridge.transform import RESERVED, is_path, placeholders

# service of the ARN -> what its resource part looks like.
KINDS = {
    "lambda": r"function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?",
    "sqs": r"[A-Za-z0-9_-]+(\.fifo)?",
    "sns": r"[A-Za-z0-9_-]+(\.fifo)?",
    "logs": r"log-group:[A-Za-z0-9_/.#-]+(:\*)?",
}
_MODELLED = {
    *("Id", "Arn", "Input", "InputPath", "InputTransformer", "SqsParameters", "DeadLetterConfig", "RetryPolicy"),
}


def kind_of(arn: str) -> str:
    """The service of an ARN."""
    return arn.split(":")[2]


def check_target(target: dict[str, Any], rule: Rule) -> None:
    """Raises ValidationException, and NotImplementedInSandbox for what the sandbox cannot deliver to."""
    arn, identity = target["Arn"], target["Id"]
    _check_arn(arn, rule)
    for member in sorted(set(target) - _MODELLED):
        raise NotImplementedInSandbox("events", "PutTargets", f"{member} of a target is not modelled")
    _check_input(target)
    fifo = kind_of(arn) == "sqs" and arn.endswith(".fifo")
    if fifo and not target.get("SqsParameters", {}).get("MessageGroupId"):
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {identity}.")
    if target.get("SqsParameters") and not fifo:
        raise invalid(f"Parameter(s) SqsParameters not valid for target {identity}: it is no FIFO queue.")
    if kind_of(arn) == "logs":
        _check_log_input(target)
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if queue and (not re.fullmatch(rf"arn:[a-z-]+:sqs:{rule.region}:[0-9]{{12}}:{KINDS['sqs']}", queue)):
        raise invalid(f"Invalid DeadLetterConfig for target {identity}: {queue} is no queue of this region.")
    if queue and queue.endswith(".fifo"):
        raise invalid(f"Invalid DeadLetterConfig for target {identity}: a FIFO queue is not supported.")


def _check_arn(arn: str, rule: Rule) -> None:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise invalid("Parameter Arn is not valid. Reason: Provided Arn is not in correct format.")
    service, region, account, resource = parts[2:]
    if service not in KINDS:
        raise NotImplementedInSandbox("events", "PutTargets", f"delivery to {service} ({arn}) is not modelled")
    if not re.fullmatch(KINDS[service], resource):
        raise invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    if region != rule.region:
        raise invalid(f"Parameter {arn} is not valid. Reason: a target must be in the region of its rule.")
    if account != rule.account:
        raise NotImplementedInSandbox("events", "PutTargets", f"{arn} is of another account")


def _check_input(target: dict[str, Any]) -> None:
    identity = target["Id"]
    if sum(name in target for name in ("Input", "InputPath", "InputTransformer")) > 1:
        raise invalid(f"Only one of Input, InputPath, or InputTransformer must be provided for target {identity}.")
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except ValueError as error:
            raise invalid(f"JSON syntax error in input for target {identity}") from error
    if "InputPath" in target and not is_path(target["InputPath"]):
        raise invalid(f"Invalid InputPath for target {identity}.")
    if "InputTransformer" not in target:
        return
    paths = target["InputTransformer"].get("InputPathsMap", {})
    for name, path in paths.items():
        if name.lower().startswith("aws"):
            raise invalid(f"InputPathsMap of target {identity}: {name} is a reserved name.")
        if not is_path(path):
            raise invalid(f"Invalid InputPathsMap for target {identity}: {path} is not a JSON path in dot notation.")
    template = target["InputTransformer"]["InputTemplate"]
    for name in placeholders(template):
        if name not in paths and name not in RESERVED:
            raise invalid(f"InputTemplate for target {identity} contains invalid placeholder {name}.")
    _check_template(identity, template)


def _check_template(identity: str, template: str) -> None:
    """JSON as soon as its placeholders are values; else lines of quoted text (User Guide: "For strings, quotes are
    required")."""
    tried = re.sub(r"<[A-Za-z0-9_.\-]+>", "0", template)
    texts = [tried] if tried.lstrip().startswith(("{", "[")) else tried.splitlines()
    for text in texts:
        try:
            json.loads(text)
        except ValueError as error:
            raise invalid(f"Invalid InputTemplate for target {identity} : {error}") from error


def _check_log_input(target: dict[str, Any]) -> None:
    """A log event has a timestamp and a message and no more (User Guide, "Amazon CloudWatch Logs as a target")."""
    if "Input" in target or "InputPath" in target:
        raise NotImplementedInSandbox("events", "PutTargets", "Input and InputPath of a log group are not modelled")
    if "InputTransformer" in target:
        template = re.sub(r"<[A-Za-z0-9_.\-]+>", "0", target["InputTransformer"]["InputTemplate"])
        if not template.lstrip().startswith("{") or set(json.loads(template)) != {"timestamp", "message"}:
            raise invalid(f"InputTemplate for target {target['Id']} must have timestamp and message and no other key.")
