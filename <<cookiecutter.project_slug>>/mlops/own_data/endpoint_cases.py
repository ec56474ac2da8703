"""Requests for the endpoint, made of real rows: what it must answer, and what it must refuse.

The reasons are those that model/payload.py gives.
"""

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.own_data.column_types import Column

Cell = str | float | int | bool | None

HEADER = """\
What is asked of the model after each deployment, and by `make test` before it.

Each case is one request. `payload` is sent as it stands, in UTF-8 (`!!binary` holds other bytes).
status 200: the answer is JSON and fits `answer`, a JSON schema.
status 400: the request is refused, and the message holds `reason`. More of them keep the model
from answering nonsense than any metric does: add the mistakes that your own callers make.

`mlops data use` wrote the cases, from rows of {source}. It asks before it writes over changes."""
FINGERPRINT = "# Fingerprint of what it wrote: "

NO_NUMBERS = {
    "a word where a number belongs": "large",
    "NaN written out": "NaN",
    "a number too large for a number": "1e999",
    "a number that only Python reads": "1_0",
    "a formula": "=1+1",
}
NOT_UTF8 = b"\xff\xfe1,2"


@dataclass(frozen=True)
class Table:
    """The features of the model, and a few rows in their order; the first two are asked about."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    @cached_property
    def names(self) -> list[str]:
        """The features in the model's order."""
        return [column.name for column in self.columns]

    def first(self, kind: str) -> int | None:
        """Return the place of the first feature of a type."""
        return next((place for place, column in enumerate(self.columns) if column.type == kind), None)

    def row_with(self, place: int, value: Cell | list[int]) -> list[Any]:
        """Return the first row with another value in one place."""
        return [value if number == place else cell for number, cell in enumerate(self.rows[0])]


def write_csv(rows: Sequence[Sequence[Cell]], names: Sequence[str] = (), delimiter: str = ",") -> str:
    """Write rows as the endpoint takes them, with a header if there are names; no line break at the end."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", delimiter=delimiter)
    writer.writerows([list(names)] if names else [])
    writer.writerows([str(cell).lower() if isinstance(cell, bool) else cell for cell in row] for row in rows)
    return text.getvalue().removesuffix("\n")


def looks_like_a_header(row: Sequence[Cell], names: Collection[str]) -> bool:
    """Tell whether model/payload.py would take a row for names of columns."""
    return sum(str(cell) in names for cell in row) * 2 > len(row)


def write_cases(table: Table, answer: dict[str, Any], source: str) -> str:
    """Return the text of tests/endpoint_tests.yaml.

    Args:
        answer: the JSON schema of the answer to one row.
        source: where the rows come from, for people.
    """
    from mlops.own_data.yaml_text import anchored, document, flow

    item = anchored("answer", flow(answer))
    one = anchored("one", _answers(item, 1))
    two = anchored("two", _answers(item, 2))
    cases = [_Case(name, kind, body, {1: one, 2: two}[rows]) for name, kind, body, rows in answered(table)]
    cases += [_Case(name, kind, body, reason) for name, kind, body, reason in refused(table)]
    content = {"answers": {"one": one, "two_rows": two}, "cases": [case.as_yaml() for case in cases]}
    text = document(content, HEADER.format(source=source))
    return f"{FINGERPRINT}{_fingerprint(text)}\n{text}"


def is_as_written(text: str) -> bool:
    """Whether nobody has changed a file since `write_cases` wrote it."""
    first, _, rest = text.partition("\n")
    return first == f"{FINGERPRINT}{_fingerprint(rest)}"


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _answers(item: Any, count: int) -> dict[str, Any]:
    from mlops.own_data.yaml_text import flow

    predictions = flow({"type": "array", "minItems": count, "maxItems": count, "items": item})
    required, more = flow(["predictions"]), {"additionalProperties": False}
    return {"type": "object", "required": required, **more, "properties": {"predictions": predictions}}


@dataclass(frozen=True)
class _Case:
    name: str
    content_type: str
    payload: str | bytes
    expected: Any  # the schema of the answer, or the reason of the refusal

    def as_yaml(self) -> dict[str, Any]:
        from mlops.own_data.yaml_text import literal

        payload = self.payload if isinstance(self.payload, bytes) else literal(self.payload)
        case = {"name": self.name, "content_type": self.content_type, "payload": payload}
        if isinstance(self.expected, str):
            return case | {"status": 400, "reason": literal(self.expected)}
        return case | {"status": 200, "answer": self.expected}


def answered(table: Table) -> Iterator[tuple[str, str, str, int]]:
    """Yield name, content type, body and number of rows of the requests that are answered."""
    names, two = table.names, table.rows[:2]
    turned = [row[::-1] for row in two]
    objects = [dict(zip(names, two[0], strict=True)), dict(zip(names[::-1], turned[1], strict=True))]
    yield "two rows as CSV without a header", "text/csv", write_csv(two), 2
    yield "two rows as CSV with a header", "text/csv", write_csv(two, names), 2
    if len(names) > 1:
        yield "columns in another order, matched by the header", "text/csv", write_csv(turned, names[::-1]), 2
    yield "two rows as JSON lists", "application/json", _instances(two), 2
    yield "JSON objects whose keys stand in another order", "application/json", _instances(objects), 2
    yield "a bare JSON list of rows", "application/json", _json([two[0]]), 1
    yield "a content type with a parameter", "text/csv; charset=utf-8", write_csv(two[:1]), 1
    for kind in ("number", "boolean", "category"):
        place = table.first(kind)
        if place is None or all(cell is None for cell in table.row_with(place, None)):
            continue  # a row needs a value
        gap = table.row_with(place, None)
        yield f"an empty CSV cell is a missing {kind}", "text/csv", write_csv([gap]), 1
        yield f"null is a missing {kind}", "application/json", _instances([gap]), 1
    place = table.first("category")
    if place is not None:
        row = table.row_with(place, "a text that was never there before")
        yield "an unknown category counts as missing", "application/json", _instances([row]), 1


def refused(table: Table) -> Iterator[tuple[str, str, str | bytes, str]]:
    """Yield name, content type, body and reason of the requests that are refused."""
    yield "an empty body", "text/csv", "", "the body is empty"
    yield "a content type that nobody reads", "application/xml", "<rows/>", "content type 'application/xml' is unknown"
    yield "text that is not UTF-8", "text/csv", NOT_UTF8, "not UTF-8"
    yield from _refused_shapes(table)
    yield from _refused_values(table)
    yield from _refused_json(table)


def _refused_shapes(table: Table) -> Iterator[tuple[str, str, str, str]]:
    names, row, count = table.names, list(table.rows[0]), len(table.names)
    other = _new_name(names)
    if count > 1:
        short = f"row 1 has {count - 1} values where {count} are expected"
        yield "a value too few", "text/csv", write_csv([row[1:] if row[1] is not None else row[:-1]]), short
    long = [row, [*table.rows[1], 1]]
    yield (
        "a value too many in the second row",
        "text/csv",
        write_csv(long),
        f"row 2 has {count + 1} values where {count}",
    )
    semicolons = write_csv([row], delimiter=";")
    if count > 1 and not set(semicolons) & {",", '"'}:
        yield "semicolons instead of commas", "text/csv", semicolons, "row 1 has 1 values"
    if count > 2:  # of two names, one that is wrong makes no header
        header = write_csv([row], [*names[:-1], other])
        yield "an unknown column in the header", "text/csv", header, f"unknown column {other!r}"
    double = write_csv([[*row, row[0]]], [*names, names[0]])
    yield "a column that stands twice", "text/csv", double, f"column {names[0]!r} twice"
    yield "a header and no row", "text/csv", write_csv([names]), "no row"
    blank = write_csv([row]) + "\n\n" + write_csv([table.rows[1]])
    yield "a blank line between rows", "text/csv", blank, "line 2 of the CSV is blank"
    nothing = _instances([[None] * count])
    yield "a row of nothing", "application/json", nothing, "row 1 has no value at all"


def _refused_values(table: Table) -> Iterator[tuple[str, str, str, str]]:
    place = table.first("number")
    if place is not None:
        for name, text in NO_NUMBERS.items():
            body = write_csv([table.row_with(place, text)])
            yield name, "text/csv", body, _misplaced(table, place, text, "a number")
        values: dict[str, Any] = {"a number in quotes": "1", "true": True, "a list": [1]}
        for name, value in values.items():
            what = name if value == "1" else f"{name} where a number belongs"
            body = _instances([table.row_with(place, value)])
            yield what, "application/json", body, _misplaced(table, place, value, "a number")
    place = table.first("boolean")
    if place is not None:
        body = write_csv([table.row_with(place, "perhaps")])
        yield (
            "a word where true or false belongs",
            "text/csv",
            body,
            _misplaced(table, place, "perhaps", "true or false"),
        )
        body = _instances([table.row_with(place, 1)])
        yield "1 where true or false belongs", "application/json", body, _misplaced(table, place, 1, "true or false")
    place = table.first("category")
    if place is not None:
        body = _instances([table.row_with(place, 1)])
        yield "a number where text belongs", "application/json", body, _misplaced(table, place, 1, "text")


def _refused_json(table: Table) -> Iterator[tuple[str, str, str, str]]:
    kind, names, row = "application/json", table.names, list(table.rows[0])
    whole, other = dict(zip(names, row, strict=True)), _new_name(names)
    lacking = {name: cell for name, cell in whole.items() if name != names[-1]}
    twice = _instances([whole]).removesuffix("}]}") + f", {_json(names[0])}: 1" + "}]}"
    yield "broken JSON", kind, '{"instances": [[1, 2', "the JSON is broken at line 1"
    yield "NaN in JSON", kind, '{"instances": [[NaN]]}', "NaN is no JSON"
    yield "an infinite number in JSON", kind, '{"instances": [[-Infinity]]}', "-Infinity is no JSON"
    yield "an object without a column", kind, _instances([lacking]), f"row 1 lacks the column {names[-1]!r}"
    more = _instances([whole | {other: 43}])
    yield "an object with a column too many", kind, more, f"row 1 has the unknown column {other!r}"
    yield "an object with a key twice", kind, twice, f"{names[0]!r} stands twice"
    yield "one row that is no list", kind, _json({"instances": row}), "send a list of values or an object"
    yield "no instances", kind, '{"instances": []}', "there are no instances"
    yield "another key than instances", kind, '{"rows": [[1]]}', "the keys ['rows']"
    yield "JSON that is a mere number", kind, "42", "the rows are 42"


def _misplaced(table: Table, place: int, value: Any, expected: str) -> str:
    return f"row 1, column {table.names[place]!r}: {_json(value)} stands where {expected} belongs"


def _new_name(names: Sequence[str]) -> str:
    name = "shoe_size"
    while name in names:
        name += "_"
    return name


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def _instances(rows: Sequence[Any]) -> str:
    if len(rows) == 1:
        return _json({"instances": list(rows)})
    return '{"instances": [\n' + ",\n".join(f"  {_json(row)}" for row in rows) + "\n]}"
