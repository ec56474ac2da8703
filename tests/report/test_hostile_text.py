"""Text that comes from people and their data stays text in the report."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.report.page import page, tag
from tests.report.history import History
from tests.report.reading import assert_safe, parsed, sections, text_of, words

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
