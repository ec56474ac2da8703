"""The model learns from the data of mlops.yaml, reproducibly and without looking ahead."""

import io
import json
import re
import tarfile
from pathlib import Path

import evaluate
import inference
import numpy as np
import pandas as pd
import preprocess
import pytest
import scoring
import train
from conftest import MODEL, Job
from schema import as_text

from mlops.jobs.metric_direction import direction_of
from mlops.settings import Settings


def meets(settings: Settings, value: float) -> bool:
    metric, threshold = settings.evaluation.metric, settings.evaluation.threshold
    return value <= threshold if direction_of(metric) == "at most" else value >= threshold


def constant_metric(settings: Settings, job: Job) -> float:
    """Return the main metric of a model that says the same to everybody."""
    known, actual = (job.split(name)[settings.data.target] for name in ("train", "test"))
    if settings.model.task == "regression":
        predicted = np.full(len(actual), known.mean())
        return float(evaluate.regression_metrics(actual.to_numpy(float), predicted)[settings.evaluation.metric])
    classes = [str(label) for label in job.schema["classes"]]
    shares = known.astype(str).value_counts(normalize=True)[classes].to_numpy()
    positions = actual.astype(str).map(classes.index).to_numpy()
    probabilities = np.tile(shares, (len(actual), 1))
    return evaluate.classification_metrics(positions, probabilities)[settings.evaluation.metric]


def test_the_model_is_as_good_as_the_settings_demand(settings: Settings, job: Job) -> None:
    assert meets(settings, job.metrics[settings.evaluation.metric]["value"])


def test_a_model_that_ignores_the_features_would_not_be(settings: Settings, job: Job) -> None:
    assert not meets(settings, constant_metric(settings, job))


def test_the_spread_of_each_metric_is_known(job: Job) -> None:
    measured = [metric for metric in job.metrics.values() if "value" in metric]
    assert len(measured) >= 5
    known = [metric for metric in measured if "standard_deviation" in metric]
    assert known, "the bootstrap resamples are all the same"
    for metric in known:
        low, high = metric["confidence_interval_95"]
        assert low <= high
        assert metric["standard_deviation"] > 0


def test_the_evaluation_has_the_layout_of_the_model_registry(settings: Settings, job: Job) -> None:
    rows = len(job.split("test"))
    assert job.evaluation["dataset"] == {"item_count": rows}
    if settings.model.task == "regression":
        assert {"mae", "mse", "rmse", "r2"} <= job.metrics.keys()
        assert job.metrics["rmse"]["value"] == pytest.approx(job.metrics["mse"]["value"] ** 0.5)
    else:
        matrix = job.metrics["confusion_matrix"]
        assert list(matrix) == [str(label) for label in job.schema["classes"]]
        assert sum(sum(line.values()) for line in matrix.values()) == rows


def test_the_predictions_file_explains_the_metrics(settings: Settings, job: Job) -> None:
    table = pd.read_csv(job.folder / "evaluation" / "predictions.csv", dtype=str)
    assert table["actual"].tolist() == job.split("test")[settings.data.target].astype(str).tolist()
    if settings.model.task == "regression":
        error = table["predicted"].astype(float) - table["actual"].astype(float)
        assert np.sqrt((error**2).mean()) == pytest.approx(job.metrics["rmse"]["value"])
    else:
        accuracy = (table["predicted"] == table["actual"]).mean()
        assert accuracy == pytest.approx(job.metrics["accuracy"]["value"])


def test_the_jobs_print_metrics_that_sagemaker_can_read(job: Job) -> None:
    lines = dict(re.findall(r"^(\w+)=([-+.\deE]+|nan);$", job.output, flags=re.MULTILINE))
    assert {"train_rows", "validation_rows", "test_rows"} <= lines.keys()
    metrics = json.loads((job.folder / "output" / "metrics.json").read_text())
    for name, value in metrics.items():
        assert float(lines[name]) == pytest.approx(value, rel=1e-5)


def test_the_same_seed_splits_the_same_way(
    settings: Settings, job: Job, split_arguments: list[str], tmp_path: Path
) -> None:
    folders = ["--input-dir", str(job.folder / "input"), "--output-dir", str(tmp_path)]
    preprocess.main([*folders, *split_arguments])
    for file in (job.folder / "data").rglob("*.*"):
        again = tmp_path / file.relative_to(job.folder / "data")
        assert again.read_bytes() == file.read_bytes()


def test_the_same_seed_gives_the_same_model(
    job: Job, train_arguments: list[str], tmp_path: Path, rows: pd.DataFrame
) -> None:
    data = job.folder / "data"
    folders = {"train": data / "train", "validation": data / "validation"}
    folders |= {"model-dir": tmp_path / "model", "output-data-dir": tmp_path / "output"}
    train.main([*train_arguments, *[f"--{name}={path}" for name, path in folders.items()]])
    request = inference.input_fn(rows.to_csv(index=False), "text/csv")
    first, second = (
        inference.output_fn(inference.predict_fn(request, inference.model_fn(folder)), "text/csv")
        for folder in (job.model_dir, tmp_path / "model")
    )
    assert first == second


def test_each_row_is_in_exactly_one_split(settings: Settings, job: Job) -> None:
    splits = [job.split(name) for name in ("train", "validation", "test")]
    names, features = list(splits[0]), job.schema["features"]
    together = pd.concat(splits).sort_values(names).reset_index(drop=True)
    texts = {name: object for name, kind in features.items() if kind == "category"}
    source = preprocess.read_data(job.folder / "input", list(texts)).rename(columns=str)
    source = source.dropna(how="all", subset=list(features))
    if settings.data.rows_without_target == "drop":
        source = source.dropna(subset=settings.data.target)
    for name in texts:
        source[name] = as_text(source[name])
    written = io.StringIO(source[names].to_csv(index=False))  # as the splits are: None, NaN and NA are the same there
    expected = pd.read_csv(written, dtype=texts, keep_default_na=False, na_values=[""])
    expected = expected.sort_values(names).reset_index(drop=True)
    pd.testing.assert_frame_equal(together, expected, check_dtype=False)
    shares = [len(split) / len(source) for split in splits[1:]]
    wanted = [settings.data.validation_fraction, settings.data.test_fraction]
    assert shares == pytest.approx(wanted, abs=2 / len(source))


def test_each_class_has_its_share_of_each_split(settings: Settings, job: Job) -> None:
    if settings.model.task == "regression":
        pytest.skip("there are no classes")
    counts = pd.DataFrame(
        {name: job.split(name)[settings.data.target].value_counts() for name in ("train", "validation", "test")}
    )
    shares = counts / counts.sum()
    # Rows cannot be halved: each of the two cuts is off by less than one.
    assert (shares.max(axis="columns") - shares.min(axis="columns")).max() < 3 / counts.sum().min()


def test_the_baseline_says_what_the_training_rows_hold(settings: Settings, job: Job) -> None:
    train, baseline = job.split("train"), job.baseline
    assert baseline["rows"] == len(train)
    assert list(baseline["columns"]) == list(job.schema["features"])
    for name, figures in baseline["columns"].items():
        column = train[name]
        assert figures["type"] == job.schema["features"][name]
        assert figures["missing"] == pytest.approx(column.isna().mean())
        if figures["type"] == "number":
            kept = [figures[key] for key in ("minimum", "maximum", "mean", "standard_deviation")]
            assert kept == pytest.approx([column.min(), column.max(), column.mean(), column.std()])
            quantiles = column.quantile([float(point) for point in figures["quantiles"]])
            assert list(figures["quantiles"].values()) == pytest.approx(quantiles.tolist())
        elif figures["type"] == "category":
            assert figures["shares"].keys() <= set(column)
    target = train[settings.data.target]
    if settings.model.task == "regression":
        assert baseline["target"]["mean"] == pytest.approx(target.mean())
    else:
        assert baseline["target"]["shares"] == pytest.approx(target.astype(str).value_counts(normalize=True).to_dict())


def test_neither_the_target_nor_an_id_is_a_feature(settings: Settings, job: Job) -> None:
    assert not {settings.data.target, *settings.data.id_columns} & set(job.schema["features"])


def test_the_archive_holds_all_that_serving_needs(job: Job) -> None:
    with tarfile.open(job.folder / "archive" / "model.tar.gz") as tar:
        names = set(tar.getnames())
    needed = {"inference.py", "payload.py", "schema.py", "requirements.txt"}
    assert {f"./code/{name}" for name in needed} | {"./schema.json", "./baseline.json"} <= names
    for name in needed:
        assert (job.model_dir / "code" / name).read_bytes() == (MODEL / name).read_bytes()


@pytest.mark.parametrize("python", ["of today", "before 3.11.4"])
def test_an_archive_that_reaches_out_of_its_folder_is_refused(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    if python == "before 3.11.4":  # whose tarfile has no filters
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(job.model_dir / "schema.json", arcname="../escaped.json")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(ValueError, match="cannot be unpacked"):
        scoring.unpack(tmp_path, tmp_path / "scratch")
    assert not (tmp_path / "escaped.json").exists()
