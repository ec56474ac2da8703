"""Requests are answered the same in every form, or refused with a reason."""

import json
import math
from typing import Any

import inference
import numpy as np
import pandas as pd
import payload
import pytest
from conftest import Answer, Job

from mlops.settings import Settings


def instances(rows: pd.DataFrame) -> str:
    return json.dumps({"instances": json.loads(rows.to_json(orient="records", double_precision=15))})


def lists(rows: pd.DataFrame) -> str:
    return json.dumps({"instances": json.loads(rows.to_json(orient="values", double_precision=15))})


def number_column(job: Job) -> str:
    names = [name for name, kind in job.schema["features"].items() if kind == "number"]
    return names[0] if names else pytest.skip("no feature is a number")


def test_each_row_gets_one_answer(settings: Settings, answer: Answer, rows: pd.DataFrame, job: Job) -> None:
    answers = answer(instances(rows), "application/json")
    assert len(answers) == len(rows)
    for one in answers:
        if settings.model.task == "regression":
            assert math.isfinite(one)
        else:
            assert list(one["probabilities"]) == [str(label) for label in job.schema["classes"]]
            assert sum(one["probabilities"].values()) == pytest.approx(1)
            assert str(one["label"]) == max(one["probabilities"], key=one["probabilities"].get)
            assert one["label"] in job.schema["classes"]


def test_every_form_of_a_request_gets_the_same_answer(answer: Answer, rows: pd.DataFrame) -> None:
    turned = rows[rows.columns[::-1]]
    csv = rows.to_csv(index=False)
    expected = answer(csv, "text/csv")
    assert answer(rows.to_csv(index=False, header=False), "text/csv") == expected
    assert answer(csv.encode(), "text/csv; charset=utf-8") == expected
    assert answer(bytearray(csv, "utf-8"), "TEXT/CSV") == expected
    assert answer("\ufeff" + csv.replace("\n", "\r\n"), "text/csv") == expected
    assert answer(csv.rstrip("\n"), "text/csv") == expected
    assert answer(turned.to_csv(index=False), "text/csv") == expected
    assert answer(instances(rows), "application/json") == expected
    assert answer(instances(turned), "application/json") == expected
    assert answer(lists(rows), "application/json") == expected
    assert answer(json.dumps(json.loads(lists(rows))["instances"]), "application/json") == expected


def test_rows_do_not_influence_each_other(answer: Answer, rows: pd.DataFrame) -> None:
    together = answer(instances(rows), "application/json")
    alone = [answer(instances(rows[number : number + 1]), "application/json")[0] for number in range(len(rows))]
    assert alone == together
    assert answer(instances(rows[::-1]), "application/json") == together[::-1]


def test_csv_answers_hold_what_json_answers_hold(settings: Settings, answer: Answer, rows: pd.DataFrame) -> None:
    lines = answer(instances(rows), "application/json", "text/csv").splitlines()
    answers = answer(instances(rows), "application/json")
    for line, one in zip(lines, answers, strict=True):
        if settings.model.task == "regression":
            assert float(line) == one
        else:
            label, *probabilities = line.split(",")
            assert label == str(one["label"])
            assert [float(text) for text in probabilities] == list(one["probabilities"].values())


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/html, text/csv;q=0.9", "text/csv"),
        ("application/*", "application/json"),
    ],
)
def test_the_answer_comes_in_the_first_type_that_is_accepted(accept: str | None, kind: str) -> None:
    assert inference.accepted_type(accept) == kind


def test_an_answer_that_nobody_can_write_is_refused() -> None:
    with pytest.raises(ValueError, match="ask for application/json or text/csv"):
        inference.accepted_type("image/png")


def test_a_missing_value_is_answered_the_same_in_csv_and_json(answer: Answer, rows: pd.DataFrame, job: Job) -> None:
    name = number_column(job)
    gap = rows.astype({name: float}).copy()
    gap[name] = np.nan
    assert answer(gap.to_csv(index=False), "text/csv") == answer(instances(gap), "application/json")


def test_the_refusal_names_row_column_and_value(answer: Answer, rows: pd.DataFrame, job: Job) -> None:
    name = number_column(job)
    broken = rows.astype(object).copy()
    broken.iloc[2, broken.columns.get_loc(name)] = "abc"
    for body, kind in [(broken.to_csv(index=False), "text/csv"), (instances(broken), "application/json")]:
        with pytest.raises(ValueError, match="stands where a number belongs") as error:
            answer(body, kind)
        assert "row 3" in str(error.value)
        assert repr(name) in str(error.value)
        assert '"abc"' in str(error.value)


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "1e999", "1_000", "0x1F", "١٢", "1,5", "--1"])
def test_what_is_not_quite_a_number_is_refused(answer: Answer, rows: pd.DataFrame, job: Job, text: str) -> None:
    broken = rows.astype({number_column(job): object}).head(1).copy()
    broken[number_column(job)] = text
    with pytest.raises(ValueError, match="stands where a number belongs"):
        answer(broken.to_csv(index=False), "text/csv")


@pytest.mark.parametrize("value", [True, "1", [1], {"a": 1}, 10**400])
def test_json_of_another_type_is_refused(answer: Answer, rows: pd.DataFrame, job: Job, value: Any) -> None:
    row = json.loads(instances(rows))["instances"][0] | {number_column(job): value}
    with pytest.raises(ValueError, match="stands where a number belongs"):
        answer(json.dumps([row]), "application/json")


def test_a_headerless_row_must_have_exactly_the_features(answer: Answer, rows: pd.DataFrame) -> None:
    short, long = rows[rows.columns[1:]], rows.assign(more=1)
    for table in (short, long):
        with pytest.raises(ValueError, match=f"has {table.shape[1]} values where {rows.shape[1]} are expected"):
            answer(table.to_csv(index=False, header=False), "text/csv")


def test_a_misspelt_column_is_named(answer: Answer, rows: pd.DataFrame) -> None:
    if rows.shape[1] < 3:
        pytest.skip("with one or two features there is no telling a header from values")
    wrong = rows.rename(columns={rows.columns[0]: "mispelt"})
    with pytest.raises(ValueError, match="unknown column 'mispelt'"):
        answer(wrong.to_csv(index=False), "text/csv")
    with pytest.raises(ValueError, match="unknown column 'mispelt'"):
        answer(instances(wrong), "application/json")


def test_a_row_that_lacks_a_column_is_named(answer: Answer, rows: pd.DataFrame) -> None:
    request = json.loads(instances(rows))
    del request["instances"][1][rows.columns[0]]
    with pytest.raises(ValueError, match="row 2 lacks the column") as error:
        answer(json.dumps(request), "application/json")
    assert repr(rows.columns[0]) in str(error.value)


def test_too_many_rows_are_refused(answer: Answer, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MAX_ROWS", 3)
    with pytest.raises(ValueError, match="are too many: send at most 3"):
        answer(instances(rows), "application/json")
    assert len(answer(instances(rows.head(3)), "application/json")) == 3


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "text/csv", "the body is empty"),
        (b" \n", "application/json", "the body is empty"),
        (b"\xff", "text/csv", "not UTF-8 at byte 0"),
        (b"1", None, "content type None is unknown"),
        (b"1", "application/x-npy", "send text/csv or application/json"),
        (b'"open', "text/csv", "the CSV is broken"),
        (b'{"instances": [[1]', "application/json", "the JSON is broken at line 1"),
        (b"[" * 100_000, "application/json", "nested too deeply"),
        (b"[[NaN]]", "application/json", "NaN is no JSON"),
        (b"[]", "application/json", "there are no instances"),
        (b'{"instances": 1}', "application/json", "the rows are 1"),
        (b'{"instances": [[1]], "more": 1}', "application/json", "send {"),
        (b'["\\ud800"]', "application/json", "row 1 is"),
    ],
)
def test_a_broken_request_is_refused_in_one_line(answer: Answer, body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the reason is looked at below)
        answer(body, content_type)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    str(error.value).encode()  # the reason can be sent
