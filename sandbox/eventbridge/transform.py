"""What a target is sent: the event, a part of it, a constant, or a template filled from it.

Source: EventBridge User Guide, "Amazon EventBridge input transformation"; API Reference, PutTargets and
InputTransformer. Where they are silent, what AWS was seen to do: a path that is not there is an empty text, and an
object inside the quotes of a text loses its own quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"\.([A-Za-z0-9_\-/]+)|\[([0-9]+|\*)\]")
RESERVED = {
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event",
    "aws.events.event.json",
    "aws.events.event.ingestion-time",
}


class CannotTransform(Exception):
    """The template is no JSON once it is filled: AWS drops the event."""


def is_path(path: str) -> bool:
    """Dot notation from `$`, with array indices and wildcards."""
    return re.fullmatch(rf"\$(?:{_STEP.pattern})*", path) is not None


def find(event: Any, path: str) -> Any:
    """The value at a path, or None."""
    for name, index in _STEP.findall(path.removeprefix("$")):
        if name:
            event = event.get(name) if isinstance(event, dict) else None
        elif not isinstance(event, list):
            event = None
        elif index != "*":
            event = event[int(index)] if int(index) < len(event) else None
    return event


def placeholders(template: str) -> list[str]:
    return _PLACEHOLDER.findall(template)


def payload(target: Mapping[str, Any], event: str, rule_name: str, rule_arn: str, received: str) -> str:
    """The text that a target gets. event: as JSON. received: when EventBridge got it, ISO 8601. Raises
    CannotTransform."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return _json(find(json.loads(event), target["InputPath"]))
    if "InputTransformer" not in target:
        return event
    whole = json.loads(event)
    values = {name: find(whole, path) for name, path in target["InputTransformer"].get("InputPathsMap", {}).items()}
    # The event without its detail, by the names of AWS's own class; see "Predefined variables".
    reserved = {name: value for name, value in whole.items() if name not in ("detail", "detail-type")}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event": reserved | {"detailType": whole["detail-type"]},
        "aws.events.event.json": whole,
        "aws.events.event.ingestion-time": received,
    }
    return _filled(target["InputTransformer"]["InputTemplate"], values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    text, position, quoted, is_json = "", 0, False, template.lstrip().startswith("{")
    while position < len(template):
        found = _PLACEHOLDER.match(template, position)
        if found and found[1] in values:
            value = values[found[1]]
            text += _inside_quotes(value, is_json) if quoted else _outside_quotes(value)
            position = found.end()
            continue
        step = 2 if template[position] == "\\" else 1
        quoted ^= template[position] == '"'
        text += template[position : position + step]
        position += step
    if not is_json:
        return text
    try:
        return _json(json.loads(text))
    except ValueError as error:
        raise CannotTransform(f"the InputTemplate filled from the event is not JSON: {text}") from error


def _outside_quotes(value: Any) -> str:
    return '""' if value is None else _json(value)


def _inside_quotes(value: Any, is_json: bool) -> str:
    """Not escaped ("EventBridge doesn't escape values extracted by Input Path"): an object between the quotes of a JSON
    template thus breaks it; in a plain text its own quotes go."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return _json(value) if is_json else _json(value).replace('"', "")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
