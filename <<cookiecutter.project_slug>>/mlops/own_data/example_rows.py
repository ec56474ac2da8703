"""A few rows of the data, as a caller would send them, and what the answer to one looks like."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlops.own_data.column_types import Column, as_text
from mlops.own_data.endpoint_cases import Cell, Table, looks_like_a_header
from mlops.own_data.target import Target
from mlops.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

ROWS = 5
LOOKED_AT = 1000  # rows among which they are sought


def example_table(table: "pd.DataFrame", columns: Sequence[Column], target: Target) -> Table:
    """Return the features of a few rows, complete ones if there are some; of the first two the target differs.

    Raises:
        Problem: a row cannot be told from the names of the columns.
    """
    features = table.loc[target.values.index, [column.name for column in columns]]
    gaps = features.isna().sum(axis="columns")
    best = gaps.sort_values(kind="stable").index[:LOOKED_AT]
    texts = {column.name: _cells(features.loc[best, column.name], column) for column in columns}
    rows = [list(cells) for cells in zip(*texts.values(), strict=True)]
    names = {column.name for column in columns}
    doubtful = next((row for row in rows if looks_like_a_header(row, names)), None)
    if doubtful:
        raise Problem(
            f"the row {', '.join(map(str, doubtful))[:60]} holds names of columns: sent as CSV without a header, it "
            "would be taken for one; rename the columns"
        )
    usable = [number for number, row in enumerate(rows) if all(map(_can_be_sent, row))] or [0, 1]
    values = target.values.loc[best]
    other = next((n for n in usable if values.iloc[n] != values.iloc[usable[0]]), usable[-1])
    chosen = [usable[0], other, *(number for number in usable[1:] if number != other)]
    return Table(columns, [rows[number] for number in chosen[:ROWS]])


def _cells(values: "pd.Series[Any]", column: Column) -> list[Cell]:
    convert: Callable[[Any], Cell] = {"category": str, "boolean": bool}.get(column.type, _number)
    if column.type == "category":
        values = as_text(values)
    return [None if missing else convert(value) for value, missing in zip(values, values.isna(), strict=True)]


def _number(value: Any) -> int | float:
    return int(value) if hasattr(value, "denominator") else float(value)  # only whole types have one


def _can_be_sent(cell: Cell) -> bool:
    return not isinstance(cell, str) or (bool(cell.strip()) and "\ufffd" not in cell and "\n" not in cell)


def answer_schema(target: Target) -> dict[str, Any]:
    """Return the JSON schema of the answer to one row.

    A number may lie beyond those that were seen, but by no more than they lie apart.
    """
    if target.task == "regression":
        low, high = float(target.values.min()), float(target.values.max())
        return {
            "type": "number",
            "minimum": _rough(2 * low - high, math.floor),
            "maximum": _rough(2 * high - low, math.ceil),
        }
    labels = [str(label) for label in target.classes]
    share = {"type": "number", "minimum": 0, "maximum": 1}
    probabilities = {"type": "object", "required": labels, "additionalProperties": share}
    return {
        "type": "object",
        "required": ["label", "probabilities"],
        "additionalProperties": False,
        "properties": {"label": {"enum": target.classes}, "probabilities": probabilities},
    }


def _rough(value: float, rounded: Callable[[float], int]) -> float:
    """Round to three digits."""
    if not value:
        return 0.0
    power = 10.0 ** (2 - math.floor(math.log10(abs(value))))
    return round(rounded(value * power) / power, 12)
