"""Requests: from the bytes that a caller sent to the table that the model takes, or a clear refusal.

A request is never answered by guessing. Columns are matched by name where names are given, a
headerless row must have exactly as many values as the model has features, and a value of the
wrong kind is refused with its row and column. A missing value is an empty cell, or null in JSON.
"""

import csv
import io
import json
import math
import re
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

import pandas as pd
from schema import Schema

# SageMaker limits requests in bytes, not in rows.
MAX_ROWS = 100_000

# Stricter than float(): no "nan", "inf", "1_000" or digits of other scripts.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
EXPECTED = {"number": "a number", "boolean": "true or false", "category": "text"}


@dataclass(frozen=True)
class Payload:
    """The rows of a request as they came: texts from CSV; values or objects from JSON."""

    format: str
    rows: list[Any]


def refuse(message: str) -> ValueError:
    """Return the error for a request that cannot be answered, and have the server answer 400.

    SageMaker's containers turn every exception into "500 Internal Server Error": the caller would
    not see the reason, and alarms on 5XX would roll a good model back for a caller's mistake.
    """
    message = message.encode("utf-8", "replace").decode("utf-8")  # JSON may hold lone surrogates
    flask = sys.modules.get("flask")  # what these containers serve with; absent elsewhere
    if flask and flask.has_request_context():
        flask.after_this_request(lambda _: flask.Response(message, 400, mimetype="text/plain"))
    return ValueError(message)


def parse(body: bytes | bytearray | str, content_type: str | None) -> Payload:
    """Take a request apart, without looking at what the model wants yet.

    Raises:
        ValueError: it is empty, broken, too long, or of another type than CSV and JSON.
    """
    parsers = {"text/csv": _parse_csv, "application/json": _parse_json}
    kind = (content_type or "").split(";")[0].strip().lower()
    if kind not in parsers:
        raise refuse(f"content type {content_type!r} is unknown: send {' or '.join(parsers)}")
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(f"the body is not UTF-8 at byte {error.start}") from None
    if "\ufffd" in text:  # what the server puts for a byte that it could not decode
        raise refuse("the body is not UTF-8: a character is lost")
    text = text.removeprefix("\ufeff").rstrip("\r\n")  # the mark that spreadsheets put first
    if not text.strip():
        raise refuse("the body is empty: send at least one row")
    payload = parsers[kind](text)
    if len(payload.rows) > MAX_ROWS:
        raise refuse(f"{len(payload.rows)} rows are too many: send at most {MAX_ROWS} at a time")
    return payload


def to_frame(payload: Payload, schema: Schema) -> pd.DataFrame:
    """Return the model's input, one row for each row of the request and in its order.

    Raises:
        ValueError: a column is missing, unknown or doubled, or a value does not fit its column.
    """
    rows = payload.rows
    if payload.format == "csv" and _is_header(rows[0], schema):
        names, rows = rows[0], rows[1:]
        _check_names(names, schema, "the header")
        if not rows:
            raise refuse("there is a header but no row: send at least one row")
        for number, row in enumerate(rows, 1):
            _check_length(number, row, len(names))
        rows = [dict(zip(names, row, strict=True)) for row in rows]
    return schema.frame(_columns(rows, schema, is_text=payload.format == "csv"))


def _parse_csv(text: str) -> Payload:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise refuse(f"the CSV is broken: {error}") from None
    if [] in rows:
        raise refuse(f"line {rows.index([]) + 1} of the CSV is blank: remove it")
    return Payload("csv", rows)


def _parse_json(text: str) -> Payload:
    try:
        content = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise refuse(f"the JSON is broken at {place}: {error.msg}") from None
    except RecursionError:
        raise refuse("the JSON is nested too deeply: send rows of plain values") from None
    except ValueError as error:
        raise refuse(str(error)) from None
    if isinstance(content, dict):
        if list(content) != ["instances"]:
            raise refuse(f'the JSON has the keys {list(content)}: send {{"instances": [row, …]}}')
        content = content["instances"]
    if not isinstance(content, list):
        raise refuse(f"the rows are {_show(content)}: send a list of them")
    if not content:
        raise refuse("there are no instances: send at least one row")
    return Payload("json", content)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON and no value: send null for a missing one")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{double!r} stands twice in one object: send it once")
    return content


def _is_header(first: list[str], schema: Schema) -> bool:
    """Most of its cells are names of features. A wrong name beside them is then reported as such."""
    return sum(cell in schema.features for cell in first) * 2 > len(first)


def _check_names(names: list[str], schema: Schema, where: str) -> None:
    for name in names:
        if name not in schema.features:
            raise refuse(f"{where} has the unknown column {name!r}: {_wanted(schema)}")
    for name in schema.features:
        if name not in names:
            raise refuse(f"{where} lacks the column {name!r}: {_wanted(schema)}")
    if len(names) > len(schema.features):
        double = next(name for name in names if names.count(name) > 1)
        raise refuse(f"{where} has the column {double!r} twice: send it once")


def _check_length(number: int, row: list[Any], expected: int) -> None:
    if len(row) != expected:
        raise refuse(f"row {number} has {len(row)} values where {expected} are expected")


def _wanted(schema: Schema) -> str:
    return f"the model takes {', '.join(schema.features)}"


def _columns(rows: list[Any], schema: Schema, *, is_text: bool) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in schema.features}
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            if row.keys() != schema.features.keys():
                _check_names(list(row), schema, f"row {number}")
            values = [row[name] for name in schema.features]
        elif isinstance(row, list):
            _check_length(number, row, len(schema.features))
            values = row
        else:
            raise refuse(f"row {number} is {_show(row)}: send a list of values or an object")
        convert = _from_text if is_text else _from_json
        cells = []
        for (name, kind), value in zip(schema.features.items(), values, strict=True):
            try:
                cells.append(convert(value, kind))
            except ValueError:
                expected = EXPECTED[kind]
                place = f"row {number}, column {name!r}"
                raise refuse(f"{place}: {_show(value)} stands where {expected} belongs") from None
        if all(cell is None for cell in cells):
            raise refuse(f"row {number} has no value at all")
        for name, cell in zip(schema.features, cells, strict=True):
            columns[name].append(cell)
    return columns


def _from_text(text: str, kind: str) -> float | str | None:
    if kind == "category":
        return text or None
    text = text.strip()
    if not text:
        return None
    if kind == "boolean":
        return float(["false", "true"].index(text.lower()))
    if not NUMBER.fullmatch(text):
        raise ValueError
    return _finite(float(text))


def _from_json(value: Any, kind: str) -> float | str | None:
    if value is None or (kind == "category" and value == ""):
        return None
    if kind == "category" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return float(value)
    # In Python a bool is an int too.
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return _finite(float(value))
        except OverflowError:
            raise ValueError from None
    raise ValueError


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError
    return number


def _show(value: Any) -> str:
    """Show a value as the caller wrote it, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"
