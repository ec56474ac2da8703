"""The figures of a report, drawn from what evaluate.py wrote into figures.json and Compare into comparison.json."""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from mlops.laptop.plain_text import one_line
from mlops.report.numbers import number, share
from mlops.report.svg import Chart, Scale, extent

WIDTH, HEIGHT = 320.0, 296.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 308.0, 30.0, 250.0  # of the field within the axes
MOST_CLASSES = 10  # whose confusion matrix can be drawn, with room for names and counts
LETTER = 7.5  # the width of one
LONGEST = 40  # letters of a class's name

Points = Sequence[Sequence[float]]


def gate(comparison: dict[str, Any], current: str) -> Element:
    """Draw the main metric with its interval beside the threshold and the current version."""
    value, threshold = comparison["value"], comparison["threshold"]
    interval = comparison.get("interval") or [value, value]
    other = (comparison.get("current") or {}).get("value")
    name, less = str(comparison["metric"]), comparison.get("direction") == "at most"
    x = Scale(*extent([*interval, value, threshold, *([] if other is None else [other])], 0.12), 6, 374)
    label = f"{name} {number(value)}, 95 % interval {number(interval[0])} to {number(interval[1])}, "
    label += f"threshold {'at most' if less else 'at least'} {threshold:g}"
    chart = Chart(
        label + (f", {current} {number(other)}" if other is not None else ""), 380, 112 if other is not None else 96
    )
    chart.box((x.start, x(threshold)) if less else (x(threshold), x.end), (42, 66), "allowed")
    chart.line([(x.start, 54), (x.end, 54)], "grid")
    chart.line([(x(threshold), 36), (x(threshold), 72)], "limit")
    _beside(chart, x, threshold, 90, f"{'at most' if less else 'at least'} {threshold:g}", "tick")
    if other is not None:
        chart.line([(x(other), 40), (x(other), 68)], "current")
        _beside(chart, x, other, 106, f"{current}: {number(other)}", "tick")
    chart.line([(x(interval[0]), 54), (x(interval[1]), 54)], "interval")
    chart.dot(x(value), 54, 6.5, "value")
    _beside(chart, x, value, 22, f"{name} {number(value)}", "lead")
    return chart.svg


def _beside(chart: Chart, x: Scale, value: float, y: float, text: str, style: str) -> None:
    """Write a text under or over a place, within the drawing."""
    part = (x(value) - x.start) / (x.end - x.start)
    anchor = "start" if part < 0.2 else "end" if part > 0.8 else "middle"
    chart.text(x(value), y, text, style, anchor)


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Element:
    """Draw how many rows of each class (lines) were taken for which (columns), shaded by the share of the line."""
    classes = len(labels)
    left, top = 92.0, 52.0
    side = min(78.0, (RIGHT - left) / classes)
    lines, columns = distinct(labels, int((left - 8) / LETTER)), distinct(labels, int(side / LETTER))
    chart = Chart(f"Confusion matrix of {classes} classes. {_told(labels, counts)}", WIDTH, top + side * classes + 12)
    chart.text(left, 14, "predicted", "axis")
    chart.text(0, top - 10, "actual", "axis")
    for line, (label, row) in enumerate(zip(labels, counts, strict=True)):
        rows = sum(row)
        y = (top + line * side, top + (line + 1) * side)
        middle = (y[0] + y[1]) / 2
        chart.text(left - 8, middle + 4, lines[line], "tick", "end", tip=label)
        chart.text(left + (line + 0.5) * side, top - 10, columns[line], "tick", "middle", tip=label)
        for column, count in enumerate(row):
            x = (left + column * side, left + (column + 1) * side)
            part = count / rows if rows else 0.0
            tip = f"{label} taken for {labels[column]}: {count:,} rows, {share(part)} of {label}"
            chart.box(x, y, "cell right" if line == column else "cell wrong", tip, fill_opacity=f"{part * 0.5:.3f}")
            text = f"{count:,}"
            if side >= 44:
                style = "count" if len(text) * 11 < side else "small"
                chart.text(sum(x) / 2, middle - 1, text, style, "middle")
                chart.text(sum(x) / 2, middle + 15, share(part), "small", "middle")
            else:
                short = text if count < 1000 or len(text) * LETTER < side else f"{count / 1000:.0f}k"
                chart.text(sum(x) / 2, middle + 4, short, "small", "middle")
    return chart.svg


def distinct(labels: Sequence[str], longest: int) -> list[str]:
    """Return names in so many characters, two at least, cut where that leaves more of them different."""
    whole = [one_line(label, LONGEST) for label in labels]
    heads = [one_line(name, longest) for name in whole]
    tails = [name if len(name) <= longest else f"…{name[1 - longest :]}" for name in whole]
    return max(heads, tails, key=lambda names: len(set(names)))


def _told(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Return a confusion matrix in words."""
    names = [one_line(label, LONGEST) for label in labels]
    lines = (
        ", ".join(f"{count:,} taken for {name}" for name, count in zip(names, row, strict=True) if count)
        for row in counts
    )
    return "; ".join(f"{name}: {line or 'no rows'}" for name, line in zip(names, lines, strict=True))


def roc(points: Points, auc: float, current: Points | None) -> Element:
    """Draw the ROC curve, over that of the current version."""
    chart, x, y = _unit_square(
        f"ROC curve; the area under it is {auc:.4f}", "false positive rate", "true positive rate"
    )
    if current:
        chart.line([(x(a), y(b)) for a, b in current], "other")
    chart.line([(x(a), y(b)) for a, b in points], "curve")
    return chart.svg


def calibration(bins: Points) -> Element:
    """Draw how often the class was true (up) where the model gave it a probability (right)."""
    text = "; ".join(f"predicted {share(mean)}, observed {share(seen)}" for mean, seen, _ in bins)
    chart, x, y = _unit_square(f"Calibration: {text}", "predicted probability", "observed share")
    chart.line([(x(mean), y(seen)) for mean, seen, _ in bins], "thin")
    most = max((count for *_, count in bins), default=1)
    for mean, seen, count in bins:
        tip = f"{count:,.0f} rows: predicted {share(mean)}, observed {share(seen)}"
        chart.dot(x(mean), y(seen), 3 + 6 * (count / most) ** 0.5, "value", tip)
    return chart.svg


def _unit_square(label: str, x_title: str, y_title: str) -> tuple[Chart, Scale, Scale]:
    chart = Chart(label, WIDTH, HEIGHT)
    x, y = Scale(0, 1, LEFT, RIGHT), Scale(0, 1, BOTTOM, TOP)
    chart.axes(x, y, x_title, y_title)
    chart.line([(x(0), y(0)), (x(1), y(1))], "guide")
    return chart, x, y


def prediction_against_truth(points: Points) -> Element:
    """Draw each row's prediction over its true value: on the line, the model is right."""
    chart = Chart(f"Predicted over true values of {len(points)} rows", WIDTH, HEIGHT)
    low, high = extent([value for point in points for value in point])
    x, y = Scale(low, high, LEFT, RIGHT), Scale(low, high, BOTTOM, TOP)
    chart.axes(x, y, "true value", "predicted value")
    chart.line([(x(low), y(low)), (x(high), y(high))], "guide")
    chart.dots([(x(truth), y(predicted)) for truth, predicted in points], "dots")
    return chart.svg


def residuals(edges: Sequence[float], counts: Sequence[int]) -> Element:
    """Draw how many rows were missed by how much."""
    chart = Chart(f"Histogram of errors from {number(edges[0])} to {number(edges[-1])}", WIDTH, HEIGHT)
    x = Scale(*extent(edges, 0.02), LEFT, RIGHT)
    y = Scale(*extent(counts, zero=True), BOTTOM, TOP)
    chart.axes(x, y, "predicted minus true value", "rows", counts=True)
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            tip = f"{number(low)} to {number(high)}: {count:,} rows"
            chart.box((x(low) + 0.5, max(x(low) + 1, x(high) - 0.5)), (y(0), y(count)), "bar", tip)
    if x.low < 0 < x.high:
        chart.line([(x(0), BOTTOM), (x(0), TOP)], "limit")
    return chart.svg


def importance(x: Scale, mean: float, error: float) -> Element:
    """Draw how much worse the model gets when one column is shuffled, with one standard error each way.

    `x` maps to places from 0 to 100; the drawing is as wide as its place in the page.
    """
    chart = Chart("", 100, 16)
    chart.box((x(0), x(mean)), (3, 13), "bar")
    chart.line([(x(mean - error), 8), (x(mean + error), 8)], "error")
    chart.line([(x(0), 0), (x(0), 16)], "base")
    return _stretched(chart, "importance")


def duration(part: float) -> Element:
    """Draw a bar over a part, from 0 to 1, of its place in the page."""
    chart = Chart("", 100, 10)
    chart.box((0, max(part * 100, 0.5)), (0, 10), "bar")
    return _stretched(chart, "duration")


def _stretched(chart: Chart, style: str) -> Element:
    """Return a drawing that fills its place, and that only repeats a number beside it: nothing to read out."""
    for name in ("role", "aria-label"):
        del chart.svg.attrib[name]
    chart.svg.attrib |= {"class": style, "aria-hidden": "true", "preserveAspectRatio": "none"}
    return chart.svg


def spread(column: dict[str, Any]) -> Element | None:
    """Draw the quantiles of a column of numbers: whiskers from 1 % to 99 %, the middle half, the median."""
    quantiles = column.get("quantiles") or {}
    try:
        low, lower, median, upper, high = (float(quantiles[key]) for key in ("0.01", "0.25", "0.5", "0.75", "0.99"))
    except (KeyError, TypeError, ValueError):
        return None
    chart = Chart(f"1 % {number(low)}, median {number(median)}, 99 % {number(high)}", 120, 14)
    x = Scale(*extent([low, high], 0.0), 1, 119)
    chart.line([(x(low), 7), (x(high), 7)], "guide-solid")
    chart.box((x(lower), max(x(upper), x(lower) + 1)), (2, 12), "bar")
    chart.line([(x(median), 1), (x(median), 13)], "median")
    chart.svg.set("class", "spread")
    return chart.svg
