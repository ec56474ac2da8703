"""A resource's properties against AWS's schema of its type: converted as CloudFormation converts them, then checked.

CloudFormation turns numbers and booleans into strings and back where the schema wants the other (User Guide, "Resource
properties"; all parameters are strings). The words of refusals are those of the validator that the registry uses
(everit json-schema), as users of CloudFormation quote them: "#: extraneous key [X] is not permitted".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import regex
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from sandbox.cloudformation.functions import UNKNOWN
from sandbox.cloudformation.schemas import follow, schema_of

_JAVA_NAMES = {
    str: "String",
    bool: "Boolean",
    int: "Integer",
    float: "Double",
    dict: "JSONObject",
    list: "JSONArray",
    type(None): "Null",
}
_SCHEMA_NAMES = {
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
    "object": "JSONObject",
    "array": "JSONArray",
}
# What is not known before the deployment satisfies everything.
_STAND_IN = "\0known after apply"
# Rules that look at all below a place at once.
_OF_THE_WHOLE = ("allOf", "anyOf", "contains", "if", "not", "oneOf", "uniqueItems")


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not regex.search(pattern, instance):
        yield ValidationError(f"string [{instance}] does not match pattern {pattern}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    for pattern, node in patterns.items():
        for key, item in instance.items() if isinstance(instance, dict) else ():
            if regex.search(pattern, key):
                yield from validator.descend(item, node, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for key in instance:
        if key in schema.get("properties", {}) or any(
            regex.search(pattern, key) for pattern in schema.get("patternProperties", {})
        ):
            continue
        if allowed is False:
            yield ValidationError(f"extraneous key [{key}] is not permitted")
        elif isinstance(allowed, dict):
            yield from validator.descend(instance[key], allowed, path=key)


# Patterns of AWS's schemas are Java's: \\p{L} and others are unknown to `re`.
_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft7Validator,
    {
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
    },
)


def convert(type_name: str, region: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    schema = schema_of(type_name, region)
    done: dict[str, Any] = _convert(properties, schema, schema)
    return done


def _convert(value: Any, node: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    node = follow(node, schema)
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, dict):
        members, others = node.get("properties", {}), node.get("patternProperties", {})
        return {key: _convert(item, members.get(key) or _matching(key, others), schema) for key, item in value.items()}
    if isinstance(value, list):
        return [_convert(item, node.get("items", {}), schema) for item in value]
    if value is UNKNOWN or not kinds:
        return value
    return _scalar(value, kinds)


def _matching(key: str, patterns: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a member whose name a pattern describes."""
    found: Mapping[str, Any] = next((node for pattern, node in patterns.items() if regex.search(pattern, key)), {})
    return found


def _scalar(value: Any, kinds: list[str]) -> Any:
    if isinstance(value, str):
        if "string" in kinds:
            return value
        if "boolean" in kinds and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if "integer" in kinds and re.fullmatch(r"-?\d+", value):
            return int(value)
        if "number" in kinds and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return float(value) if "." in value else int(value)
    elif isinstance(value, bool):
        return value if "boolean" in kinds or "string" not in kinds else str(value).lower()
    elif isinstance(value, (int, float)) and "string" in kinds and "integer" not in kinds and "number" not in kinds:
        return str(value)
    return value


def faults_of(type_name: str, region: str, properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with converted properties: (where, e.g. `#/Tags/0`; what, in the validator's words)."""
    schema = schema_of(type_name, region)
    written = {name: value for name, value in properties.items() if value is not UNKNOWN}
    unknown = [name for name in properties if name not in written]
    given = _stand_in(properties)
    found = [fault for error in _Validator(schema).iter_errors(given) for fault in _faults(error)]
    read_only = [pointer.split("/")[2] for pointer in schema.get("readOnlyProperties", ()) if pointer.count("/") == 2]
    found += [("#", f"extraneous key [{name}] is not permitted") for name in [*written, *unknown] if name in read_only]
    return sorted(dict.fromkeys(found))


def _stand_in(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stand_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stand_in(item) for item in value]
    return _STAND_IN if value is UNKNOWN else value


def _stands_in(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_stands_in, value.values() if isinstance(value, dict) else value))
    return bool(value == _STAND_IN)


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    where = "#" + "".join(f"/{part}" for part in error.absolute_path)
    rule, value = str(error.validator), error.instance
    if value == _STAND_IN or (rule in _OF_THE_WHOLE and _stands_in(value)):
        return
    for what in _worded(rule, value, error.validator_value, error.message):
        yield where, what


def _worded(rule: str, value: Any, wanted: Any, otherwise: str) -> list[str]:
    """One unmet rule of a schema in the words of everit json-schema."""
    if rule == "required":
        return [f"required key [{key}] not found" for key in wanted if key not in value]
    if rule == "type":
        kinds = " or ".join(_SCHEMA_NAMES[kind] for kind in (wanted if isinstance(wanted, list) else [wanted]))
        return [f"expected type: {kinds}, found: {_JAVA_NAMES[type(value)]}"]
    if rule == "enum":
        return [f"{value} is not a valid enum value"]
    if rule in ("maxLength", "minLength"):
        return [f"expected {rule}: {wanted}, actual: {len(value)}"]
    if rule in ("maxItems", "minItems"):
        bound = "maximum" if rule == "maxItems" else "minimum"
        return [f"expected {bound} item count: {wanted}, found: {len(value)}"]
    if rule in ("maximum", "minimum"):
        return [f"{value} is not {'less' if rule == 'maximum' else 'greater'} or equal to {wanted}"]
    if rule in ("anyOf", "oneOf"):
        matched = "no subschema" if rule == "anyOf" else "no or several subschemas"
        return [f"{matched} matched out of the total {len(wanted)} subschemas"]
    return [otherwise]
