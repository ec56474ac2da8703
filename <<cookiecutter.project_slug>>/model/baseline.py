"""What the training rows looked like: the baseline that later data are checked against.

`train.py` writes `baseline.json` beside the model. The pipeline's data check reads it from the
current version, and says what has changed since: gaps, ranges, categories, classes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from schema import MAX_CATEGORIES, Schema

FILE = "baseline.json"
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)


def write_baseline(table: pd.DataFrame, schema: Schema, folder: Path) -> None:
    """Describe the training rows in a file beside the model.

    `table` is as `read_table` returns it, `schema` as training completed it.
    """
    text = json.dumps(describe(table, schema), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / FILE).write_text(text + "\n", "utf-8")


def describe(table: pd.DataFrame, schema: Schema) -> dict[str, Any]:
    """Return the number of rows, and what each feature and the target hold.

    `missing` is a share of all rows; every other share is one of the rows that have a value.
    """
    target = table[schema.target]
    return {
        "rows": len(table),
        "columns": {name: describe_feature(table[name], kind) for name, kind in schema.features.items()},
        "target": {"type": "class", "shares": shares(target)}
        if schema.classes
        else {"type": "number", **spread(target.to_numpy(dtype="float64"))},
    }


def describe_feature(column: pd.Series, kind: str) -> dict[str, Any]:
    """Return what a feature of the kind "number", "boolean" or "category" holds."""
    known = column.dropna()
    result = {"type": kind, "missing": 1 - len(known) / len(column)}
    if kind == "category":
        return result | {"shares": shares(known)}
    numbers = known.to_numpy(dtype="float64")
    if kind == "boolean":
        return result | {"true": float(numbers.mean())}
    quantiles = np.quantile(numbers, QUANTILES).tolist()
    return result | spread(numbers) | {"quantiles": dict(zip(map(str, QUANTILES), quantiles, strict=True))}


def shares(texts: pd.Series) -> dict[str, float]:
    """Return the share of each of the most frequent texts, the largest first."""
    found = texts.value_counts(normalize=True)[:MAX_CATEGORIES]
    return {str(text): float(share) for text, share in found.items()}


def spread(numbers: np.ndarray) -> dict[str, float]:
    """Return the range, mean and standard deviation (of a sample; 0 for a single number)."""
    return {
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
        "mean": float(numbers.mean()),
        "standard_deviation": float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0,
    }
