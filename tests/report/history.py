"""Run folders as `mlops run` leaves them behind, made by hand."""

import json
from pathlib import Path
from typing import Any

from mlops.laptop.runs import Run, read

Json = dict[str, Any]


def metric(value: float, spread: float = 0.01) -> Json:
    return {"value": value, "standard_deviation": spread, "confidence_interval_95": [value - spread, value + spread]}


BINARY: Json = {
    "evaluation": {
        "dataset": {"item_count": 100},
        "binary_classification_metrics": {
            "confusion_matrix": {"no": {"no": 50, "yes": 10}, "yes": {"no": 5, "yes": 35}},
            "accuracy": metric(0.85),
            "accuracy_best_constant_classifier": metric(0.6),
            "log_loss": metric(0.3),
            "auc": metric(0.91),
        },
    },
    "figures": {
        "confusion_matrix": {"labels": ["no", "yes"], "counts": [[50, 10], [5, 35]]},
        "roc": {"class": "yes", "points": [[0, 0], [0.1, 0.8], [1, 1]], "auc": 0.91},
        "calibration": [[0.05, 0.02, 40], [0.5, 0.6, 20], [0.96, 0.9, 40]],
        "importance": [["age", 0.2, 0.02], ["city", 0.01, 0.02], ["noise", -0.001, 0.003]],
        "importance_rows": 100,
        "importance_metric": "log_loss",
    },
    "settings": {"task": "classification", "metric": "auc", "threshold": 0.8},
    "direction": "at least",
}
REGRESSION: Json = {
    "evaluation": {
        "dataset": {"item_count": 100},
        "regression_metrics": {
            "rmse": metric(52.0, 5),
            "r2": metric(0.5),
            "rmse_best_constant_predictor": metric(70, 5),
        },
    },
    "figures": {
        "prediction_against_truth": [[1, 2], [30, 25], [100, 90]],
        "residuals": {"edges": [-10, -5, 0, 5], "counts": [3, 0, 9]},
        "importance": [["bmi", 10.0, 2.0]],
        "importance_rows": 100,
        "importance_metric": "mae",
    },
    "settings": {"task": "regression", "metric": "rmse", "threshold": 60.0},
    "direction": "at most",
}
DATA_CHECK: Json = {
    "verdict": "warned",
    "rows": 500,
    "columns": 4,
    "compared_with_current": True,
    "findings": [
        {"check": "missing", "column": "age", "message": "age is missing in 20 %", "value": 0.2, "limit": 0.1},
        {"check": "duplicates", "column": None, "message": "9 % of the rows repeat", "value": 0.09, "limit": 0.05},
    ],
    "profile": {
        "age": {
            "type": "number",
            "missing": 0.2,
            "minimum": 0,
            "maximum": 99,
            "mean": 40.5,
            "standard_deviation": 20.0,
            "quantiles": {"0.01": 1, "0.25": 20, "0.5": 40, "0.75": 60, "0.99": 95},
        },
        "member": {"type": "boolean", "missing": 0.0, "true": 0.25},
        "city": {"type": "category", "missing": 0.0, "shares": {"Rome": 0.5, "Bonn": 0.3, "Oslo": 0.1, "Bern": 0.1}},
    },
}
STEPS = ("CheckData", "Preprocess", "EvaluateCurrent", "Train", "Evaluate", "Compare", "Gate", "Register")


class History:
    """A `.mlops` folder that runs are added to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "runs").mkdir(parents=True)

    def add(self, kind: Json = BINARY, *, refused: bool = False, compared: bool = True, **changes: Any) -> Run:
        """Add a run that went through, but for what is changed in its record."""
        number = max((int(path.name) for path in (self.home / "runs").iterdir()), default=0) + 1
        folder = self.home / "runs" / str(number)
        for name in STEPS[:6]:
            (folder / "steps" / name).mkdir(parents=True)
            (folder / "steps" / name / "log.txt").write_text(f"{name} says hello\n")
        wanted = kind["settings"]
        value = _metrics(kind)[wanted["metric"]]["value"]
        comparison = {
            "metric": wanted["metric"],
            "direction": kind["direction"],
            "value": value,
            "interval": _metrics(kind)[wanted["metric"]]["confidence_interval_95"],
            "threshold": wanted["threshold"],
            "current": {"value": value * 0.9} if compared else None,
            "tolerance": 0.01,
            "checks": [
                {"check": "threshold", "mode": "enforce", "passed": not refused, "message": "so good"},
                {"check": "comparison", "mode": "warn", "passed": True, "message": "no worse"},
            ],
            "verdict": "refused" if refused else "passed",
            "message": f"{wanted['metric']} is {value}, {wanted['threshold']} is asked",
        }
        current = kind["evaluation"] if compared else {"model": None}
        outputs = {
            "CheckData": {"report": self.keep(number, "check", {"data_check.json": DATA_CHECK})},
            "EvaluateCurrent": {
                "evaluation": self.keep(
                    number,
                    "current",
                    {"evaluation.json": current, **({"figures.json": kind["figures"]} if compared else {})},
                )
            },
            "Evaluate": {
                "evaluation": self.keep(
                    number, "new", {"evaluation.json": kind["evaluation"], "figures.json": kind["figures"]}
                )
            },
            "Compare": {"comparison": self.keep(number, "comparison", {"comparison.json": comparison})},
        }
        names = (*STEPS[:-1], "Refused") if refused else STEPS
        record: Json = {
            "number": number,
            "status": "Failed" if refused else "Succeeded",
            "reason": comparison["message"] if refused else None,
            "started": f"2026-11-22T22:3{number % 10}:15+00:00",
            "seconds": 6.1,
            "environment": "dev",
            "git": {"commit": "3af09ce1" * 5, "branch": "dev", "dirty": False},
            "template_version": "0.2.0",
            "settings": settings(**wanted),
            "overrides": {},
            "parameters": {},
            "code": {"train.py": "a" * 64, "inference.py": "b" * 64},
            "data": {"path": "data/table.csv", "sha256": "c" * 64, "bytes": 118_000},
            "python": "3.11.7",
            "packages": {"numpy": "2.4.6", "scikit-learn": "1.9.1"},
            "steps": [step(name, "Failed" if name == "Refused" else "Succeeded") for name in names],
            "outputs": outputs,
            "current": {"version": 1, "run": 1} if compared else None,
            "version": None if refused else number,
        }
        (folder / "run.json").write_text(json.dumps(record | changes), "utf-8")
        return read(folder)

    def fail(self, name: str, reason: str, log: str, **changes: Any) -> Run:
        """Add a run in which a step failed, and those after it were not reached."""
        run = self.add()
        done = STEPS[: STEPS.index(name)]
        steps = [step(other, "Succeeded") for other in done] + [step(name, "Failed", reason)]
        outputs = {other: run.record["outputs"][other] for other in done if other in run.record["outputs"]}
        (run.folder / "steps" / name / "log.txt").write_text(log, "utf-8", errors="surrogatepass")
        record = dict(run.record) | {
            "status": "Failed",
            "reason": reason,
            "steps": steps,
            "outputs": outputs,
            "version": None,
        }
        (run.folder / "run.json").write_text(json.dumps(record | changes), "utf-8")
        return read(run.folder)

    def keep(self, number: int, name: str, files: Json) -> str:
        """Put JSON files into the store and return where they lie."""
        folder = self.home / "store" / f"{name}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_text(json.dumps(content), "utf-8")
        return f"store/{folder.name}"

    def rewrite(self, run: Run, step_name: str, output: str, file: str, content: Json) -> Run:
        """Replace what a step wrote."""
        (self.home / run.record["outputs"][step_name][output] / file).write_text(json.dumps(content), "utf-8")
        return read(run.folder)


def settings(task: str, metric: str, threshold: float) -> Json:
    return {
        "project": {"name": "Tumor Diagnosis", "slug": "tumor-diagnosis", "owner": "me@example.org"},
        "model": {"task": task, "framework": "scikit-learn"},
        "data": {
            "path": "data/table.csv",
            "target": "ill",
            "id_columns": [],
            "seed": 42,
            "columns": {"age": {"type": "number"}},
        },
        "data_check": {"mode": "warn", "missing": 0.1},
        "training": {"hyperparameters": {"learning_rate": 0.05, "max_iter": 200}},
        "evaluation": {"metric": metric, "threshold": threshold, "gate": "enforce"},
        "jobs": {"default": {"instance_type": "ml.m5.large"}},
    }


def step(name: str, status: str, reason: str | None = None) -> Json:
    kind = {"Train": "Training", "Gate": "Condition", "Refused": "Fail", "Register": "RegisterModel"}.get(
        name, "Processing"
    )
    log = None if kind in {"Condition", "Fail", "RegisterModel"} else f"steps/{name}/log.txt"
    return {
        "name": name,
        "type": kind,
        "status": status,
        "seconds": 1.5,
        "cached": False,
        "reason": reason,
        "log": log,
        "attempts": 1,
    }


def _metrics(kind: Json) -> Json:
    group: Json = next(group for name, group in kind["evaluation"].items() if name.endswith("_metrics"))
    return group
