"""What `mlops data use` writes: the data, the settings, and the requests that test the endpoint."""

import math
from typing import TYPE_CHECKING, Any

from mlops.git import GitFailed, git
from mlops.own_data.data_file import in_bytes
from mlops.own_data.endpoint_cases import is_as_written, write_cases, write_csv
from mlops.own_data.example_rows import answer_schema, example_table
from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.settings import FILE, OVERRIDABLE, Settings, check

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from mlops.own_data.use import Finding

SAMPLE = ROOT / "tests" / "sample_payload.csv"
CASES = ROOT / "tests" / "endpoint_tests.yaml"
IGNORED = ROOT / ".gitignore"
LARGEST_IN_GIT = 5000  # KB, as in .pre-commit-config.yaml


def contents(finding: "Finding", table: "pd.DataFrame", settings: Settings) -> "dict[Path, bytes | Path]":
    """Return the files to write.

    Raises:
        Problem: the settings would not be valid, or tests/endpoint_tests.yaml has changes that would be lost.
    """
    if not finding.wish.force:
        _check_nothing_is_lost()
    examples = example_table(table, finding.columns, finding.target)
    files: dict[Path, bytes | Path] = {}
    place = ROOT / finding.path
    if not (place.exists() and place.samefile(finding.file)):
        files[place] = finding.file
    if finding.on_s3 or _too_large_for_git(finding):
        ignored = IGNORED.read_text("utf-8") if IGNORED.exists() else ""
        line = _ignoring(finding.path)
        if line not in ignored.splitlines():
            files[IGNORED] = f"{ignored.rstrip()}\n\n# Data that is not in git\n{line}\n".lstrip().encode()
    files[SAMPLE] = (write_csv(examples.rows) + "\n").encode()
    cases = write_cases(examples, answer_schema(finding.target), finding.path.as_posix())
    files[CASES] = cases.encode()
    files[FILE] = _settings(finding, settings)
    return files


def _settings(finding: "Finding", settings: Settings) -> bytes:
    import yaml

    from mlops.own_data.settings_file import changed

    before, wish = settings.data.columns, finding.wish
    columns = {column.name: column.settings() for column in finding.columns}
    for name, column in columns.items():  # plausible limits are what people know, not what a file says
        limits = before[name].model_dump(include={"minimum", "maximum"}, exclude_none=True) if name in before else {}
        columns[name] = column | (limits if column["type"] == "number" else {})
    data: dict[str, Any] = {"path": finding.path.as_posix(), "target": wish.target, "id_columns": list(wish.ids)}
    source = wish.source if finding.on_s3 else None
    if source != settings.data.source:
        data["source"] = source
    rows_without_target = "drop" if wish.drop_rows_without_target else "refuse"
    if rows_without_target != settings.data.rows_without_target:
        data["rows_without_target"] = rows_without_target
    data["columns"] = columns
    bar = finding.bar
    evaluation: dict[str, Any] = {"metric": bar.metric, "threshold": bar.threshold}
    if bar.tolerance is not None:
        evaluation["comparison"] = {"tolerance": bar.tolerance}
    raw = FILE.read_bytes()
    text = changed(raw.decode("utf-8").replace("\r\n", "\n"), {"data": data, "evaluation": evaluation})
    check(yaml.safe_load(text), FILE.name)
    return text.replace("\n", "\r\n").encode() if b"\r\n" in raw else text.encode()


def warnings(finding: "Finding", settings: Settings) -> list[str]:
    """Return what people should know about the files."""
    says = [
        f"tests/{SAMPLE.name} and tests/{CASES.name} hold a few real rows, and git will keep them: mind what is secret."
    ]
    path = finding.path
    if not finding.on_s3 and _too_large_for_git(finding):
        size = in_bytes(finding.file.stat().st_size)
        says.append(
            f"{path} ({size}) is too large for git and stands in .gitignore: CI will not see it. Put it on S3 and name "
            f"that: aws s3 cp {path} s3://BUCKET/{path.name} && mlops data use s3://BUCKET/{path.name} …"
        )
    elif not finding.on_s3 and _is_ignored(path):
        says.append(f"{path} is ignored by git: CI will not see it. Take it out of .gitignore, or put it on S3.")
    for name, place in settings.environments:
        for section in set(OVERRIDABLE) & {"data", "evaluation"}:
            if own := getattr(place, section):
                keys = ", ".join(f"{section}.{key}" for key in own)
                says.append(f"environments.{name} has its own {keys}: look whether that still fits.")
    return says


def _too_large_for_git(finding: "Finding") -> bool:
    return math.ceil(finding.file.stat().st_size / 1024) > LARGEST_IN_GIT


def _ignoring(path: "Path") -> str:
    """Return the line of .gitignore that means this file and no other."""
    text = path.as_posix()
    for special in "\\*?[":
        text = text.replace(special, f"\\{special}")
    return f"/{text}"


def _is_ignored(path: "Path") -> bool:
    try:
        git("check-ignore", "--quiet", path.as_posix())
    except Problem:  # not ignored, or no git
        return False
    return True


def _check_nothing_is_lost() -> None:
    """Cases that people added are theirs: they are written over where git has them, or nobody changed them."""
    if not CASES.exists() or is_as_written(CASES.read_text("utf-8")):
        return
    name = CASES.relative_to(ROOT).as_posix()
    try:
        committed = not git("status", "--porcelain", "--", name)
    except GitFailed:
        committed = False
    if not committed:
        raise Problem(f"{name} has changes that are in no commit and would be lost; commit it first, or add --force")
