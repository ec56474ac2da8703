"""After `mlops data use`, a repository's own tests pass with the team's table in place of the sample."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Bake
from tests.sweeps import nightly

pytestmark = pytest.mark.slow

ROWS = 300
TARGET = "Ziel, Wert"


def table() -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Return features with awkward names and gaps, and a quantity that depends on them."""
    random = np.random.default_rng(7)
    size = random.normal(170, 10, ROWS)
    city = random.choice(["Paris", "Köln, am Rhein", 'the "Hague"', "yes", "01"], ROWS)
    features = pd.DataFrame(
        {
            "Kunde: Nr.": [f"c{number:04}" for number in range(ROWS)],
            "Größe [cm] < 2": size,
            "city, 'x' \"y\"": city,
            "smoker": random.random(ROWS) < 0.5,
            "no": random.integers(0, 9, ROWS),
            "#many: {k}": random.choice([f"k{number}" for number in range(60)], ROWS),
            "zip": [f"{number:05}" for number in random.integers(0, 30, ROWS)],
            "always 1": 1,
            "always missing": np.nan,
            "day": [f"2024-0{month}-11" for month in random.integers(1, 9, ROWS)],
        }
    )
    for name in ("Größe [cm] < 2", "city, 'x' \"y\"", "smoker"):
        features[name] = features[name].astype(object).where(random.random(ROWS) > 0.1)
    return features, pd.Series(size + 25 * (city == "Paris") + random.normal(0, 2, ROWS))


def ten_classes(value: "pd.Series[float]") -> "pd.Series[int]":
    return pd.qcut(value, 10, labels=range(10)).astype(int)


def with_gaps(value: "pd.Series[float]") -> "pd.Series[float]":
    return value.where(value.index % 20 != 3)


# Classes of xgboost, as the ten of Parquet are; and two texts as target, which the sample data have too.
MORE_OF_THE_SAME = {"booleans", "two classes"}
CASES = {
    "two classes": (
        "classification",
        "scikit-learn",
        lambda value: np.where(value > 175, "ja", "nein"),
        "csv",
        ["--category", "zip"],
    ),
    "ten classes of Parquet": ("classification", "xgboost", ten_classes, "parquet", []),
    "booleans": ("classification", "xgboost", lambda value: value > 175, "csv", ["--category", "no"]),
    "a quantity with gaps": (
        "regression",
        "scikit-learn",
        with_gaps,
        "csv",
        ["--drop-rows-without-target", "--category", "zip"],
    ),
}


@pytest.mark.parametrize(
    ("task", "framework", "write", "suffix", "more"),
    [pytest.param(*case, marks=[nightly] if name in MORE_OF_THE_SAME else [], id=name) for name, case in CASES.items()],
)
def test_the_repositorys_own_tests_pass(bake: Bake, tmp_path: Path, task, framework, write, suffix, more) -> None:
    features, value = table()
    features[TARGET] = write(value)
    file = tmp_path / f"Meine Tabelle.{suffix}"
    if suffix == "csv":
        features.to_csv(file, index=False)
    else:
        features.to_parquet(file)
    repository = bake(task=task, framework=framework)
    options = ["--id", "Kunde: Nr.", "--ignore", "day", *more]
    repository.mlops("data", "use", str(file), "--target", TARGET, *options)
    tests = [f"tests/test_{name}.py" for name in ("endpoint_cases", "inference", "model", "data")]
    done = repository.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
