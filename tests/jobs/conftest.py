"""The job scripts as a SageMaker job finds them: beside each other, and the team's beside theirs."""

import importlib
import json
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cookiecutter.main import cookiecutter

from tests.conftest import SOURCE, TEMPLATE

JOBS = SOURCE / "mlops" / "jobs"
sys.path.append(str(JOBS))

VARIANTS = [(task, framework) for task in ("classification", "regression") for framework in ("scikit-learn", "xgboost")]


@dataclass(frozen=True)
class Checked:
    """What check_data.py left behind."""

    failure: str | None
    report: dict[str, Any]
    printed: list[str]

    @property
    def found(self) -> list[tuple[str, str | None]]:
        """The findings, each as its check and column."""
        return [(finding["check"], finding["column"]) for finding in self.report["findings"]]

    @property
    def messages(self) -> list[str]:
        """What the findings say."""
        return [finding["message"] for finding in self.report["findings"]]


Check = Callable[..., Checked]


def column(kind: str, **declared: Any) -> dict[str, Any]:
    """Declare a column as data.json does."""
    return {"type": kind, "missing": 0.0, **declared}


def declare(folder: Path, **content: Any) -> Path:
    """Write data.json into a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = {"target": "y", "task": "classification", "id_columns": [], "rows_without_target": "refuse", "columns": {}}
    (folder / "data.json").write_text(json.dumps(usual | content), "utf-8")
    return folder


def pack(folder: Path, baseline: Any, name: str = "./baseline.json") -> Path:
    """Make the folder of a current version, with the baseline (or any text) in its archive; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "content"
    file.write_text(baseline if isinstance(baseline, str) else json.dumps(baseline), "utf-8")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(file, "./model.joblib")
        tar.add(file, name)
    file.unlink()
    return folder


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run check_data.py on a table, in this process."""
    return lambda table, *options, **given: run_check(tmp_path, capsys, table, *options, **given)


def run_check(
    folder: Path,
    capsys: pytest.CaptureFixture[str] | None,
    table: pd.DataFrame,
    *options: str,
    baseline: Any = None,
    parquet: bool = False,
    **declared: Any,
) -> Checked:
    import check_data  # type: ignore[import-not-found]

    (folder / "data").mkdir(exist_ok=True)
    for file in (folder / "data").iterdir():
        file.unlink()
    if parquet:
        table.to_parquet(folder / "data" / "table.parquet")
    else:
        table.to_csv(folder / "data" / "table.csv", index=False)
    arguments = ["--input-dir", folder / "data", "--schema-dir", declare(folder / "schema", **declared)]
    arguments += ["--output-dir", folder / "report"]
    if baseline is not None:
        arguments += ["--current-dir", pack(folder / "current", baseline)]
    failure = None
    if capsys:
        capsys.readouterr()
    try:
        check_data.main([*map(str, arguments), *options])
    except SystemExit as stopped:
        failure = str(stopped.code)
    printed = capsys.readouterr().out.splitlines() if capsys else []
    report = json.loads((folder / "report" / "data_check.json").read_text("utf-8"), parse_constant=pytest.fail)
    return Checked(failure, report, printed)


@contextmanager
def scripts_of(folder: Path) -> Iterator[Callable[[str], Any]]:
    """Import scripts of a model/ folder by name; others of the same names are forgotten before and after."""
    names = {file.stem for file in folder.glob("*.py")}
    kept = {name: sys.modules.pop(name) for name in names & sys.modules.keys()}
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(folder))
        for name in names & sys.modules.keys():
            del sys.modules[name]
        sys.modules.update(kept)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """A repository for each task and framework, by these two."""
    folder = tmp_path_factory.mktemp("rendered")
    return {
        (task, framework): Path(
            cookiecutter(
                str(TEMPLATE),
                no_input=True,
                default_config=True,
                accept_hooks=False,
                output_dir=str(folder / f"{task}-{framework}"),
                extra_context={"task": task, "framework": framework},
            )
        )
        for task, framework in VARIANTS
    }
