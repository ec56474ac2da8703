"""`mlops data use`: a table of one's own in place of the one that is there.

Everything is found out first; then everything is written, or nothing.
"""

import difflib
import filecmp
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.own_data import data_file, data_source
from mlops.own_data.column_types import Column, find_columns
from mlops.own_data.replace_files import replace_files
from mlops.own_data.target import Target, Task, find_target
from mlops.own_data.threshold import Bar, choose
from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

# Called with what is being done and what is then done.
Step = Callable[[str, str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Wish:
    """What somebody typed."""

    source: str
    target: str
    ids: Sequence[str] = ()
    ignored: Sequence[str] = ()
    categories: Sequence[str] = ()
    task: Task | None = None
    drop_rows_without_target: bool = False
    threshold: float | None = None
    force: bool = False

    def check(self, names: list[str]) -> None:
        """Check that every column that was named is there, once, and that the threshold is a number.

        Raises:
            Problem: one is not there, or is to be two things; or the threshold is none.
        """
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise Problem(f"--threshold is {self.threshold}; it must be a finite number")
        options = [("--target", [self.target]), ("--id", self.ids), ("--ignore", self.ignored)]
        used: dict[str, str] = {}
        for option, chosen in [*options, ("--category", self.categories)]:
            for name in chosen:
                if name not in names:
                    raise Problem(f"{option}: no column is called {name!r}; {_suggestion(name, names)}")
                if used.setdefault(name, option) != option:
                    raise Problem(f"{name!r} is named by {used[name]} and {option}; choose one")


def _suggestion(name: str, names: list[str]) -> str:
    plain = {other.strip().casefold(): other for other in names}
    close = difflib.get_close_matches(name.strip().casefold(), plain, n=1)
    if close:
        return f"did you mean {plain[close[0]]!r}?"
    shown = ", ".join(map(repr, names[:20]))
    return f"there are {shown}" + (f" and {len(names) - 20} more" if len(names) > 20 else "")


@dataclass(frozen=True)
class Finding:
    """What is in the table, and where it lies; `path` is seen from the repository's root."""

    wish: Wish
    file: Path
    path: Path
    rows: int
    columns: list[Column]
    target: Target
    bar: Bar
    warnings: list[str]
    contents: dict[Path, bytes | Path]  # to be written

    @property
    def on_s3(self) -> bool:
        """Whether the file comes from S3."""
        return self.wish.source.startswith(data_source.S3)

    def as_json(self) -> dict[str, Any]:
        """Return it for other programs."""
        target = {"name": self.target.name, "missing": self.target.missing, "holds": self.target.shown}
        if self.target.task == "classification":
            labels = [str(label) for label in self.target.classes]
            target["classes"] = dict(zip(labels, self.target.shares(), strict=True))
        return {
            "path": self.path.as_posix(),
            "source": self.wish.source if self.on_s3 else None,
            "rows": self.rows,
            "bytes": self.file.stat().st_size,
            "task": self.target.task,
            "target": target,
            "id_columns": list(self.wish.ids),
            "columns": [
                {"name": column.name, "holds": column.shown, "missing_now": column.missing, **column.settings()}
                for column in self.columns
            ],
            "metric": self.bar.metric,
            "threshold": self.bar.threshold,
            "tolerance": self.bar.tolerance,
            "writes": [file.relative_to(ROOT).as_posix() for file in self.contents],
            "warnings": self.warnings,
            "next": "mlops run",
        }

    def write(self, again: str) -> None:
        """Write all files, or none.

        Raises:
            Problem: one cannot be written.
        """
        replace_files(self.contents, again)


@contextmanager
def examine(wish: Wish, step: Step) -> Iterator[Finding]:
    """Look at everything, and yield what was found and what is to be written; nothing is written yet.

    Raises:
        Problem: the table cannot be used as wished.
    """
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="mlops-data-") as scratch:
        if wish.source.startswith(data_source.S3):
            file = Path(scratch) / data_source.split(wish.source)[1].rsplit("/", 1)[-1]
            data_file.check_suffix(file)
            with step(f"downloading {wish.source}", "downloaded"):
                data_source.download(wish.source, file, settings.region)
        else:
            file = Path(wish.source).expanduser()
        data_file.look_at(file)
        wish.check(data_file.column_names(file))
        path = _place(file, wish, settings)
        with step(f"reading {file.name}", f"read {file.name}, {data_file.in_bytes(file.stat().st_size)}"):
            if file.suffix == ".csv":
                data_file.check_rows(file)
            table = data_file.read(file, wish.ignored, wish.categories)
            finding = _examine_table(table, file, path, wish, settings)
        yield finding


def _place(file: Path, wish: Wish, settings: Settings) -> Path:
    """Return where the file is to lie: where it is, if that is in the repository, else in data/."""
    if wish.source.startswith(data_source.S3):
        path = Path("data") / file.name
        if (settings.data.source, settings.data.path) == (wish.source, path):
            return path  # the earlier download of the same object
    else:
        for place in (Path(os.path.abspath(file)), file.resolve()):  # as it was named, links and all, if possible
            if place.is_relative_to(ROOT):
                return place.relative_to(ROOT)
        path = Path("data") / file.name
    there = ROOT / path
    if there.exists() and not wish.force and not (there.is_file() and filecmp.cmp(file, there, shallow=False)):
        raise Problem(f"{path} is there already, with other content; rename your file, or replace it with --force")
    return path


def _examine_table(table: "pd.DataFrame", file: Path, path: Path, wish: Wish, settings: Settings) -> Finding:
    from mlops.own_data import files as own_data_files

    data = settings.data
    smallest_split = min(data.validation_fraction, data.test_fraction)
    target = find_target(
        table[wish.target], settings.model.task, wish.task, wish.drop_rows_without_target, smallest_split
    )
    features = table.drop(columns=[wish.target, *wish.ids])
    columns, warnings = find_columns(features, wish.categories)
    if not columns:
        raise Problem("no feature is left beside the target, ids and what is left out")
    empty = features[[column.name for column in columns]].isna().all(axis="columns")
    if empty.any():
        warnings.append(f"{empty.sum()} rows have no feature at all: training leaves them out.")
        target = replace(target, values=target.values[~empty[target.values.index]])
    warnings += [
        f"{name!r} repeats, so one {name!r} may be in training and test rows."
        for name in wish.ids
        if table[name].duplicated().any()
    ]
    bar = choose(settings.evaluation, data, target, wish.threshold)
    finding = Finding(wish, file, path, len(table), columns, target, bar, warnings, {})
    finding.contents.update(own_data_files.contents(finding, table, settings))
    finding.warnings.extend(own_data_files.warnings(finding, settings))
    return finding
