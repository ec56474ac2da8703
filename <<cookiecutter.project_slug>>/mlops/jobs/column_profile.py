"""What a column holds in figures, and the same of the data that the current version was trained on.

The layout is that of baseline.json, which model/baseline.py writes beside the model.
"""

import json
import math
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

BASELINE = "baseline.json"
LARGEST = 2**26  # bytes of a baseline; 1000 columns of long texts take a quarter
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
MOST_TEXTS = 254
FIGURES = {"number": ("minimum", "maximum", "mean", "standard_deviation"), "boolean": ("true",)}


def describe(values: "pd.Series[Any]", kind: str) -> dict[str, Any]:
    """Return what a column holds; its figures are null where it has no value.

    `missing` is a share of all rows; every other share is one of the rows that have a value.
    """
    known = values.dropna()
    result: dict[str, Any] = {"type": kind, "missing": 1 - len(known) / len(values)}
    if kind == "category":
        return result | {"shares": shares(known)}
    numbers = known.to_numpy(dtype="float64")
    if kind == "boolean":
        return result | {"true": float(numbers.mean()) if len(numbers) else None}
    if not len(numbers):
        return result | dict.fromkeys(FIGURES[kind]) | {"quantiles": {str(point): None for point in QUANTILES}}
    return result | {
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
        "mean": float(numbers.mean()),
        "standard_deviation": float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0,
        "quantiles": dict(zip(map(str, QUANTILES), np.quantile(numbers, QUANTILES).tolist(), strict=True)),
    }


def shares(texts: "pd.Series[Any]") -> dict[str, float]:
    """Return the share of each of the most frequent texts, the largest first."""
    found = texts.value_counts(normalize=True)[:MOST_TEXTS]
    return {str(text): float(share) for text, share in found.items()}


def read_baseline(folder: Path | None) -> tuple[dict[str, Any] | None, str]:
    """Return the baseline of the current version, which lies by itself or in its model.tar.gz; else None, and why.

    A version without a usable baseline is no mistake of the data: it says so, and the next version has one.
    """
    plain, archive = (folder / BASELINE, folder / "model.tar.gz") if folder else (None, None)
    if plain is None or archive is None or not (plain.exists() or archive.exists()):
        return None, "there is no current version to compare with"
    try:
        text = plain.read_bytes() if plain.exists() else _member(archive)
        if text is None:
            return None, "the current version has no baseline: it comes from an older train.py"
        return _checked(json.loads(text)), ""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        return None, f"the current version's model.tar.gz cannot be read: {' '.join(str(error).split())}"
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        return None, f"the current version's baseline is not understood: {problem}"


def _member(archive: Path) -> bytes | None:
    """Return the content of baseline.json, reading the archive no further than to it."""
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            if member.isfile() and member.name.removeprefix("./") == BASELINE:
                if member.size > LARGEST:
                    raise ValueError(f"it has {member.size} bytes")
                file = tar.extractfile(member)
                return file.read() if file else None
    return None


def _checked(content: Any) -> dict[str, Any]:
    """Return of a baseline what the check needs, every figure being a finite number."""
    return {
        "rows": int(_number(content["rows"])),
        "columns": {str(name): _figures(column, ("missing",)) for name, column in content["columns"].items()},
        "target": _figures(content["target"], ()),
    }


def _figures(content: dict[str, Any], also: tuple[str, ...]) -> dict[str, Any]:
    kind = content["type"]
    if kind in {"category", "class"}:
        own: dict[str, Any] = {"shares": {str(text): _number(share) for text, share in content["shares"].items()}}
    else:
        own = {name: _number(content[name]) for name in FIGURES[kind]}
    return {"type": kind, **{name: _number(content[name]) for name in also}, **own}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return float(value)
