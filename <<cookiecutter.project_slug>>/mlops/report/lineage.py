"""What a report says about the origin of a model: the settings, and what else went in."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from mlops.laptop.run_changes import flat
from mlops.laptop.runs import Run
from mlops.report.numbers import size
from mlops.report.page import code, section, table, tag

# What decides how the model comes out; machines and accounts do not.
MATTER = ("model.", "data.", "training.", "evaluation.", "data_check.")


def settings_section(run: Run) -> Iterator[Element]:
    """The settings that decide how the model comes out: what was other for this run first, and marked."""
    settings, overrides = flat(run.settings), set(flat(run.overrides))
    declared = (run.settings.get("data") or {}).get("columns") or {}
    keys = [key for key in settings if key.startswith(MATTER) and not key.startswith("data.columns")]
    keys += [key for key in overrides if key not in keys]
    keys.sort(key=lambda key: (key not in overrides, _place(key)))
    first = [key for key in keys if key in overrides or _place(key) < 2]
    rows = {key: [_name(key, overrides), code(_written(settings.get(key, run.overrides.get(key))))] for key in keys}
    others = [row for key, row in rows.items() if key not in first]
    others += [[code("data.columns"), f"{len(declared)} declared"]] if declared else []
    content: list[object] = [_settings([rows[key] for key in first])]
    content += (
        [tag("details", tag("summary", f"Data, data check and model ({len(others)})"), _settings(others))]
        if others
        else []
    )
    if rows:
        yield section("Settings", content)


def _settings(rows: list[list[object]]) -> Element:
    return table("Settings", ["setting", "value"], rows, style="settings")


def _name(key: str, overrides: set[str]) -> list[object]:
    return [code(key), tag("span", "override", class_="mark") if key in overrides else None]


def _place(key: str) -> int:
    order = ("training.", "evaluation.", "data.", "data_check.", "model.")
    return next((place for place, prefix in enumerate(order) if key.startswith(prefix)), len(order))


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return ", ".join(_written(part) for part in value) or "[]"
    return "{}" if value == {} else str(value)


def lineage_section(run: Run) -> Iterator[Element]:
    """Commit, data, code and packages: what it takes to make the same model again."""
    record = run.record
    git, data = record.get("git") or {}, record.get("data") or {}
    commit = (
        [code(git["commit"]), " with uncommitted changes" if git.get("dirty") else ""] if git.get("commit") else None
    )
    current = record.get("current") or {}
    lineage = str(run.comparison.get("lineage") or "")
    trained = run.result("Compare", "lineage", lineage) if lineage else {}
    rows = {
        "commit": commit,
        "branch": code(git["branch"]) if git.get("branch") else None,
        "data": [code(data["path"]), f", {size(data.get('bytes'))}"] if data.get("path") else None,
        "data hash": code(data["sha256"]) if data.get("sha256") else None,
        "compared with": f"version {current['version']}, of run {current.get('run')}"
        if current.get("version")
        else None,
        "template": record.get("template_version"),
        "lineage": code(lineage) if lineage else None,
        "Python": trained.get("python") or record.get("python"),
    }
    packages = trained.get("packages") or record.get("packages")
    content: list[object] = [_list({name: value for name, value in rows.items() if value})]
    for title, mapping in (("Code, SHA-256", record.get("code")), ("Packages", packages)):
        if mapping:
            content.append(tag("details", tag("summary", f"{title} ({len(mapping)})"), _list(mapping, exact=True)))
    if any(rows.values()):
        yield section("Origin", content)


def _list(content: Mapping[str, Any], exact: bool = False) -> Element:
    return tag("dl", [[tag("dt", tag("bdi", name)), tag("dd", code(value) if exact else value)]
                      for name, value in content.items()])  # fmt: skip
