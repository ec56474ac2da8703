"""What can be wrong with data: each check looks at one thing and yields what it finds.

A row's number counts from 1, without the header. A share that equals its limit is within it.
"""

import argparse
import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from column_profile import shares  # type: ignore[import-not-found]
from raw_table import as_kind, as_text  # type: ignore[import-not-found]

NOISE = 1e-9  # of floating point
LARGEST = sys.float_info.max  # JSON has no infinity
SHOWN = 3  # columns or values that a message names


@dataclass(frozen=True)
class Finding:
    """Something about the data that should not be so. `value` is what was found, `limit` what may be."""

    check: str
    column: str | None
    message: str
    value: float | None = None
    limit: float | None = None


def check_names(
    table: pd.DataFrame, declared: dict[str, Any], baseline: dict[str, Any] | None, notes: list[str]
) -> Iterator[Finding]:
    """Find columns that are not there; note those that nobody expects."""
    features = declared["columns"] or (baseline["columns"] if baseline else {})
    named = [declared["target"], *declared["id_columns"]]
    for name in [*named, *(name for name in features if name not in named)]:
        if name not in table:
            close = difflib.get_close_matches(name, table.columns, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {listed(list(table))}"
            yield Finding("schema", name, f"no column is called {name!r}: {hint}")
    new = [name for name in table if name not in features and name not in named]
    if new and features:
        unknown = "not used, as data.columns does not name them" if declared["columns"] else "new to the model"
        notes.append(f"the file also holds {listed(new)}: {unknown}")


def check_types(column: "pd.Series[Any]", wrong: "pd.Series[bool]", kind: str) -> Iterator[Finding]:
    """Find values of another kind than the column's."""
    if wrong.any():
        first = wrong.idxmax()
        belongs = {"number": "a finite number", "boolean": "true or false"}[kind]
        more = f", and {wrong.sum() - 1} more such values" if wrong.sum() > 1 else ""
        message = f"{column.name!r} holds {str(column[first])!r} in row {first + 1} where {belongs} belongs{more}"
        yield Finding("schema", str(column.name), message, float(wrong.mean()), 0.0)


def check_feature(
    values: "pd.Series[Any]",
    wrong: "pd.Series[bool]",
    kind: str,
    declared: dict[str, Any] | None,
    baseline: dict[str, Any] | None,
    limits: argparse.Namespace,
) -> Iterator[Finding]:
    """Hold a column against what is declared for it, and against the current version's baseline."""
    missing = float((values.isna() & ~wrong).mean())
    if declared:
        yield from check_declared(values, missing, kind, declared)
    before = baseline["columns"].get(values.name) if baseline else None
    if baseline and before and before["type"] == kind:
        known = baseline["rows"] * (1 - before["missing"])
        yield from check_against(values, missing, before, known, limits)
    elif before and not declared and values.notna().any():  # a declared type is changed on purpose
        message = f"{values.name!r} is a {kind}, but the current version was trained on a {before['type']}"
        yield Finding("schema", str(values.name), message)


def check_declared(values: "pd.Series[Any]", missing: float, kind: str, column: dict[str, Any]) -> Iterator[Finding]:
    """Hold a column against what mlops.yaml declares: share of gaps, range, values."""
    name = str(values.name)
    allowed = column.get("missing", 0.0)
    if missing > allowed + NOISE:
        message = f"{name!r} has no value in {percent(missing)} of the rows; declared are at most {percent(allowed)}"
        yield Finding("missing", name, message, missing, allowed)
    for end, sign in (("minimum", -1), ("maximum", 1)):
        limit = column.get(end)
        if kind != "number" or limit is None:
            continue
        beyond = sign * values > sign * limit
        if beyond.any():
            row = (sign * values).idxmax()
            more = f", and beyond it in {beyond.sum() - 1} more rows" if beyond.sum() > 1 else ""
            message = f"{name!r} is {values[row]:.6g} in row {row + 1}; its declared {end} is {limit:.6g}{more}"
            yield Finding("range", name, message, float(values[row]), limit)
    if kind == "category" and column.get("values") is not None:
        unknown = values.notna() & ~values.isin(column["values"])
        if unknown.any():
            found = listed(list(values[unknown].value_counts().index))
            message = f"{name!r} holds {found} in {unknown.sum()} rows, which data.columns does not list"
            yield Finding("schema", name, message, float(unknown.mean()), 0.0)


def check_against(
    values: "pd.Series[Any]", missing: float, before: dict[str, Any], known: float, limits: argparse.Namespace
) -> Iterator[Finding]:
    """Hold a column against the `known` values of it that the current version was trained on."""
    name, filled = str(values.name), values.dropna()
    if missing > before["missing"] + limits.missing + NOISE:
        message = f"{name!r} has no value in {percent(missing)} of the rows; the current version was trained with"
        limit = before["missing"] + limits.missing
        yield Finding("missing", name, f"{message} {percent(before['missing'])}", missing, limit)
    if filled.empty:
        return
    if before["type"] == "number":
        low, high = before["minimum"], before["maximum"]
        outside = float(((filled < low) | (filled > high)).mean())
        if outside > limits.out_of_range + NOISE:
            message = f"{percent(outside)} of {name!r} are outside {low:.6g} to {high:.6g}, the range that the current"
            message += f" version was trained on; at most {percent(limits.out_of_range)} may be"
            yield Finding("range", name, message, outside, limits.out_of_range)
    if before["type"] == "category":
        unseen = filled[~filled.isin(list(before["shares"]))]
        # A baseline lists the most frequent texts only. And where many came once, others come as often (Good-Turing).
        once = sum(share for share in before["shares"].values() if share * known < 1.5)
        usual = max(0.0, 1 - sum(before["shares"].values())) + once
        share, limit = len(unseen) / len(filled), usual + limits.new_categories
        if share > limit + NOISE:
            found = listed(list(unseen.value_counts().index))
            message = f"{percent(share)} of {name!r} are {found}, which the current version was not trained on;"
            yield Finding("categories", name, f"{message} at most {percent(limit)} may be", share, limit)


def check_target(
    column: "pd.Series[Any]", declared: dict[str, Any], baseline: dict[str, Any] | None, limits: argparse.Namespace
) -> Iterator[Finding]:
    """Look at the target: gaps, a single value, no number, and the balance of before."""
    name, before = str(column.name), baseline["target"] if baseline else None
    gaps = column.isna()
    if gaps.any() and declared["rows_without_target"] == "refuse":
        message = f"the target {name!r} is empty in {gaps.sum()} rows, first in row {gaps.idxmax() + 1}: fill it, or"
        message += " set data.rows_without_target to drop"
        yield Finding("balance", name, message, float(gaps.mean()), 0.0)
    filled = column[~gaps]
    labels = as_text(filled)
    if labels.nunique() < 2:
        always = f"is always {labels.iloc[0]}" if len(labels) else "is empty in every row"
        yield Finding("balance", name, f"the target {name!r} {always}: there is nothing to learn")
    elif declared["task"] == "classification":
        if before and before["type"] == "class":
            yield from check_shares(name, shares(labels), before["shares"], limits.balance)
    else:
        numbers, wrong = as_kind(filled, "number")
        yield from check_types(filled, wrong, "number")
        if before and before["type"] == "number" and before["standard_deviation"] > 0 and numbers.notna().any():
            mean = float(numbers.mean())
            shift = min(LARGEST, abs(mean - before["mean"]) / before["standard_deviation"])
            if shift > limits.shift + NOISE:
                message = f"the target {name!r} is {mean:.6g} on average; the current version was trained on "
                message += f"{before['mean']:.6g}, which is {shift:.3g} standard deviations off"
                yield Finding("balance", name, f"{message}, at most {limits.shift:.3g} may be", shift, limits.shift)


def check_shares(name: str, now: dict[str, float], before: dict[str, float], limit: float) -> Iterator[Finding]:
    """Hold the share of each class against that of before."""
    for label in dict.fromkeys([*before, *now]):
        share, earlier = now.get(label, 0.0), before.get(label, 0.0)
        if abs(share - earlier) > limit + NOISE:
            message = f"{percent(share)} of the target {name!r} are {label!r}; the current version was trained with"
            change = f"the share may change by {100 * limit:.3g} points"
            yield Finding("balance", name, f"{message} {percent(earlier)}, and {change}", share - earlier, limit)


def check_duplicates(table: pd.DataFrame, limit: float) -> Iterator[Finding]:
    """Find rows that repeat another row in all features and in the target."""
    share = float(table.duplicated().mean()) if len(table.columns) else 0.0
    if share > limit + NOISE:
        message = f"{percent(share)} of the rows repeat another row; at most {percent(limit)} may"
        yield Finding("duplicates", None, message, share, limit)


def percent(share: float) -> str:
    """Write a share for people."""
    return f"{100 * share:.3g} %"


def listed(names: list[str]) -> str:
    """Write some names for people, the first of them and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more
