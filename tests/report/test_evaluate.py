"""evaluate.py with real models: what it writes, and what becomes of models that cannot be scored."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from cookiecutter.main import cookiecutter
from sklearn import metrics as sklearn  # type: ignore[import-untyped]

from tests.conftest import TEMPLATE
from tests.report.conftest import load
from tests.report.history import History
from tests.report.reading import figure, text_of
from tests.sweeps import nightly

pytestmark = pytest.mark.slow

TARGETS = {"classification": "diagnosis", "regression": "progression"}
SERVED = ("inference", "payload", "schema")


@dataclass(frozen=True)
class Trained:
    """A model of the sample data, and what evaluate.py said of it."""

    task: str
    folder: Path
    code: Path

    @property
    def target(self) -> str:
        return TARGETS[self.task]

    def rows(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "data" / "test" / "test.csv")

    def written(self, file: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "evaluation" / file).read_text("utf-8"))
        return content

    def copy(self, folder: Path) -> Path:
        """Return a folder with a copy of the unpacked model, to be broken."""
        shutil.copytree(self.folder / "model", folder)
        return folder


def script(code: Path, name: str, *arguments: str | Path, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **{key: str(value) for key, value in variables.items()}}
    command = [sys.executable, code / name, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def train(task: str, framework: str, folder: Path) -> Trained:
    """Run preprocess.py, train.py and evaluate.py of a rendered repository, as the jobs do."""
    answers = {"task": task, "framework": framework}
    rendered = cookiecutter(str(TEMPLATE), no_input=True, default_config=True, accept_hooks=False,
                            extra_context=answers, output_dir=str(folder / "baked"))  # fmt: skip
    code, model, data = Path(rendered) / "model", folder / "model", folder / "data"
    (folder / "input").mkdir()
    for file in (Path(rendered) / "data").glob("*.csv"):
        shutil.copy(file, folder / "input")
    channels = {"SM_CHANNEL_TRAIN": data / "train", "SM_CHANNEL_VALIDATION": data / "validation"}
    folders = {"SM_MODEL_DIR": model, "SM_OUTPUT_DATA_DIR": folder / "output"}
    evaluated: list[str | Path] = ["--model-dir", folder / "archive", "--test-dir", data / "test"]
    evaluated += ["--output-dir", folder / "evaluation", "--target", TARGETS[task]]
    (folder / "archive").mkdir()
    split: list[str | Path] = ["--input-dir", folder / "input", "--output-dir", data, "--target", TARGETS[task]]
    jobs: list[tuple[str, list[str | Path], dict[str, Path]]] = [
        ("preprocess.py", split, {}),
        ("train.py", [], channels | folders),
        ("evaluate.py", evaluated, {}),
    ]
    for name, arguments, variables in jobs:
        done = script(code, name, *arguments, **variables)
        assert done.returncode == 0, done.stderr
        if name == "train.py":
            pack(model, folder / "archive")
    return Trained(task, folder, code)


def pack(model: Path, archive: Path) -> None:
    archive.mkdir(exist_ok=True)
    with tarfile.open(archive / "model.tar.gz", "w:gz") as tar:
        tar.add(model, arcname=".")


@pytest.fixture(scope="session", params=[("classification", "scikit-learn"), ("regression", "xgboost")], ids="/".join)
def trained(request: pytest.FixtureRequest, clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One model of each task and framework."""
    task, framework = request.param
    return train(task, framework, tmp_path_factory.mktemp("trained"))


@pytest.fixture
def other_task(trained: Trained) -> ModuleType:
    """evaluate.py of the task that the model is not for."""
    return load("regression" if trained.task == "classification" else "classification")


@pytest.fixture(autouse=True)
def fresh_modules() -> Iterator[None]:
    """Each evaluation loads the served code anew, as a process would."""
    before = list(sys.path)
    for name in SERVED:
        sys.modules.pop(name, None)
    yield
    sys.path[:] = before
    for name in SERVED:
        sys.modules.pop(name, None)


@pytest.fixture
def evaluate(trained: Trained, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run evaluate.py in this process and return what it wrote into evaluation.json."""

    def _evaluate(
        model: Path, *arguments: str, test: Path | None = None, module: ModuleType | None = None
    ) -> dict[str, Any]:
        for name in SERVED:
            sys.modules.pop(name, None)
        folders = ["--model-dir", str(model), "--output-dir", str(tmp_path / "out")]
        folders += ["--test-dir", str(test or trained.folder / "data" / "test")]
        (module or load(trained.task)).main([*folders, *arguments])
        content: dict[str, Any] = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
        return content

    return _evaluate


# --- what it writes -------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_predictions(trained: Trained) -> None:
    figures, predictions = (
        trained.written("figures.json"),
        pd.read_csv(trained.folder / "evaluation" / "predictions.csv"),
    )
    actual, predicted = predictions["actual"], predictions["predicted"]
    if trained.task == "regression":
        pairs = set(zip(actual.astype(float), predicted, strict=True))
        assert {tuple(pair) for pair in figures["prediction_against_truth"]} == pairs
        assert sum(figures["residuals"]["counts"]) == len(predictions)
        assert figures["residuals"]["edges"][0] == pytest.approx((predicted - actual).min())
    else:
        assert figures["confusion_matrix"]["counts"] == sklearn.confusion_matrix(actual, predicted).tolist()
        assert figures["confusion_matrix"]["labels"] == ["benign", "malignant"]
        auc = sklearn.roc_auc_score(actual == "malignant", predictions["probability_malignant"])
        assert figures["roc"]["auc"] == pytest.approx(auc)
        assert sum(count for *_, count in figures["calibration"]) == len(predictions)
    assert len(figures["importance"]) == (20 if trained.task == "classification" else 10)
    assert figures["importance"][0][1] > 2 * figures["importance"][-1][1]
    assert figures["importance_rows"] >= 40


def test_the_same_model_is_measured_the_same(
    trained: Trained, evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    evaluate(trained.folder / "archive")
    for file in ("evaluation.json", "figures.json", "predictions.csv"):
        assert (tmp_path / "out" / file).read_bytes() == (trained.folder / "evaluation" / file).read_bytes()


def test_the_report_draws_every_figure(trained: Trained, history: History) -> None:
    run = history.add()
    history.rewrite(run, "Evaluate", "evaluation", "evaluation.json", trained.written("evaluation.json"))
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", trained.written("figures.json")))
    titles = {
        "classification": ["Confusion matrix", "ROC curve", "Calibration", "Importance of the columns"],
        "regression": ["Prediction against truth", "Errors", "Importance of the columns"],
    }
    for title in titles[trained.task]:
        assert list(figure(text, title).iter("svg")), title


# --- a current version that is absent, or does not fit any more ------------------------------------


def test_where_there_is_no_model_it_says_so(evaluate: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "none").write_text("no version is approved yet\n")
    assert evaluate(tmp_path / "current", "--missing-model-ok") == {"model": None}
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["evaluation.json"]
    with pytest.raises(ValueError, match=r"no model in .*current: train.py writes it"):
        evaluate(tmp_path / "current")


def broken_archive(model: Path, _: pd.DataFrame) -> None:
    (model / "model.tar.gz").write_bytes(b"\x1f\x8b broken")


def no_code(model: Path, _: pd.DataFrame) -> None:
    (model / "code" / "inference.py").unlink()


def broken_schema(model: Path, _: pd.DataFrame) -> None:
    (model / "schema.json").write_text("{")


def broken_model(model: Path, _: pd.DataFrame) -> None:
    for file in model.glob("model.*"):
        file.write_bytes(b"not a model")


def no_model_file(model: Path, _: pd.DataFrame) -> None:
    for file in model.glob("model.*"):
        file.unlink()


def missing_package(model: Path, _: pd.DataFrame) -> None:
    code = model / "code" / "inference.py"
    code.write_text("import a_package_of_before\n" + code.read_text())


def other_columns(_: Path, rows: pd.DataFrame) -> None:
    del rows[rows.columns[0]]


def texts_for_numbers(_: Path, rows: pd.DataFrame) -> None:
    rows[rows.columns[0]] = "much"


def no_target(_: Path, rows: pd.DataFrame) -> None:
    for name in set(rows) & set(TARGETS.values()):
        del rows[name]


def wrong_answers(model: Path, _: pd.DataFrame) -> None:
    code = model / "code" / "inference.py"
    code.write_text(
        code.read_text() + "\n\ndef output_fn(prediction, accept):\n    return '{\"predictions\": []}', accept\n"
    )


def a_bug(model: Path, _: pd.DataFrame) -> None:
    code = model / "code" / "inference.py"
    code.write_text(code.read_text() + "\n\ndef predict_fn(data, model):\n    return {}['nothing']\n")


PROBLEMS = [
    (broken_archive, "model.tar.gz cannot be unpacked"),
    (no_code, "no model in"),
    (broken_schema, "JSONDecodeError"),
    (broken_model, "inference.py, line"),
    (no_model_file, "inference.py, line"),
    (missing_package, "ModuleNotFoundError: No module named 'a_package_of_before' (inference.py, line 1)"),
    (other_columns, "the test rows have no column"),
    (texts_for_numbers, "stands where a number belongs"),
    (no_target, "the test rows have no column"),
    (wrong_answers, "the model gives 0 answers to"),
    (a_bug, "KeyError: 'nothing' (inference.py, line"),
]


@pytest.mark.parametrize(("spoil", "problem"), PROBLEMS, ids=lambda part: getattr(part, "__name__", ""))
def test_a_model_that_cannot_be_scored_is_a_problem_in_one_line(
    trained: Trained,
    evaluate: Callable[..., dict[str, Any]],
    tmp_path: Path,
    spoil: Callable[[Path, pd.DataFrame], None],
    problem: str,
) -> None:
    model, rows = trained.copy(tmp_path / "model"), trained.rows()
    spoil(model, rows)
    (tmp_path / "test").mkdir()
    rows.to_csv(tmp_path / "test" / "test.csv", index=False)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        evaluate(model, test=tmp_path / "test")
    assert problem in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "Stack trace" not in str(refusal.value)  # of XGBoost, with the time of day
    assert not (tmp_path / "out" / "evaluation.json").exists()
    content = evaluate(model, "--missing-model-ok", test=tmp_path / "test")
    assert content == {"model": None, "problem": str(refusal.value)}
    assert not (tmp_path / "out" / "figures.json").exists()


def test_labels_that_the_model_does_not_know_are_a_problem(
    trained: Trained, evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    rows = trained.rows()
    rows[trained.target] = "unclear"
    (tmp_path / "test").mkdir()
    rows.to_csv(tmp_path / "test" / "test.csv", index=False)
    problem = evaluate(trained.folder / "archive", "--missing-model-ok", test=tmp_path / "test")["problem"]
    assert "unclear" in problem


def test_another_target_and_another_task_are_problems(
    trained: Trained, evaluate: Callable[..., dict[str, Any]], other_task: ModuleType
) -> None:
    archive = trained.folder / "archive"
    found = evaluate(archive, "--missing-model-ok", "--target", "price")
    assert found["problem"] == f"--target is 'price', the model's is {trained.target!r}"
    found = evaluate(archive, "--missing-model-ok", module=other_task)
    assert found["problem"].startswith("the model predicts ")


def test_without_test_rows_the_pipeline_is_wrong_and_not_the_model(
    trained: Trained, evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        evaluate(trained.folder / "archive", "--missing-model-ok", test=tmp_path)


@pytest.mark.parametrize(
    "trained",
    [("classification", "scikit-learn"), pytest.param(("regression", "xgboost"), marks=nightly)],
    ids="/".join,
    indirect=True,
)
def test_the_process_ends_with_one_line(trained: Trained, tmp_path: Path) -> None:
    model = trained.copy(tmp_path / "model")
    broken_model(model, pd.DataFrame())
    pack(model, tmp_path / "archive")
    folders: list[str | Path] = ["--model-dir", tmp_path / "archive", "--test-dir", trained.folder / "data" / "test"]
    folders += ["--output-dir", tmp_path / "out"]
    refused = script(trained.code, "evaluate.py", *folders)
    assert refused.returncode == 1
    assert refused.stderr.startswith("evaluate.py: ")
    assert refused.stderr.count("\n") == 1
    accepted = script(trained.code, "evaluate.py", *folders, "--missing-model-ok")
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.startswith("the current version cannot be scored: ")
