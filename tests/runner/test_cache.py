"""What makes a result another one, and when an old one is used again."""

import json
import platform
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.laptop import store
from mlops.runner import cache
from mlops.runner.cache import Cache
from mlops.runner.job import Result
from tests.runner.conftest import Disk, Laptop, output, succeeded

FOREVER = {"Enabled": True, "ExpireAfter": "P30D"}
WRITE = "import os; open('output/out/a', 'wb').write(os.urandom(8))"


def processing() -> dict[str, Any]:
    s3 = {"S3Uri": "s3://a/1", "LocalPath": "/opt/ml/processing/input/a", "S3DataType": "S3Prefix"}
    out = {"S3Uri": "s3://o", "LocalPath": "/opt/ml/processing/output/o", "S3UploadMode": "EndOfJob"}
    return {
        "AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["python3"], "ContainerArguments": ["--a", "1"]},
        "Environment": {"A": "1"},
        "NetworkConfig": {"EnableNetworkIsolation": False},
        "ProcessingInputs": [{"InputName": "a", "S3Input": s3}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": out}]},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
        "RoleArn": "r",
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def training() -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "Environment": {"A": "1"},
        "HyperParameters": {"a": "1"},
        "InputDataConfig": [{"ChannelName": "a", "DataSource": {"S3DataSource": {"S3Uri": "s3://a/1"}}}],
        "OutputDataConfig": {"S3OutputPath": "s3://o"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        "RoleArn": "r",
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def transform() -> dict[str, Any]:
    return {
        "ModelName": "pipelines-laptop-1-Model",
        "DataProcessing": {"InputFilter": "$"},
        "Environment": {"A": "1"},
        "TransformInput": {"DataSource": {"S3DataSource": {"S3Uri": "s3://a/1"}}, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://o", "Accept": "text/csv"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }


CONTAINER = {"Image": "i", "ModelDataUrl": "s3://m/1", "Environment": {}}
# "Default cache key attributes by pipeline step type" of the developer guide, and what a laptop adds to them.
TABLE: list[tuple[str, Any, str, Any, bool]] = [
    ("Processing", processing, "AppSpecification.ImageUri", "j", True),
    ("Processing", processing, "AppSpecification.ContainerEntrypoint.0", "python", True),
    ("Processing", processing, "AppSpecification.ContainerArguments.1", "2", True),
    ("Processing", processing, "Environment.A", "2", True),
    ("Processing", processing, "Environment.B", "2", True),
    ("Processing", processing, "ProcessingInputs.0.S3Input.S3Uri", "s3://a/2", True),
    ("Processing", processing, "ProcessingInputs.0.S3Input.LocalPath", "/opt/ml/processing/b", True),
    ("Processing", processing, "ProcessingOutputConfig.Outputs.0.OutputName", "p", True),
    ("Processing", processing, "ProcessingOutputConfig.Outputs.0.S3Output.LocalPath", "/opt/ml/processing/p", True),
    ("Processing", processing, "ProcessingOutputConfig.Outputs.0.S3Output.S3Uri", "s3://p", False),
    ("Processing", processing, "ProcessingOutputConfig.KmsKeyId", "k", False),
    ("Processing", processing, "ProcessingResources.ClusterConfig.InstanceType", "ml.m5.xlarge", False),
    ("Processing", processing, "RoleArn", "s", False),
    ("Processing", processing, "StoppingCondition.MaxRuntimeInSeconds", 61, False),
    ("Processing", processing, "NetworkConfig.EnableNetworkIsolation", True, False),
    ("Training", training, "AlgorithmSpecification.TrainingImage", "j", True),
    ("Training", training, "Environment.A", "2", True),
    ("Training", training, "HyperParameters.a", "2", True),
    ("Training", training, "HyperParameters.b", "2", True),
    ("Training", training, "InputDataConfig.0.ChannelName", "b", True),
    ("Training", training, "InputDataConfig.0.DataSource.S3DataSource.S3Uri", "s3://a/2", True),
    ("Training", training, "OutputDataConfig.S3OutputPath", "s3://p", False),
    ("Training", training, "ResourceConfig.InstanceType", "ml.m5.xlarge", False),
    ("Training", training, "RoleArn", "s", False),
    ("Training", training, "StoppingCondition.MaxRuntimeInSeconds", 61, False),
    ("Transform", transform, "DataProcessing.InputFilter", "$[0]", True),
    ("Transform", transform, "Environment.A", "2", True),
    ("Transform", transform, "TransformInput.ContentType", "application/json", True),
    ("Transform", transform, "TransformInput.DataSource.S3DataSource.S3Uri", "s3://a/2", True),
    ("Transform", transform, "TransformOutput.Accept", "application/json", True),
    ("Transform", transform, "TransformOutput.S3OutputPath", "s3://p", False),
    ("Transform", transform, "ModelName", "pipelines-laptop-2-Model", False),
    ("Transform", transform, "TransformResources.InstanceType", "ml.m5.xlarge", False),
]


@pytest.mark.parametrize(("kind", "base", "place", "value", "matters"), TABLE)
def test_what_matters_to_a_result(tmp_path: Path, kind: str, base: Any, place: str, value: Any, matters: bool) -> None:
    keys = Cache(tmp_path)
    before, changed = base(), deepcopy(base())
    here: Any = changed
    *path, last = place.split(".")
    for part in path:
        here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
    here[int(last) if isinstance(here, list) else last] = value
    model = CONTAINER if kind == "Transform" else None
    assert (keys.key(kind, before, model) != keys.key(kind, changed, model)) is matters
    shuffled = json.loads(json.dumps(before, sort_keys=True))
    assert keys.key(kind, shuffled, model) == keys.key(kind, before, model)


def test_a_transform_asks_the_model_that_it_was_made_with(tmp_path: Path) -> None:
    keys = Cache(tmp_path)
    other = CONTAINER | {"ModelDataUrl": "s3://m/2"}
    assert keys.key("Transform", transform(), CONTAINER) != keys.key("Transform", transform(), other)


def test_another_python_or_another_package_is_another_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Cache(tmp_path).key("Training", training())
    known = cache._environment()
    assert known[0] == platform.python_version()
    assert any(name.startswith("pytest-") for name in known)
    for other in (["3.12.0", *known[1:]], [*known, "new-1.0.dist-info"]):
        monkeypatch.setattr(cache, "_environment", lambda other=other: other)
        assert Cache(tmp_path).key("Training", training()) != before


@pytest.mark.parametrize("kind", ["Condition", "Fail", "Model", "RegisterModel"])
def test_steps_that_are_no_jobs_always_run(tmp_path: Path, kind: str) -> None:
    results = Cache(tmp_path)
    assert results.key(kind, {}) is None
    results.keep(None, Result())
    assert results.find(None, timedelta.max) is None
    assert not list(tmp_path.iterdir())


def test_a_result_is_used_again_until_it_is_too_old(tmp_path: Path) -> None:
    results = Cache(tmp_path)
    kept = Result({"A": [1, "ü"]}, {"out": "s3://laptop/x"}, "log.txt")
    results.keep("k", kept)
    assert results.find("k", timedelta(days=30)) == kept
    assert results.find("k", timedelta.max) == kept
    assert results.find("k", None) is None
    assert results.find("other", timedelta(days=30)) is None
    assert Cache(tmp_path, enabled=False).find("k", timedelta(days=30)) is None
    content = json.loads((tmp_path / "k.json").read_text())
    content["at"] = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    (tmp_path / "k.json").write_text(json.dumps(content))
    assert results.find("k", timedelta(minutes=61)) == kept
    assert results.find("k", timedelta(minutes=59)) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '{"at": 1}', '{"at": "2026-01-01T00:00:00", "result": {}}', '{"at": "2026-01-01T00:00:00+00:00"}',
     '{"at": "2099-01-01T00:00:00+00:00", "result": []}', '{"at": "2099-01-01T00:00:00+00:00", "result": {"x": 1}}',
     '{"at": "2099-01-01T00:00:00+00:00", "result": {"outputs": []}}'],
)  # fmt: skip
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "k.json").write_text(text)
    assert Cache(tmp_path).find("k", timedelta(days=30)) is None
    (tmp_path / "k.json").write_bytes(b"\xff")
    assert Cache(tmp_path).find("k", timedelta(days=30)) is None
    (tmp_path / "k.json").unlink()
    (tmp_path / "k.json").mkdir()
    assert Cache(tmp_path).find("k", timedelta(days=30)) is None


def test_a_full_disk_leaves_no_half_result(home: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    results = Cache(home / "cache")

    def dump(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(json, "dump", dump)
        with pytest.raises(OSError, match="No space left"):
            results.keep("k", Result())
    with pytest.raises(OSError, match="No space left"):
        disk.with_room_for(0, lambda: results.keep("k", Result()))
    assert not list((home / "cache").iterdir())
    results.keep("k", Result())
    assert results.find("k", timedelta(days=1)) == Result()


def test_a_step_that_ran_is_reused_with_its_outputs_and_its_log(laptop: Laptop) -> None:
    first = laptop.processing("First", WRITE + "; print('hello')", outputs=["out"], CacheConfig=FOREVER)
    second = laptop.processing("Second", "print(1)", inputs={"data": output("First")}, CacheConfig=FOREVER)
    before = laptop.run(first, second)
    after = laptop.run(first, second)
    assert succeeded(before)
    assert succeeded(after)
    assert [run.cached for run in after.values()] == [True, True]
    assert after["First"].result == before["First"].result
    assert after["First"].result.log == "1/steps/First/log.txt"
    assert (laptop.folder / "runs" / after["First"].result.log).read_text() == "hello\n"
    assert not laptop.steps.exists()
    again = laptop.run(first, second, cache=Cache(laptop.folder / "cache", enabled=False))
    assert [run.cached for run in again.values()] == [False, False]
    assert laptop.run(first)["First"].result == again["First"].result  # the newest


def test_a_step_whose_cache_is_off_always_runs_and_its_result_is_kept_for_later(laptop: Laptop) -> None:
    for config in ({}, {"CacheConfig": {"Enabled": False}}, {"CacheConfig": {"Enabled": False, "ExpireAfter": "P1D"}}):
        for _ in range(2):
            assert not laptop.run(laptop.processing("P", WRITE, outputs=["out"], **config))["P"].cached
    assert laptop.run(laptop.processing("P", WRITE, outputs=["out"], CacheConfig=FOREVER))["P"].cached


def test_a_step_that_failed_is_not_reused(laptop: Laptop) -> None:
    step = laptop.processing("P", "raise SystemExit(1)", CacheConfig=FOREVER)
    assert [laptop.run(step)["P"].status for _ in range(2)] == ["Failed", "Failed"]


def test_a_result_whose_output_is_gone_is_made_again(laptop: Laptop) -> None:
    step = laptop.processing("P", WRITE, outputs=["out"], CacheConfig=FOREVER)
    uri = laptop.run(step)["P"].result.outputs["out"]
    store.find(uri).rename(laptop.folder / "elsewhere")
    run = laptop.run(step)["P"]
    assert run.status == "Succeeded"
    assert not run.cached
    assert store.find(run.result.outputs["out"]).is_dir()
