"""What stands in a report, from top to bottom. Each section is left out where the run has nothing to show in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from mlops.laptop.runs import Run, less_is_better, metrics_of
from mlops.report import figures
from mlops.report.data import data_section
from mlops.report.lineage import lineage_section, settings_section
from mlops.report.numbers import difference, fixed, moment, number, seconds
from mlops.report.page import code, section, table, tag
from mlops.report.svg import Scale, extent

COLOURS = {"registered": "good", "refused": "bad", "failed": "bad", "unreadable": "bad", "stopped": "warn"}
LOG_LINES = 30
# What a constant answer would reach: to compare with, not a result of the model.
REFERENCES = {"accuracy_best_constant_classifier", "rmse_best_constant_predictor"}


def project(run: Run) -> str:
    """Return the project's name."""
    return str((run.settings.get("project") or {}).get("name") or "Model")


def headline(run: Run) -> Iterator[Element]:
    """What it is, and how it ended."""
    verdict, git = run.verdict, run.record.get("git") or {}
    colour = COLOURS.get(verdict.word, "plain")
    if run.comparison.get("verdict") == "warned" and colour == "good":
        colour = "warn"
    commit = str(git.get("commit") or "")[:10]
    facts = [moment(run.record.get("started")), seconds(run.record.get("seconds"))]
    facts += [f"environment {run.record['environment']}"] if run.record.get("environment") else []
    facts += [f"branch {git['branch']}"] if git.get("branch") else []
    facts += [f"commit {commit}{' with uncommitted changes' if git.get('dirty') else ''}"] if commit else []
    yield tag("header",
        tag("p", tag("bdi", project(run)), class_="project"),
        tag("h1", f"Run {run.number}"),
        tag("p", tag("span", tag("bdi", verdict.sentence)), class_=f"verdict {colour}"),
        tag("p", tag("bdi", " · ".join(facts)), class_="facts"),
    )  # fmt: skip


def failure(run: Run) -> Iterator[Element]:
    """Why a step failed, in its own words."""
    step = run.failed_step
    if run.verdict.word not in {"failed", "stopped"} or step is None:
        return
    content: list[Element] = []
    if step.get("reason") and step["reason"] != run.record.get("reason"):
        content.append(tag("p", tag("bdi", step["reason"])))
    lines = _last_lines(run.folder / step["log"]) if step.get("log") else []
    if lines:
        content.append(tag("p", "The end of its log, ", code(step["log"]), ":", class_="note"))
        content.append(tag("pre", [tag("bdi", f"{line}\n") for line in lines]))
    if content:
        yield section(f"{step['name']} {str(step['status']).lower()}", content)


def _last_lines(log: Path) -> list[str]:
    """Return the last lines of a log, reading no more than its end: it may be huge."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 200_000))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rsplit("\r", 1)[-1] for line in text.rstrip().split("\n")[-LOG_LINES:] if text.strip()]


def result(run: Run) -> Iterator[Element]:
    """The gate, and all metrics beside those of the current version."""
    metrics, gate = run.metrics, run.comparison
    if not metrics:
        return
    version = (run.record.get("current") or {}).get("version")
    current_name = f"version {version}" if version else "current version"
    evaluation = run.result("EvaluateCurrent", "evaluation", "evaluation.json")
    content: list[Element] = []
    if isinstance(gate.get("value"), int | float) and isinstance(gate.get("threshold"), int | float):
        content.append(tag("div", figures.gate(gate, current_name), class_="gate"))
    problem = evaluation.get("problem") or (gate.get("current") or {}).get("problem")
    if problem:
        subject = f"Version {version}" if version else "The current version"
        content.append(tag("p", f"{subject} could not be scored on these test rows: ", tag("bdi", problem),
                           class_="note"))  # fmt: skip
    rows = run.result("Evaluate", "evaluation", "evaluation.json").get("dataset", {}).get("item_count")
    if rows is not None:
        content.append(tag("p", f"Measured on {number(rows)} test rows that training did not see; "
                                "intervals hold 95 % of the bootstrap resamples.", class_="note"))  # fmt: skip
    yield section("Result", content, _metrics(run, metrics, metrics_of(evaluation), current_name))
    if gate.get("checks"):
        yield section("Gate", _checks(gate["checks"]))


def _metrics(run: Run, metrics: dict[str, Any], current: dict[str, Any], current_name: str) -> Element:
    names = sorted(metrics, key=lambda name: (name != run.metric, name in REFERENCES))
    compared = any(name in current for name in names)
    rows: list[list[object]] = []
    for name in names:
        value, interval = metrics[name]["value"], metrics[name].get("confidence_interval_95")
        row: list[object] = [code(name), number(value), _interval(interval)]
        if compared:
            other = (current.get(name) or {}).get("value")
            row += [number(other), _difference(run, name, metrics[name], other)]
        rows.append(row)
    headings = ["metric", "this run", "95 % interval", *([current_name, "difference"] if compared else [])]
    element = table("Metrics on the test rows", headings, rows, numbers=range(1, 5), style="metrics")
    for name, line in zip(names, _body(element), strict=True):
        if name == run.metric or name in REFERENCES:
            line.set("class", "lead" if name == run.metric else "reference")
    return element


def _body(element: Element) -> list[Element]:
    body = element.find("table/tbody")
    return list(body) if body is not None else []


def _interval(interval: Any) -> str:
    return f"{number(interval[0])} to {number(interval[1])}" if interval else "–"


def _difference(run: Run, name: str, metric: dict[str, Any], other: float | None) -> object:
    """Return the difference to the current version; in colour where it is more than chance would explain."""
    if other is None:
        return "–"
    value, interval = metric["value"], metric.get("confidence_interval_95")
    text = difference(value - other, value)
    if name in REFERENCES or not interval or interval[0] <= other <= interval[1]:
        return text
    better = (value < other) == less_is_better(name, run.comparison)
    return tag("span", text, class_="good" if better else "bad")


def _checks(checks: list[dict[str, Any]]) -> Element:
    rows: list[list[object]] = []
    for check in checks:
        passed, mode = check.get("passed"), check.get("mode")
        word, colour = ("passed", "good") if passed else ("warning", "warn") if mode == "warn" else ("refused", "bad")
        if mode == "off":
            word, colour = "off", "plain"
        rows.append([check.get("check"), tag("span", word, class_=colour), mode, tag("bdi", check.get("message"))])
    return table("Checks of the gate", ["check", "result", "mode", "what it says"], rows)


def drawings(run: Run) -> Iterator[Element]:
    """The figures."""
    drawn = run.result("Evaluate", "evaluation", "figures.json")
    other = run.result("EvaluateCurrent", "evaluation", "figures.json")
    version = (run.record.get("current") or {}).get("version")
    parts: list[Element] = []
    if matrix := drawn.get("confusion_matrix"):
        parts.append(_confusion(matrix))
    if roc := drawn.get("roc"):
        beside = other.get("roc") or {}
        points = beside.get("points") if beside.get("class") == roc["class"] else None
        of = ["“", tag("bdi", roc["class"]), "”"] if roc["class"] else ["each class against the rest"]
        text: list[object] = [f"Area {roc['auc']:.4f} for ", *of]
        text += [f"; grey: version {version}, area {beside['auc']:.4f}"] if points else []
        parts.append(_figure("ROC curve", text, figures.roc(roc["points"], roc["auc"], points)))
    if bins := drawn.get("calibration"):
        name = (drawn.get("roc") or {}).get("class")
        of = ["“", tag("bdi", name), "”"] if name else ["a class"]
        text = ["On the dashed line, ", *of, " comes true as often as predicted; larger dots hold more rows"]
        parts.append(_figure("Calibration", text, figures.calibration(bins)))
    if pairs := drawn.get("prediction_against_truth"):
        text = [f"{len(pairs):,} test rows; on the dashed line the model is right"]
        parts.append(_figure("Prediction against truth", text, figures.prediction_against_truth(pairs)))
    if histogram := drawn.get("residuals"):
        text = [f"{sum(histogram['counts']):,} test rows; right of 0 the model says too much"]
        parts.append(_figure("Errors", text, figures.residuals(histogram["edges"], histogram["counts"])))
    if rows := drawn.get("importance"):
        loss = {"log_loss": "log loss", "mae": "mean absolute error"}.get(drawn.get("importance_metric", ""), "loss")
        among = f"{number(drawn.get('importance_rows'))} test rows"
        text = [f"How much the {loss} rises when a column is shuffled among {among}, with its standard error. "]
        text += ["Columns that say the same share their importance."]
        parts.append(_figure("Importance of the columns", text, _importance(rows), wide=True))
    if parts:
        yield section("How the model errs, and on what it relies", tag("div", parts, class_="figures"))


def _figure(title: str, text: list[object], drawing: Element, wide: bool = False) -> Element:
    caption = tag("figcaption", tag("h3", title), tag("p", text))
    return tag("figure", caption, drawing, class_="wide" if wide else None)


def _importance(rows: list[list[Any]]) -> Element:
    used = [row for row in rows if row[1] or row[2]] or rows[:1]
    largest = max(abs(mean) for _, mean, _ in used)
    x = Scale(*extent([end for _, mean, error in used for end in (mean - error, mean + error)], 0.0, zero=True), 0, 100)
    lines = [[code(name), figures.importance(x, mean, error), fixed(mean, largest), f"± {fixed(error, largest)}"]
             for name, mean, error in used]  # fmt: skip
    listing = table("Importance of the columns", ["column", "", "rise", ""], lines, numbers=[2, 3])
    others = f"{len(rows) - len(used)} more columns make no difference." if len(used) < len(rows) else None
    return tag("div", listing, others and tag("p", others, class_="note"))


def _confusion(matrix: dict[str, Any]) -> Element:
    labels, counts = matrix["labels"], matrix["counts"]
    if len(labels) <= figures.MOST_CLASSES:
        text = ["Rows of each class (lines), and what the model took them for (columns)"]
        return _figure("Confusion matrix", list(text), figures.confusion(labels, counts))
    mistakes = [(count, labels[line], labels[column]) for line, row in enumerate(counts)
                for column, count in enumerate(row) if line != column and count]  # fmt: skip
    rows = [[tag("bdi", actual), tag("bdi", said), number(count)] for count, actual, said in
            sorted(mistakes, key=lambda mistake: -mistake[0])[:20]]  # fmt: skip
    listing = table("Most frequent mistakes", ["actual", "predicted", "rows"], rows, numbers=[2])
    return _figure("Most frequent mistakes", [f"Of {len(labels)} classes"], listing)


def steps(run: Run) -> Iterator[Element]:
    """What ran, and how long it took."""
    if not run.steps:
        return
    reached = [step for step in run.steps if step.get("status") != "Skipped"]
    longest = max((step.get("seconds") or 0 for step in reached), default=0) or 1
    colours = {"Failed": "bad", "Stopped": "warn"}
    rows: list[list[object]] = []
    for step in reached:
        status, took = str(step.get("status")), step.get("seconds") or 0
        word = "refused" if step.get("type") == "Fail" else status.lower()
        word += ", from the cache" if step.get("cached") else ""
        word += f", {step['attempts']} attempts" if (step.get("attempts") or 1) > 1 else ""
        ran = not step.get("cached") and step.get("type") not in {"Condition", "Fail"}
        bar = figures.duration(took / longest) if ran and took else None
        state = tag("span", word, class_=colours.get(status, "plain"))
        rows.append([step.get("name"), state, seconds(took) if ran else "", bar])
    yield section("Steps", table("Steps of the pipeline", ["step", "", "took", ""], rows, numbers=[2]))


SECTIONS: list[Callable[[Run], Iterator[Element]]] = [
    headline,
    failure,
    result,
    drawings,
    data_section,
    steps,
    settings_section,
    lineage_section,
]
