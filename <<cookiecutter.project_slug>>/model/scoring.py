"""What evaluating any model takes: asking it as its callers do, and saying how sure a figure is."""

import importlib
import json
import re
import sys
import tarfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RESAMPLES = 200  # of the test rows: a standard deviation is then known to about 5 %
ROWS_A_REQUEST = 10_000
IMPORTANCE_VALUES = 60_000  # are sent to the model, where that is enough rows: about 0.2 s
IMPORTANCE_COLUMNS = 200  # with more, it would take too long

Ask = Callable[[pd.DataFrame], list[Any]]


def load(model_dir: Path, scratch: Path) -> tuple[Ask, dict[str, Any]]:
    """Return a function that answers rows as the server does, and the model's schema.

    The code is that beside the model, so an older version answers as it does in production.
    """
    model_dir = unpack(model_dir, scratch)
    schema = json.loads((model_dir / "schema.json").read_text("utf-8"))
    sys.path.insert(0, str(model_dir / "code"))
    inference = importlib.import_module("inference")
    model = inference.model_fn(model_dir)

    def ask(features: pd.DataFrame) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(features), ROWS_A_REQUEST):
            body = features[start : start + ROWS_A_REQUEST].to_csv(index=False)
            prediction = inference.predict_fn(inference.input_fn(body, "text/csv"), model)
            text, _ = inference.output_fn(prediction, "application/json")
            answers += json.loads(text)["predictions"]
        if len(answers) != len(features):
            raise ValueError(f"the model gives {len(answers)} answers to {len(features)} rows")
        return answers

    return ask, schema


def unpack(model_dir: Path, scratch: Path) -> Path:
    """Return a folder with the unpacked model, whether or not it came as model.tar.gz.

    Raises:
        ValueError: there is no model, or the archive is broken or reaches out of its folder.
    """
    archive = model_dir / "model.tar.gz"
    if archive.exists():
        try:
            with tarfile.open(archive) as tar:
                _extract(tar, scratch)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ValueError(f"{archive} cannot be unpacked: {error}") from None
        model_dir = scratch
    if not (model_dir / "code" / "inference.py").exists():
        raise ValueError(f"no model in {model_dir}: train.py writes it, with code/inference.py")
    return model_dir


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and newer: nothing gets out of the folder
        return tar.extractall(folder, filter="data")
    for member in tar:
        if not (member.isfile() or member.isdir()) or member.name.startswith("/") or ".." in member.name.split("/"):
            raise tarfile.ExtractError(f"{member.name!r} is no file or folder inside of it")
        tar.extract(member, folder)
    return None


def in_one_line(error: Exception) -> str:
    """Return what went wrong; with its place, unless the message was written for people."""
    # XGBoost puts the time and its own place in C++ before its message, and its own stack after it.
    message = re.sub(r"^\[[\d:]+\] \S+:\d+: |\s+Stack trace:.*", "", str(error), flags=re.DOTALL)
    text = " ".join(message.split())[:300]
    if type(error) is ValueError:
        return text
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if str(Path(frame.filename).parent) == sys.path[0]]
    place = inside[-1] if inside else frames[-1]
    return f"{type(error).__name__}: {text} ({Path(place.filename).name}, line {place.lineno})"


def with_spread(measure: Callable[..., dict[str, float]], *columns: np.ndarray) -> dict[str, Any]:
    """Return each metric with its standard deviation and 95 % interval over bootstrap resamples.

    A metric that hardly any of them changes, such as the accuracy where no mistake was seen, comes
    without: how sure it is, they cannot tell.
    """
    random = np.random.default_rng(0)
    rows = len(columns[0])
    choices = (random.integers(rows, size=rows) for _ in range(RESAMPLES))
    resamples = pd.DataFrame([measure(*(column[chosen] for column in columns)) for chosen in choices])
    metrics = {}
    for name, value in measure(*columns).items():
        spread = resamples[name].dropna()  # without all classes in it, a resample has no AUC
        if np.isnan(value) or len(spread) < 2:
            continue  # not defined on these rows
        metrics[name] = {"value": value}
        low, high = spread.quantile([0.025, 0.975])
        if low < high:
            metrics[name]["standard_deviation"] = float(spread.std())
            metrics[name]["confidence_interval_95"] = [float(low), float(high)]
    return metrics


def importance(
    features: pd.DataFrame, losses: Callable[[pd.DataFrame, np.ndarray], np.ndarray], metric: str
) -> dict[str, Any]:
    """Return how much a loss rises when a column is shuffled among the rows.

    `losses(features, rows)` asks the model and returns the loss of each row; `rows` says which
    test rows they were. Each column comes with the mean over a sample of rows and its standard
    error, the most important first. All is asked in one go, through the served code.
    """
    columns = features.shape[1]
    # A row with one value only would have none when another row's gap comes in: that is refused.
    usable = np.flatnonzero((features != "").sum(axis="columns") >= min(2, columns))
    if columns > IMPORTANCE_COLUMNS or len(usable) < 2:
        return {}
    rows = min(len(usable), max(40, min(500, IMPORTANCE_VALUES // columns**2)))
    random = np.random.default_rng(0)
    chosen = random.choice(usable, rows, replace=False)
    requests = np.tile(features.to_numpy(dtype=object)[chosen], (columns, 1, 1))
    for column in range(columns):
        random.shuffle(requests[column, :, column])
    asked = pd.DataFrame(requests.reshape(-1, columns), columns=features.columns)
    try:
        after = losses(asked, np.tile(chosen, columns)).reshape(columns, rows)
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:  # made-up rows may be refused
        print(f"warning: the importance of the columns is not known: {in_one_line(error)}")
        return {}
    rises = after - losses(features.iloc[chosen], chosen)
    means, errors = rises.mean(axis=1), rises.std(axis=1, ddof=1) / np.sqrt(rows)
    first = np.argsort(-means, kind="stable")[:20]
    table = [[features.columns[column], float(means[column]), float(errors[column])] for column in first]
    return {"importance": table, "importance_rows": rows, "importance_metric": metric}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that every reader takes: UTF-8, and neither NaN nor Infinity."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", "utf-8")
