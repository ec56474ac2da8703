"""Decide whether a model is good enough: its main metric against the threshold and the current version.

    python mlops/jobs/compare.py --evaluation-dir new --current-dir current --output-dir out \\
        --metric auc --threshold 0.9

`comparison.json` holds the verdict ("passed", "warned" or "refused") and a message for people; the pipeline's gate
reads both, so this script ends well even if it refuses the model. SageMaker runs it as a processing job. As a job costs
minutes, this one also writes the lineage of the model (lineage.py), where it is asked to.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from lineage import add_options, write_lineage  # type: ignore[import-not-found]
from metric_direction import direction_of  # type: ignore[import-not-found]

NOISE = 1e-9  # relative, of floating point: a tie is a tie
LONGEST = 512  # characters of the message

Check = dict[str, Any]


def main(argv: list[str] | None = None) -> None:
    """Read both evaluations, decide, write the decision and print it.

    Raises:
        ValueError: the new model's evaluation.json is missing or broken, or its lineage cannot be told.
    """
    args = parse_arguments(argv)
    evaluation = read_evaluation(args.evaluation_dir)
    current = None if args.current_dir is None else read_current(args.current_dir, args.metric)
    comparison = compare(evaluation, current, args)
    if args.lineage_dir:
        comparison["lineage"] = write_lineage(args, measured(evaluation))
    args.output_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(comparison, indent=2, ensure_ascii=False, allow_nan=False)
    (args.output_dir / "comparison.json").write_text(text + "\n", "utf-8")
    print(f"{comparison['verdict']}: {comparison['message']}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line; the defaults are the paths of a SageMaker processing job, and those of mlops.yaml."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    processing = Path("/opt/ml/processing")
    parser.add_argument("--evaluation-dir", type=Path, default=processing / "input/evaluation")
    parser.add_argument("--current-dir", type=Path, help="the current version's evaluation; without: not compared")
    parser.add_argument("--output-dir", type=Path, default=processing / "output/comparison")
    parser.add_argument("--task", choices=["classification", "regression"], help="named where the metric is unknown")
    parser.add_argument("--metric", required=True)
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--gate", choices=["warn", "enforce"], default="enforce")
    parser.add_argument("--comparison-gate", choices=["off", "warn", "enforce"], default="enforce")
    parser.add_argument("--tolerance", type=float, default=0.01)
    add_options(parser.add_argument_group("lineage"))
    return parser.parse_args(argv)


def read_evaluation(folder: Path) -> dict[str, Any]:
    """Return the content of evaluation.json.

    Raises:
        ValueError: it is missing, or no JSON object.
    """
    try:
        content = json.loads((folder / "evaluation.json").read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"no evaluation.json in {folder}: evaluate.py writes it") from None
    except ValueError as error:
        raise ValueError(f"evaluation.json in {folder} is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"evaluation.json in {folder} is no JSON object")
    return content


def read_current(folder: Path, metric: str) -> dict[str, Any] | None:
    """Return the current version's `value` of the metric, or the `problem` that it has none; None: no such version."""
    try:
        content = read_evaluation(folder)
    except ValueError as error:
        return {"problem": str(error)}
    if content.get("problem"):
        return {"problem": " ".join(str(content["problem"]).split())}
    if content.get("model", content) is None:
        return None
    value = number(metrics_of(content).get(metric))
    return {"problem": f"its evaluation has no {metric}"} if value is None else {"value": value}


def metrics_of(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics, each with its `value`, whatever SageMaker's group is called."""
    groups = [group for name, group in evaluation.items() if name.endswith("_metrics") and isinstance(group, dict)]
    return {
        name: metric
        for group in groups
        for name, metric in group.items()
        if isinstance(metric, dict) and "value" in metric
    }


def measured(evaluation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each metric came to, with its 95 % confidence interval where it has one."""
    measured: dict[str, dict[str, Any]] = {}
    for name, metric in metrics_of(evaluation).items():
        interval = interval_of(metric)
        measured[name] = {"value": number(metric)} | ({"confidence_interval_95": interval} if interval else {})
    return measured


def number(metric: dict[str, Any] | None) -> float | None:
    """Return the value of a metric, if it is a number."""
    value = metric["value"] if metric else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number and value is not None else None


def compare(evaluation: dict[str, Any], current: dict[str, Any] | None, args: argparse.Namespace) -> dict[str, Any]:
    """Return the content of comparison.json."""
    metrics = metrics_of(evaluation)
    value = number(metrics.get(args.metric))
    checks: list[Check] = []
    interval = None
    if value is None:
        found = "is not a number" if args.metric in metrics else "is not measured"
        what = (
            f"{args.metric} {found} for this {args.task or 'model'}; evaluation.json has {', '.join(metrics) or 'none'}"
        )
        # Whatever the gate: without the metric there is nothing to warn about.
        checks.append({"check": "threshold", "mode": "enforce", "passed": False, "message": what})
    else:
        interval = interval_of(metrics[args.metric])
        checks.append(check_threshold(value, interval, args))
        checks.append(check_current(value, current, args))
    failed = {check["mode"] for check in checks if not check["passed"]}
    verdict = "refused" if "enforce" in failed else "warned" if "warn" in failed else "passed"
    return {
        "metric": args.metric,
        "direction": direction_of(args.metric),
        "value": value,
        "interval": interval,
        "threshold": args.threshold,
        "current": current,
        "tolerance": args.tolerance,
        "checks": checks,
        "verdict": verdict,
        "message": one_line([check["message"] for check in checks]),
    }


def interval_of(metric: dict[str, Any]) -> list[float] | None:
    """Return the ends of a metric's 95 % confidence interval, if it has one."""
    ends = metric.get("confidence_interval_95")
    if not isinstance(ends, list) or len(ends) != 2:
        return None
    low, high = (number({"value": end}) for end in ends)
    return None if low is None or high is None else [low, high]


def check_threshold(value: float, interval: list[float] | None, args: argparse.Namespace) -> Check:
    """Hold the value against the threshold."""
    direction = direction_of(args.metric)
    passed = worse_by(value, args.threshold, direction) <= noise(value, args.threshold)
    asked, shown = distinct(args.threshold, value)
    beyond = "below" if direction == "at least" else "above"
    text = f"{args.metric} is {shown}, " + (
        f"{direction} {asked} is asked" if passed else f"{beyond} the {asked} asked"
    )
    if interval and interval[0] <= args.threshold <= interval[1]:
        low, high = distinct(*interval)
        text += f" (95 % interval {low} to {high}: too few test rows to be sure)"
    return {"check": "threshold", "mode": args.gate, "passed": passed, "message": text}


def check_current(value: float, current: dict[str, Any] | None, args: argparse.Namespace) -> Check:
    """Hold the value against that of the current version."""
    check: Check = {"check": "comparison", "mode": args.comparison_gate, "passed": True}
    if args.comparison_gate == "off":
        return check | {"message": "it is not compared with the current version"}
    if current is None:
        return check | {"message": "there is no current version to compare with"}
    if "problem" in current:
        how = "; to go on without it: evaluation.comparison.gate: warn" if args.comparison_gate == "enforce" else ""
        text = f"the current version could not be scored ({shortened(current['problem'])}){how}"
        return check | {"passed": False, "message": text}
    worse = worse_by(value, current["value"], direction_of(args.metric))
    passed = worse <= args.tolerance + noise(value, current["value"])
    theirs, _ = distinct(current["value"], value)
    text = f"the current version has {theirs}"
    if worse > noise(value, current["value"]):
        difference, tolerance = distinct(worse, args.tolerance)
        kind = "within" if passed else "more than"
        text += f", better by {difference}, {kind} the {tolerance} tolerated"
    return check | {"passed": passed, "message": text}


def worse_by(value: float, other: float, direction: str) -> float:
    """Return by how much a value is worse than another; below 0 it is better."""
    return other - value if direction == "at least" else value - other


def noise(value: float, other: float) -> float:
    """Return the difference up to which two values count as the same."""
    return NOISE * max(abs(value), abs(other), 0.001)


def distinct(value: float, other: float) -> tuple[str, str]:
    """Write two values for people, with as many digits as it takes to tell them apart: at least 4."""
    first, second = written(value, 4), written(other, 4)
    for digits in range(5, 17):
        if first != second or abs(value - other) <= noise(value, other):
            break
        first, second = written(value, digits), written(other, digits)
    return first, second


def written(value: float, digits: int) -> str:
    """Write a value with so many significant digits, or all before the point: 12345.6 is 12346, not 1.235e+04."""
    return f"{value:.{max(digits, len(f'{abs(value):.0f}'))}g}"


def shortened(text: str, longest: int = 200) -> str:
    """Return a text in one line, cut to a readable length."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(messages: list[str]) -> str:
    """Join messages to the one line that the pipeline's last step shows."""
    return shortened("; ".join(messages), LONGEST)


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        raise SystemExit(f"compare.py: {error}") from None
