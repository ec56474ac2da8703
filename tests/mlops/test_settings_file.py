"""mlops.yaml is changed without losing a word of what people wrote."""

import difflib
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops.own_data.settings_file import changed
from mlops.problem import Problem

TEXT = """\
# Ours.
project: {name: 'Tumor: "Diagnosis"', slug: tumor-diagnosis}

data:  # the table
  path: "data/x.csv"   # where it lies
  target: diagnosis  # the column to predict
  id_columns: []  # columns that name a row
  # A quarter would be too much.
  test_fraction: 0.20
  columns: {}  # what each holds

# How good.
evaluation:
  metric: auc  # what decides
  threshold: 0.95  # at least
  comparison:
    tolerance: 0.01  # how much worse

environments:
  dev: {account: null, region: us-east-1}  # account: in quotes
  prod: {account: '012345678901', region: us-east-1}
"""

COLUMNS = {"age": {"type": "number", "missing": 0.1}, "city": {"type": "category", "values": ["Paris", "no"]}}


def comments(text: str) -> list[str]:
    return re.findall(r"# .*", text)


def change(text: str, **data: Any) -> str:
    return changed(text, {"data": data})


def difference(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@")]


def test_only_the_lines_of_the_changed_values_change() -> None:
    after = changed(
        TEXT,
        {
            "data": {"path": "data/my file.csv", "target": "no", "id_columns": ["a, b"], "columns": COLUMNS},
            "evaluation": {"metric": "auc", "threshold": 0.5, "comparison": {"tolerance": 0.02}},
        },
    )
    assert difference(TEXT, after) == [
        '-  path: "data/x.csv"   # where it lies',
        "-  target: diagnosis  # the column to predict",
        "-  id_columns: []  # columns that name a row",
        '+  path: "data/my file.csv"  # where it lies',
        '+  target: "no"  # the column to predict',
        '+  id_columns: ["a, b"]  # columns that name a row',
        "-  columns: {}  # what each holds",
        "+  columns:  # what each holds",
        "+    age: {type: number, missing: 0.1}",
        '+    city: {type: category, values: [Paris, "no"]}',
        "-  threshold: 0.95  # at least",
        "+  threshold: 0.5  # at least",
        "-    tolerance: 0.01  # how much worse",
        "+    tolerance: 0.02  # how much worse",
    ]
    assert comments(after) == comments(TEXT)
    assert 'city: {type: category, values: [Paris, "no"]}\n\n# How good.\nevaluation:' in after


def test_what_is_the_same_stays_the_same_to_the_byte() -> None:
    same = {"path": "data/x.csv", "target": "diagnosis", "id_columns": [], "columns": {}}
    assert change(TEXT, **same) == TEXT
    once = change(TEXT, columns=COLUMNS)
    assert change(once, columns=COLUMNS) == once


def test_new_keys_stand_beside_their_like_and_never_take_the_next_sections_comment() -> None:
    text = TEXT.replace("  columns: {}  # what each holds\n", "")
    after = change(text, source="s3://bucket/x.csv", rows_without_target="drop", columns=COLUMNS)
    assert list(yaml.safe_load(after)["data"]) == [
        "path", "source", "target", "id_columns", "rows_without_target", "columns", "test_fraction",
    ]  # fmt: skip
    assert "\n\n# How good.\nevaluation:" in after
    short = "data: {path: a, target: b}\nevaluation:\n  metric: auc\n\n# The end.\njobs: {}\n"
    assert "\n\n# The end.\njobs" in changed(short, {"evaluation": {"comparison": {"tolerance": 1}}})
    assert yaml.safe_load(change(short, columns=COLUMNS))["data"]["columns"] == COLUMNS


def test_the_order_of_the_columns_is_that_of_the_file() -> None:
    once = change(TEXT, columns=COLUMNS)
    turned = dict(reversed(COLUMNS.items()))
    assert list(yaml.safe_load(change(once, columns=turned))["data"]["columns"]) == ["city", "age"]


def test_comments_of_columns_stay_with_them() -> None:
    once = change(TEXT, columns=COLUMNS)
    commented = once.replace("missing: 0.1}", "missing: 0.1}  # years\n    # Where they live:").replace(
        '"no"]}', '"no"]}  # by post'
    )
    more = {"new": {"type": "number"}, **COLUMNS, "last": {"type": "boolean"}}
    after = change(commented, columns=more)
    assert "age: {type: number, missing: 0.1}  # years\n    # Where they live:\n    city: {" in after
    assert '"no"]}  # by post\n    last: {type: boolean}\n\n# How good.' in after
    fewer = change(after, columns={"city": {"type": "category"}})
    assert "    city: {type: category}  # by post\n\n# How good." in fewer
    other = change(after, columns={"other": {"type": "number"}})
    assert "    other: {type: number}\n\n# How good." in other


def test_anchors_and_indented_lists_survive() -> None:
    text = TEXT.replace("{account: null, region: us-east-1}", "&here {account: null, region: us-east-1}")
    text = text.replace("  prod: {account: '012345678901', region: us-east-1}", "  prod: *here")
    after = change(text, target="y")
    assert "dev: &here {account: null, region: us-east-1}  # account: in quotes\n  prod: *here\n" in after


def test_what_cannot_be_changed_without_loss_is_refused() -> None:
    with pytest.raises(Problem, match=r"^mlops\.yaml cannot be changed: [^\n]+$"):
        change("data: {path: [}\n", target="y")
    shared = "evaluation: &same {metric: auc}\ndata: *same\n"  # a change in one would be one in the other
    with pytest.raises(Problem, match="set data by hand"):
        change(shared, metric="f1")


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=150)
WORDS = st.sampled_from(["yes", "no", "null", "~", "1", "1e5", "0x1F", "2024-01-01", "<<", "=", "- a", "a: b", "a #b", "&a", "*a", "!a", "%a", "@a", "`a", "? a", "{a", "[a", "'a", '"a', " a ", "a\\nb", "01", "1_000", "12:30", "off", "ä", "😀", "\ufeffx", "x" * 300])  # fmt: skip


@pytest.mark.slow
@given(st.dictionaries(NAMES | WORDS, st.lists(NAMES | WORDS, max_size=3), max_size=4), NAMES | WORDS)
def test_every_name_is_read_back_as_it_is(columns: dict[str, list[str]], name: str) -> None:
    entries: dict[str, Any] = {key: {"type": "category", "values": values} for key, values in columns.items()}
    after = change(TEXT, target=name, id_columns=[name], path=f"data/{name}", columns=entries)
    data = yaml.safe_load(after)["data"]
    assert (data["target"], data["id_columns"], data["path"]) == (name, [name], f"data/{name}")
    assert list(data["columns"].items()) == list(entries.items())
    assert comments(TEXT)[-1] in after
    again = change(after, target=name, columns=dict(reversed(entries.items())))
    assert yaml.safe_load(again)["data"]["columns"] == entries
    assert "# How good." in again
