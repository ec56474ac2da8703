"""The report is small, and can be read in every theme."""

import re

import pytest

from tests.conftest import SOURCE
from tests.report.history import BINARY, DATA_CHECK, REGRESSION, History
from tests.report.reading import parsed, text_of


def test_a_large_run_has_a_small_report(history: History) -> None:
    run = history.add(packages={f"package-{number}": "1.0" for number in range(400)})
    points = [[number / 199, (number / 199) ** 0.5] for number in range(200)]
    figures = BINARY["figures"] | {
        "roc": {"class": "yes", "points": points, "auc": 0.8},
        "residuals": REGRESSION["figures"]["residuals"],
    }
    figures["prediction_against_truth"] = [[number * 1.000001, number * 0.99] for number in range(1000)]
    figures["confusion_matrix"] = {"labels": [str(n) for n in range(25)], "counts": [[2000] * 25] * 25}
    history.rewrite(run, "Evaluate", "evaluation", "figures.json", figures)
    profile = {f"column {number}": DATA_CHECK["profile"]["age"] for number in range(2000)}
    history.rewrite(run, "CheckData", "report", "data_check.json", DATA_CHECK | {"rows": 336_776, "profile": profile})
    text = text_of(run)
    assert len(text.encode("utf-8")) < 500_000
    assert "and 1800 more" in text


def colours(theme: str) -> dict[str, str]:
    """Return the colours of a theme by name."""
    style = (SOURCE / "mlops" / "report" / "style.css").read_text("utf-8")
    light = style.index(":root")
    start = {"light": light, "dark": style.index("prefers-color-scheme: dark"), "print": style.index("@media print")}[
        theme
    ]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style[start : style.index("}", start)]))


def luminance(colour: tuple[float, ...]) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_text_can_be_read_in_every_theme(theme: str) -> None:
    known = {name: rgb(colour) for name, colour in colours(theme).items()}
    for text in ("ink", "muted", "accent", "good", "warn", "bad"):
        for ground in ("paper", "soft"):
            assert contrast(known[text], known[ground]) >= 4.5, (text, ground)
    for fill in ("accent", "bad"):  # the cells of a confusion matrix, which are half of a colour at most
        cell = tuple((shade + paper) / 2 for shade, paper in zip(known[fill], known["paper"], strict=True))
        assert contrast(known["ink"], cell) >= 4.5, fill
    for mark in ("accent", "other", "bad", "good"):  # what is no text (WCAG 1.4.11)
        assert contrast(known[mark], known["paper"]) >= 3, mark


def test_a_table_in_a_figure_cannot_widen_the_page() -> None:
    style = (SOURCE / "mlops" / "report" / "style.css").read_text("utf-8")
    [columns] = re.findall(r"\nfigure \{[^}]*grid-template-columns: ([^;]+);", style)
    assert columns == "minmax(0, 1fr)", "a bare track is as wide as its content: on a narrow screen, lines are cut off"


def test_tables_look_the_same_in_jupyterlab() -> None:
    """Its HTML viewer (4.6) shows the inside of `<html>` alone, which browsers then take for a page of old."""
    style = (SOURCE / "mlops" / "report" / "style.css").read_text("utf-8")
    assert "\ntable { font: inherit; font-variant-numeric: tabular-nums;" in style, (
        "in this order: font resets variants"
    )


def test_every_class_has_a_style(history: History) -> None:
    style = (SOURCE / "mlops" / "report" / "style.css").read_text("utf-8")
    used = set()
    for kind in (BINARY, REGRESSION):
        for text in (text_of(history.add(kind)), text_of(history.fail("Train", "no", "no"))):
            used |= {name for element in parsed(text).iter() for name in element.get("class", "").split()}
    assert {name for name in used if f".{name}" not in style} == set()
