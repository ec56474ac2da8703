"""The model code takes other tables than the sample: your own, with all that real tables have."""

import json
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evaluate
import inference
import numpy as np
import pandas as pd
import preprocess
import pytest
import scoring
import train
from conftest import MODEL

from mlops.settings import Settings

ROWS = 240
TARGET = "Ziel, Wert"
ID = "Kunde Nr."


def own_table() -> pd.DataFrame:
    """Return a table with awkward names, gaps, texts, booleans, and columns without information."""
    random = np.random.default_rng(7)
    size = random.normal(170, 10, ROWS)
    city = random.choice(["Paris", "Köln, am Rhein", 'the "Hague"', "None", "01"], ROWS)
    table = pd.DataFrame(
        {
            ID: [f"c{number:04}" for number in range(ROWS)],
            "Größe [cm] < 2": size,
            "city": city,
            "smoker": random.random(ROWS) < 0.5,
            "visits": random.integers(0, 9, ROWS),
            "always 1": 1,
            "always missing": np.nan,
            TARGET: size + 25 * (city == "Paris") + random.normal(0, 2, ROWS),
        }
    )
    for name in ("Größe [cm] < 2", "city", "smoker"):
        table[name] = table[name].astype(object).where(random.random(ROWS) > 0.1)
    return table


def targets(task: str) -> dict[str, Any]:
    """Return ways to write the target, as functions of the quantity behind it."""
    if task == "regression":
        return {"numbers": lambda value: value, "whole numbers": lambda value: value.round().astype(int)}
    return {
        "two texts": lambda value: pd.Series(np.where(value > 175, "yes", "no")),
        "three texts": lambda value: pd.cut(value, [0, 170, 180, 999], labels=["lo, w", "mid", "häch"]).astype(str),
        "whole numbers": lambda value: pd.cut(value, [0, 165, 175, 185, 999], labels=[1, 2, 10, 20]).astype(int),
        "booleans": lambda value: value > 175,
    }


CLASSES = {
    "two texts": ["no", "yes"],
    "three texts": ["häch", "lo, w", "mid"],
    "whole numbers": [1, 2, 10, 20],
    "booleans": ["False", "True"],
}


def run(table: pd.DataFrame, folder: Path, *arguments: str, parquet: bool = False) -> Path:
    """Run the three scripts on a table, and return the folder of what they left."""
    (folder / "in").mkdir()
    if parquet:
        table.to_parquet(folder / "in" / "table.parquet")
    else:
        table.to_csv(folder / "in" / "table.csv", index=False)
    options = {"--input-dir": "in", "--output-dir": "data"}
    known = [] if "--schema-dir" in arguments else ["--target", TARGET, "--id", ID]
    preprocess.main([*paths(folder, options), *known, *arguments])
    options = {"--train": "data/train", "--validation": "data/validation"}
    train.main(paths(folder, options | {"--model-dir": "model", "--output-data-dir": "output"}))
    options = {"--model-dir": "model", "--test-dir": "data/test", "--output-dir": "evaluation"}
    evaluate.main(paths(folder, options))
    return folder


def paths(folder: Path, options: dict[str, str]) -> list[str]:
    return [word for name, path in options.items() for word in (name, str(folder / path))]


def schema_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model" / "schema.json").read_text("utf-8"))


def metrics_of(folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "evaluation" / "evaluation.json").read_text("utf-8"))
    return next(group for name, group in report.items() if name.endswith("_metrics"))


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """Save time: the spread of the metrics is not looked at here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "RESAMPLES", 20)
        yield


@pytest.fixture(scope="module")
def own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the awkward table, with a target of the task's simplest kind."""
    table = own_table()
    table[TARGET] = next(iter(targets(settings.model.task).values()))(table[TARGET])
    return run(table, tmp_path_factory.mktemp("own"))


def ask(folder: Path, rows: Any) -> list[Any]:
    request = inference.input_fn(json.dumps(rows), "application/json")
    prediction = inference.predict_fn(request, inference.model_fn(folder / "model"))
    return json.loads(inference.output_fn(prediction, "application/json")[0])["predictions"]


ROW = {
    "Größe [cm] < 2": 171.5,
    "city": "Paris",
    "smoker": True,
    "visits": 3,
    "always 1": 1,
}


def test_columns_of_every_kind_are_told_apart(own: Path) -> None:
    assert schema_of(own)["features"] == {
        "Größe [cm] < 2": "number",
        "city": "category",
        "smoker": "boolean",
        "visits": "number",
        "always 1": "number",
    }


def test_a_column_without_a_value_is_no_feature(own: Path) -> None:
    with pytest.raises(ValueError, match="unknown column 'always missing'"):
        ask(own, [{**ROW, "always missing": None}])


def test_an_id_is_no_feature_but_finds_its_row_again(own: Path) -> None:
    predictions = pd.read_csv(own / "evaluation" / "predictions.csv")
    test = pd.read_csv(own / "data" / "test" / "test.csv")
    assert predictions[ID].tolist() == test[ID].tolist()
    with pytest.raises(ValueError, match=r"unknown column 'Kunde Nr\."):
        ask(own, [{ID: "c1", **ROW}])


def test_ids_are_in_one_split_only(own: Path) -> None:
    ids = [set(pd.read_csv(own / "data" / name / f"{name}.csv")[ID]) for name in ("train", "validation", "test")]
    assert len(set.union(*ids)) == sum(len(some) for some in ids) == ROWS


def test_the_model_learns_from_numbers_and_categories(own: Path, settings: Settings) -> None:
    if settings.model.task == "regression":
        assert metrics_of(own)["r2"]["value"] > 0.6
        low, high = ask(own, [ROW | {"Größe [cm] < 2": 155}, ROW | {"Größe [cm] < 2": 185}])
        assert high > low + 10
        paris, other = ask(own, [ROW, ROW | {"city": "01"}])
        assert paris > other + 10
    else:
        assert metrics_of(own)["auc"]["value"] > 0.8
        answers = ask(own, [ROW | {"city": "01"}, ROW, ROW | {"Größe [cm] < 2": 190}])
        likely = [one["probabilities"]["yes"] for one in answers]
        assert likely[0] < 0.5 < likely[1]
        assert likely[2] > 0.9


def test_a_text_never_seen_counts_as_missing(own: Path) -> None:
    unseen, missing, empty = ask(own, [ROW | {"city": text} for text in ("Atlantis", None, "")])
    assert unseen == missing == empty


def test_texts_that_look_like_gaps_or_numbers_stay_texts(own: Path) -> None:
    assert "01" in schema_of(own)["categories"]["city"]
    none, one = ask(own, [ROW | {"city": "01"}, ROW | {"city": "1"}])
    assert none != one or schema_of(own)["categories"]["city"].count("1") == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"city": 1}, "1 stands where text belongs"),
        ({"smoker": 1}, "1 stands where true or false belongs"),
        ({"smoker": "yes"}, '"yes" stands where true or false belongs'),
        ({"visits": "3"}, '"3" stands where a number belongs'),
        ({"visits": True}, "true stands where a number belongs"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(own: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ask(own, [ROW | change])


def test_every_way_to_write_the_target_is_understood(settings: Settings, tmp_path: Path) -> None:
    for number, (name, write) in enumerate(targets(settings.model.task).items()):
        if number == 0:
            continue  # that of the fixture
        table = own_table()
        table[TARGET] = write(table[TARGET])
        (tmp_path / str(number)).mkdir()
        folder = run(table, tmp_path / str(number), parquet=number % 2 == 1)
        if settings.model.task == "classification":
            assert schema_of(folder)["classes"] == CLASSES[name]
            assert ask(folder, [ROW])[0]["label"] in CLASSES[name]
            assert metrics_of(folder)["accuracy"]["value"] > 0.5


DECLARED = {"city": "category", "smoker": "boolean", "visits": "category", "Größe [cm] < 2": "number"}


def declare(folder: Path, task: str, columns: dict[str, str], rows_without_target: str = "refuse") -> list[str]:
    """Write what mlops.yaml would say of the table; return the arguments that point there."""
    (folder / "schema").mkdir()
    content = {"target": TARGET, "task": task, "id_columns": [ID], "rows_without_target": rows_without_target}
    content["columns"] = {name: {"type": kind, "missing": 1.0} for name, kind in columns.items()}
    (folder / "schema" / "data.json").write_text(json.dumps(content), "utf-8")
    return ["--schema-dir", str(folder / "schema")]


@pytest.mark.parametrize("parquet", [False, True])
def test_declared_columns_are_the_only_features_and_of_the_declared_type(
    settings: Settings, tmp_path: Path, parquet: bool
) -> None:
    table = own_table()
    table[TARGET] = next(iter(targets(settings.model.task).values()))(table[TARGET])
    folder = run(table, tmp_path, *declare(tmp_path, settings.model.task, DECLARED), parquet=parquet)
    schema = schema_of(folder)
    assert list(schema["features"].items()) == list(DECLARED.items())
    assert set(schema["categories"]["visits"]) <= {str(number) for number in range(9)}
    assert len(ask(folder, [{name: ROW[name] for name in DECLARED} | {"visits": "3"}])) == 1
    baseline = json.loads((folder / "model" / "baseline.json").read_text("utf-8"))
    assert {name: column["type"] for name, column in baseline["columns"].items()} == DECLARED
    assert sum(baseline["columns"]["visits"]["shares"].values()) == pytest.approx(1)


def test_a_code_with_leading_zeros_stays_what_it_is(settings: Settings, tmp_path: Path) -> None:
    table = own_table()
    table[TARGET] = next(iter(targets(settings.model.task).values()))(table[TARGET])
    table["visits"] = table["visits"].map("{:05}".format)
    folder = run(table, tmp_path, *declare(tmp_path, settings.model.task, DECLARED))
    assert "00003" in schema_of(folder)["categories"]["visits"]


def test_rows_without_a_target_are_dropped_where_that_is_declared(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = own_table()
    write = list(targets(settings.model.task).values())[1 if settings.model.task == "regression" else 2]
    table[TARGET] = write(table[TARGET]).astype(float).where(table.index % 10 != 3)  # whole numbers with gaps
    folder = run(table, tmp_path, *declare(tmp_path, settings.model.task, DECLARED, "drop"))
    splits = [pd.read_csv(folder / "data" / name / f"{name}.csv") for name in ("train", "validation", "test")]
    assert sum(map(len, splits)) == ROWS - 24
    assert f"24 rows have no target {TARGET!r}: left out" in capsys.readouterr().out
    assert not set(pd.concat(splits)[ID]) & set(table[ID][table[TARGET].isna()])


@pytest.mark.parametrize(
    ("column", "kind", "reason"),
    [
        ("city", "number", r"column 'city' holds '.+' in row \d+ where a finite number belongs: correct it, or"),
        ("city", "boolean", r"column 'city' holds '.+' in row \d+ where true or false belongs: correct it, or"),
        ("smoker", "number", r"column 'smoker' holds '(True|False)' in row \d+ where a finite number belongs"),
        ("vists", "number", "no column is called 'vists': did you mean 'visits'?"),
        (TARGET, "number", "is target or id: take it out of data.columns"),
    ],
)
def test_a_column_that_is_not_as_declared_is_refused(
    settings: Settings, tmp_path: Path, column: str, kind: str, reason: str
) -> None:
    table = own_table()
    table[TARGET] = next(iter(targets(settings.model.task).values()))(table[TARGET])
    with pytest.raises(ValueError, match=reason) as error:
        run(table, tmp_path, *declare(tmp_path, settings.model.task, {"visits": "number", column: kind}))
    found = re.search(r"holds '(.+)' in row (\d+)", str(error.value))
    assert found is None or str(table[column][int(found[2]) - 1]) == found[1]


def test_a_row_without_features_is_left_out(tmp_path: Path, settings: Settings) -> None:
    table = own_table()[[ID, "visits", TARGET]]
    table[TARGET] = next(iter(targets(settings.model.task).values()))(table[TARGET])
    table["visits"] = table["visits"].astype(float).where(table["visits"] > 0)
    folder = run(table, tmp_path)
    splits = [pd.read_csv(folder / "data" / name / f"{name}.csv") for name in ("train", "validation", "test")]
    assert sum(map(len, splits)) == table["visits"].notna().sum() < ROWS


def test_the_order_of_equally_frequent_categories_is_stable(own: Path) -> None:
    categories = schema_of(own)["categories"]["city"]
    assert categories == sorted(categories)


def refused(table: pd.DataFrame, folder: Path, *arguments: str) -> str:
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the callers look at the text)
        run(table, folder, *arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_target_that_is_not_there_is_refused_with_the_likely_name(tmp_path: Path) -> None:
    table = own_table().rename(columns={TARGET: "Ziel, Wret"})
    assert "did you mean 'Ziel, Wret'?" in refused(table, tmp_path)


def test_a_gap_in_the_target_is_refused_with_its_row(tmp_path: Path) -> None:
    table = own_table()
    table.loc[11, TARGET] = np.nan
    assert "is empty in row 12" in refused(table, tmp_path)


def test_a_target_of_the_other_task_is_refused(settings: Settings, tmp_path: Path) -> None:
    table = own_table()
    if settings.model.task == "regression":
        table[TARGET] = np.where(table[TARGET] > 175, "yes", "no")
        assert "the task is classification" in refused(table, tmp_path)
    else:
        assert "the task is regression" in refused(table, tmp_path)


def test_infinite_values_are_refused_with_column_and_row(settings: Settings, tmp_path: Path) -> None:
    table = own_table()
    table[TARGET] = next(iter(targets(settings.model.task).values()))(table[TARGET])
    table["visits"] = table["visits"].astype(float).replace(table["visits"][4], np.inf)
    row = int(np.isinf(table["visits"]).idxmax()) + 1
    assert f"column 'visits' is infinite in row {row}" in refused(table, tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,a\n1,2\n", "two columns are called 'a'"),
        (",a\n0,2\n", "column 1 has no name"),
        ("a,b\n1,2,3\n4,5,6\n", "Expected 2 fields in line 2, saw 3"),
        ("a,b\n", "no rows"),
        ("", "table.csv: the file is empty"),
        ('a,b\n1,"open\n', "table.csv:"),
        ("a;b\n1,5;2,5\n", "commas must separate the columns, but the first line is 'a;b'"),
        ("a,b\n1,\0\n", "zero bytes"),
        (b"a,b\n1,K\xf6ln\n", "not UTF-8"),
    ],
)
def test_a_file_that_would_be_misread_is_refused(tmp_path: Path, content: str | bytes, reason: str) -> None:
    (tmp_path / "table.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=reason):
        preprocess.main(["--input-dir", str(tmp_path), "--output-dir", str(tmp_path), "--target", "a"])


def test_one_file_is_needed_and_one_only(tmp_path: Path) -> None:
    arguments = ["--input-dir", str(tmp_path), "--output-dir", str(tmp_path), "--target", "a"]
    with pytest.raises(ValueError, match="found: none"):
        preprocess.main(arguments)
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"found: one\.csv, two\.csv"):
        preprocess.main(arguments)


@pytest.mark.parametrize(
    ("script", "options", "reason"),
    [
        ("preprocess.py", ["--input-dir", "nowhere", "--target", "a"], "found: none"),
        ("train.py", ["--train", "nowhere"], "no schema.json in nowhere: preprocess.py writes it"),
        ("evaluate.py", ["--model-dir", "nowhere", "--test-dir", "nowhere"], "nowhere"),
    ],
)
def test_a_script_says_in_one_line_what_is_wrong(
    script: str, options: list[str], reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [script, *options])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(MODEL / script), run_name="__main__")
    assert str(stopped.value).startswith(f"{script}: ")
    assert reason in str(stopped.value)
    assert "\n" not in str(stopped.value)
