"""A threshold that a model which ignores the features misses: the least that a gate should ask for."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops.jobs.metric_direction import direction_of
from mlops.own_data.target import Target
from mlops.settings import Data, Evaluation

if TYPE_CHECKING:
    import numpy as np

# The same thing with two classes and with more of them, as model/evaluate.py names it.
OF_TWO_CLASSES = {"precision", "recall", "f1"}
LITTLE = 0.02  # how much better than a constant answer: absolute for shares, relative for errors


@dataclass(frozen=True)
class Bar:
    """What the model has to reach, and why."""

    metric: str
    threshold: float
    why: str
    tolerance: float | None = None  # for the comparison with the current version, if the one of before does not fit


def choose(evaluation: Evaluation, data: Data, target: Target, wanted: float | None) -> Bar:
    """Return metric and threshold for a target.

    The metric stays if the target has it. The threshold stays if the target is the one of before and a constant
    answer misses it. A metric that this module does not know is the team's own, and so is its threshold.

    Args:
        data: the settings of before.
        wanted: the threshold that somebody asked for.
    """
    metric = _metric(evaluation.metric, target)
    constant = _constant(metric, target, data)
    if constant is None:
        says = "as you said" if wanted is not None else f"as before: what {metric} asks for is yours to say"
        return Bar(metric, evaluation.threshold if wanted is None else wanted, says)
    same = target.name == data.target and metric == evaluation.metric
    # A quantity's errors are in its own unit, and so is what the comparison tolerates.
    in_units = target.task == "regression" and _is_error(metric)
    tolerance = _rounded(0.01 * constant) if in_units and not same else None
    if wanted is not None:
        return Bar(metric, wanted, f"as you said; a constant answer gets {constant:.4g}", tolerance)
    missed = evaluation.threshold < constant if _is_error(metric) else evaluation.threshold > constant
    if missed and same:
        return Bar(metric, evaluation.threshold, f"as before; a constant answer gets {constant:.4g}")
    return Bar(metric, _beyond(metric, constant, target, data), f"a constant answer gets {constant:.4g}", tolerance)


def _is_error(metric: str) -> bool:
    return direction_of(metric) == "at most"


def _metric(metric: str, target: Target) -> str:
    if target.task == "classification":
        two, plain = len(target.classes) == 2, metric.removeprefix("weighted_")
        if plain in OF_TWO_CLASSES:
            return plain if two else f"weighted_{plain}"
    return metric


def _constant(metric: str, target: Target, data: Data) -> float | None:
    """Return what the best constant answer gets; None for a metric that is not known, or that it satisfies fully."""
    if target.task == "regression":
        return _constant_number(metric, _errors_of_the_mean(target, data))
    shares = target.shares()
    most, positive = max(shares), shares[-1]
    known = {
        "auc": 0.5,
        "accuracy": most,
        "balanced_accuracy": 1 / len(shares),
        "log_loss": -sum(share * math.log(share) for share in shares),
        "precision": positive,
        "f1": 2 * positive / (1 + positive),  # of a model that says the positive class to everybody
        "weighted_precision": most**2,
        "weighted_recall": most,
        "weighted_f1": 2 * most**2 / (1 + most),
    }
    return known.get(metric)


def _errors_of_the_mean(target: Target, data: Data) -> "np.ndarray[Any, Any]":
    """Return by how much the mean of the training rows misses the test rows, split as in model/preprocess.py.

    Few rows, or a few huge values, make one split differ much from another: the bar is for this very one.
    """
    import numpy as np

    values = target.values.to_numpy(dtype="float64")
    rest, test = _split(values, data.test_fraction, data.seed)
    train, _ = _split(rest, data.validation_fraction / (1 - data.test_fraction), data.seed)
    errors: np.ndarray[Any, Any] = np.abs(test - train.mean())
    return errors


def _split(values: "np.ndarray[Any, Any]", fraction: float, seed: int) -> "tuple[np.ndarray[Any, Any], ...]":
    """Split at random, to the row as scikit-learn's train_test_split does, which takes a second to import."""
    import numpy as np

    order = np.random.RandomState(seed).permutation(len(values))
    drawn = math.ceil(fraction * len(values))
    return values[order[drawn:]], values[order[:drawn]]


def _constant_number(metric: str, errors: "np.ndarray[Any, Any]") -> float | None:
    import numpy as np

    known: dict[str, Callable[[], float]] = {
        "rmse": lambda: float(np.sqrt(np.mean(errors**2))),
        "mse": lambda: float(np.mean(errors**2)),
        "mae": lambda: float(np.mean(errors)),
        "median_absolute_error": lambda: float(np.median(errors)),
        "r2": lambda: 0.0,
    }
    return known[metric]() if metric in known else None


def _beyond(metric: str, constant: float, target: Target, data: Data) -> float:
    """Return a little more than a constant answer gets, in three digits."""
    if _is_error(metric):
        return _rounded(constant * (1 - LITTLE), down=True)
    if metric in {"auc", "balanced_accuracy", "r2"}:
        return _rounded(constant + 0.05)
    # In a small split the share of a class can be off by a row.
    margin = LITTLE + 1 / (data.test_fraction * len(target.values))
    return _rounded(min(constant + margin, (1 + constant) / 2))


def _rounded(value: float, down: bool = False) -> float:
    """Round to three digits, or to the third digit of the distance from 1 where that is less."""
    digits = 2 - math.floor(math.log10(min(abs(value), abs(1 - value)) or 1))
    power = 10.0**digits
    scaled = round(value * power, 6)
    return round((math.floor(scaled) if down else math.ceil(scaled)) / power, 12)
