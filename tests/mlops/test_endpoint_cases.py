"""The requests made of a team's rows: model/payload.py answers and refuses them as the cases say."""

import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops.own_data.column_types import Column, find_columns
from mlops.own_data.endpoint_cases import Table, is_as_written, looks_like_a_header, write_cases, write_csv
from mlops.own_data.example_rows import answer_schema, example_table
from mlops.own_data.target import Target
from mlops.problem import Problem
from tests.conftest import SOURCE
from tests.sweeps import THOROUGH

ANSWER = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["no", "yes", 1]}}}


@pytest.fixture(scope="module")
def model() -> Iterator[SimpleNamespace]:
    """The code that takes requests apart, as it lies beside the model."""
    sys.path.insert(0, str(SOURCE / "model"))
    import payload  # type: ignore[import-not-found]
    import schema

    yield SimpleNamespace(payload=payload, Schema=schema.Schema)
    sys.path.remove(str(SOURCE / "model"))
    for name in ("payload", "schema"):
        del sys.modules[name]


def check_against(model: SimpleNamespace, table: Table, text: str) -> list[str]:
    """Send every case to model/payload.py, and return their names."""
    kinds = {column.name: column.type for column in table.columns}
    categories = {name: ["a"] for name, kind in kinds.items() if kind == "category"}
    schema = model.Schema("target", kinds, categories)
    content = yaml.safe_load(text)
    for case in content["cases"]:
        body, kind = case["payload"], case["content_type"]
        if case["status"] == 400:
            with pytest.raises(ValueError) as error:  # noqa: PT011 (the reason is looked at below)
                model.payload.to_frame(model.payload.parse(body, kind), schema)
            assert case["reason"] in str(error.value), case
        else:
            frame = model.payload.to_frame(model.payload.parse(body, kind), schema)
            answer = {"predictions": [{"label": "yes"}] * len(frame)}
            jsonschema.validate(answer, case["answer"], jsonschema.Draft202012Validator)
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({"predictions": [{"label": "maybe"}] * len(frame)}, case["answer"])
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({"predictions": [*answer["predictions"], {"label": "no"}]}, case["answer"])
    return [case["name"] for case in content["cases"]]


def column(name: str, kind: Any) -> Column:
    return Column(name, kind, 0.0, "")


MIXED = Table(
    [column("Größe [cm] < 2", "number"), column("city, 'a' \"b\"", "category"), column("no", "boolean")],
    [[1.5, "Köln, am Rhein", True], [2.0, 'the "Hague"', False]],
)


def test_a_mixed_table_gets_every_case(model: SimpleNamespace) -> None:
    names = check_against(model, MIXED, write_cases(MIXED, ANSWER, "data/x.csv"))
    assert len(names) == len(set(names)) >= 40
    for kind in ("number", "boolean", "category"):
        assert {f"an empty CSV cell is a missing {kind}", f"null is a missing {kind}"} <= set(names)
    assert {
        "an unknown category counts as missing",
        "a word where a number belongs",
        "a word where true or false belongs",
        "a number where text belongs",
        "an unknown column in the header",
        "an object without a column",
        "text that is not UTF-8",
        "broken JSON",
        "a content type that nobody reads",
    } <= set(names)


@pytest.mark.parametrize("kind", ["number", "boolean", "category"])
def test_one_column_is_enough(model: SimpleNamespace, kind: str) -> None:
    cells: dict[str, Any] = {"number": 1.5, "boolean": False, "category": "a"}
    cell = cells[kind]
    table = Table([column("x", kind)], [[cell], [cell]])
    names = check_against(model, table, write_cases(table, ANSWER, "data/x.csv"))
    assert not any("missing" in name for name in names if name != "an unknown category counts as missing")


def test_the_file_reads_like_the_ones_that_came_with_the_repository() -> None:
    text = write_cases(MIXED, ANSWER, "data/my table.csv")
    first, *rest = text.splitlines()
    assert first.startswith("# Fingerprint")
    assert rest[0].startswith("# What is asked of the model after each deployment")
    assert "# `mlops data use` wrote the cases, from rows of data/my table.csv." in text
    assert '\n    payload: |-\n      1.5,"Köln, am Rhein",true\n      2.0,"the ""Hague""",false\n' in text
    assert "\n    answer: *two\n" in text
    assert "\n    payload: !!binary '//4xLDI='\n" in text
    assert "\n\nanswers:\n  one: &one\n" in text
    assert "\n\ncases:\n  - name: two rows as CSV without a header\n    content_type: text/csv\n" in text


def test_changes_of_people_are_noticed() -> None:
    text = write_cases(MIXED, ANSWER, "data/x.csv")
    assert is_as_written(text)
    assert not is_as_written(text + "  - name: ours\n")
    assert not is_as_written(text.replace("an empty body", "no body"))
    assert not is_as_written(text.partition("\n")[2])
    assert not is_as_written("")


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffd\ufeff"), min_size=1, max_size=12)  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffd\ufeff"), min_size=1, max_size=12)  # fmt: skip
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    "boolean": st.booleans(),
    "category": TEXTS.filter(str.strip),
}


@pytest.mark.slow
@settings(max_examples=settings().max_examples if THOROUGH else 40)
@given(st.data())
def test_whatever_the_columns_are_called_and_hold_the_cases_agree_with_the_model(
    model: SimpleNamespace, data: st.DataObject
) -> None:
    kinds = data.draw(st.dictionaries(NAMES.filter(str.strip), st.sampled_from(list(CELLS)), min_size=1, max_size=5))
    gaps = st.none() if len(kinds) > 1 else st.nothing()
    cells = st.tuples(*(CELLS[kind] | gaps for kind in kinds.values())).filter(
        lambda row: any(c is not None for c in row)
    )
    rows = data.draw(st.lists(cells, min_size=2, max_size=3))
    assume(not any(looks_like_a_header(row, list(kinds)) for row in rows))
    table = Table([column(name, kind) for name, kind in kinds.items()], rows)
    check_against(model, table, write_cases(table, ANSWER, "data/x.csv"))
    payload = model.payload.parse(write_csv(rows), "text/csv")
    assert len(payload.rows) == len(rows)


def examples(table: pd.DataFrame, values: Sequence[object], task: Any = "classification") -> Table:
    columns, _ = find_columns(table, [])
    return example_table(table, columns, Target("y", task, pd.Series(values), 0))


def test_gaps_of_nullable_types_are_gaps() -> None:
    cells = {"string": "a", "Int64": 1, "boolean": True}
    table = pd.DataFrame({kind: pd.array([cell] * 20 + [None] * 20, dtype=kind) for kind, cell in cells.items()})
    found = examples(table, [0] * 20 + [1] * 20)
    assert found.rows[:2] == [["a", 1, True], [None, None, None]]


def test_complete_rows_are_chosen_and_the_first_two_are_of_different_classes() -> None:
    table = pd.DataFrame(
        {"n": range(40), "f": [None, *np.arange(39) / 2], "t": ["a", "b"] * 20, "b": [True, None] * 20}
    )
    chosen = examples(table, ["no"] * 30 + ["yes"] * 10)
    assert chosen.rows[:2] == [[2, 0.5, "a", True], [30, 14.5, "a", True]]
    assert [row[0] for row in chosen.rows] == [2, 30, 4, 6, 8]
    assert [type(cell) for cell in chosen.rows[0]] == [int, float, str, bool]


def test_where_no_row_is_complete_the_fullest_are_chosen() -> None:
    table = pd.DataFrame({"a": [1.5, None] * 20, "b": [None, 2.5] * 20})
    chosen = examples(table, ["no", "yes"] * 20)
    assert chosen.rows[:2] == [[1.5, None], [None, 2.5]]


def test_rows_that_cannot_be_sent_as_they_are_are_passed_over() -> None:
    table = pd.DataFrame({"t": ["a\nb", " ", "c\ufffd", *["x", "y"] * 10], "n": range(23)})
    assert [row[0] for row in examples(table, ["no", "yes", "no"] + ["no", "yes"] * 10).rows][:2] == ["x", "y"]


def test_rows_that_cannot_be_told_from_a_header_are_refused() -> None:
    table = pd.DataFrame({str(number): [0, 1, 2] * 10 for number in range(4)})
    with pytest.raises(Problem, match="holds names of columns: sent as CSV without a header"):
        examples(table, ["no", "yes"] * 15)


def test_the_answer_to_a_quantity_may_lie_beyond_what_was_seen_but_not_far() -> None:
    schema = answer_schema(Target("y", "regression", pd.Series([25.0, 346.2]), 0))
    assert schema == {"type": "number", "minimum": -297.0, "maximum": 668.0}
    assert answer_schema(Target("y", "regression", pd.Series([0.0, 1e-7]), 0))["maximum"] == 2e-7


def test_the_answer_to_a_class_is_one_of_them() -> None:
    schema = answer_schema(Target("y", "classification", pd.Series([1, 10, 2]), 0))
    good = {"label": 10, "probabilities": {"1": 0.1, "2": 0.2, "10": 0.7}}
    jsonschema.validate(good, schema)
    for bad in (
        {"label": "10"},
        {"label": 3},
        {"probabilities": {"1": 1.0}},
        {"probabilities": {"1": 2, "2": 0, "10": 0}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(good | bad, schema)
