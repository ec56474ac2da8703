"""What compare.py writes down about the origin of a model."""

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import compare  # type: ignore[import-not-found]
import lineage  # type: ignore[import-not-found]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.model_archive import pack
from tests.jobs.conftest import JOBS

BASELINE = b'{"rows": 3}\n'
ENVIRONMENT = {"python": "3.11.9", "packages": {"numpy": "2.4.6", "scikit-learn": "1.9.1"}}
METRICS = {
    "auc": {"value": 0.98, "standard_deviation": 0.1, "confidence_interval_95": [0.97, 0.99]},
    "log_loss": {"value": 1e-05},
    "lift": {"value": float("nan")},
    "confusion_matrix": {"no": {"no": 3}},
}
EVALUATION = {"dataset": {"item_count": 9}, "binary_classification_metrics": METRICS}


def archived(folder: Path, **files: bytes) -> Path:
    """Make the folder of a model, as the step finds it."""
    content = folder / "content"
    (content / "code").mkdir(parents=True)
    for name, text in ({"model.joblib": b"x" * 1000, "code/baseline.json": b"wrong"} | files).items():
        (content / name).write_bytes(text)
    (folder / "model").mkdir()
    pack(content, folder / "model" / "model.tar.gz")
    return folder / "model"


def usual(folder: Path) -> Path:
    return archived(folder, **{"baseline.json": BASELINE, "environment.json": json.dumps(ENVIRONMENT).encode()})


def words(folder: Path, model: Path, *more: str, evaluation: Any = EVALUATION) -> list[str]:
    (folder / "evaluation").mkdir(exist_ok=True)
    (folder / "evaluation" / "evaluation.json").write_text(json.dumps(evaluation), "utf-8")
    options = {
        "--evaluation-dir": folder / "evaluation",
        "--output-dir": folder / "comparison",
        "--metric": "auc",
        "--threshold": 0.5,
        "--lineage-dir": folder / "lineage",
        "--model-dir": model,
        "--dataset-uri": "s3://laptop/ab12",
        "--dataset-version": "content:ab12",
        "--validation-fraction": 0.2,
        "--test-fraction": 0.25,
        "--seed": 42,
        "--image": "registry.example/train:1",
        "--image-digest": "sha256:" + "a" * 64,
    }
    hyperparameters = ["--hyperparameter=max_depth=8", "--hyperparameter=layers=[50, 100]", "--hyperparameter=-x=a=b"]
    return [
        *(str(word) for pair in options.items() for word in pair),
        *hyperparameters,
        "--hyperparameter=empty=",
        *more,
    ]


def written(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The lineage's file and its content: the one that comparison.json names, alone beside the baseline."""
    name = json.loads((folder / "comparison" / "comparison.json").read_text("utf-8"))["lineage"]
    file = folder / "lineage" / name
    assert {path.name for path in (folder / "lineage").iterdir()} == {name, "baseline.json"}
    return file, json.loads(file.read_text("utf-8"))


def test_it_holds_what_it_takes_to_make_the_model_again_and_what_came_out(tmp_path: Path) -> None:
    compare.main(words(tmp_path, usual(tmp_path)))
    file, content = written(tmp_path)
    assert content == {
        "format": 1,
        "dataset": {"uri": "s3://laptop/ab12", "version": "content:ab12"},
        "split": {"validation_fraction": 0.2, "test_fraction": 0.25, "seed": 42},
        "hyperparameters": {"max_depth": "8", "layers": "[50, 100]", "-x": "a=b", "empty": ""},
        "main_metric": "auc",
        "metrics": {
            "auc": {"value": 0.98, "confidence_interval_95": [0.97, 0.99]},
            "log_loss": {"value": 1e-05},
            "lift": {"value": None},
        },
        "image": {"uri": "registry.example/train:1", "digest": "sha256:" + "a" * 64},
        "python": "3.11.9",
        "packages": {"numpy": "2.4.6", "scikit-learn": "1.9.1"},
    }
    assert (tmp_path / "lineage" / "baseline.json").read_bytes() == BASELINE
    assert file.name == f"{hashlib.sha256(file.read_bytes()).hexdigest()}.json"
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert file.read_text("utf-8") == canonical


def test_equal_models_have_equal_lineage_wherever_and_however_they_are_packed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    compare.main(words(tmp_path / "one", usual(tmp_path / "one")))
    folder = tmp_path / "two" / "model"
    folder.mkdir()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:  # as SageMaker does
        tar.add(tmp_path / "one" / "content", "./")
    swapped = EVALUATION | {"binary_classification_metrics": dict(reversed(METRICS.items()))}
    gate = ("--threshold", "0.7", "--tolerance", "0.5", "--gate", "warn")  # say nothing about the model
    compare.main(words(tmp_path / "two", folder, *gate, evaluation=swapped))
    assert written(tmp_path / "one")[0].read_bytes() == written(tmp_path / "two")[0].read_bytes()


@pytest.mark.parametrize(
    ("digest", "image"),
    [
        ("unknown", {"uri": "registry.example/train:1", "digest": None}),
        ("no-image", {"uri": None, "digest": None}),
    ],
)
def test_of_the_image_it_says_no_more_than_is_known(digest: str, image: dict[str, Any], tmp_path: Path) -> None:
    compare.main(words(tmp_path, usual(tmp_path), "--image-digest", digest))
    assert written(tmp_path)[1]["image"] == image


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        (None, "train.py left no environment.json beside the model"),
        (b"", "train.py left no environment.json beside the model"),
        *(
            (text, "environment.json beside the model is not understood")
            for text in (b"{", b"[]", b'"x"', b'{"python": "3"}', b'{"python": 3, "packages": {}}', b"\xff")
        ),
        (b'{"python": "3", "packages": {"numpy": 2}}', "environment.json beside the model is not understood"),
        (b'{"python": "3", "packages": ["numpy"]}', "environment.json beside the model is not understood"),
    ],
)
def test_a_train_py_that_does_not_leave_its_environment(
    environment: bytes | None, problem: str, tmp_path: Path
) -> None:
    files = {"baseline.json": BASELINE} | ({} if environment is None else {"environment.json": environment})
    compare.main(words(tmp_path, archived(tmp_path, **files)))
    content = written(tmp_path)[1]
    assert (content["python"], content["packages"], content["environment_problem"]) == (None, None, problem)


def test_a_train_py_that_does_not_leave_a_baseline(tmp_path: Path) -> None:
    compare.main(words(tmp_path, archived(tmp_path)))
    baseline = json.loads((tmp_path / "lineage" / "baseline.json").read_text("utf-8"))
    assert baseline == {"problem": "train.py left no baseline.json beside the model"}


def test_data_that_changed_fail_the_step_before_anything_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(uri: str, version: str) -> None:
        raise ValueError(f"the data at {uri} changed during training")

    monkeypatch.setattr(lineage, "check_unchanged", changed)
    with pytest.raises(ValueError, match=r"^the data at s3://laptop/ab12 changed during training$"):
        compare.main(words(tmp_path, usual(tmp_path)))
    assert not (tmp_path / "lineage").exists()
    assert not (tmp_path / "comparison").exists()


def test_a_refused_model_has_a_lineage_too(tmp_path: Path) -> None:
    compare.main(words(tmp_path, usual(tmp_path), "--threshold", "0.999"))
    assert written(tmp_path)[1]["metrics"]["auc"]["value"] == 0.98


def test_an_archive_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    model = usual(tmp_path)
    whole = (model / "model.tar.gz").read_bytes()
    for broken in (b"no archive", whole[:60], b""):
        (model / "model.tar.gz").write_bytes(broken)
        done = subprocess.run(
            [sys.executable, str(JOBS / "compare.py"), *words(tmp_path, model)], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stderr.startswith("compare.py: model.tar.gz cannot be read: ")
        assert done.stderr.count("\n") == 1


def test_without_being_asked_it_writes_none(tmp_path: Path) -> None:
    compare.main(words(tmp_path, tmp_path / "nowhere")[:8])
    assert "lineage" not in json.loads((tmp_path / "comparison" / "comparison.json").read_text("utf-8"))
    assert not (tmp_path / "lineage").exists()


@given(
    hyperparameters=st.dictionaries(
        st.text("abc_-9", min_size=1), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="'\r\n\0"))
    )
)
def test_every_hyperparameter_arrives_as_it_was(
    hyperparameters: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    argv = [f"--hyperparameter={name}={value}" for name, value in hyperparameters.items()]
    args = compare.parse_arguments(["--metric", "auc", "--threshold", "1", *argv])
    assert lineage.content(args, {}, None)["hyperparameters"] == hyperparameters
