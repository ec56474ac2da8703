"""The model, trained once for all tests: as plain processes, with the folders of SageMaker's jobs."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops.laptop.content import data_schema
from mlops.own_repository import ROOT
from mlops.settings import Settings, load_settings

MODEL = ROOT / "model"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # on small data, threads only wait for each other
sys.path.insert(0, str(MODEL))  # the scripts import each other by name, as they do in SageMaker


@dataclass(frozen=True)
class Job:
    """One run of preprocess.py, train.py and evaluate.py, and what it left behind."""

    folder: Path
    output: str

    @property
    def model_dir(self) -> Path:
        """The unpacked model."""
        return self.folder / "model"

    @property
    def evaluation(self) -> dict[str, Any]:
        """What evaluate.py measured."""
        return json.loads((self.folder / "evaluation" / "evaluation.json").read_text("utf-8"))

    @property
    def metrics(self) -> dict[str, Any]:
        """Its metrics, whatever kind they are of."""
        return next(group for name, group in self.evaluation.items() if name.endswith("_metrics"))

    @property
    def baseline(self) -> dict[str, Any]:
        """What the training rows looked like, for the check of later data."""
        return json.loads((self.model_dir / "baseline.json").read_text("utf-8"))

    @property
    def schema(self) -> dict[str, Any]:
        """The columns the model knows."""
        return json.loads((self.model_dir / "schema.json").read_text("utf-8"))

    def split(self, name: str) -> pd.DataFrame:
        """The rows of train, validation or test; 01234 stays a text where it is a category."""
        texts = {column: object for column, kind in self.schema["features"].items() if kind == "category"}
        file = self.folder / "data" / name / f"{name}.csv"
        return pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=[""])


TRAINED = pytest.StashKey[Job]()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """What mlops.yaml says."""
    return load_settings()


@pytest.fixture(scope="session")
def split_arguments(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What preprocess.py is told about the data, in data.json and besides."""
    schema = tmp_path_factory.mktemp("schema")
    (schema / "data.json").write_bytes(data_schema(settings))
    arguments = ["--schema-dir", str(schema), "--seed", str(settings.data.seed)]
    arguments += ["--validation-fraction", str(settings.data.validation_fraction)]
    return [*arguments, "--test-fraction", str(settings.data.test_fraction)]


@pytest.fixture(scope="session")
def train_arguments(settings: Settings) -> list[str]:
    """What train.py is told, but for its folders."""
    parameters = settings.training.hyperparameters.items()
    return [word for name, value in parameters for word in (f"--{name}", str(value))]


@pytest.fixture(scope="session")
def run_script() -> Callable[..., str]:
    """Run a script of model/ as SageMaker does, and return what it printed."""

    def run(script: str, *arguments: str | Path, **variables: str | Path) -> str:
        command = [sys.executable, MODEL / script, *arguments]
        # Compiled modules are kept: without them each process spends seconds on imports.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = kept | {name: str(value) for name, value in variables.items()}
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run


@pytest.fixture(scope="session")
def job(
    request: pytest.FixtureRequest,
    settings: Settings,
    split_arguments: list[str],
    train_arguments: list[str],
    run_script: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Job:
    """The data of mlops.yaml, split, trained on and evaluated."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "input").mkdir()
    shutil.copy(ROOT / settings.data.path, folder / "input")
    data, model, archive = folder / "data", folder / "model", folder / "archive"
    output = run_script("preprocess.py", "--input-dir", folder / "input", "--output-dir", data, *split_arguments)
    output += run_script(
        "train.py",
        *train_arguments,
        SM_CHANNEL_TRAIN=data / "train",
        SM_CHANNEL_VALIDATION=data / "validation",
        SM_MODEL_DIR=model,
        SM_OUTPUT_DATA_DIR=folder / "output",
    )
    archive.mkdir()
    with tarfile.open(archive / "model.tar.gz", "w:gz") as tar:  # as SageMaker does after training
        tar.add(model, arcname=".")
    folders = ["--model-dir", archive, "--test-dir", data / "test", "--output-dir", folder / "evaluation"]
    output += run_script("evaluate.py", *folders, "--target", settings.data.target)
    trained = Job(folder, output)
    request.config.stash[TRAINED] = trained
    return trained


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what the model is worth, below the tests."""
    job = config.stash.get(TRAINED, None)
    if job is None:
        return
    rows = job.evaluation["dataset"]["item_count"]
    terminalreporter.section(f"the model on {rows} rows that it has not seen")
    for name, metric in job.metrics.items():
        if "value" in metric:
            interval = metric.get("confidence_interval_95", {})
            bounds = "  (95 %: {:.4g} to {:.4g})".format(*interval) if interval else ""
            terminalreporter.write_line(f"{name:<20} {metric['value']:.4g}{bounds}")


Answer = Callable[..., Any]


@pytest.fixture(scope="session")
def model(job: Job) -> Any:
    """The trained model, as the server loads it."""
    import inference

    return inference.model_fn(job.model_dir)


@pytest.fixture(scope="session")
def answer(model: Any) -> Answer:
    """Send a request through the functions that the server calls; return the predictions."""
    import inference

    def send(body: bytes | str, content_type: str, accept: str = "application/json") -> Any:
        prediction = inference.predict_fn(inference.input_fn(body, content_type), model)
        text, kind = inference.output_fn(prediction, accept)
        assert kind == accept
        return json.loads(text)["predictions"] if kind == "application/json" else text

    return send


@pytest.fixture(scope="session")
def rows(job: Job) -> pd.DataFrame:
    """A few rows that the model has not seen, with all features and no value missing."""
    return job.split("test")[list(job.schema["features"])].dropna().head(5)
