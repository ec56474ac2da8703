"""Settings that shape pipelines differently, and the requests that SageMaker makes of a definition."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops.definition.parameters import GIVEN
from mlops.runner import graph
from mlops.runner.expressions import Values, parameter_values
from mlops.settings import Settings, check

BASE: dict[str, Any] = {
    "project": {"name": "Tumor Diagnosis", "slug": "tumor-diagnosis", "owner": "a@b.c"},
    "model": {"task": "classification", "framework": "scikit-learn"},
    "serving": "realtime",
    "scenario": "baseline",
    "source_control": {"host": "codecommit", "repository": "tumor-diagnosis"},
    "data": {"path": "data/x.csv", "target": "y"},
    "training": {"hyperparameters": {"max_depth": 8, "learning_rate": 0.1, "warm_start": False, "criterion": "gini"}},
    "evaluation": {"metric": "auc", "threshold": 0.9},
    "environments": {name: {"account": None, "region": "us-east-1"} for name in ("feature", "dev", "prod")},
}


def settings(**changes: Any) -> Settings:
    """Settings with sections changed."""
    content = json.loads(json.dumps(BASE))
    for section, values in changes.items():
        content[section] = content.get(section, {}) | values
    return check(content, "mlops.yaml")


def in_region(region: str) -> dict[str, Any]:
    return {name: {"account": None, "region": region} for name in ("feature", "dev", "prod")}


CASES: dict[str, Settings] = {
    f"{task}, {framework}": settings(
        model={"task": task, "framework": framework},
        evaluation={"metric": "auc" if task == "classification" else "rmse"},
    )
    for task, framework in itertools.product(("classification", "regression"), ("scikit-learn", "xgboost"))
} | {
    "data check off": settings(data_check={"mode": "off"}),
    "comparison off": settings(evaluation={"comparison": {"gate": "off"}}),
    "data check and comparison off": settings(data_check={"mode": "off"}, evaluation={"comparison": {"gate": "off"}}),
    "China": settings(environments=in_region("cn-north-1")),
    "GovCloud": settings(environments=in_region("us-gov-west-1"), model={"framework": "xgboost"}),
    "no retries, no reuse, all hyperparameters that fit": settings(
        pipeline={"retries": 0, "cache_days": 0},
        training={"hyperparameters": {f"p{number}": "x" * 235 for number in range(60)}},
    ),
    "own containers": settings(
        model={"image_uri": "registry.example/serve:1"},
        jobs={
            "default": {"volume_gb": 50},
            "preprocess": {"image_uri": "registry.example/prepare@sha256:" + "0" * 64},
            "train": {"image_uri": "registry.example/train:1", "max_minutes": 90},
        },
    ),
    "no hyperparameters": settings(training={"hyperparameters": {}}),
}
USUAL = "classification, scikit-learn"
GIVEN_VALUES = {name: f"s3://bucket/{name}/" for name in GIVEN if name.endswith("Uri")} | {
    "JobRole": "arn:aws:iam::123456789012:role/mlops-tumor-diagnosis-nonprod-job",
    "ModelPackageGroup": "tumor-diagnosis-dev",
    "Commit": "0" * 40,
    "Branch": "feature/x",
    "DatasetVersion": "0" * 64,
    "TemplateVersion": "0.2.0",
}


def requests(definition: dict[str, Any], folder: Path) -> Iterator[tuple[graph.Step, Any]]:
    """Yield each step with its arguments as SageMaker would send them, every variable replaced."""
    steps = graph.read(definition)
    values = Values(parameter_values(definition["Parameters"], GIVEN_VALUES), {"PipelineExecutionId": "abcdefghijkl"})
    comparison = {"verdict": "passed", "value": 0.98, "message": "auc is 0.98", "lineage": f"{'f' * 64}.json"}
    (folder / "comparison.json").write_text(json.dumps(comparison))
    for step in steps.values():
        arguments = values.resolve(step.arguments)
        values.properties[step.name] = {
            **arguments,
            "ModelArtifacts": {"S3ModelArtifacts": "s3://b/Train/model.tar.gz"},
        }
        for name, (_, file) in step.property_files.items():
            values.property_files[step.name, name] = folder / file
        yield step, arguments
