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
DECLARED = "data.json"

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
            frequent = count.sort_index().sort_values(ascending=False, kind="stable").index
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


@dataclass(frozen=True)
class Declared:
    """What `data` in mlops.yaml says about the table; the pipeline hands it over as data.json.

    `features` maps each declared column to its kind. Where it is empty, the file decides.
    """

    target: str
    id_columns: list[str] = field(default_factory=list)
    drop_rows_without_target: bool = False
    features: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Declared":
        """Read the declaration that lies in a folder.

        Raises:
            ValueError: there is none.
        """
        try:
            content = json.loads((folder / DECLARED).read_text("utf-8"))
        except FileNotFoundError:
            raise ValueError(f"no {DECLARED} in {folder}: the pipeline writes it") from None
        return cls(
            target=content["target"],
            id_columns=content["id_columns"],
            drop_rows_without_target=content["rows_without_target"] == "drop",
            features={name: column["type"] for name, column in content["columns"].items()},
        )

    @property
    def texts(self) -> list[str]:
        """The columns to be read as text: 01234 is a zip code."""
        return [name for name, kind in self.features.items() if kind == "category"]


WORDS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
EXPECTED = {"number": "a finite number", "boolean": "true or false"}


def as_kind(column: pd.Series, kind: str) -> pd.Series:
    """Return a column as the kind that is declared for it: numbers, booleans or texts.

    Raises:
        ValueError: a value is of another kind.
    """
    if kind == "category":
        return as_text(column)
    if kind == "boolean":
        values = as_text(column).str.strip().str.lower().map(WORDS)
        fits = values.notna()
    else:
        # As text first where pandas would make numbers of booleans and dates.
        is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        values = column if is_number else pd.to_numeric(as_text(column), errors="coerce")
        fits = np.isfinite(values.astype("float64"))
    wrong = column.notna() & ~fits
    if wrong.any():
        first = wrong.idxmax()
        raise ValueError(
            f"column {column.name!r} holds {str(column[first])!r} in row {first + 1} where {EXPECTED[kind]} "
            f"belongs: correct it, or declare another type in data.columns of mlops.yaml"
        )
    return values


def as_text(column: pd.Series) -> pd.Series:
    """Return each value as text; whole numbers lose the `.0` that gaps give them."""
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return column
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.map("{:.0f}".format, na_action="ignore")
    return column.astype(object).map(str, na_action="ignore").astype(object)  # gaps alone would be floats


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
