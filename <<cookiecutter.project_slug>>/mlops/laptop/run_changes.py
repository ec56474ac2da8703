"""What is different between two runs, and so what may have made a model better or worse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.laptop.runs import Run
from mlops.report.numbers import difference, number

ABSENT = "–"


@dataclass(frozen=True)
class Change:
    """One thing that differs. `old` and `new` are values of JSON; None where there is none."""

    what: str  # settings, code, data, packages, environment
    key: str
    old: Any
    new: Any


def changes(old: Run, new: Run) -> list[Change]:
    """Return what the runs were given that differs: not their results."""
    return [
        *_compare("settings", flat(old.settings), flat(new.settings)),
        *_compare("code", _files(old), _files(new)),
        *_compare("data", _data(old), _data(new)),
        *_compare("packages", old.record.get("packages") or {}, new.record.get("packages") or {}),
        *_compare("environment", _surroundings(old), _surroundings(new)),
    ]


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dotted keys; an empty mapping is a value."""
    result: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        result |= flat(value, f"{name}.") if isinstance(value, Mapping) and value else {name: value}
    return result


def metric_changes(old: Run, new: Run) -> list[tuple[str, float | None, float | None]]:
    """Return each metric with its value in both runs, the main one first."""
    names = dict.fromkeys([new.metric, *old.metrics, *new.metrics])
    return [(name, *both) for name in names if (both := (old.value_of(name), new.value_of(name))) != (None, None)]


def _compare(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    keys = dict.fromkeys([*old, *new])
    return [Change(what, key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _files(run: Run) -> dict[str, str]:
    return {f"model/{name}": str(digest)[:12] for name, digest in (run.record.get("code") or {}).items()}


def _data(run: Run) -> dict[str, Any]:
    data = run.record.get("data") or {}
    known = {"path": data.get("path"), "bytes": data.get("bytes"), "sha256": str(data.get("sha256") or "")[:12] or None}
    return known | {"rows": run.data_check.get("rows"), "columns": run.data_check.get("columns")}


def _surroundings(run: Run) -> dict[str, Any]:
    commit = (run.record.get("git") or {}).get("commit")
    return {
        "environment": run.record.get("environment"),
        "commit": commit and str(commit)[:12],
        "template": run.record.get("template_version"),
        "python": run.record.get("python"),
    }


def lines(changes: list[Change]) -> list[list[str]]:
    """Return changes as rows: kind (once), what, before, after."""
    kinds = [
        "" if place and changes[place - 1].what == change.what else change.what for place, change in enumerate(changes)
    ]
    return [[kind, change.key, *_cells(change)] for kind, change in zip(kinds, changes, strict=True)]


def _cells(change: Change) -> tuple[str, str]:
    if change.what == "code":  # digests say nothing to people
        word = "added" if change.old is None else "removed" if change.new is None else "changed"
        return ABSENT if change.old is None else "", word
    return _text(change.old), _text(change.new)


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "[]"
    return f"{value:,}" if isinstance(value, int) and abs(value) > 9999 else str(value)


def metric_lines(metrics: list[tuple[str, float | None, float | None]]) -> list[list[str]]:
    """Return metrics as rows: name, before, after, difference."""
    rows = []
    for name, before, after in metrics:
        change = ABSENT if before is None or after is None else difference(after - before, after)
        rows.append([name, number(before), number(after), change])
    return rows


def git_diff(old: Run, new: Run) -> str | None:
    """Return the command that shows the changed code; only commits that hold it all can say so."""
    if _files(old) == _files(new):
        return None
    before, after = (run.record.get("git") or {} for run in (old, new))
    known = before.get("commit") and after.get("commit") and before["commit"] != after["commit"]
    if not known or before.get("dirty") or after.get("dirty"):
        return None
    return f"git diff {before['commit'][:10]} {after['commit'][:10]} -- model"
