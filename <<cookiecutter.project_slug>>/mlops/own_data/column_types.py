"""What a column holds: a number, a boolean or a category; or why it can be no feature."""

import math
import re
import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

FEW = 20  # so many values are all listed; more of them, and a column of texts is looked at more closely
LEARNED = 254  # categories that model/schema.py keeps
# With fewer values than these, the training rows may have none, and the model would not know the column.
FEWEST_VALUES = 10
LONG_TEXT = 200  # characters
SAMPLE = 1000  # texts, the most frequent ones, that are looked at to tell dates and numbers from words

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
OTHER_NUMBER = re.compile(r"[+-]?[$€£]? ?\d{1,3}([ .,'’]?\d{3})*([.,]\d+)? ?[%$€£]?")
TIME = re.compile(
    r"(?:19|20)\d\d[-/.]\d{1,2}([-/.]\d{1,2}([T ].*)?)?"  # 2013-01-31, 2013-01-31T10:00:00Z, 2013-01
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?"  # 31.01.2013, 1/31/13 10:00
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"  # 10:00, 10:00:00 AM
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}( .*)?|\d{1,2}\.? [A-Za-z]{3,9}\.? \d{4}( .*)?"  # Jan 31, 2013; 31 January 2013
)
TIMES = {"date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"}


@dataclass(frozen=True)
class Column:
    """A column as it was found. `missing` is the share of rows without a value; `shown` is its range or values."""

    name: str
    type: Literal["number", "boolean", "category"]
    missing: float
    shown: str
    values: list[str] | None = None

    def settings(self) -> dict[str, Any]:
        """Return its entry in `data.columns`.

        A share is written a little larger than it is, so that tomorrow's file does not fail by a few rows.
        """
        entry: dict[str, Any] = {"type": self.type}
        if self.missing:
            entry["missing"] = min(1.0, math.ceil(round(110 * self.missing + 1, 6)) / 100)
        if self.values is not None:
            entry["values"] = self.values
        return entry


@dataclass(frozen=True)
class Refusal:
    """Why a column is no feature, and what can be done but leaving it out."""

    name: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.name!r} {self.why}: {self.instead}"


def find_columns(table: "pd.DataFrame", categories: Collection[str]) -> tuple[list[Column], list[str]]:
    """Return what each column of a table of features holds, and what people should know about them.

    Args:
        categories: the columns that are categories because somebody said so.

    Raises:
        Problem: some can be no features; it names all of them, with an example and its row (the first is 1).
    """
    columns, refusals, warnings = [], [], []
    for name in table:
        values = table[name]
        known = int(values.notna().sum())
        if known < FEWEST_VALUES:
            warnings.append(f"{name!r} is left out: {known or 'no'} of {len(values)} rows have a value in it.")
            continue
        found = _find(values, insisted=name in categories)
        if isinstance(found, Refusal):
            refusals.append(found)
            continue
        columns.append(found)
        warnings += _warnings(found, values)
    if refusals:
        leave_out = " ".join(f"--ignore {shlex.quote(refusal.name)}" for refusal in refusals)
        what = "column" if len(refusals) == 1 else f"{len(refusals)} columns cannot be features:"
        raise Problem(f"{what} {'; '.join(map(str, refusals))}; or leave out: {leave_out}")
    return columns, warnings


def _find(column: "pd.Series[Any]", insisted: bool) -> Column | Refusal:
    import pandas as pd

    name, known = str(column.name), column.dropna()
    kind = pd.api.types.infer_dtype(known, skipna=True)
    if kind in TIMES:
        return Refusal(name, f"holds times, {_example(known)}", "make numbers of them (hour, weekday)")
    if not pd.api.types.is_numeric_dtype(column) and kind not in {"string", "boolean", "categorical"}:
        what = type(known.iloc[0]).__name__
        return Refusal(name, f"holds values of the type {what}, {_example(known)}", "make numbers or texts of them")
    if insisted or kind == "categorical":
        return _as_category(column)
    if kind == "boolean":
        return Column(name, "boolean", _missing(column), f"{known.astype(bool).mean():.0%} true")
    if kind == "string":
        return _refuse_texts(known) or _as_category(column)
    return _number(column)


def _number(column: "pd.Series[Any]") -> Column | Refusal:
    import numpy as np

    name, known = str(column.name), column.dropna()
    infinite = known[np.isinf(known.to_numpy(dtype="float64"))]
    if len(infinite):
        return Refusal(name, f"is infinite in row {infinite.index[0] + 1}", "correct the value")
    low, high = known.min(), known.max()
    return Column(name, "number", _missing(column), f"always {low:g}" if low == high else f"{low:g} to {high:g}")


def _as_category(column: "pd.Series[Any]") -> Column:
    known = column.dropna()
    count = as_text(known).value_counts()
    values = sorted(count.index)
    shown = ", ".join(values)
    if len(values) > FEW or len(shown) > 60:
        shown = f"{len(values)} values, most often {_cut(count.index[0])}"
    return Column(str(column.name), "category", _missing(column), shown, values if len(values) <= FEW else None)


def as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return each value as text, as model/schema.py does: whole numbers lose the `.0` that gaps give them."""
    import pandas as pd

    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return column
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        return column.map("{:.0f}".format, na_action="ignore")
    return column.astype(object).map(str, na_action="ignore")


def _refuse_texts(known: "pd.Series[Any]") -> Refusal | None:
    """Tell categories, which repeat, from the rest.

    More than half of the different texts decide: times are no category, and where there are more than FEW texts,
    neither are numbers (beside words, or written as no program reads them). Such a column holds free text when more
    than half of the rows have a text of their own, of three words or more on average; or when any text has several
    lines or more than LONG_TEXT characters. And if hardly any text occurs twice, it names its row.
    """
    name, rows = str(known.name), len(known)
    count = known.value_counts()
    texts = [str(text) for text in count.index]
    often = texts[:SAMPLE]
    insist = f"or take it as a category: --category {shlex.quote(name)}"
    if _most(often, TIME.fullmatch):
        why = f"holds times, {_example(known, TIME.fullmatch)}"
        return Refusal(name, why, f"make numbers of them (hour, weekday), {insist}")
    if len(texts) <= FEW:
        return None
    # Plain numbers alone are texts because the file says so: Parquet, or a zip code that was named a category.
    plain = all(map(NUMBER.fullmatch, texts))
    if not plain and _most(often, lambda text: NUMBER.fullmatch(text) or OTHER_NUMBER.fullmatch(text)):
        why = f"holds numbers but {_example(known, lambda text: not NUMBER.fullmatch(text))}"
        return Refusal(name, why, f"write plain numbers (1234.5) everywhere, {insist}")
    if any(map(_is_long, texts)):
        return Refusal(name, f"holds free text, {_example(known, _is_long)}", "make numbers or categories of it")
    if len(texts) > rows / 2 and sum(len(text.split()) for text in often) >= 3 * len(often):
        return Refusal(name, f"holds free text, {_example(known)}", f"make numbers or categories of it, {insist}")
    if len(texts) > 0.9 * rows:
        why = f"has {len(texts)} texts in {rows} rows, {_example(known)}"
        return Refusal(name, why, f"if it names the row, --id {shlex.quote(name)}, {insist}")
    return None


def _is_long(text: str) -> bool:
    return "\n" in text or len(text) > LONG_TEXT


def _most(texts: list[str], like: Callable[[str], object]) -> bool:
    return sum(bool(like(text)) for text in texts) > len(texts) / 2


def _example(known: "pd.Series[Any]", like: Callable[[Any], object] = lambda value: True) -> str:
    """Quote the first value that is like that, with its row, as people count: from 1."""
    row, value = next((row, value) for row, value in known.items() if like(value))
    return f"{_cut(repr(value) if isinstance(value, str) else str(value))} in row {int(str(row)) + 1}"


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _missing(column: "pd.Series[Any]") -> float:
    return float(column.isna().mean())


def _warnings(found: Column, column: "pd.Series[Any]") -> list[str]:
    name = shlex.quote(found.name)
    if found.type == "category" and (many := column.nunique()) > LEARNED:
        return [f"{found.name!r} has {many} texts: the model learns the {LEARNED} most frequent ones."]
    if found.type == "number" and len(column) > FEW and (column.diff().iloc[1:] == 1).all():
        return [f"{found.name!r} counts the rows; if it names them: --id {name}"]
    return []
