"""Whatever a table holds, the check ends with a report or one line; and no table is news to its own baseline."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SOURCE
from tests.jobs.conftest import column, run_check, scripts_of
from tests.sweeps import THOROUGH

RUNS = settings().max_examples if THOROUGH else 50

# pandas writes a carriage return without quotes, and reads it as the end of a row.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=6)
CELLS = [
    st.integers(-5, 5),
    st.integers(),
    st.floats(width=32),
    st.sampled_from(["a", "b", "A", "NA", "None", "01", "1.0", "true"]),
    st.booleans(),
    TEXTS,
    st.datetimes().map(str),
]


@st.composite
def columns(draw: st.DrawFn, rows: int) -> list[Any]:
    """Values of one or two sorts, some missing."""
    sorts = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=2))
    return draw(st.lists(st.one_of(*sorts, st.none()), min_size=rows, max_size=rows))


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 30))
    names = draw(st.lists(TEXTS.filter(str.strip), unique=True, max_size=4))
    return pd.DataFrame({name: draw(columns(rows)) for name in [*names, "y"]})


@st.composite
def declarations(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    kinds = st.sampled_from(["number", "boolean", "category"])
    chosen = draw(st.lists(st.sampled_from([*names, "absent"]), unique=True)) if draw(st.booleans()) else []
    limits = st.none() | st.floats(-3, 3)
    return {
        "task": draw(st.sampled_from(["classification", "regression"])),
        "rows_without_target": draw(st.sampled_from(["refuse", "drop"])),
        "columns": {
            name: column(
                draw(kinds),
                missing=draw(st.floats(0, 1)),
                minimum=draw(limits),
                maximum=draw(limits),
                values=draw(st.none() | st.lists(TEXTS, max_size=3)),
            )
            for name in chosen
            if name != "y"
        },
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)
)


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(data=st.data(), table=tables())
def test_the_check_never_crashes(data: st.DataObject, table: pd.DataFrame, folder: Path) -> None:
    declared = data.draw(declarations([name for name in table if name != "y"]))
    baseline = data.draw(st.none() | JSON | baselines(list(table)))
    mode = data.draw(st.sampled_from(["warn", "enforce"]))
    parquet = data.draw(st.booleans()) and all(
        pd.api.types.infer_dtype(table[name].dropna()) in {"string", "integer", "floating", "boolean", "empty"}
        and table[name].map(lambda value: not isinstance(value, int) or abs(value) < 2**62).all()
        for name in table
    )
    try:
        done = run_check(folder, None, table, "--mode", mode, baseline=baseline, parquet=parquet, **declared)
    except ValueError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("table.")
        return
    report = done.report
    assert report["rows"] == len(table)
    verdict = {"warn": "warned", "enforce": "failed"}[mode] if report["findings"] else "passed"
    assert report["verdict"] == verdict
    assert (done.failure is not None) == (verdict == "failed")
    for finding in report["findings"]:
        assert finding["check"] in {"schema", "missing", "range", "duplicates", "categories", "balance"}
        assert "\n" not in finding["message"]
    for figures in report["profile"].values():
        assert 0 <= figures["missing"] <= 1


@st.composite
def baselines(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """Of the right layout, about other data."""
    figures = st.floats(-10, 10)
    shares = st.dictionaries(TEXTS, st.floats(0, 1))
    number = st.fixed_dictionaries(
        {"type": st.just("number"), "missing": st.floats(0, 1)}
        | dict.fromkeys(("minimum", "maximum", "mean", "standard_deviation"), figures)
    )
    category = st.fixed_dictionaries({"type": st.just("category"), "missing": st.floats(0, 1), "shares": shares})
    return {
        "rows": draw(st.integers(0, 100)),
        "columns": {name: draw(number | category) for name in names},
        "target": draw(number | st.fixed_dictionaries({"type": st.just("class"), "shares": shares})),
    }


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(data=st.data(), table=tables())
def test_no_table_is_news_to_its_own_baseline(data: st.DataObject, table: pd.DataFrame, folder: Path) -> None:
    from column_profile import shares  # type: ignore[import-not-found]
    from raw_table import as_kind, as_text, read_table  # type: ignore[import-not-found]

    task = data.draw(st.sampled_from(["classification", "regression"]))
    try:
        first = run_check(folder, None, table, task=task).report
    except ValueError:
        return
    target = read_table(folder / "data", [])["y"]
    filled = target[~target.isna()]
    numbers = as_kind(filled, "number")[0].dropna()
    spread = {"mean": numbers.mean(), "standard_deviation": numbers.std(), "minimum": numbers.min(), "maximum": 0.0}
    if task == "regression" and not all(map(math.isfinite, spread.values())):
        return
    number_target = {"type": "number", **{name: float(value) for name, value in spread.items()}}
    baseline = {
        "rows": len(table),
        "columns": {name: figures for name, figures in first["profile"].items() if figures["missing"] < 1},
        "target": number_target if task == "regression" else {"type": "class", "shares": shares(as_text(filled))},
    }
    second = run_check(folder, None, table, task=task, baseline=json.loads(json.dumps(baseline))).report
    assert second["compared_with_current"] is True
    assert second["findings"] == first["findings"]


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(table=tables())
def test_the_baseline_of_training_equals_pandas_own_figures(table: pd.DataFrame, folder: Path) -> None:
    from column_profile import describe as describe_column

    with scripts_of(SOURCE / "model") as script:
        schema, baseline = script("schema"), script("baseline")
        kinds = {name: "category" for name in table if name != "y"}
        for name in kinds:
            if pd.api.types.is_bool_dtype(table[name]):
                kinds[name], table[name] = "boolean", table[name].astype(float)
            elif pd.api.types.is_numeric_dtype(table[name]):
                table[name] = table[name].astype(float).where(lambda values: values.abs() < 1e30)
                kinds[name] = "number"
            else:
                table[name] = schema.as_text(table[name])
        table["y"] = schema.as_text(table["y"]).fillna("none")
        learned = schema.Schema("y", kinds).learn(table)
        (folder / "model").mkdir(exist_ok=True)
        classes = sorted(set(table["y"]))
        baseline.write_baseline(table, schema.replace(learned, classes=classes), folder / "model")
    text = (folder / "model" / "baseline.json").read_text("utf-8")
    written = json.loads(text, parse_constant=pytest.fail)
    assert written["rows"] == len(table)
    assert written["target"]["shares"] == pytest.approx(table["y"].value_counts(normalize=True).to_dict())
    assert set(written["columns"]) == {name for name in kinds if table[name].notna().any()}
    for name, figures in written["columns"].items():
        values, known = table[name], table[name].dropna()
        assert figures == json.loads(json.dumps(describe_column(values, kinds[name]))), "the check describes alike"
        assert figures["missing"] == pytest.approx(values.isna().mean())
        if kinds[name] == "boolean":
            assert figures["true"] == pytest.approx(known.mean())
        elif kinds[name] == "category":
            assert figures["shares"] == pytest.approx(known.value_counts(normalize=True).to_dict())
        else:
            assert (figures["minimum"], figures["maximum"]) == (known.min(), known.max())
            assert figures["mean"] == pytest.approx(known.mean(), rel=1e-9, abs=1e-12 * known.abs().max())
            deviation = known.std() if len(known) > 1 else 0
            assert figures["standard_deviation"] == pytest.approx(deviation, abs=1e-9 * known.abs().max())
            for point, quantile in figures["quantiles"].items():
                expected = known.quantile(float(point))
                assert quantile == pytest.approx(expected, abs=1e-12 * known.abs().max())
