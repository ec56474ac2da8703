"""The list of runs, and one run, as tables for a terminal."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from mlops.laptop.plain_text import one_line
from mlops.laptop.runs import Run, less_is_better
from mlops.report.numbers import number, seconds

WIDE = 110  # columns from which there is room for the year, and for reasons in a column
APPROVAL = {"Approved": "approved", "Rejected": "rejected", "PendingManualApproval": "pending"}
COLOURS = {"refused": "red", "failed": "red", "unreadable": "red", "stopped": "yellow", "running": "cyan"}

Table = tuple[list[str], list[list[str]]]


def lines(runs: Sequence[Run], narrow: bool) -> tuple[list[str], list[list[str]], list[str]]:
    """Return headings, rows and styles, the newest run last: where the eye is when the list is long.

    Args:
        narrow: whether the terminal is, so that it has to be short.
    """
    metrics = list(dict.fromkeys(run.metric for run in runs if run.metric))
    best = {run.number for metric in metrics if (run := _best(runs, metric))}
    rows = [_line(run, run.number in best, len(metrics) > 1, narrow) for run in runs]
    metric = metrics[0] if len(metrics) == 1 else "metric"
    headings = ["run", "started", "verdict", metric, "version", "env", "took", "what was other, or why"]
    return headings, rows, [COLOURS.get(run.verdict.word, "") for run in runs]


def _line(run: Run, best: bool, named: bool, narrow: bool) -> list[str]:
    value = "" if run.value is None else number(run.value) + (" *" if best else "")
    approval = approval_of(run)
    return [
        str(run.number),
        started(run, narrow),
        run.verdict.word,
        f"{run.metric} {value}" if named and value else value,
        "" if run.version is None else f"{run.version} {'' if approval == 'approved' else approval}".rstrip(),
        str(run.record.get("environment") or ""),
        seconds(run.record.get("seconds")),
        notes(run, 150),
    ]


def started(run: Run, narrow: bool = False) -> str:
    """Return when a run began, in the time zone of this machine."""
    try:
        moment = datetime.fromisoformat(str(run.record.get("started"))).astimezone()
    except ValueError:
        return ""
    return f"{moment:%m-%d %H:%M}" if narrow else f"{moment:%Y-%m-%d %H:%M}"


def notes(run: Run, longest: int) -> str:
    """Return what was other in a run, and why it ended badly, in so many characters."""
    others = ", ".join(f"{key.rpartition('.')[2]}={value}" for key, value in run.overrides.items())
    return one_line("; ".join(part for part in (others, run.verdict.why) if part), longest)


def stacked(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the rows for a narrow terminal: the last cell, which is long, on a line of its own."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for *cells, note in [list(headings), *map(list, rows)]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
        yield line.rstrip(), note


def _best(runs: Sequence[Run], metric: str) -> Run | None:
    """Return the run with the best value; nobody is the best of one."""
    known = [run for run in runs if run.metric == metric and run.value is not None and math.isfinite(run.value)]
    if len(known) < 2:
        return None
    sign = -1 if less_is_better(metric, known[-1].comparison) else 1
    return max(known, key=lambda run: sign * (run.value or 0.0))


def approval_of(run: Run) -> str:
    """Return what people decided on the run's version: "approved", "rejected", "pending", or nothing."""
    return APPROVAL.get(run.registration.get("status", ""), "")


def as_json(run: Run) -> dict[str, Any]:
    """Return what the tables show, for programs."""
    return {
        "run": run.number,
        "started": run.record.get("started"),
        "status": run.record.get("status"),
        "verdict": run.verdict.word,
        "reason": run.verdict.why or None,
        "metric": run.metric or None,
        "value": run.value,
        "metrics": {name: metric["value"] for name, metric in run.metrics.items()},
        "version": run.version,
        "approval": run.registration.get("status"),
        "environment": run.record.get("environment"),
        "overrides": dict(run.overrides),
        "seconds": run.record.get("seconds"),
        "steps": [
            {key: step.get(key) for key in ("name", "status", "seconds", "cached", "reason")} for step in run.steps
        ],
        "folder": str(run.folder),
    }


def details(run: Run) -> Iterator[Table]:
    """Yield the tables of one run: metrics, steps, and what was other."""
    if run.metrics:
        rows = []
        for name, metric in sorted(run.metrics.items(), key=lambda item: item[0] != run.metric):
            low, high = metric.get("confidence_interval_95") or (None, None)
            rows.append([name, number(metric["value"]), f"{number(low)} to {number(high)}" if low is not None else ""])
        yield ["metric", "value", "95 % interval"], rows
    if run.steps:
        rows = []
        for step in run.steps:
            took = "reused" if step.get("cached") else seconds(step.get("seconds"))
            rows.append([str(step.get("name")), str(step.get("status")), took, one_line(step.get("reason") or "", 300)])
        yield ["step", "status", "took", ""], rows
    if run.overrides:
        yield ["override", "value"], [[key, str(value)] for key, value in run.overrides.items()]
