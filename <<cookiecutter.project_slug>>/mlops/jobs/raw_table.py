"""The data file as the data check sees it: read by the rules of model/preprocess.py.

The rules stand here a second time because model/ is the team's to change, and a check must not change with it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

WORDS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def read_table(folder: Path, texts: Iterable[str]) -> pd.DataFrame:
    """Read the one CSV or Parquet file of a folder, the named columns of a CSV file as text.

    Raises:
        ValueError: there is no such file or more than one, or it is no readable table with rows.
    """
    files = sorted(file for file in folder.glob("*") if file.suffix in {".csv", ".parquet"})
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise ValueError(f"one .csv or .parquet file is needed in {folder}; found: {found}")
    name = files[0].name
    try:
        table = pd.read_parquet(files[0]) if files[0].suffix == ".parquet" else _read_csv(files[0], texts)
    except UnicodeDecodeError:
        raise ValueError(f"{name}: this is not UTF-8: save the file as UTF-8") from None
    except (ValueError, OSError) as error:  # the errors of pandas and pyarrow are ValueErrors
        raise ValueError(f"{name}: {' '.join(str(error).split())}") from None
    if table.empty:
        raise ValueError(f"{name}: the data has no rows")
    table = table.reset_index(drop=True).rename(columns=str)
    if not table.columns.is_unique:
        raise ValueError(f"{name}: two columns are called {table.columns[table.columns.duplicated()][0]!r}")
    for column, values in table.items():
        if pd.api.types.infer_dtype(values, skipna=True) in {"string", "categorical"}:
            table[column] = values.mask(values == "")  # of Parquet: a gap, as in CSV
    return table


def _read_csv(file: Path, texts: Iterable[str]) -> pd.DataFrame:
    _check_text(file)
    # As text first: pandas renames doubled columns, and takes unnamed ones for an index.
    header = pd.read_csv(file, header=None, nrows=2, dtype=str, na_filter=False).iloc[0]
    if (header == "").any():
        number = int((header == "").argmax()) + 1
        raise ValueError(f"column {number} has no name: name it, or write without an index")
    if header.duplicated().any():
        raise ValueError(f"two columns are called {header[header.duplicated()].iloc[0]!r}")
    return pd.read_csv(file, dtype=dict.fromkeys(texts, object), low_memory=False)


def _check_text(file: Path) -> None:
    """Look at both ends of a file before pandas spends minutes and gigabytes on it."""
    with file.open("rb") as stream:
        start = stream.read(2**16)
        stream.seek(-min(len(start), 2**12), os.SEEK_END)
        end = stream.read()
    if not start.strip():
        raise ValueError("the file is empty")
    if b"\0" in start or b"\0" in end:  # UTF-16 is full of them, and so is what a broken copy left out
        raise ValueError("there are zero bytes in it: copy the file again, or save it as UTF-8")
    header = start.splitlines()[0]
    if b"," not in header and any(mark in header for mark in b";\t|"):
        found = header[:80].decode("utf-8", "replace")
        raise ValueError(f"commas must separate the columns, but the first line is {found!r}")


def kind_of(column: "pd.Series[Any]") -> str:
    """Return "number", "boolean" or "category": what the file makes of a column that nobody declared."""
    if _is_number(column):
        return "number"
    return "boolean" if pd.api.types.infer_dtype(column, skipna=True) == "boolean" else "category"


def as_kind(column: "pd.Series[Any]", kind: str) -> "tuple[pd.Series[Any], pd.Series[bool]]":
    """Return the values as the kind (float64, booleans or texts), and which of them were of another kind.

    A value of another kind is missing in the result.
    """
    if kind == "category":
        return as_text(column), column.isna() & False
    if kind == "boolean":
        values = as_text(column).str.strip().str.lower().map(WORDS)
    else:
        # As text first where pandas would make numbers of booleans and dates.
        numbers = column if _is_number(column) else pd.to_numeric(as_text(column), errors="coerce")
        values = numbers.astype("float64").replace([np.inf, -np.inf], np.nan)
    return values, column.notna() & values.isna()


def as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return each value as text; whole numbers lose the `.0` that gaps give them."""
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return column
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.map("{:.0f}".format, na_action="ignore")
    return column.astype(object).map(str, na_action="ignore").astype(object)  # gaps alone would be floats


def _is_number(column: "pd.Series[Any]") -> bool:
    """Tell numbers from the rest; to pandas, booleans are numbers too."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
