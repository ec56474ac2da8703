"""The columns the model knows: found in preprocessing, completed in training, enforced in serving.

`preprocess.py` writes `schema.json` beside the training data, `train.py` adds what it learned and
puts the file beside the model, and `payload.py` checks every request against it. One definition
for all three keeps training and serving from drifting apart.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

FILE = "schema.json"

# scikit-learn bins categories into at most 255 values; XGBoost overfits on more.
MAX_CATEGORIES = 254


@dataclass(frozen=True)
class Schema:
    """What a row holds.

    `features` maps each column to "number", "boolean" or "category", in the model's order.
    `categories` lists the texts that were seen in training; another text counts as missing.
    `classes` are the labels in order (classification only); of two, the last is the positive one.
    """

    target: str
    features: dict[str, str]
    categories: dict[str, list[str]] = field(default_factory=dict)
    classes: list[str] | list[int] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "Schema":
        """Read the schema that lies in a folder.

        Raises:
            ValueError: there is none.
        """
        try:
            return cls(**json.loads((folder / FILE).read_text("utf-8")))
        except FileNotFoundError:
            raise ValueError(f"no {FILE} in {folder}: preprocess.py writes it") from None

    def write(self, folder: Path) -> None:
        """Write the schema into a folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", "utf-8")

    def learn(self, table: pd.DataFrame) -> "Schema":
        """Return the schema with what the training rows say.

        A category is one of the most frequent texts. A column without any value is no feature.
        """
        empty = [name for name in self.features if table[name].isna().all()]
        if empty:
            print(f"warning: no training row has a value in {', '.join(empty)}: left out")
        features = {name: kind for name, kind in self.features.items() if name not in empty}
        categories = {}
        for name in (name for name, kind in features.items() if kind == "category"):
            count = table[name].value_counts()
            # Ties are broken by name, so that the order of the rows makes no difference.
            frequent = sorted(count.index, key=lambda text: (-count[text], text))
            categories[name] = sorted(frequent[:MAX_CATEGORIES])
        return replace(self, features=features, categories=categories)

    def frame(self, columns: Mapping[str, Sequence[object]]) -> pd.DataFrame:
        """Return the model's input: floats, and categoricals that know the learned categories."""
        frame = {}
        for name, kind in self.features.items():
            if kind == "category":
                categories = pd.Index(self.categories[name], dtype=object)
                # An unknown text has the position -1, which is how pandas writes a missing one.
                codes = categories.get_indexer(pd.Index(columns[name], dtype=object))
                frame[name] = pd.Series(pd.Categorical.from_codes(codes, categories))
            else:
                frame[name] = pd.Series(np.asarray(columns[name], dtype="float64"))
        return pd.DataFrame(frame)


def read_table(path: Path, schema: Schema) -> pd.DataFrame:
    """Read a file that preprocess.py wrote: numbers as float64, all else as text, NaN for missing.

    Raises:
        ValueError: the file is missing or holds other columns than the schema.
    """
    kinds: defaultdict[str, str] = defaultdict(lambda: "object")
    kinds.update((name, "float64") for name, kind in schema.features.items() if kind == "number")
    try:
        table = pd.read_csv(
            path,
            dtype=kinds,
            keep_default_na=False,  # "None" and "NA" may be categories: only empty is missing
            na_values=[""],
        )
    except FileNotFoundError:
        raise ValueError(f"no {path.name} in {path.parent}: preprocess.py writes it") from None
    absent = [name for name in [schema.target, *schema.features] if name not in table]
    if absent:
        raise ValueError(f"{path.name} has no column {absent[0]!r}: run preprocess.py again")
    for name, kind in schema.features.items():
        if kind == "boolean":
            table[name] = table[name].map({"True": 1.0, "False": 0.0})
    return table
