"""Reads a report as a browser does, and holds it against what must be true of every report."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from mlops.laptop.runs import Run
from mlops.report import write_report

VOID = {"meta"}  # HTML ignores their end tags


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
