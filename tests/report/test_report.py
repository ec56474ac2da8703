"""The report is one safe file that shows what there is."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.laptop.runs import Run
from mlops.report import write_report
from mlops.report.page import page, tag
from tests.conftest import SOURCE
from tests.report.history import BINARY, DATA_CHECK, REGRESSION, History, step

VOID = {"meta"}  # HTML ignores their end tags
HOSTILE = {
    "markup": "</style><script>alert(1)</script><img src=x onerror=alert(2)>",
    "end of a comment": "--></title></svg><!--<![CDATA[",
    "entity": "&lt;script&gt; &amp; &#x3c;",
    "quotes": '" onmouseover="alert(1)" \'',
    "control characters": "a\x00b\x07c\x08d\x1b[31mred\x1b[0m\x7f\x9b",
    "lone surrogate": "a\ud800b",
    "no character": "\ufffe\uffff",
    "emoji": "👩‍🔬 model 🧪",
    "right to left": "\u202egnp.exe\u202c مرحبا שלום",
    "long": "x" * 10_000,
    "template": "{{ 7*7 }} {% raw %} ${7*7} << x >>",
    "address": "https://example.org/x.js javascript:alert(1)",
    "nothing": "",
}


def text_of(run: Run) -> str:
    """Write the report and return it, checked for what must hold of every report."""
    file = write_report(run.folder)
    assert file == run.folder / "report.html"
    text = file.read_text("utf-8")
    assert_safe(text)
    return text


def assert_safe(text: str) -> None:
    """It parses as XML and as HTML with the same elements, loads nothing and runs nothing."""
    assert text.startswith("<!DOCTYPE html>\n")
    assert len(text) < 500_000
    root = parsed(text)
    names = [element.tag for element in root.iter()]
    assert {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "foreignObject",
        "use",
        "image",
    }.isdisjoint(names)
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name not in {"href", "src", "srcset", "action", "data", "style", "xlink:href"}
            assert "url(" not in value
    styles = list(root.iter("style"))
    assert len(styles) == 1
    assert not re.search(r"@import|url\(|expression|https?:|[<>&]", styles[0].text or "")
    policy = next(meta for meta in root.iter("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.get("content") == "default-src 'none'; style-src 'unsafe-inline'"
    browser = Browser()
    browser.feed(text)
    browser.close()
    assert browser.names == names
    assert browser.open == []
    for svg in root.iter("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and svg.get("aria-label"))
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert all(heading.get("scope") == "col" for heading in table.findall("thead/tr/th"))
        assert all(row[0].tag == "th" for row in table.findall("tbody/tr"))
    levels = [int(name[1]) for name in names if name in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


class Browser(HTMLParser):
    """Reads as HTML, in which an element that is not void has to be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def parsed(text: str) -> Element:
    return ElementTree.fromstring(text)  # noqa: S314 (our own)


def words(element: Element) -> str:
    return "".join(element.itertext())


def figure(text: str, title: str) -> Element:
    """Return the figure of a title."""
    figures = parsed(text).iter("figure")
    return next(each for each in figures if words(each.find("figcaption/h3")) == title)  # type: ignore[arg-type]


def sections(text: str) -> list[str]:
    return [words(heading) for heading in parsed(text).iter("h2")]


# --- what it shows --------------------------------------------------------------------------------


def test_a_registered_classifier_shows_everything(history: History) -> None:
    text = text_of(history.add(overrides={"training.hyperparameters.max_iter": 200}))
    assert sections(text) == [
        "Result", "Gate", "How the model errs, and on what it relies", "Data", "Steps", "Settings", "Origin",
    ]  # fmt: skip
    root = parsed(text)
    assert words(root.find("body/main/header/h1")) == "Run 1"  # type: ignore[arg-type]
    shown = words(root)
    for part in ["Tumor Diagnosis", "Registered as version 1.", "environment dev", "3af09ce13a", "100 test rows"]:
        assert part in shown
    for part in [
        "0.9100",
        "0.9000 to 0.9200",
        "so good",
        "age is missing in 20 %",
        "member",
        "true in 25\u00a0%",
        "Rome",
    ]:
        assert part in shown
    for part in [
        "training.hyperparameters.max_iteroverride",
        "data/table.csv",
        "118.0 kB",
        "a" * 64,
        "numpy",
        "3.11.7",
    ]:
        assert part in shown
    assert "ml.m5.large" not in shown, "machines do not decide how a model comes out"
    cells = [cell.get("fill-opacity") for cell in figure(text, "Confusion matrix").iter("rect")]
    assert cells == [f"{0.5 * share:.3f}" for share in (50 / 60, 10 / 60, 5 / 40, 35 / 40)]
    roc = figure(text, "ROC curve")
    assert [path.get("class") for path in roc.iter("path")][-3:] == ["guide", "other", "curve"]
    assert "area 0.9100" in words(roc)
    assert len(list(figure(text, "Calibration").iter("circle"))) == 3
    lines = figure(text, "Importance of the columns").findall(".//tbody/tr")
    assert [words(line) for line in lines] == ["age0.2000± 0.0200", "city0.0100± 0.0200", "noise−0.0010± 0.0030"]


def test_a_regression_shows_its_own_figures(history: History) -> None:
    text = text_of(history.add(REGRESSION))
    titles = [words(title) for title in parsed(text).iter("h3")]
    assert titles == ["Prediction against truth", "Errors", "Importance of the columns"]
    dots = [
        path.get("d") for path in figure(text, "Prediction against truth").iter("path") if path.get("class") == "dots"
    ]
    assert dots[0].count("M") == 3  # type: ignore[union-attr]
    assert len(list(figure(text, "Errors").iter("rect"))) == 2, "an empty bar is none"
    assert "at most 60" in text


def test_columns_that_make_no_difference_are_only_counted(history: History) -> None:
    run = history.add()
    rows = [["age", 0.2, 0.02], ["a", 0.0, 0.0], ["b", 0.0, 0.0]]
    figures = BINARY["figures"] | {"importance": rows}
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", figures))
    assert len(figure(text, "Importance of the columns").findall(".//tbody/tr")) == 1
    assert "2 more columns make no difference." in text
    nothing = BINARY["figures"] | {"importance": rows[1:]}
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", nothing))
    assert words(figure(text, "Importance of the columns").findall(".//tbody/tr")[0]) == "a0± 0"


def test_a_step_that_was_skipped_is_not_listed(history: History) -> None:
    text = text_of(history.add(steps=[step("Evaluate", "Succeeded"), step("Refused", "Skipped")]))
    assert "Evaluate" in words(parsed(text))
    assert "Refused" not in words(parsed(text))


def test_many_classes_are_a_list_of_mistakes(history: History) -> None:
    labels = [f"class {number}" for number in range(40)]
    counts = [
        [7 if line == column else 3 if (line, column) == (1, 2) else 0 for column in range(40)] for line in range(40)
    ]
    run = history.add()
    figures = {"confusion_matrix": {"labels": labels, "counts": counts}}
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", figures))
    assert [words(row) for row in figure(text, "Most frequent mistakes").findall(".//tbody/tr")] == ["class 1class 23"]


def test_differences_in_colour_are_more_than_chance(history: History) -> None:
    run = history.add()
    better = json.loads(json.dumps(BINARY["evaluation"]))
    group = better["binary_classification_metrics"]
    group["auc"]["value"], group["log_loss"]["value"], group["accuracy"]["value"] = 0.5, 0.2, 0.8501
    text = text_of(history.rewrite(run, "EvaluateCurrent", "evaluation", "evaluation.json", better))
    rows = {words(row[0]): row[-1] for row in parsed(text).iterfind(".//div[@class='scroll metrics']//tbody/tr")}
    assert [(words(cell), [part.get("class") for part in cell]) for cell in rows.values()] == [
        ("+0.4100", ["good"]),
        ("−0.0001", []),
        ("+0.1000", ["bad"]),
        ("0", []),
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"refused": True}, "Refused: auc is 0.91, 0.8 is asked"),
        ({"status": "Stopped", "version": None, "reason": "stopped by Ctrl-C"}, "Stopped: stopped by Ctrl-C"),
        ({"status": "Executing", "version": None}, "It has not ended."),
        (
            {"status": "Executing", "version": None, "process": 2**22 + 1},
            "Stopped: its process is gone and left no word",
        ),
        ({"version": None}, "Succeeded, and registered nothing."),
    ],
)
def test_the_first_sentence_is_the_verdict(history: History, change: dict[str, Any], sentence: str) -> None:
    assert sentence in words(parsed(text_of(history.add(**change))))


def test_a_warning_is_part_of_the_verdict(history: History) -> None:
    run = history.add()
    warned = dict(run.comparison) | {"verdict": "warned", "message": "auc is too low"}
    text = text_of(history.rewrite(run, "Compare", "comparison", "comparison.json", warned))
    assert "Registered as version 1, with a warning: auc is too low" in text
    assert 'class="verdict warn"' in text


def test_without_a_current_version_nothing_is_compared(history: History) -> None:
    text = text_of(history.add(compared=False))
    headings = [words(cell) for cell in parsed(text).iterfind(".//div[@class='scroll metrics']//thead/tr/th")]
    assert headings == ["metric", "this run", "95 % interval"]
    assert "grey" not in words(figure(text, "ROC curve"))


def test_a_current_version_that_could_not_be_scored_says_why(history: History) -> None:
    run = history.add()
    broken = {"model": None, "problem": "the test rows have no column 'age'"}
    text = text_of(history.rewrite(run, "EvaluateCurrent", "evaluation", "evaluation.json", broken))
    assert "could not be scored on these test rows: the test rows have no column 'age'" in words(parsed(text))


def test_a_failed_step_shows_its_reason_and_the_end_of_its_log(history: History) -> None:
    log = "".join(f"line {number}\n" for number in range(500)) + "\x1b[31mValueError\x1b[0m: no\rtrain.py: it broke\n"
    text = text_of(history.fail("Train", "train.py: it broke", log))
    assert sections(text) == ["Train failed", "Data", "Steps", "Settings", "Origin"]
    root = parsed(text)
    assert "Failed at Train: train.py: it broke" in words(root)
    lines = words(next(root.iter("pre"))).splitlines()
    assert lines == [*(f"line {number}" for number in range(471, 500)), "train.py: it broke"]
    assert [words(row[0]) for row in root.iterfind(".//tbody/tr") if words(row[1]) == "failed"] == ["Train"]


@pytest.mark.parametrize("log", ["", "\n\n", "x" * 300_000, "\udcff\udcfe broken \x00 bytes"])
def test_any_log_will_do(history: History, log: str) -> None:
    assert "Failed at Evaluate" in text_of(history.fail("Evaluate", "it broke", log))


@pytest.mark.parametrize(
    "record",
    ["", "{", "[]", "null", "{}", '{"status": "Failed"}', '{"steps": [{"name": "Train", "status": "Failed"}]}',
     '{"outputs": {"Evaluate": {"evaluation": "store/gone"}}, "steps": null, "settings": null, "git": null}'],
)  # fmt: skip
def test_whatever_is_left_of_a_record_has_a_report(history: History, record: str) -> None:
    run = history.add()
    (run.folder / "run.json").write_text(record)
    assert "Run 1" in text_of(run)


def test_results_that_are_gone_are_left_out(history: History) -> None:
    run = history.add()
    for file in (history.home / "store").rglob("*.json"):
        file.write_text("{broken")
    assert sections(text_of(run)) == ["Steps", "Settings", "Origin"]


# --- hostile text ---------------------------------------------------------------------------------


def infect(text: str, content: Any, keep: Callable[[Any], bool]) -> Any:
    """Return JSON with a text in place of every text, of keys too, that may be replaced."""
    if isinstance(content, dict):
        return {
            key if keep(key) else f"{text}{place}": infect(text, value, keep)
            for place, (key, value) in enumerate(content.items())
        }
    if isinstance(content, list):
        return [infect(text, part, keep) for part in content]
    return text if isinstance(content, str) and not keep(content) else content


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(history: History, name: str) -> None:
    text = HOSTILE[name]
    run = history.fail(
        "Compare", text, f"{text}\n" * 40, template_version=text, python=text, environment=text, started=text
    )
    words_of_the_format = {"data", "path", "target", "evaluation", "metric", "auc", "project", "name", "training"}
    written = infect(text, dict(run.record["settings"]), words_of_the_format.__contains__)
    record = dict(run.record) | {
        "settings": written,
        "overrides": {f"training.{text}": text},
        "git": {"commit": text, "branch": text, "dirty": True},
        "code": {text: text},
        "packages": {text: text},
        "data": {"path": text, "sha256": text, "bytes": text},
    }
    (run.folder / "run.json").write_text(json.dumps(record), "utf-8")
    figures = {
        "confusion_matrix": {"labels": [text, "b"], "counts": [[1, 2], [3, 4]]},
        "roc": {"class": text, "points": [[0, 0], [1, 1]], "auc": 0.5},
        "calibration": [[0.5, 0.5, 3]],
        "importance": [[text, 0.1, 0.1]],
        "importance_metric": text,
        "importance_rows": text,
    }
    history.rewrite(run, "Evaluate", "evaluation", "figures.json", figures)
    metrics = {"auc": {"value": 0.5}, f"x{text}": {"value": 1.0}}
    history.rewrite(run, "Evaluate", "evaluation", "evaluation.json", {"binary_classification_metrics": metrics})
    history.rewrite(run, "EvaluateCurrent", "evaluation", "evaluation.json", {"model": None, "problem": text})
    checks = dict.fromkeys(("check", "column", "message", "value", "limit"), text)
    profile = {
        text: {"type": "category", "shares": {text: 0.5}},
        "n": {"type": text, "mean": text, "quantiles": {"0.5": text}},
    }
    history.rewrite(
        run, "CheckData", "report", "data_check.json", {"verdict": text, "findings": [checks], "profile": profile}
    )
    shown = text_of(run)
    assert "<script" not in shown
    assert ("Compare failed" in sections(shown)) == (name != "nothing")
    if name in {"emoji", "template", "address", "right to left"}:
        assert text in words(parsed(shown))
    if name == "long":
        assert "(9700 more characters)" in shown


@given(st.text())
def test_any_text_survives_as_far_as_xml_can_hold_it(text: str) -> None:
    document = page(text, [tag("p", text, title=text)])
    assert_safe(document.replace("<main>", "<main><h1></h1>"))
    shown = words(next(parsed(document).iter("p")))
    legal = re.sub(r"[\r\n]+", " ", text)
    if re.fullmatch(r"[ -~\u00a0-\ud7ff\n\r]{0,300}", text):
        assert re.sub(r"[\r\n]+", " ", shown) == legal


# --- size and looks -------------------------------------------------------------------------------


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


def test_every_class_has_a_style(history: History) -> None:
    style = (SOURCE / "mlops" / "report" / "style.css").read_text("utf-8")
    used = set()
    for kind in (BINARY, REGRESSION):
        for text in (text_of(history.add(kind)), text_of(history.fail("Train", "no", "no"))):
            used |= {name for element in parsed(text).iter() for name in element.get("class", "").split()}
    assert {name for name in used if f".{name}" not in style} == set()


def test_the_report_of_a_relative_folder_lies_there(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.add()
    monkeypatch.chdir(history.home.parent)
    assert write_report(Path(".mlops/runs/1")) == Path(".mlops/runs/1/report.html")
    assert "Registered as version 1" in Path(".mlops/runs/1/report.html").read_text("utf-8")
