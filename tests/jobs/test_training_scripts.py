"""preprocess.py and train.py of every task and framework, on a table that mlops.yaml declares."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import SOURCE
from tests.jobs.conftest import VARIANTS, Checked, column, declare, run_check, scripts_of

ROWS = 300
COLUMNS = {
    "zip": column("category", missing=0.2),
    "flag": column("boolean"),
    "size": column("number", missing=0.2, minimum=0),
    "city": column("category", values=["Rome", "Oslo", "Bonn"]),
}
ARGUMENTS = {"scikit-learn": ["--max_iter", "20"], "xgboost": ["--n_estimators", "20"]}


def own_table(task: str) -> pd.DataFrame:
    """A table with a code that looks like a number, flags as 0 and 1, gaps, and columns that nobody declares."""
    random = np.random.default_rng(3)
    size = random.gamma(2, 50, ROWS)
    city = random.choice(["Rome", "Oslo", "Bonn"], ROWS)
    y = size + 60 * (city == "Rome") + random.normal(0, 5, ROWS)
    table = pd.DataFrame(
        {
            "note": "same",
            "size": pd.Series(size).where(random.random(ROWS) > 0.1),
            "y": y if task == "regression" else pd.Series((y > 120).astype(float)),
            "city": city,
            "zip": pd.Series(random.integers(0, 20, ROWS)).map("{:05}".format).where(random.random(ROWS) > 0.1),
            "flag": random.integers(0, 2, ROWS),
            "id": range(ROWS),
        }
    )
    table.loc[table.index % 30 == 7, "y"] = np.nan
    return table


def write(table: pd.DataFrame, folder: Path, task: str, **declared: Any) -> list[str]:
    (folder / "data").mkdir(parents=True)
    table.to_csv(folder / "data" / "table.csv", index=False)
    content = {"task": task, "id_columns": ["id"], "rows_without_target": "drop", "columns": COLUMNS} | declared
    schema = declare(folder / "schema", **content)
    arguments = ["--input-dir", folder / "data", "--schema-dir", schema, "--output-dir", folder / "splits"]
    return [*map(str, arguments)]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "framework"), VARIANTS)
def test_what_is_declared_is_learned_described_and_not_news_to_the_next_check(
    task: str,
    framework: str,
    rendered: dict[tuple[str, str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = own_table(task)
    arguments = write(table, tmp_path, task)
    folders = {"--train": "splits/train", "--validation": "splits/validation", "--model-dir": "model"}
    folders |= {"--output-data-dir": "output"}
    trained = [word for name, path in folders.items() for word in (name, str(tmp_path / path))]
    with scripts_of(rendered[task, framework] / "model") as script:
        script("preprocess").main(arguments)
        printed = capsys.readouterr().out
        script("train").main([*trained, *ARGUMENTS[framework]])
        learned = script("schema")
        train = learned.read_table(tmp_path / "splits" / "train" / "train.csv", learned.Schema.read(tmp_path / "model"))

    assert "warning: 10 rows have no target 'y': left out\n" in printed
    schema = json.loads((tmp_path / "splits" / "train" / "schema.json").read_text("utf-8"))
    kinds = {name: one["type"] for name, one in COLUMNS.items()}
    assert schema == {"target": "y", "features": kinds, "categories": {}, "classes": []}
    splits = [
        pd.read_csv(tmp_path / "splits" / name / f"{name}.csv", dtype=str) for name in ("train", "validation", "test")
    ]
    assert [len(split) for split in splits] == [174, 58, 58]
    assert all(list(split) == ["id", *COLUMNS, "y"] for split in splits)
    together = pd.concat(splits).set_index("id").sort_index(key=lambda ids: ids.astype(int))
    source = table[table["y"].notna()].set_index("id")
    assert together["zip"].tolist() == pytest.approx(source["zip"].tolist(), nan_ok=True)
    assert together["flag"].tolist() == [str(bool(flag)) for flag in source["flag"]]
    assert together["size"].astype(float).tolist() == pytest.approx(source["size"].tolist(), nan_ok=True)
    if task == "classification":
        assert set(together["y"]) == {"0", "1"}

    environment = json.loads((tmp_path / "model" / "environment.json").read_text("utf-8"))
    assert environment["python"] == platform.python_version()
    installed = {re.sub(r"[-_.]+", "-", one.name).lower(): one.version for one in distributions()}
    assert environment["packages"] == installed
    assert {"scikit-learn", "pandas", "xgboost-cpu" if framework == "xgboost" else "joblib"} <= installed.keys()

    baseline = json.loads((tmp_path / "model" / "baseline.json").read_text("utf-8"))
    assert baseline["rows"] == 174
    assert {name: one["type"] for name, one in baseline["columns"].items()} == kinds
    for name, one in baseline["columns"].items():
        assert one["missing"] == pytest.approx(train[name].isna().mean())
    assert baseline["columns"]["size"]["mean"] == pytest.approx(train["size"].mean())
    assert baseline["columns"]["flag"]["true"] == pytest.approx(train["flag"].mean())
    assert baseline["columns"]["zip"]["shares"] == pytest.approx(train["zip"].value_counts(normalize=True).to_dict())
    assert "'" not in "".join(baseline["columns"]["zip"]["shares"])
    target = train["y"].astype(float)
    if task == "regression":
        assert baseline["target"]["type"] == "number"
        assert baseline["target"]["mean"] == pytest.approx(target.mean())
        assert baseline["target"]["standard_deviation"] == pytest.approx(target.std())
    else:
        expected = {"0": 1 - target.mean(), "1": target.mean()}
        assert baseline["target"] == {"type": "class", "shares": pytest.approx(expected)}

    done: Checked = run_check(
        tmp_path,
        capsys,
        table,
        baseline=baseline,
        task=task,
        id_columns=["id"],
        rows_without_target="drop",
        columns=COLUMNS,
    )
    assert done.report["compared_with_current"] is True
    assert done.report["findings"] == []


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], dict[str, Any], str]] = {
    "a text among numbers": (
        lambda table: table.assign(size=["12,5", *table["size"][1:]]),
        {},
        "column 'size' holds '12,5' in row 1 where a finite number belongs: correct it, or declare another type in "
        "data.columns of mlops.yaml",
    ),
    "after dropped rows, still the file's row": (
        lambda table: table.assign(size=[*table["size"][:-1], "big"]),
        {},
        "column 'size' holds 'big' in row 300 where a finite number belongs: correct it, or declare another type in "
        "data.columns of mlops.yaml",
    ),
    "an infinite number": (
        lambda table: table.assign(size=[*table["size"][:20], np.inf, *table["size"][21:]]),
        {},
        "column 'size' holds 'inf' in row 21 where a finite number belongs: correct it, or declare another type in "
        "data.columns of mlops.yaml",
    ),
    "booleans for numbers": (
        lambda table: table.assign(size=table["flag"] == table["flag"][0]),
        {},
        "column 'size' holds 'True' in row 1 where a finite number belongs: correct it, or declare another type in "
        "data.columns of mlops.yaml",
    ),
    "no boolean": (
        lambda table: table.assign(flag=2),
        {},
        "column 'flag' holds '2' in row 1 where true or false belongs: correct it, or declare another type in "
        "data.columns of mlops.yaml",
    ),
    "a column that is not there": (
        lambda table: table.rename(columns={"city": "City"}),
        {},
        "no column is called 'city': did you mean 'City'?",
    ),
    "the target as a feature": (
        lambda table: table,
        {"columns": COLUMNS | {"y": column("number")}},
        "'y' is target or id: take it out of data.columns in mlops.yaml",
    ),
    "gaps in the target": (
        lambda table: table,
        {"rows_without_target": "refuse"},
        "the target 'y' is empty in row 8: fill or drop the row",
    ),
    "no target at all": (lambda table: table.assign(y=np.nan), {}, "the target 'y' is empty in every row"),
}


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("name", REFUSED)
def test_data_that_are_not_as_declared_are_refused(
    name: str, task: str, rendered: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    change, declared, message = REFUSED[name]
    arguments = write(change(own_table(task)), tmp_path, task, **declared)
    with scripts_of(rendered[task, "xgboost"] / "model") as script, pytest.raises(ValueError) as error:  # noqa: PT011
        script("preprocess").main(arguments)
    assert str(error.value) == message
    assert not (tmp_path / "splits").exists()


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_without_declared_columns_the_file_decides(
    task: str, rendered: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    """As from the command line alone; both write the same bytes."""
    table = own_table(task).dropna(subset="y")
    arguments = write(table, tmp_path, task, columns={})
    with scripts_of(rendered[task, "scikit-learn"] / "model") as script:
        script("preprocess").main(arguments)
        script("preprocess").main(
            [*arguments[:2], "--target", "y", "--id", "id", "--output-dir", str(tmp_path / "alone")]
        )
    schema = json.loads((tmp_path / "splits" / "train" / "schema.json").read_text("utf-8"))
    kinds = {"note": "category", "size": "number", "city": "category", "zip": "number", "flag": "number"}
    assert schema["features"] == kinds
    files = sorted(file.relative_to(tmp_path / "splits") for file in (tmp_path / "splits").rglob("*.*"))
    assert len(files) == 4
    for file in files:
        assert (tmp_path / "alone" / file).read_bytes() == (tmp_path / "splits" / file).read_bytes()


def test_the_command_line_and_the_declaration_must_agree(
    rendered: dict[tuple[str, str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write(own_table("regression"), tmp_path, "regression")
    with scripts_of(rendered["regression", "scikit-learn"] / "model") as script:
        preprocess = script("preprocess")
        with pytest.raises(ValueError, match=r"^--target is 'size' but data\.json has 'y'$"):
            preprocess.main([*arguments, "--target", "size"])
        with pytest.raises(ValueError, match=r"^no data\.json in .+: the pipeline writes it$"):
            preprocess.main([*arguments, "--schema-dir", str(tmp_path)])
        with pytest.raises(SystemExit):
            preprocess.main(arguments[:2])
        assert "--target or --schema-dir is needed" in capsys.readouterr().err
        preprocess.main([*arguments, "--target", "y", "--id", "id"])


def test_of_equally_frequent_categories_the_same_are_learned_whatever_the_order_of_the_rows() -> None:
    texts = [f"t{number:03}" for number in range(300)]
    table = pd.DataFrame({"city": [*texts, "t299", "t299"]}, dtype=object)
    with scripts_of(SOURCE / "model") as script:
        schema = script("schema").Schema("y", {"city": "category"})
        learned = [schema.learn(rows).categories["city"] for rows in (table, table[::-1], table.sample(frac=1))]
    assert learned == 3 * [[*texts[:253], "t299"]]


@pytest.mark.slow
def test_many_rows_are_described_quickly(rendered: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    """200,000 rows of 20 columns; 0.3 s are allowed, and twice that on a busy machine."""
    program = """
import time, numpy as np, pandas as pd
from baseline import describe
from schema import Schema
random = np.random.default_rng(0)
columns = {f"n{i}": random.normal(size=200_000) for i in range(12)}
columns |= {f"c{i}": random.choice([f"t{j}" for j in range(4000)], 200_000).astype(object) for i in range(8)}
table = pd.DataFrame(columns | {"y": random.choice(np.array(["no", "yes"], dtype=object), 200_000)})
kinds = {name: "number" if name[0] == "n" else "category" for name in columns}
schema = Schema("y", kinds, {}, ["no", "yes"])
times = []
for _ in range(3):
    start = time.perf_counter()
    describe(table, schema)
    times.append(time.perf_counter() - start)
print(min(times))
"""
    folder = rendered["classification", "scikit-learn"] / "model"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.6


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_parquet_is_split_as_the_csv_file_of_the_same_table(
    task: str, rendered: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    """Empty texts are gaps, a row of nothing else is left out, and a class that no row has is none."""
    table = pd.DataFrame({"text": ["", *"abcd"] * 20, "y": np.arange(100) % 7})
    table["kind"] = pd.Categorical(table["text"])
    if task == "classification":
        table["y"] = pd.Categorical(np.where(table["y"] > 3, "yes", "no"), categories=["no", "yes", "never"])
    splits = []
    for suffix, save in {"csv": partial(table.to_csv, index=False), "parquet": table.to_parquet}.items():
        folder = tmp_path / suffix
        (folder / "data").mkdir(parents=True)
        save(folder / "data" / f"table.{suffix}")
        with scripts_of(rendered[task, "scikit-learn"] / "model") as script:
            script("preprocess").main(
                ["--input-dir", str(folder / "data"), "--output-dir", str(folder / "out"), "--target", "y"]
            )
        splits.append({file.name: file.read_text() for file in sorted((folder / "out").rglob("*.*"))})
    assert splits[0] == splits[1]
    assert sum(content.count("\n") - 1 for name, content in splits[0].items() if name.endswith(".csv")) == 80
