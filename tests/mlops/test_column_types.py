"""What a column holds is found out as model/preprocess.py would; what cannot be a feature is refused with a remedy."""

import datetime
import decimal
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.own_data.column_types import Column, find_columns
from mlops.problem import Problem

N = 60


def found(values: object, name: str = "x", *, category: bool = False) -> Column:
    columns, _ = find_columns(pd.DataFrame({name: values}), [name] if category else [])
    return columns[0]


def refused(values: object, name: str = "x", *, category: bool = False) -> str:
    with pytest.raises(Problem) as problem:
        find_columns(pd.DataFrame({name: values}), [name] if category else [])
    assert "\n" not in str(problem.value)
    return str(problem.value)


def cycle(*values: object) -> list[object]:
    return [values[number % len(values)] for number in range(N)]


KINDS = {
    "floats": (np.arange(N) / 2, "number", "0 to 29.5"),
    "whole numbers, even as codes": (cycle(1, 2, 3), "number", "1 to 3"),
    "whole numbers with gaps": (cycle(1, None), "number", "always 1"),
    "one value": ([7] * N, "number", "always 7"),
    "0 and 1": (cycle(0, 1), "number", "0 to 1"),
    "nullable whole numbers": (pd.array(cycle(1, None, 3), dtype="Int64"), "number", "1 to 3"),
    "single precision": (np.arange(N, dtype="float32"), "number", "0 to 59"),
    "booleans": (cycle(True, False), "boolean", "50% true"),
    "booleans with gaps": (cycle(True, False, None), "boolean", "50% true"),
    "nullable booleans": (pd.array(cycle(True, None), dtype="boolean"), "boolean", "100% true"),
    "a few texts": (cycle("b", "a"), "category", "a, b"),
    "one text": (["a"] * N, "category", "a"),
    "texts with gaps": (cycle("a", None), "category", "a"),
    "yes and no": (cycle("yes", "no"), "category", "no, yes"),
    "texts beside true": (cycle("True", "maybe"), "category", "True, maybe"),
    "a few codes, most of them digits": (cycle("0", "1", "2", "3+"), "category", "0, 1, 2, 3+"),
    "long sentences that repeat": (cycle("I agree with this", "I do not agree"), "category", "I agree with this, I do"),
    "many texts that repeat": ([f"k{n // 2}" for n in range(N)], "category", "30 values, most often k"),
    "the categories of pandas": (pd.Categorical(cycle("a", "b")), "category", "a, b"),
    "numbers as categories of pandas": (pd.Categorical(cycle(1, 2)), "category", "1, 2"),
}


@pytest.mark.parametrize(("values", "kind", "shown"), KINDS.values(), ids=KINDS.keys())
def test_each_kind_is_told_from_the_others(values: object, kind: str, shown: str) -> None:
    column = found(values)
    assert column.type == kind
    assert column.shown.startswith(shown)
    assert (column.values is not None) == (kind == "category" and " values, " not in shown)


TIME = "make numbers of them (hour, weekday)"
REFUSED = {
    "an infinite number": ([*range(N - 1), np.inf], "is infinite in row 60: correct the value"),
    "dates": ([f"2024-01-{n % 28 + 1:02}" for n in range(N)], f"holds times, '2024-01-01' in row 1: {TIME}"),
    "a few dates": (cycle("2024-01-01", "2024-02-01"), "holds times"),
    "months": (cycle("2024-01", "2024-02"), "or take it as a category: --category x"),
    "times stamped": ([f"2013-01-01T{n % 24:02}:00:00Z" for n in range(N)], "holds times, '2013-01-01T00:00:00Z'"),
    "German dates": (cycle("31.01.2024", "1.2.2024"), "holds times"),
    "American dates": (cycle("1/31/24 10:00", "2/1/24 11:00"), "holds times"),
    "dates in words": (cycle("31 January 2024", "1 Feb 2024"), "holds times"),
    "times of day": (cycle("10:30", "9:15"), "holds times"),
    "times of pandas": (pd.date_range("2024-01-01", periods=N), f"holds times, 2024-01-01 00:00:00 in row 1: {TIME}"),
    "dates of Python": ([datetime.date(2024, 1, 1)] * N, "holds times, 2024-01-01 in row 1"),
    "spans": (pd.to_timedelta(range(N), unit="h"), "holds times"),
    "a word among numbers": (
        [*map(str, range(N - 1)), "large"],
        "holds numbers but 'large' in row 60: write plain num",
    ),
    "decimal commas": ([f"{n},5" for n in range(N)], "holds numbers but '0,5' in row 1"),
    "thousands": ([f"{n},000.50" for n in range(N)], "holds numbers but '0,000.50' in row 1"),
    "percents": ([f"{n} %" for n in range(N)], "holds numbers but '0 %' in row 1"),
    "money": ([f"€{n}" for n in range(N)], "holds numbers but '€0' in row 1"),
    "sentences": ([f"this is text {n}" for n in range(N)], "holds free text, 'this is text 0' in row 1"),
    "several lines": ([f"k{n % 25}" for n in range(N - 1)] + ["a\nb"], "holds free text, 'a\\nb' in row 60: make numb"),
    "long texts": ([f"k{n % 25}" for n in range(N - 1)] + ["a" * 300], "holds free text, 'aaaaa"),
    "another text in every row": ([f"c{n}" for n in range(N)], "has 60 texts in 60 rows, 'c0' in row 1: if it names"),
    "hardly any text twice": ([f"c{max(n, 1)}" for n in range(N)], "has 59 texts in 60 rows"),
    "lists": ([[1, 2]] * N, "holds values of the type list, [1, 2] in row 1: make numbers or texts of them"),
    "structures": ([{"a": 1}] * N, "holds values of the type dict"),
    "bytes": ([b"a"] * N, "holds values of the type bytes"),
    "decimals": ([decimal.Decimal("1.5")] * N, "holds values of the type Decimal, 1.5 in row 1"),
    "numbers and texts as Parquet never has": (cycle(1, "a"), "holds values of the type int"),
}


@pytest.mark.parametrize(("values", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_a_feature_is_refused_with_an_example_and_a_remedy(values: object, reason: str) -> None:
    text = refused(values)
    assert text.startswith("column 'x' ")
    assert reason in text
    assert text.endswith("or leave out: --ignore x")


def test_all_such_columns_are_named_at_once() -> None:
    table = pd.DataFrame({"when it was": cycle("10:30", "9:15"), "n": range(N), "id": [f"c{n}" for n in range(N)]})
    with pytest.raises(Problem) as problem:
        find_columns(table, [])
    text = str(problem.value)
    assert text.startswith("2 columns cannot be features: 'when it was' holds times")
    assert text.endswith("or leave out: --ignore 'when it was' --ignore id")
    assert "--id id" in text


def test_a_row_is_counted_as_in_the_file_although_values_are_missing_before_it() -> None:
    assert "is infinite in row 3" in refused([None, None, np.inf, *range(N)])
    assert "'€1' in row 3" in refused([None, None, *(f"€{n + 1}" for n in range(N))])


def test_whoever_insists_gets_a_category() -> None:
    assert found(cycle(1, 2, 10), category=True).values == ["1", "10", "2"]
    assert found(cycle(1.0, 2.0, None), category=True).values == ["1", "2"]
    assert found(cycle(1.5, 2.0), category=True).values == ["1.5", "2.0"]
    assert found(cycle("01", "02"), category=True).values == ["01", "02"]
    assert found(cycle(True, False), category=True).values == ["False", "True"]
    for values in ([f"c{n}" for n in range(N)], cycle("10:30", "9:15"), [f"{n} %" for n in range(N)]):
        assert found(values, category=True).type == "category"
    assert "holds times" in refused(pd.date_range("2024-01-01", periods=N), category=True)
    assert "of the type list" in refused([[1]] * N, category=True)


def test_all_values_of_a_category_are_listed_if_they_are_few() -> None:
    assert found([f"k{n % 20:02}" for n in range(N)]).values == [f"k{n:02}" for n in range(20)]
    assert found([f"k{n % 21}" for n in range(N)]).values is None


def test_a_column_with_hardly_a_value_is_left_out_with_a_warning() -> None:
    few = [1.5] * 9 + [None] * 51
    columns, warnings = find_columns(pd.DataFrame({"none": [None] * N, "few": few, "x": range(0, 2 * N, 2)}), [])
    assert [column.name for column in columns] == ["x"]
    assert warnings == [
        "'none' is left out: no of 60 rows have a value in it.",
        "'few' is left out: 9 of 60 rows have a value in it.",
    ]


def test_people_hear_of_numbers_that_count_the_rows_and_of_too_many_categories() -> None:
    _, warnings = find_columns(pd.DataFrame({"row nr": range(5, 5 + N)}), [])
    assert warnings == ["'row nr' counts the rows; if it names them: --id 'row nr'"]
    _, warnings = find_columns(pd.DataFrame({"city": [f"k{n % 300}" for n in range(900)]}), [])
    assert warnings == ["'city' has 300 texts: the model learns the 254 most frequent ones."]


def test_the_share_of_missing_values_leaves_tomorrow_some_room() -> None:
    assert "missing" not in found(range(0, 2 * N, 2)).settings()
    assert found([None] * 1 + [1.5] * 999).settings()["missing"] == 0.02
    assert found([None] * 500 + [1.5] * 500).settings()["missing"] == 0.56
    assert found([None] * 950 + [1.5] * 50).settings()["missing"] == 1.0


@given(st.lists(st.none() | st.text(string.printable, max_size=30) | st.booleans(), min_size=12, max_size=80))
def test_whatever_a_column_holds_is_described_or_refused_in_one_line(values: list[object]) -> None:
    try:
        columns, _ = find_columns(pd.DataFrame({"x": pd.Series(values, dtype=object)}), [])
    except Problem as problem:
        assert "\n" not in str(problem)
        return
    for column in columns:
        known = {str(value) for value in values if value is not None}
        assert column.values is None or set(column.values) == known
        assert column.settings()["type"] in {"boolean", "category"}


def test_texts_that_are_all_plain_numbers_are_categories_where_the_file_has_them_as_texts() -> None:
    codes = pd.DataFrame({"zip": [f"{number % 30:05}" for number in range(300)]}, dtype=object)
    columns, _ = find_columns(codes, [])
    assert [(column.name, column.type) for column in columns] == [("zip", "category")]
