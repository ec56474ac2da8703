"""Each check of the data, on tables small enough to count by hand."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.jobs.conftest import Check, column, pack

ROWS = 100


def table(**columns: Any) -> pd.DataFrame:
    """A table of 100 different rows with the target y; `columns` replace or add some."""
    usual = {"age": np.arange(ROWS), "city": ["Rome", "Oslo"] * (ROWS // 2), "y": ["no", "no", "no", "yes"] * 25}
    return pd.DataFrame(usual | columns)


def first(count: int, value: Any, others: Any) -> list[Any]:
    """100 values, the first of which are the same."""
    return [value] * count + list(others)[count:]


BASELINE: dict[str, Any] = {
    "rows": 100,
    "columns": {
        "age": {"type": "number", "missing": 0.0, "minimum": 0, "maximum": 99, "mean": 49.5, "standard_deviation": 29},
        "city": {"type": "category", "missing": 0.1, "shares": {"Rome": 0.5, "Oslo": 0.5}},
    },
    "target": {"type": "class", "shares": {"no": 0.75, "yes": 0.25}},
}
COLUMNS = {"age": column("number", minimum=0, maximum=120), "city": column("category", values=["Rome", "Oslo"])}


def test_data_as_declared_and_as_before_pass(check: Check) -> None:
    done = check(table(), "--mode", "enforce", columns=COLUMNS, baseline=BASELINE)
    assert done.failure is None
    assert done.report["verdict"] == "passed"
    assert done.report["findings"] == done.report["notes"] == []
    assert done.report["rows"] == 100
    assert done.report["columns"] == 3
    assert done.report["compared_with_current"] is True
    assert done.printed == ["findings=0;"]
    assert done.report["profile"]["city"] == {"type": "category", "missing": 0, "shares": {"Rome": 0.5, "Oslo": 0.5}}
    assert done.report["profile"]["age"]["quantiles"]["0.5"] == 49.5


DECLARED = {
    "a column that is not there": (
        table().rename(columns={"age": "agge"}),
        ("schema", "age"),
        "no column is called 'age': did you mean 'agge'?",
    ),
    "a target that is not there": (
        table().rename(columns={"y": "other"}),
        ("schema", "y"),
        "no column is called 'y': there are 'age', 'city', 'other'",
    ),
    "a text among numbers": (
        table(age=first(2, "old", range(ROWS))),
        ("schema", "age"),
        "'age' holds 'old' in row 1 where a finite number belongs, and 1 more such values",
    ),
    "an infinite number": (
        table(age=[*range(99), np.inf]),
        ("schema", "age"),
        "'age' holds 'inf' in row 100 where a finite number belongs",
    ),
    "a text that is not listed": (
        table(city=[*["Rome"] * 97, "Roma", "Roma", "Paris"]),
        ("schema", "city"),
        "'city' holds 'Roma', 'Paris' in 3 rows, which data.columns does not list",
    ),
    "a number under the minimum": (
        table(age=[*range(98), -3, -4]),
        ("range", "age"),
        "'age' is -4 in row 100; its declared minimum is 0, and beyond it in 1 more rows",
    ),
    "a number over the maximum": (
        table(age=[121.5, *range(99)]),
        ("range", "age"),
        "'age' is 121.5 in row 1; its declared maximum is 120",
    ),
    "a gap where none is declared": (
        table(age=[np.nan, *range(99)]),
        ("missing", "age"),
        "'age' has no value in 1 % of the rows; declared are at most 0 %",
    ),
    "a target with gaps": (
        table(y=[*["no", "yes"] * 49, "no", None]),
        ("balance", "y"),
        "the target 'y' is empty in 1 rows, first in row 100: fill it, or set data.rows_without_target to drop",
    ),
    "one class only": (table(y="no"), ("balance", "y"), "the target 'y' is always no: there is nothing to learn"),
    "rows that repeat": (
        table(age=first(7, 1, range(ROWS)), city="Rome", y=["no"] * 50 + ["yes"] * 50),
        ("duplicates", None),
        "6 % of the rows repeat another row; at most 5 % may",
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_not_as_declared_is_found(name: str, check: Check) -> None:
    data, found, message = DECLARED[name]
    done = check(data, columns=COLUMNS)
    assert done.found == [found]
    assert done.messages == [message]
    assert done.printed[-2:] == [f"{found[0]}: {message}", "findings=1;"]
    assert done.report["verdict"] == "warned"
    assert done.failure is None
    failed = check(data, "--mode", "enforce", columns=COLUMNS)
    assert failed.report["verdict"] == "failed"
    assert failed.failure == f"check_data.py: {message}"


BEFORE = {
    "more gaps": (
        table(city=first(21, None, table().city)),
        ("missing", "city"),
        "'city' has no value in 21 % of the rows; the current version was trained with 10 %",
        (0.21, 0.2),
    ),
    "other numbers": (
        table(age=[*range(94), *range(200, 203), *range(-3, 0)]),
        ("range", "age"),
        "6 % of 'age' are outside 0 to 99, the range that the current version was trained on; at most 5 % may be",
        (0.06, 0.05),
    ),
    "other categories": (
        table(city=[*["Rome"] * 94, *["Bonn"] * 5, "Bern"]),
        ("categories", "city"),
        "6 % of 'city' are 'Bonn', 'Bern', which the current version was not trained on; at most 5 % may be",
        (0.06, 0.05),
    ),
    "a feature that is gone": (
        table().drop(columns="city"),
        ("schema", "city"),
        "no column is called 'city': there are 'age', 'y'",
        (None, None),
    ),
    "numbers where texts were": (
        table(city=np.arange(ROWS) * 2),
        ("schema", "city"),
        "'city' is a number, but the current version was trained on a category",
        (None, None),
    ),
}


@pytest.mark.parametrize("name", BEFORE)
def test_what_is_not_as_before_is_found(name: str, check: Check) -> None:
    data, found, message, (value, limit) = BEFORE[name]
    done = check(data, baseline=BASELINE)
    assert done.found == [found]
    assert done.messages == [message]
    finding = done.report["findings"][0]
    assert finding["value"] == (None if value is None else pytest.approx(value))
    assert finding["limit"] == (None if limit is None else pytest.approx(limit))
    assert not check(data).report["findings"], "without a baseline there is nothing to find"


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (table(city=first(20, None, table().city)), []),
        (table(age=[*range(95), *range(200, 205)]), []),
        (table(city=[*["Rome"] * 95, *["Bonn"] * 5]), []),
        (table(y=["no"] * 85 + ["yes"] * 15), []),
        (table(age=first(6, 1, range(ROWS)), city="Rome", y=["no"] * 75 + ["yes"] * 25), []),
        (table(city=first(50, None, table().city)), ["--missing", "0.4"]),
        (table(age=[*range(50), *range(200, 250)]), ["--out-of-range", "0.5"]),
        (table(city="Bonn"), ["--new-categories", "1"]),
        (table(y=["no"] * 25 + ["yes"] * 75), ["--balance", "0.5"]),
        (table(age=1, city="Rome"), ["--duplicates", "0.98"]),
    ],
)
def test_what_reaches_a_limit_is_within_it(data: pd.DataFrame, options: list[str], check: Check) -> None:
    assert check(data, *options, baseline=BASELINE).messages == []


def test_another_balance_of_the_classes_is_found(check: Check) -> None:
    done = check(table(y=["no"] * 60 + ["yes"] * 38 + ["perhaps"] * 2), baseline=BASELINE)
    assert done.messages == [
        "60 % of the target 'y' are 'no'; the current version was trained with 75 %, and the share may change by 10 points",
        "38 % of the target 'y' are 'yes'; the current version was trained with 25 %, and the share may change by 10 points",
    ]
    assert done.report["findings"][0]["value"] == pytest.approx(-0.15)


def test_a_limit_holds_to_the_last_bit(check: Check) -> None:
    assert 0.4 - 0.3 > 0.1
    baseline = BASELINE | {"target": {"type": "class", "shares": {"no": 0.7, "yes": 0.3}}}
    assert check(table(y=["no"] * 60 + ["yes"] * 40), baseline=baseline).messages == []


def test_labels_are_those_of_training_however_the_file_writes_them(check: Check) -> None:
    baseline = BASELINE | {"target": {"type": "class", "shares": {"0": 0.75, "1": 0.25}}}
    whole = table(y=[0, 0, 0, 1] * 25)
    with_gaps = table(y=[0.0, 0.0, 0.0, 1.0] * 24 + [np.nan] * 4)
    assert check(whole, baseline=baseline).messages == []
    assert check(whole, baseline=baseline, parquet=True).messages == []
    assert check(with_gaps, baseline=baseline, rows_without_target="drop").messages == []


@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_an_empty_text_of_parquet_is_a_gap_as_in_csv(check: Check, kind: str) -> None:
    data = table(city=pd.Series(["", "Rome", "Oslo", "Rome"] * 25, dtype=kind))
    declared = {"age": column("number"), "city": column("category", missing=0.3, values=["Oslo", "Rome"])}
    for parquet in (False, True):
        found = check(data, columns=declared, parquet=parquet)
        assert found.messages == []
        assert found.report["profile"]["city"]["missing"] == 0.25


def test_a_shifted_mean_is_found(check: Check) -> None:
    target = {"type": "number", "mean": 10.0, "standard_deviation": 4.0, "minimum": 0, "maximum": 30}
    baseline = BASELINE | {"target": target}
    y = np.linspace(11.5, 12.5, ROWS)
    assert check(table(y=y), task="regression", baseline=baseline).messages == []
    done = check(table(y=y + 1), task="regression", baseline=baseline)
    assert done.found == [("balance", "y")]
    assert done.messages == [
        "the target 'y' is 13 on average; the current version was trained on 10, which is 0.75 standard deviations off, "
        "at most 0.5 may be"
    ]


def test_a_target_that_hardly_varied_may_be_any_number_of_deviations_off(check: Check) -> None:
    target = {"type": "number", "mean": 0.0, "standard_deviation": 5e-324, "minimum": 0, "maximum": 0}
    done = check(table(y=np.linspace(1, 2, ROWS)), task="regression", baseline=BASELINE | {"target": target})
    assert ["1.8e+308 standard deviations off" in message for message in done.messages] == [True]


def test_a_target_without_any_number_is_found(check: Check) -> None:
    assert check(table(), task="regression").messages == [
        "'y' holds 'no' in row 1 where a finite number belongs, and 99 more such values"
    ]
    assert check(table(y=np.nan), task="regression", rows_without_target="drop").messages == [
        "the target 'y' is empty in every row: there is nothing to learn"
    ]


def test_rows_that_no_model_will_see_are_left_out_but_keep_their_numbers(check: Check) -> None:
    data = table(y=first(50, None, table().y), age=[*[500] * 50, *range(49), 501])
    done = check(data, columns=COLUMNS, rows_without_target="drop", baseline=BASELINE)
    assert done.messages == ["'age' is 501 in row 100; its declared maximum is 120"]
    assert done.report["notes"] == ["50 rows have no target 'y': left out"]
    assert done.report["rows"] == 100
    assert done.report["profile"]["age"]["maximum"] == 501


def test_ids_are_left_out(check: Check) -> None:
    data = table(age=1, city="Rome", y=["a", "b"] * 50, id=range(ROWS))
    done = check(data, id_columns=["id"])
    assert done.found == [("duplicates", None)]
    assert done.report["findings"][0]["value"] == pytest.approx(0.98)
    assert list(done.report["profile"]) == ["age", "city"]


def test_undeclared_columns_are_noted_and_not_used(check: Check) -> None:
    done = check(table(note="same", more=[*range(99), None]), columns=COLUMNS)
    assert done.report["notes"][1:] == [
        "the file also holds 'note', 'more': not used, as data.columns does not name them"
    ]
    assert done.report["verdict"] == "passed"
    assert list(done.report["profile"]) == ["age", "city"]
    assert check(table(note="same"), baseline=BASELINE).report["notes"] == [
        "the file also holds 'note': new to the model"
    ]


def test_declared_types_decide(check: Check) -> None:
    data = table(zip=[f"0{number:04}" for number in range(ROWS)], flag=[0, 1] * 50, when=pd.Timestamp("2026-11-22"))
    columns = {"zip": column("category"), "flag": column("boolean"), "age": column("category")}
    done = check(data, columns=columns)
    assert done.report["findings"] == []
    assert "00007" in done.report["profile"]["zip"]["shares"]
    assert "7" in done.report["profile"]["age"]["shares"]
    assert done.report["profile"]["flag"] == {"type": "boolean", "missing": 0.0, "true": 0.5}
    dates = check(data, columns={"when": column("number")}, parquet=True)
    assert dates.messages[0].startswith("'when' holds '2026-11-22 00:00:00' in row 1 where a finite number belongs")
    flags = check(table(flag=["true", "maybe"] * 50), columns={"flag": column("boolean")})
    assert flags.messages == ["'flag' holds 'maybe' in row 2 where true or false belongs, and 49 more such values"]


def test_a_type_that_was_declared_anew_is_no_finding(check: Check) -> None:
    done = check(table(), columns={"age": column("category")}, baseline=BASELINE)
    assert done.report["findings"] == []


def test_many_and_rare_categories_are_no_news(check: Check) -> None:
    """A baseline of 60 % of the rows, as training writes it, must not make the same file suspicious."""
    names = [f"n{number}" for number in range(90)]
    few = {"type": "category", "missing": 0.0, "shares": dict.fromkeys(names[:54], 1 / 54)}
    same = check(table(city=[*names, *names[:10]]), baseline=BASELINE | {"rows": 54, "columns": {"city": few}})
    assert same.messages == []
    listed = {"type": "category", "missing": 0.0, "shares": {"Rome": 0.4, "Oslo": 0.2}}  # of very many
    assert check(
        table(city=["Rome", *names, *["Oslo"] * 9]), baseline=BASELINE | {"columns": {"city": listed}}
    ).found == [("categories", "city")]
    usual = table(city=["Rome"] * 40 + ["Oslo"] * 20 + names[:40])
    assert check(usual, baseline=BASELINE | {"columns": {"city": listed}}).messages == []


def test_enforce_fails_after_the_report_is_written(check: Check) -> None:
    done = check(table(age=-1, y="no"), "--mode", "enforce", columns=COLUMNS)
    assert done.report["verdict"] == "failed"
    assert len(done.report["findings"]) == 3
    assert done.failure == f"check_data.py: {done.messages[0]} (and 2 more findings)"
    assert "\n" not in done.failure


OLDER = {
    "none": (None, "there is no current version to compare with"),
    "without a baseline": ("old", "the current version has no baseline: it comes from an older train.py"),
    "no JSON": ("{", "the current version's baseline is not understood: JSONDecodeError"),
    "no object": ("[]", "the current version's baseline is not understood: TypeError"),
    "of another layout": (
        '{"rows": 3, "columns": {"age": 3}}',
        "the current version's baseline is not understood: TypeError",
    ),
    "with NaN": (
        json.dumps(BASELINE).replace("99", "NaN"),
        "the current version's baseline is not understood: ValueError: nan",
    ),
    "no archive": ("cut", "the current version's model.tar.gz cannot be read:"),
}


@pytest.mark.parametrize("name", OLDER)
def test_a_current_version_without_a_usable_baseline_does_not_stop_the_next(
    name: str, tmp_path: Path, check: Check
) -> None:
    content, note = OLDER[name]
    folder = tmp_path / "current"
    check(table(), baseline=content or "x")  # makes the archive
    if name == "none":
        (folder / "model.tar.gz").unlink()
        (folder / "none").touch()
    elif name == "without a baseline":
        pack(folder, "x", "./other.json")
    elif name == "no archive":
        whole = (folder / "model.tar.gz").read_bytes()
        (folder / "model.tar.gz").write_bytes(whole[: len(whole) // 2])
    done = check(table(), "--mode", "enforce", "--current-dir", str(folder))
    assert done.failure is None
    assert done.report["verdict"] == "passed"
    assert done.report["compared_with_current"] is False
    assert done.report["notes"][0].startswith(note)
    assert done.printed[0].startswith(f"note: {note}")
    assert not re.search(r"[\r\n]", done.report["notes"][0])
