"""A repository whose server can be started, with trained models and with models made up for one test."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.serve.server import NONE, ModelRepository, Trained

TEMPLATE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bake_once(clean_machine: None, cookies_session: Cookies) -> Callable[[str, str], ModelRepository]:
    """Render one repository for each combination, however many tests ask for it."""
    baked: dict[tuple[str, str], ModelRepository] = {}

    def bake(task: str, framework: str) -> ModelRepository:
        if (task, framework) not in baked:
            answers = {"task": task, "framework": framework}
            result = cookies_session.bake(extra_context=answers, template=str(TEMPLATE))
            assert result.exception is None, result.exception
            baked[task, framework] = ModelRepository(result.project_path)
        return baked[task, framework]

    return bake


@pytest.fixture(scope="session")
def repository(bake_once: Callable[[str, str], ModelRepository]) -> ModelRepository:
    """A repository without a model: tests make up their own."""
    return bake_once("classification", "scikit-learn")


@pytest.fixture(scope="session")
def trained(
    bake_once: Callable[[str, str], ModelRepository], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Trained]:
    """Train a model as plain processes, once for each combination."""
    known: dict[tuple[str, str], Trained] = {}

    def train(task: str, framework: str) -> Trained:
        if (task, framework) not in known:
            repository = bake_once(task, framework)
            known[task, framework] = _train(repository, tmp_path_factory.mktemp("job"))
        return known[task, framework]

    return train


def _train(repository: ModelRepository, folder: Path) -> Trained:
    settings = yaml.safe_load((repository.path / "mlops.yaml").read_text("utf-8"))
    data, model = settings["data"], folder / "model"
    (folder / "input").mkdir()
    shutil.copy(repository.path / data["path"], folder / "input")

    def run(script: str, *arguments: str | Path) -> None:
        # Compiled modules are kept: without them each process spends seconds on imports.
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, repository.path / "model" / script, *arguments]
        done = subprocess.run(command, env={**environment, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run("preprocess.py", "--input-dir", folder / "input", "--output-dir", folder / "data", "--target", data["target"])
    splits: list[str | Path] = ["--train", folder / "data" / "train", "--validation", folder / "data" / "validation"]
    run("train.py", *splits, "--model-dir", model, "--output-data-dir", folder / "output")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:  # as SageMaker does after training
        tar.add(model, arcname=".")
    cases = yaml.safe_load((repository.path / "tests" / "endpoint_tests.yaml").read_text("utf-8"))["cases"]
    return Trained(
        repository, folder / "model.tar.gz", cases, (repository.path / data["path"]).read_text("utf-8").splitlines()
    )


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Make a model.tar.gz: of an inference.py, and of other files by name."""

    def make(inference: str, files: Mapping[str, str] = NONE) -> Path:
        archive = tmp_path / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            for name, text in {"code/inference.py": textwrap.dedent(inference), **files}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        return archive

    return make
