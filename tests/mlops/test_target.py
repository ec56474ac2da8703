"""The target decides the task, and what the least is that a gate should ask for."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.own_data.target import Target, find_target
from mlops.own_data.threshold import Bar, choose
from mlops.problem import Problem
from mlops.settings import Data, Evaluation

N = 60
CLASSIFICATION = ["classification", None, False, 0.2]
REGRESSION = ["regression", None, False, 0.2]


def cycle(*values: object) -> list[object]:
    return [values[number % len(values)] for number in range(N)]


def find(values: object, *arguments: Any) -> Target:
    return find_target(pd.Series(values, name="y"), *arguments)


def refused(values: object, *arguments: Any) -> str:
    with pytest.raises(Problem) as problem:
        find(values, *arguments)
    assert "\n" not in str(problem.value)
    return str(problem.value)


CLASSES = {
    "two texts": (cycle("yes", "no"), ["no", "yes"]),
    "three texts": (cycle("lo, w", "mid", "häch"), ["häch", "lo, w", "mid"]),
    "booleans": (cycle(True, False), ["False", "True"]),
    "whole numbers": (cycle(1, 2, 10, 20), [1, 2, 10, 20]),
    "negative numbers": (cycle(-1, 1), [-1, 1]),
    "ten whole numbers": (cycle(*range(10)), list(range(10))),
    "whole numbers with a fraction of nothing": (cycle(1.0, 2.0), [1, 2]),
    "numbers that are texts": (cycle("01", "2"), ["01", "2"]),
}


@pytest.mark.parametrize(("values", "classes"), CLASSES.values(), ids=CLASSES.keys())
def test_classes_are_found_in_the_order_of_train_py(values: object, classes: list[object]) -> None:
    target = find(values, *CLASSIFICATION)
    assert (target.task, target.classes) == ("classification", classes)
    assert sum(target.shares()) == pytest.approx(1)
    assert len(target.shares()) == len(classes)


@pytest.mark.parametrize("values", [np.arange(N) / 3, range(N), cycle(*range(11)), pd.array(range(N), dtype="Int64")])
def test_quantities_are_found(values: object) -> None:
    assert find(values, *REGRESSION).task == "regression"


WRONG_TASK = {
    "texts": (
        cycle("a", "b"),
        "regression",
        "holds texts such as 'a': that looks like classification, and the code in",
    ),
    "booleans": (cycle(True, False), "regression", "holds true or false: that looks like classification"),
    "fractions": (np.arange(N) / 2, "classification", "holds numbers such as 0.5: that looks like regression"),
    "12 numbers": (cycle(*range(12)), "classification", "holds 12 different whole numbers: that looks like regression"),
    "5 numbers": (cycle(*range(5)), "regression", "holds 5 different whole numbers: that looks like classification"),
}


@pytest.mark.parametrize(("values", "task", "reason"), WRONG_TASK.values(), ids=WRONG_TASK.keys())
def test_a_target_of_the_other_task_is_refused(values: object, task: str, reason: str) -> None:
    text = refused(values, task, None, False, 0.2)
    assert reason in text
    assert f"the code in model/ is for {task}" in text
    assert (f"or insist with --task {task}" in text) == ("numbers" in reason)


def test_whole_numbers_are_what_somebody_says_they_are() -> None:
    assert find(cycle(*range(12)), "classification", "classification", False, 0.2).classes == list(range(12))
    assert find(cycle(*range(5)), "regression", "regression", False, 0.2).task == "regression"
    assert "for regression make a repository with that task" in refused(
        range(N), "classification", "regression", False, 0.2
    )
    assert "that is classification, not regression" in refused(cycle("a", "b"), "regression", "regression", False, 0.2)


def test_a_missing_target_is_refused_or_dropped() -> None:
    values = [None, *cycle("a", "b"), None]
    text = refused([*values[1:3], *values], *CLASSIFICATION)
    assert "is missing in 2 of 64 rows, first in row 3; fill them or add --drop-rows-without-target" in text
    target = find(values, "classification", None, True, 0.2)
    assert (target.missing, len(target.values)) == (2, N)
    target = find([None, *cycle(1.0, 2.0)], "classification", None, True, 0.2)
    assert target.classes == [1, 2]
    assert "has no value in any row" in refused([None] * N, "classification", None, True, 0.2)


def test_what_cannot_be_learned_is_refused() -> None:
    assert "is always yes: there is nothing to learn" in refused(["yes"] * N, *CLASSIFICATION)
    assert "is always 3: there is nothing to learn" in refused([3] * N, "regression", "regression", False, 0.2)
    rare = refused([*["a"] * N, *["b"] * 4, "c"], *CLASSIFICATION)
    assert "class 'c' of the target 'y' has 1 row where at least 5 are needed (and 1 more classes have too few)" in rare
    assert "class 'b' of the target 'y' has 5 rows where at least 10 are" in refused(
        [*["a"] * N, *["b"] * 5], "classification", None, False, 0.1
    )
    assert "is infinite in row 61; correct the value" in refused([*np.arange(N) / 2, np.inf], *REGRESSION)
    assert "19 rows are too few to learn from" in refused(np.arange(19) / 2, *REGRESSION)


DATA = Data(path=Path("data/x.csv"), target="old")
REFRESHED = Data(path=Path("data/x.csv"), target="y")


def bar(values: object, metric: str, wanted: float | None = None, data: Data = DATA, threshold: float = 0.9) -> Bar:
    numbers = pd.api.types.is_float_dtype(pd.Series(values))
    target = find(values, *(REGRESSION if numbers else CLASSIFICATION))
    return choose(Evaluation(metric=metric, threshold=threshold), data, target, wanted)


MOSTLY_NO = ["no"] * 900 + ["yes"] * 100
THREE = ["a"] * 500 + ["b"] * 300 + ["c"] * 200


@pytest.mark.parametrize(
    ("values", "metric", "expected"),
    [
        (MOSTLY_NO, "auc", ("auc", 0.55)),
        (MOSTLY_NO, "accuracy", ("accuracy", 0.925)),
        (MOSTLY_NO, "balanced_accuracy", ("balanced_accuracy", 0.55)),
        (MOSTLY_NO, "f1", ("f1", 0.207)),  # yes to everybody: 2 * 0.1 / 1.1
        (MOSTLY_NO, "precision", ("precision", 0.125)),
        (MOSTLY_NO, "weighted_f1", ("f1", 0.207)),
        (MOSTLY_NO, "log_loss", ("log_loss", 0.318)),
        (THREE, "auc", ("auc", 0.55)),
        (THREE, "accuracy", ("accuracy", 0.525)),
        (THREE, "f1", ("weighted_f1", 0.359)),
        (["no"] * 9990 + ["yes"] * 10, "accuracy", ("accuracy", 0.9995)),
    ],
)
def test_the_bar_is_a_little_above_what_a_constant_answer_gets(
    values: object, metric: str, expected: tuple[str, float]
) -> None:
    set_to = bar(values, metric)
    assert (set_to.metric, set_to.threshold) == expected
    assert "a constant answer gets" in set_to.why
    assert set_to.tolerance is None


def test_the_bar_of_a_quantity_is_below_the_error_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(100, 10, 5000)
    for metric, error in (("rmse", 10), ("mae", 8), ("mse", 100), ("median_absolute_error", 6.7)):
        set_to = bar(values, metric)
        assert set_to.threshold == pytest.approx(0.98 * error, rel=0.05)
        assert set_to.tolerance == pytest.approx(0.01 * error, rel=0.1)
    assert bar(values, "r2").threshold == 0.05
    assert bar(values, "r2").tolerance is None


def test_a_bar_that_still_makes_sense_stays() -> None:
    assert bar(MOSTLY_NO, "accuracy", data=REFRESHED, threshold=0.95).threshold == 0.95
    assert bar(MOSTLY_NO, "accuracy", data=REFRESHED, threshold=0.8).threshold == 0.925
    assert bar(MOSTLY_NO, "accuracy", threshold=0.95).threshold == 0.925  # another target
    assert bar(MOSTLY_NO, "f1", data=REFRESHED, threshold=0.7).threshold == 0.7
    assert bar(THREE, "f1", data=REFRESHED, threshold=0.7).metric == "weighted_f1"
    values = np.random.default_rng(0).normal(100, 10, 500)
    assert bar(values, "rmse", data=REFRESHED, threshold=5.0).tolerance is None


def test_the_bar_is_what_somebody_says() -> None:
    assert bar(MOSTLY_NO, "auc", wanted=0.1).threshold == 0.1
    assert bar(MOSTLY_NO, "our_cost", wanted=3).threshold == 3


def test_a_metric_of_the_team_keeps_its_threshold() -> None:
    set_to = bar(MOSTLY_NO, "our_cost", threshold=12.5)
    assert (set_to.metric, set_to.threshold) == ("our_cost", 12.5)
    assert "is yours to say" in set_to.why


@given(st.integers(0, 2**32 - 1), st.integers(20, 300), st.floats(1e-9, 1e9), st.sampled_from(["rmse", "mae"]))
def test_the_mean_of_the_training_rows_misses_the_bar_on_the_test_rows(
    seed: int, rows: int, scale: float, metric: str
) -> None:
    from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

    values = scale * np.random.default_rng(seed).standard_cauchy(rows)  # tails so long that each split differs
    data = Data(path=Path("data/x.csv"), target="old", seed=seed)
    target = find_target(pd.Series(values, name="y"), "regression", "regression", False, 0.2)
    threshold = choose(Evaluation(metric=metric, threshold=1), data, target, None).threshold
    rest, test = train_test_split(values, test_size=0.2, random_state=seed)
    train, _ = train_test_split(rest, test_size=0.2 / 0.8, random_state=seed)
    errors = test - train.mean()
    error = np.sqrt((errors**2).mean()) if metric == "rmse" else np.abs(errors).mean()
    assert 0.97 * error < threshold < 0.99 * error
