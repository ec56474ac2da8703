"""A mistake in the settings, in one line: the key, the value, what is allowed."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

# Names that Pydantic gives to the members of unions: it reports each member's view of one value.
UNION_MEMBERS = {"bool", "int", "float", "str", "constrained-str"}


def explain(error: ValidationError, root: type[BaseModel], prefix: tuple[str, ...] = ()) -> str:
    """Put the first mistake in one line; `prefix` is where the mistaken section stands in the file."""
    # A misspelt key also leaves the right one missing: the misspelling is the thing to mend. And a value that is wrong
    # for one member of a union is also of the wrong type for all others.
    mistakes = sorted(
        error.errors(include_url=False),
        key=lambda mistake: (mistake["type"] != "extra_forbidden", mistake["type"].endswith("_type")),
    )
    first = mistakes[0]
    location = _location(first)
    key = ".".join(map(str, (*prefix, *location))) or "the file"
    value = first["input"]
    match first["type"]:
        case "extra_forbidden":
            text = f"{key} is not a setting{_suggestion(location, root)}"
        case "missing":
            text = f"{key} is missing; {_allowed(first)}"
        case "value_error":
            text = str(first["ctx"]["error"])
        case _:
            text = f"{key} is {value!r}; {_allowed(first)}"
    others = len({tuple(_location(mistake)) for mistake in mistakes}) - 1
    return text + (f" (and {others} more)" if others else "")


def _location(mistake: Any) -> list[Any]:
    return [part for part in mistake["loc"] if part not in UNION_MEMBERS and not str(part).startswith("function-")]


def _allowed(mistake: Any) -> str:
    context = mistake.get("ctx", {})
    if mistake["type"] == "literal_error":
        return f"allowed: {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    if mistake["type"] == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"it must match {context['pattern']}")
    if mistake["type"] == "missing":
        return "write it as the other settings are written, or restore the file from git"
    if mistake["type"] in {"model_type", "dict_type"}:
        return "it must be settings, one `key: value` a line"
    if mistake["type"] in {"string_type", "invalid-json-value"}:  # the latter: a date
        return "it must be text: put it in quotes"
    message = mistake["msg"].replace("Input should be", "it must be").replace("String should", "it must")
    return str(message[0].lower() + message[1:])


PATTERNS = {
    r"^s3://[a-z0-9.-]{3,63}/.+$": "allowed: an object on S3 such as s3://bucket/folder/table.csv",
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "allowed: lower-case words of a-z and 0-9 joined by single hyphens",
    r"^[a-z]{2}(-[a-z]+)+-[0-9]$": "allowed: an AWS region such as us-east-1",
    r"^ml\.[a-z0-9-]+\.[a-z0-9]+$": "allowed: an instance type such as ml.m5.large",
    r"^\S+/\S+[:@]\S+$": "allowed: a container such as registry/name:tag",
    r"^[0-9]+\.[0-9]+-[0-9]+$": "allowed: a tag of SageMaker's image such as 1.9-0, in quotes",
    r"^[^'\r\n]*$": "allowed: one line without single quotes, which SageMaker's training driver cannot take",
    r"^[A-Za-z0-9_]{1,64}$": "allowed: a name of letters, digits and underscores",
    r"^[0-9]{12}$": "allowed: the 12 digits of an AWS account, in quotes, or null",
}


def _suggestion(location: list[Any], root: type[BaseModel]) -> str:
    section: Any = root
    for part in location[:-1]:
        if not hasattr(section, "model_fields"):  # a mapping of sections, such as data.columns
            section = get_args(section)[1]
        else:
            section = section.model_fields[part].annotation
    known = list(section.model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; allowed: {', '.join(known)}"
