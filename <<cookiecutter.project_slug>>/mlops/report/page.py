"""HTML from elements: what is put in as text stays text, whatever it holds."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from mlops.laptop.plain_text import plain

LONGEST = 300  # characters of one text: names and messages come from data and libraries

# Nothing is loaded and nothing is run, even if a text should ever get out of its element.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def tag(name: str, /, *content: object, **attributes: object) -> Element:
    """Return an element with its content: elements, texts, lists of both; None is left out.

    An attribute that Python or XML would mistake is written `class_`, `aria_label`.
    """
    names = {key: key.rstrip("_").replace("_", "-") for key in attributes}
    given = {names[key]: plain(value, sys.maxsize) for key, value in attributes.items() if value is not None}
    element = Element(name, given)
    fill(element, content)
    return element


def fill(element: Element, content: Iterable[object]) -> None:
    """Put content at the end of an element."""
    for part in content:
        if part is None:
            continue
        if isinstance(part, Element):
            element.append(part)
        elif isinstance(part, list | tuple):
            fill(element, part)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + plain(part, LONGEST)
        else:
            element.text = (element.text or "") + plain(part, LONGEST)


def code(text: object) -> Element:
    """Return a name or value as it stands in files; its writing direction does not leak."""
    return tag("code", tag("bdi", text))


def section(title: str, *content: object) -> Element:
    """Return a section with its heading."""
    return tag("section", tag("h2", title), *content)


def table(
    caption: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    numbers: Iterable[int] = (),
    style: str = "",
) -> Element:
    """Return a table in a box that scrolls where it is too wide. The first cell of a row names it.

    Args:
        caption: what the table holds, for those who cannot see where it stands.
        numbers: the columns that are aligned right.
        style: a class of its own, where it needs one.
    """
    right = set(numbers)
    kinds = [{"class_": "number"} if column in right else {} for column in range(len(headings))]
    head = [tag("th", heading, scope="col", **kind) for heading, kind in zip(headings, kinds, strict=True)]
    body = []
    for row in rows:
        first, *others = zip(row, kinds, strict=True)
        cells = [tag("th", first[0], scope="row", **first[1]), *(tag("td", cell, **kind) for cell, kind in others)]
        body.append(tag("tr", cells))
    content = [tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body)]
    return tag("div", tag("table", content), class_=f"scroll {style}".rstrip())


def page(title: str, content: Iterable[object]) -> str:
    """Return the whole document. It is well-formed XML too."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
    ]
    style = Element("style")
    # Browsers take it literally, so it must not need escaping: no `<`, `>` or `&` (a test says so).
    style.text = (Path(__file__).parent / "style.css").read_text("utf-8")
    document = tag("html", tag("head", head, style), tag("body", tag("main", *content)), lang="en")
    return "<!DOCTYPE html>\n" + ElementTree.tostring(document, "unicode", short_empty_elements=False) + "\n"
