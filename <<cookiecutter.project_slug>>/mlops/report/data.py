"""What a report says about the data: what the check found, and what the columns hold."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from mlops.laptop.runs import Run
from mlops.report.figures import spread
from mlops.report.numbers import number, share
from mlops.report.page import code, section, table, tag

MOST_COLUMNS = 200


def data_section(run: Run) -> Iterator[Element]:
    """The findings of the data check, and the profile of the columns."""
    check = run.data_check
    if not check:
        return
    findings, profile = check.get("findings") or [], check.get("profile") or {}
    shape = f"{number(check.get('rows'))} rows, {number(check.get('columns'))} columns"
    # Why there is nothing to compare with stands in the notes.
    beside = "; compared with the current version's training data" if check.get("compared_with_current") else ""
    words = {"passed": "nothing found", "warned": "worth a look", "failed": "refused"}
    verdict = words.get(str(check.get("verdict")), str(check.get("verdict")))
    content: list[object] = [tag("p", f"{shape}; {verdict}{beside}.", class_="note")]
    if check.get("notes"):
        content.append(
            tag("ul", [tag("li", tag("bdi", note)) for note in check["notes"][:MOST_COLUMNS]], class_="note")
        )
    if findings:
        content.append(_findings(findings, failed=check.get("verdict") == "failed"))
    if profile:
        listing = _profile(profile)
        title = tag("summary", f"What the {len(profile)} columns hold")
        content.append(tag("details", title, listing, open="open" if len(profile) <= 12 else None))
    yield section("Data", content)


def _findings(findings: list[dict[str, Any]], failed: bool) -> Element:
    rows: list[list[object]] = []
    for finding in findings[:MOST_COLUMNS]:
        kind = tag("span", finding.get("check"), class_="bad" if failed else "warn")
        column = code(finding["column"]) if finding.get("column") else "–"
        rows.append([kind, column, tag("bdi", finding.get("message")), number(finding.get("value")),
                     number(finding.get("limit"))])  # fmt: skip
    headings = ["check", "column", "found", "value", "limit"]
    return table("Findings of the data check", headings, rows, numbers=[3, 4], style="findings")


def _profile(profile: dict[str, dict[str, Any]]) -> Element:
    rows: list[list[object]] = []
    for name, column in list(profile.items())[:MOST_COLUMNS]:
        rows.append([code(name), column.get("type"), share(column.get("missing")), _summary(column), spread(column)])
    if len(profile) > MOST_COLUMNS:
        rows.append([f"and {len(profile) - MOST_COLUMNS} more", "", "", "", None])
    headings = ["column", "type", "missing", "values", "1 % to 99 %"]
    return table("Profile of the columns", headings, rows, numbers=[2], style="profile")


def _summary(column: dict[str, Any]) -> object:
    if column.get("type") == "boolean":
        return f"true in {share(column.get('true'))}"
    if column.get("type") == "number":
        low, high, mean = (_short(column.get(key)) for key in ("minimum", "maximum", "mean"))
        return f"{low} to {high}, mean {mean}"
    shares = sorted((column.get("shares") or {}).items(), key=lambda item: -item[1])
    parts: list[object] = []
    for value, part in shares[:3]:
        parts += [", " if parts else "", tag("bdi", value), f" {share(part)}"]
    return [*parts, f", and {len(shares) - 3} more" if len(shares) > 3 else ""]


def _short(value: Any) -> str:
    """Return a number in three digits; a whole one as such, though JSON has it with a decimal."""
    return number(int(value) if isinstance(value, float) and value.is_integer() else value, 3)
