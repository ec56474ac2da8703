"""evaluate.py counts what scikit-learn counts, and is quick at it."""

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn  # type: ignore[import-untyped]
from sklearn.calibration import calibration_curve  # type: ignore[import-untyped]


def rows(classes: int, count: int, seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and probabilities that have something to do with them; `ties`: many equal ones."""
    random = np.random.default_rng(seed)
    actual = random.permutation(np.arange(count) % classes)
    scores = random.normal(size=(count, classes)) + np.eye(classes)[actual]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return actual, np.round(probabilities, 1) if ties else probabilities


@settings(max_examples=40)
@given(st.integers(2, 5), st.integers(12, 80), st.integers(0, 9999), st.booleans())
def test_the_metrics_of_classes_are_those_of_scikit_learn(
    classification: ModuleType, classes: int, count: int, seed: int, ties: bool
) -> None:
    actual, probabilities = rows(classes, count, seed, ties)
    predicted = probabilities.argmax(axis=1)
    average = "binary" if classes == 2 else "weighted"
    precision, recall, f1, _ = sklearn.precision_recall_fscore_support(
        actual, predicted, average=average, zero_division=0
    )
    # Of each class against the rest, as roc_auc_score does it for rows whose probabilities add up to 1.
    areas = [sklearn.roc_auc_score(actual == label, probabilities[:, label]) for label in range(classes)]
    prefix = "" if classes == 2 else "weighted_"
    assert classification.classification_metrics(actual, probabilities) == pytest.approx(
        {
            "accuracy": sklearn.accuracy_score(actual, predicted),
            "accuracy_best_constant_classifier": np.bincount(actual).max() / count,
            "balanced_accuracy": sklearn.balanced_accuracy_score(actual, predicted),
            "log_loss": -np.log(np.clip(probabilities[np.arange(count), actual], 1e-15, 1)).mean(),
            f"{prefix}precision": precision,
            f"{prefix}recall": recall,
            f"{prefix}f1": f1,
            "auc": areas[1] if classes == 2 else np.average(areas, weights=np.bincount(actual)),
        }
    )


@given(st.integers(3, 60), st.integers(0, 9999))
def test_the_metrics_of_quantities_are_those_of_scikit_learn(regression: ModuleType, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    actual, predicted = random.normal(size=(2, count)) * 100
    found = regression.regression_metrics(actual, predicted)
    assert found == pytest.approx(
        {
            "mae": sklearn.mean_absolute_error(actual, predicted),
            "mse": sklearn.mean_squared_error(actual, predicted),
            "rmse": sklearn.root_mean_squared_error(actual, predicted),
            "rmse_best_constant_predictor": np.std(actual),
            "r2": sklearn.r2_score(actual, predicted),
            "median_absolute_error": sklearn.median_absolute_error(actual, predicted),
        }
    )


def test_a_bootstrap_resample_of_ranks_has_the_auc_of_its_rows(classification: ModuleType) -> None:
    actual, probabilities = rows(2, 200, 1, ties=True)
    predicted, losses, ranks = classification.by_row(actual, probabilities)
    chosen = np.random.default_rng(2).integers(200, size=200)
    resample = classification.count_metrics(actual[chosen], predicted[chosen], losses[chosen], ranks[chosen])
    assert resample == pytest.approx(classification.classification_metrics(actual[chosen], probabilities[chosen]))
    assert resample["auc"] == pytest.approx(sklearn.roc_auc_score(actual[chosen], probabilities[chosen, 1]))


def test_a_class_without_rows_leaves_out_what_is_not_defined(classification: ModuleType) -> None:
    actual, probabilities = np.zeros(20, dtype=int), rows(2, 20, 3, ties=False)[1]
    group, metrics = classification.measure_classes(actual, probabilities, ["a", "b"])
    assert group == "binary_classification_metrics"
    assert "auc" not in metrics
    assert "receiver_operating_characteristic_curve" not in metrics
    assert "roc" not in classification.draw(actual, probabilities, ["a", "b"], metrics)


def test_what_no_resample_changes_has_no_interval(classification: ModuleType) -> None:
    """Five rows without a mistake do not prove that there is none: 1 to 1 would be no 95 % interval."""
    sure = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9]])
    _, metrics = classification.measure_classes(np.array([0, 1, 0, 1, 1]), sure, ["a", "b"])
    assert metrics["accuracy"] == metrics["precision"] == metrics["auc"] == {"value": 1.0}
    low, high = metrics["log_loss"]["confidence_interval_95"]
    assert low < metrics["log_loss"]["value"] < high


@pytest.mark.parametrize("count", [114, 5000])
@pytest.mark.parametrize("ties", [False, True])
def test_the_curves_are_those_of_scikit_learn_thinned(classification: ModuleType, count: int, ties: bool) -> None:
    actual, probabilities = rows(2, count, 4, ties)
    _, metrics = classification.measure_classes(actual, probabilities, ["a", "b"])
    figures = classification.draw(actual, probabilities, ["a", "b"], metrics)
    points = np.array(figures["roc"]["points"])
    assert figures["roc"]["class"] == "b"
    assert figures["roc"]["auc"] == pytest.approx(sklearn.roc_auc_score(actual, probabilities[:, 1]))
    assert len(points) <= 200
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    theirs = np.column_stack(sklearn.roc_curve(actual, probabilities[:, 1])[:2])
    assert {tuple(point) for point in points} <= {tuple(point) for point in theirs}
    assert sklearn.auc(*points.T) == pytest.approx(figures["roc"]["auc"], abs=0.005)
    observed, predicted = calibration_curve(actual, probabilities[:, 1], n_bins=10)
    bins = np.array(figures["calibration"])
    assert bins[:, 0] == pytest.approx(predicted)
    assert bins[:, 1] == pytest.approx(observed)
    assert bins[:, 2].sum() == count
    matrix = sklearn.confusion_matrix(actual, probabilities.argmax(axis=1))
    assert figures["confusion_matrix"] == {"labels": ["a", "b"], "counts": matrix.tolist()}


def test_of_more_classes_each_is_told_from_the_rest_all_in_one_curve(classification: ModuleType) -> None:
    actual, probabilities = rows(4, 60, 5, ties=False)
    _, metrics = classification.measure_classes(actual, probabilities, [0, 1, 2, 10])
    figures = classification.draw(actual, probabilities, [0, 1, 2, 10], metrics)
    assert figures["confusion_matrix"]["labels"] == ["0", "1", "2", "10"]
    each = np.eye(4)[actual]
    assert figures["roc"]["class"] is None
    assert figures["roc"]["auc"] == pytest.approx(sklearn.roc_auc_score(each, probabilities, average="micro"))
    theirs = np.column_stack(sklearn.roc_curve(each.ravel(), probabilities.ravel())[:2])
    assert {tuple(point) for point in figures["roc"]["points"]} <= {tuple(point) for point in theirs}
    observed, predicted = calibration_curve(each.ravel(), probabilities.ravel(), n_bins=10)
    bins = np.array(figures["calibration"])
    assert bins[:, :2] == pytest.approx(np.column_stack([predicted, observed]))
    assert bins[:, 2].sum() == 4 * 60


@pytest.mark.parametrize("count", [1, 2, 89, 5000])
def test_the_drawn_rows_are_a_sample_and_the_histogram_counts_all(regression: ModuleType, count: int) -> None:
    random = np.random.default_rng(6)
    actual, predicted = random.normal(size=(2, count))
    figures = regression.draw(actual, predicted)
    pairs = set(zip(actual.tolist(), predicted.tolist(), strict=True))
    assert len(figures["prediction_against_truth"]) == min(count, 1000)
    assert {tuple(pair) for pair in figures["prediction_against_truth"]} <= pairs
    counts, edges = np.histogram(predicted - actual, bins=30)
    assert figures["residuals"] == {"edges": edges.tolist(), "counts": counts.tolist()}


# --- importance -----------------------------------------------------------------------------------


class Model:
    """Answers rows of text as the served code does, and counts what it was asked."""

    def __init__(self, columns: int, missing: int = 0) -> None:
        random = np.random.default_rng(7)
        self.values = random.normal(size=(400, columns)).round(3)
        self.features = pd.DataFrame(self.values.astype(str), columns=[f"x{number}" for number in range(columns)])
        if missing:
            self.features.iloc[:missing, 1:] = ""
        self.actual = 5 * self.values[:, 0] + (self.values[:, 1] if columns > 1 else 0)
        self.asked: list[int] = []

    def ask(self, features: pd.DataFrame) -> list[Any]:
        self.asked.append(features.size)
        assert list(features) == list(self.features)
        assert (features != "").any(axis="columns").all(), "a row without any value is refused by the real one"
        numbers = features.replace("", "0").astype(float)
        return list(5 * numbers["x0"] + numbers.get("x1", 0))

    def importance(self, evaluate: ModuleType) -> dict[str, Any]:
        def losses(asked: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
            found: np.ndarray = np.abs(np.array(self.ask(asked)) - self.actual[rows])
            return found

        found: dict[str, Any] = evaluate.importance(self.features, losses, "mae")
        return found


def test_what_the_model_uses_is_important_and_nothing_else(regression: ModuleType) -> None:
    model = Model(columns=6)
    found = model.importance(regression)
    names = [name for name, _, _ in found["importance"]]
    means = {name: mean for name, mean, _ in found["importance"]}
    assert names[:2] == ["x0", "x1"]
    assert means["x0"] > 4 * means["x1"] > 0
    assert all(means[name] == 0 for name in names[2:])
    assert found["importance_rows"] == 400
    assert found["importance_metric"] == "mae"
    assert found == Model(columns=6).importance(regression), "the same seed gives the same"


def test_the_mean_and_its_error_are_those_of_the_rows(regression: ModuleType) -> None:
    name, mean, error = Model(columns=3).importance(regression)["importance"][0]
    assert name == "x0"
    # |x - y| of two independent normal numbers has mean 2/sqrt(pi) and variance 2 - 4/pi.
    assert mean == pytest.approx(5 * 2 / np.pi**0.5, rel=0.1)
    assert error == pytest.approx(5 * (2 - 4 / np.pi) ** 0.5 / 400**0.5, rel=0.15)


def test_importance_asks_once_and_not_for_more_than_it_may(regression: ModuleType) -> None:
    for columns, most in ((1, 500), (30, 60_000), (100, 400_000)):
        model = Model(columns)
        found = model.importance(regression)
        assert len(model.asked) == 2, "all shuffled rows, then the same rows as they are"
        assert model.asked[0] == found["importance_rows"] * columns**2 <= most
        assert model.asked[1] == found["importance_rows"] * columns
        assert found["importance_rows"] >= 40
        assert len(found["importance"]) == min(columns, 20)


def test_a_very_wide_table_has_no_importance(regression: ModuleType) -> None:
    model = Model(columns=201)
    assert model.importance(regression) == {}
    assert model.asked == []


def test_rows_with_one_value_only_are_not_shuffled(regression: ModuleType) -> None:
    assert Model(columns=5, missing=300).importance(regression)["importance_rows"] == 100
    assert Model(columns=1).importance(regression)["importance_rows"] == 400
    assert Model(columns=5, missing=399).importance(regression) == {}


def test_a_model_that_refuses_shuffled_rows_is_measured_all_the_same(
    regression: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        raise ValueError(f"begin must be before end in {len(rows)} rows")

    assert regression.importance(Model(columns=4).features, refuse, "mae") == {}
    assert "importance of the columns is not known: begin must be before end" in capsys.readouterr().out


def test_the_importance_for_classes_is_the_rise_of_the_log_loss(classification: ModuleType) -> None:
    model = Model(columns=4)
    actual = (model.actual > 0).astype(int)

    def ask(features: pd.DataFrame) -> list[Any]:
        chance = 1 / (1 + np.exp(-np.array(model.ask(features))))
        return [{"label": int(p > 0.5), "probabilities": {"0": 1 - p, "1": p}} for p in chance.tolist()]

    def losses(asked: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        measured: np.ndarray = classification.log_losses(actual[rows], classification.predict(ask, asked, [0, 1])[1])
        return measured

    found = classification.importance(model.features, losses, "log_loss")
    name, rise, error = found["importance"][0]
    assert found["importance_metric"] == "log_loss"
    assert name == "x0"
    assert rise > 10 * error > 0
    base = sklearn.log_loss(actual, classification.predict(ask, model.features, [0, 1])[1])
    shuffled = model.features.assign(x0=np.random.default_rng(1).permutation(model.features["x0"]))
    assert rise == pytest.approx(
        sklearn.log_loss(actual, classification.predict(ask, shuffled, [0, 1])[1]) - base, rel=0.3
    )
