"""The decision about a model, and what it says to people."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import compare  # type: ignore[import-not-found]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.conftest import JOBS

SURE = [0.97, 0.99]
GROUP = {"classification": "binary_classification_metrics", "regression": "regression_metrics"}


def evaluation(task: str = "classification", /, **metrics: Any) -> dict[str, Any]:
    """The content of evaluation.json; a metric is a value, or a value and its interval."""
    content: dict[str, Any] = {}
    for name, metric in metrics.items():
        value, interval = metric if isinstance(metric, tuple) else (metric, None)
        content[name] = {"value": value, "standard_deviation": 0.1}
        content[name] |= {"confidence_interval_95": interval} if interval else {}
    matrix = {"confusion_matrix": {"no": {"no": 3}}} if task == "classification" else {}
    return {"dataset": {"item_count": 114}, GROUP[task]: matrix | content}


NOBODY: dict[str, Any] = {"model": None}
BROKEN = {"model": None, "problem": "ModuleNotFoundError: No module named 'lifelines'\n(inference.py, line 4)"}


def decide(
    folder: Path, new: Any, current: Any, *options: str, metric: str = "auc", threshold: float = 0.95
) -> dict[str, Any]:
    arguments = ["--evaluation-dir", write(folder / "new", new), "--output-dir", str(folder / "out")]
    if current is not None:
        arguments += ["--current-dir", write(folder / "current", current)]
    compare.main([*arguments, "--metric", metric, f"--threshold={threshold!r}", *options])
    content: dict[str, Any] = json.loads(
        (folder / "out" / "comparison.json").read_text("utf-8"), parse_constant=pytest.fail
    )
    return content


def write(folder: Path, content: Any) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(content), "utf-8")
    return str(folder)


RMSE = {"metric": "rmse", "threshold": 65.0}
AUC_ASKED = "auc is 0.98, at least 0.95 is asked"
SITUATIONS: dict[str, tuple[Any, Any, list[str], dict[str, Any], str, str]] = {
    "better than all that is asked": (
        evaluation(auc=(0.98, SURE)), evaluation(auc=0.97), [], {},
        "passed", f"{AUC_ASKED}; the current version has 0.97",
    ),
    "the first version": (
        evaluation(auc=0.98), NOBODY, [], {},
        "passed", f"{AUC_ASKED}; there is no current version to compare with",
    ),
    "not compared": (
        evaluation(auc=0.98), None, ["--comparison-gate", "off"], {},
        "passed", f"{AUC_ASKED}; it is not compared with the current version",
    ),
    "comparison off, though the current version is better": (
        evaluation(auc=0.98), evaluation(auc=0.999), ["--comparison-gate", "off"], {},
        "passed", f"{AUC_ASKED}; it is not compared with the current version",
    ),
    "below the threshold": (
        evaluation(auc=(0.9387, [0.91, 0.94])), evaluation(auc=0.9312), [], {},
        "refused", "auc is 0.9387, below the 0.95 asked; the current version has 0.9312",
    ),
    "below the threshold, and nobody is there": (
        evaluation(auc=0.9387), NOBODY, [], {},
        "refused", "auc is 0.9387, below the 0.95 asked; there is no current version to compare with",
    ),
    "below the threshold by little": (
        evaluation(auc=0.949996), NOBODY, [], {},
        "refused", "auc is 0.949996, below the 0.95 asked; there is no current version to compare with",
    ),
    "below the threshold, with a warning": (
        evaluation(auc=0.9), NOBODY, ["--gate", "warn"], {},
        "warned", "auc is 0.9, below the 0.95 asked; there is no current version to compare with",
    ),
    "on the threshold": (
        evaluation(auc=0.95), NOBODY, [], {},
        "passed", "auc is 0.95, at least 0.95 is asked; there is no current version to compare with",
    ),
    "on the threshold but for the last bit": (
        evaluation(auc=0.1 * 3), NOBODY, [], {"threshold": math.nextafter(0.1 * 3, 1)},
        "passed", "auc is 0.3, at least 0.3 is asked; there is no current version to compare with",
    ),
    "perhaps on either side of the threshold": (
        evaluation(auc=(0.96, [0.94, 0.98])), NOBODY, [], {},
        "passed", "auc is 0.96, at least 0.95 is asked (95 % interval 0.94 to 0.98: too few test rows to be sure); "
        "there is no current version to compare with",
    ),
    "worse than the current version": (
        evaluation(auc=0.96), evaluation(auc=0.9789), [], {},
        "refused", "auc is 0.96, at least 0.95 is asked; the current version has 0.9789, better by 0.0189, more than the "
        "0.01 tolerated",
    ),
    "worse than the current version, with a warning": (
        evaluation(auc=0.96), evaluation(auc=0.9789), ["--comparison-gate", "warn"], {},
        "warned", "auc is 0.96, at least 0.95 is asked; the current version has 0.9789, better by 0.0189, more than the "
        "0.01 tolerated",
    ),
    "worse than both": (
        evaluation(auc=0.9), evaluation(auc=0.98), ["--gate", "warn"], {},
        "refused", "auc is 0.9, below the 0.95 asked; the current version has 0.98, better by 0.08, more than the 0.01 "
        "tolerated",
    ),
    "as much worse as is tolerated, but for the last bit": (
        evaluation(auc=0.96), evaluation(auc=0.97), [], {},
        "passed", "auc is 0.96, at least 0.95 is asked; the current version has 0.97, better by 0.01, within the 0.01 "
        "tolerated",
    ),
    "as good as the current version": (
        evaluation(auc=0.98), evaluation(auc=0.98), ["--tolerance", "0"], {},
        "passed", f"{AUC_ASKED}; the current version has 0.98",
    ),
    "an error that is small enough": (
        evaluation("regression", rmse=(54.31, [50, 60])), evaluation("regression", rmse=55.2), [], RMSE,
        "passed", "rmse is 54.31, at most 65 is asked; the current version has 55.2",
    ),
    "an error that is too large": (
        evaluation("regression", rmse=70.0), evaluation("regression", rmse=55.2), ["--tolerance", "1"], RMSE,
        "refused", "rmse is 70, above the 65 asked; the current version has 55.2, better by 14.8, more than the 1 tolerated",
    ),
    "large numbers": (
        evaluation("regression", rmse=123456.7), evaluation("regression", rmse=123450.2), ["--tolerance", "10"],
        RMSE | {"threshold": 120000.0},
        "refused", "rmse is 123457, above the 120000 asked; the current version has 123450, better by 6.5, within the 10 "
        "tolerated",
    ),
    "a current version that breaks": (
        evaluation(auc=0.98), BROKEN, [], {},
        "refused", f"{AUC_ASKED}; the current version could not be scored (ModuleNotFoundError: No module named "
        "'lifelines' (inference.py, line 4)); to go on without it: evaluation.comparison.gate: warn",
    ),
    "a current version that breaks, with a warning": (
        evaluation(auc=0.98), BROKEN, ["--comparison-gate", "warn"], {},
        "warned", f"{AUC_ASKED}; the current version could not be scored (ModuleNotFoundError: No module named "
        "'lifelines' (inference.py, line 4))",
    ),
    "a current version without the metric": (
        evaluation(auc=0.98), evaluation(accuracy=0.9), [], {},
        "refused", f"{AUC_ASKED}; the current version could not be scored (its evaluation has no auc); to go on without "
        "it: evaluation.comparison.gate: warn",
    ),
    "a metric that nobody measured": (
        evaluation(auc=0.98, accuracy=0.9), NOBODY, ["--task", "classification", "--gate", "warn"], RMSE,
        "refused", "rmse is not measured for this classification; evaluation.json has auc, accuracy",
    ),
    "a metric that is no number": (
        evaluation(auc=float("nan"), accuracy=0.9), NOBODY, ["--gate", "warn"], {},
        "refused", "auc is not a number for this model; evaluation.json has auc, accuracy",
    ),
    "no metrics": (
        {"dataset": {}}, NOBODY, [], {},
        "refused", "auc is not measured for this model; evaluation.json has none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_decision_and_its_message(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new, current, options, asked, verdict, message = SITUATIONS[name]
    content = decide(tmp_path, new, current, *options, **asked)
    assert content["message"] == message
    assert content["verdict"] == verdict
    assert capsys.readouterr().out == f"{verdict}: {message}\n"
    assert list(content) == [
        "metric", "direction", "value", "interval", "threshold", "current", "tolerance", "checks", "verdict", "message",
    ]  # fmt: skip
    failed = {check["mode"] for check in content["checks"] if not check["passed"]}
    assert verdict == ("refused" if "enforce" in failed else "warned" if "warn" in failed else "passed")


def test_the_file_holds_what_the_report_draws(tmp_path: Path) -> None:
    content = decide(tmp_path, evaluation(auc=(0.98, SURE)), evaluation(auc=0.97))
    assert content["interval"] == SURE
    assert content["current"] == {"value": 0.97}
    assert (content["direction"], content["threshold"], content["tolerance"]) == ("at least", 0.95, 0.01)
    assert [(check["check"], check["mode"], check["passed"]) for check in content["checks"]] == [
        ("threshold", "enforce", True),
        ("comparison", "enforce", True),
    ]
    assert decide(tmp_path, evaluation(auc=0.98), NOBODY)["current"] is None
    broken = decide(tmp_path, evaluation(auc=0.98), BROKEN)["current"]
    assert broken == {"problem": "ModuleNotFoundError: No module named 'lifelines' (inference.py, line 4)"}


def test_of_errors_and_losses_less_is_better() -> None:
    less = "rmse mae mse median_absolute_error max_error log_loss brier_score mean_pinball_loss mape custom_error"
    more = "auc accuracy balanced_accuracy precision recall f1 r2 weighted_f1 accuracy_best_constant_classifier profit"
    assert {compare.direction_of(metric) for metric in less.split()} == {"at most"}
    assert {compare.direction_of(metric) for metric in more.split()} == {"at least"}


def test_the_message_is_never_longer_than_the_pipeline_shows(tmp_path: Path) -> None:
    many = evaluation("regression", **{f"metric_{number}": 0.5 for number in range(100)})
    message = decide(tmp_path, many, NOBODY)["message"]
    assert len(message) == 512
    assert message.startswith("auc is not measured for this model; evaluation.json has metric_0, metric_1, ")
    assert message.endswith("…")


def test_a_current_evaluation_that_cannot_be_read_counts_as_not_scored(tmp_path: Path) -> None:
    folder = Path(write(tmp_path / "current", {}))
    for text, reason in (("{", "is no JSON: "), ("[]", "is no JSON object")):
        (folder / "evaluation.json").write_text(text)
        assert reason in compare.read_current(folder, "auc")["problem"]
    (folder / "evaluation.json").unlink()
    assert compare.read_current(folder, "auc")["problem"].startswith("no evaluation.json in ")


def test_without_the_new_evaluation_it_fails_in_one_line_and_quickly_otherwise_ends_well(tmp_path: Path) -> None:
    command = [sys.executable, str(JOBS / "compare.py"), "--metric", "auc", "--threshold", "0.9"]
    command += ["--output-dir", str(tmp_path), "--evaluation-dir"]
    failed = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr == f"compare.py: no evaluation.json in {tmp_path}: evaluate.py writes it\n"
    new = write(tmp_path / "new", evaluation(auc=0.1))
    refused = subprocess.run([*command, new], capture_output=True, text=True)
    assert (refused.returncode, refused.stderr) == (0, "")
    assert refused.stdout.startswith("refused: auc is 0.1, below the 0.9 asked")


def test_it_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(JOBS / "compare.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert not {"numpy", "pandas", "sklearn"} & {line.split("|")[-1].strip() for line in done.stderr.splitlines()}


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    value=NUMBERS,
    other=NUMBERS,
    threshold=NUMBERS,
    tolerance=st.floats(0, 10),
    metric=st.sampled_from(["auc", "rmse"]),
    problem=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    gate=st.sampled_from(["warn", "enforce"]),
    against=st.sampled_from(["off", "warn", "enforce"]),
)
def test_the_verdict_follows_from_the_numbers(
    value: float,
    other: float,
    threshold: float,
    tolerance: float,
    metric: str,
    problem: str | None,
    gate: str,
    against: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "verdicts"
    options = ["--gate", gate, "--comparison-gate", against, f"--tolerance={tolerance!r}"]
    current = {"model": None, "problem": problem} if problem else evaluation("regression", **{metric: other})
    content = decide(
        folder, evaluation("regression", **{metric: value}), current, *options, metric=metric, threshold=threshold
    )
    sign = 1 if metric == "auc" else -1
    near = 1e-9 * max(abs(value), abs(other), abs(threshold), 1)
    meets, keeps = sign * (value - threshold), sign * (value - other) + tolerance
    if abs(meets) > near:
        assert content["checks"][0]["passed"] is (meets > 0)
    if against == "off":
        assert content["checks"][1]["passed"]
    elif problem:
        assert not content["checks"][1]["passed"]
    elif abs(keeps) > near:
        assert content["checks"][1]["passed"] is (keeps > 0)
    message = content["message"]
    assert len(message) <= 512
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{metric} is ")
    assert ("at least" in message or "below" in message) if sign > 0 else ("at most" in message or "above" in message)
