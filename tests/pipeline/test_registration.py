"""What a version is registered with, and what its lineage is told."""

from pathlib import Path
from typing import Any

import pytest

from mlops.definition.metadata import known_metadata
from tests.conftest import SOURCE
from tests.pipeline.cases import GIVEN_VALUES, USUAL, requests

pytestmark = pytest.mark.slow


def test_a_registered_version_says_where_it_comes_from(built: dict[str, Any], tmp_path: Path) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}
    metadata = arguments["Register"]["CustomerMetadataProperties"]
    assert metadata["commit"] == "0" * 40
    assert metadata["execution"] == "abcdefghijkl"
    assert metadata["metric_auc"] == "0.98"
    assert metadata["lineage_uri"] == f"s3://bucket/ArtifactsUri//abcdefghijkl/Compare/lineage/{'f' * 64}.json"
    assert set(metadata) == {
        "branch", "commit", "dataset_uri", "dataset_version", "execution", "lineage_uri", "metric_auc", "settings_uri",
        "template_version",
    }  # fmt: skip
    assert arguments["Refused"]["ErrorMessage"] == "auc is 0.98"


def test_what_a_version_is_registered_with_is_what_was_checked_before_the_run(
    built: dict[str, Any], tmp_path: Path
) -> None:
    """A key that only the definition knows would be refused after training."""
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}
    registered = arguments["Register"]["CustomerMetadataProperties"]
    known = known_metadata(GIVEN_VALUES, "auc")
    assert known.keys() == registered.keys()
    assert {key: len(known[key]) for key in ("lineage_uri", "execution")} == {
        key: len(registered[key]) for key in ("lineage_uri", "execution")
    }
    exact = known.keys() - {"lineage_uri", "execution", "metric_auc"}
    assert {key: known[key] for key in exact} == {key: registered[key] for key in exact}


def test_a_registered_version_has_its_scores_baselines_and_sample_payload(
    built: dict[str, Any], tmp_path: Path
) -> None:
    arguments = {step.name: resolved for step, resolved in requests(built[USUAL], tmp_path)}["Register"]
    folder = "s3://bucket/ArtifactsUri//abcdefghijkl"

    def source(place: str) -> dict[str, Any]:
        return {"Statistics": {"ContentType": "application/json", "S3Uri": f"{folder}/{place}"}}

    scores = source("Evaluate/evaluation/evaluation.json")
    assert arguments["ModelMetrics"]["ModelQuality"] == scores
    rows = source("Compare/lineage/baseline.json")
    assert arguments["DriftCheckBaselines"] == {"ModelQuality": scores, "ModelDataQuality": rows}
    assert arguments["SamplePayloadUrl"] == "s3://bucket/SamplePayloadUri/"
    assert arguments["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv", "application/json"]


def test_compare_is_told_what_the_lineage_holds(
    built: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SOURCE / "mlops" / "jobs"))
    import compare  # type: ignore[import-not-found]

    arguments = {step.name: resolved for step, resolved in requests(built["own containers"], tmp_path)}["Compare"]
    told = compare.parse_arguments(arguments["AppSpecification"]["ContainerArguments"])
    assert told.hyperparameter == ["max_depth=8", "learning_rate=0.1", "warm_start=false", "criterion=gini"]
    assert (told.image, told.image_digest) == ("registry.example/train:1", "unknown")
    assert (told.dataset_uri, told.dataset_version) == ("s3://bucket/DataUri/", "0" * 64)
    assert (told.validation_fraction, told.test_fraction, told.seed) == (0.2, 0.2, 42)
    kept = {output["OutputName"]: output["S3Output"] for output in arguments["ProcessingOutputConfig"]["Outputs"]}
    assert str(told.lineage_dir) == kept["lineage"]["LocalPath"]
    laid = {entry["InputName"]: entry["S3Input"] for entry in arguments["ProcessingInputs"]}
    assert str(told.model_dir) == laid["model"]["LocalPath"]
    assert laid["model"]["S3Uri"] == "s3://b/Train/model.tar.gz"
