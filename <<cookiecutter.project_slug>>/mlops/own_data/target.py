"""The column to predict: what kind of task it is, and whether a model can learn it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["classification", "regression"]

FEW_CLASSES = 10  # so many different whole numbers are taken for classes, more for a quantity
# As in model/preprocess.py.
ROWS_PER_CLASS = 5
ROWS = 20


@dataclass(frozen=True)
class Target:
    """The target as it was found: `values` are those of the rows to learn from, with their place in the table."""

    name: str
    task: Task
    values: "pd.Series[Any]"
    missing: int

    @property
    def classes(self) -> list[str] | list[int]:
        """The classes in the order of model/train.py: of two, the last is the positive one."""
        labels = set(map(str, self.values.unique()))
        if all(_is_whole(label) for label in labels):
            return sorted(map(int, labels))
        return sorted(labels)

    def shares(self) -> list[float]:
        """The share of rows of each class."""
        shares = self.values.astype(str).value_counts(normalize=True)
        return [float(shares[str(label)]) for label in self.classes]

    @property
    def shown(self) -> str:
        """Its range, or its classes with their shares."""
        if self.task == "regression":
            return f"{self.values.min():g} to {self.values.max():g}, on average {self.values.mean():g}"
        parts = [f"{label} {share:.1%}" for label, share in zip(self.classes, self.shares(), strict=True)]
        return ", ".join(parts) if len(parts) <= 12 else f"{len(parts)} classes"


def _is_whole(text: str) -> bool:
    try:
        return str(int(text)) == text
    except ValueError:
        return False


def find_target(
    column: "pd.Series[Any]", task: Task, insisted: Task | None, drop: bool, smallest_split: float
) -> Target:
    """Return the target, if the code in model/ can learn it.

    Args:
        task: what the code in model/ does.
        insisted: the task that somebody named, where the column leaves the choice.
        drop: leave out the rows without a target.
        smallest_split: the smaller of validation and test fraction.

    Raises:
        Problem: values are missing, it is of the other task, always the same, infinite, or a class is too rare.
    """
    name = str(column.name)
    missing = column.isna()
    if missing.all():
        raise Problem(f"the target {name!r} has no value in any row")
    if missing.any() and not drop:
        first = int(missing.to_numpy().argmax()) + 1
        raise Problem(
            f"the target {name!r} is missing in {missing.sum()} of {len(column)} rows, first in row {first}; fill them "
            "or add --drop-rows-without-target"
        )
    values = column[~missing]
    _check_task(values, task, insisted)
    _check_values(values, task, smallest_split)
    if task == "classification" and _numbers(values) and (values % 1 == 0).all():
        values = values.astype("int64")  # 1.0 is how missing values make pandas write 1
    return Target(name, task, values, int(missing.sum()))


def _check_task(values: "pd.Series[Any]", task: Task, insisted: Task | None) -> None:
    name, possible = values.name, {"classification", "regression"}
    if not _numbers(values):
        found, possible = "classification", {"classification"}
        what = "true or false" if values.isin([True, False]).all() else f"texts such as {values.iloc[0]!r}"
    elif not (values % 1 == 0).all():
        found, what = "regression", f"numbers such as {values[values % 1 != 0].iloc[0]:g}"
    else:
        found = "classification" if values.nunique() <= FEW_CLASSES else "regression"
        what = f"{values.nunique()} different whole numbers"
    says = f"the target {name!r} holds {what}"
    if insisted and insisted not in possible:
        raise Problem(f"{says}: that is {found}, not {insisted}; choose another --target, or leave out --task")
    if insisted and insisted != task:
        raise Problem(f"the code in model/ is for {task}; for {insisted} make a repository with that task")
    if not insisted and found != task:
        other = f", or insist with --task {task}" if task in possible else ""
        raise Problem(
            f"{says}: that looks like {found}, and the code in model/ is for {task}; "
            f"choose another --target, make a repository for {found}{other}"
        )


def _check_values(values: "pd.Series[Any]", task: Task, smallest_split: float) -> None:
    import numpy as np

    name = values.name
    if values.nunique() < 2:
        raise Problem(f"the target {name!r} is always {values.iloc[0]!s}: there is nothing to learn")
    if task == "classification":
        # So that every split has a row of each class.
        needed = max(ROWS_PER_CLASS, math.ceil(round(1 / smallest_split, 6)))
        count = values.astype(str).value_counts()
        rare = count[count < needed]
        if len(rare):
            label, rows = rare.index[-1], rare.iloc[-1]
            others = f" (and {len(rare) - 1} more classes have too few)" if len(rare) > 1 else ""
            raise Problem(
                f"class {label!r} of the target {name!r} has {rows} {'row' if rows == 1 else 'rows'} where at least "
                f"{needed} are needed{others}; merge rare classes, or leave out their rows"
            )
        return
    infinite = np.isinf(values.to_numpy(dtype="float64"))
    if infinite.any():
        raise Problem(f"the target {name!r} is infinite in row {values.index[infinite][0] + 1}; correct the value")
    if len(values) < ROWS:
        raise Problem(f"{len(values)} rows are too few to learn from; at least {ROWS} are needed")


def _numbers(values: "pd.Series[Any]") -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
