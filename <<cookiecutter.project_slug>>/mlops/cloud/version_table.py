"""Versions as tables for a terminal, and as JSON. Metadata, lineage and reasons are others' texts: each is one line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.cloud.main_packages import main_packages
from mlops.cloud.stored_json import Stored, part, read
from mlops.cloud.versions import COMPLETED, METRIC, Version
from mlops.laptop.plain_text import one_line
from mlops.laptop.run_changes import flat
from mlops.report.numbers import number

WIDE = 110  # columns from which there is room for everything in a column of its own
LONGEST = 300  # characters of a cell
COMMIT, DATASET = 10, 12  # characters of a hash that tell two apart; a commit may end in -dirty
APPROVAL = {"Approved": "approved", "Rejected": "rejected", "PendingManualApproval": "pending"}
COLOURS = {"approved": "green", "rejected": "red", "failed": "red", "pending": "yellow"}
# The settings that decide how the model comes out; machines and accounts do not.
MATTER = ("model.", "data.", "training.", "evaluation.", "data_check.")

Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Full:
    """A version with what it names on S3."""

    version: Version
    settings: Stored
    lineage: Stored

    @property
    def problems(self) -> list[str]:
        """What could not be read, and why."""
        return [stored.problem for stored in (self.settings, self.lineage) if stored.problem]


def full(version: Version, region: str) -> Full:
    """Read what a version names on S3."""
    return Full(version, read("settings", version.metadata.get("settings_uri"), region), lineage_of(version, region))


def lineage_of(version: Version, region: str) -> Stored:
    """Read the lineage of a version."""
    return read("lineage", version.metadata.get("lineage_uri"), region)


def state(version: Version) -> str:
    """Return "approved", "rejected", "pending", or what became of a version that is not whole."""
    if version.status != COMPLETED:
        return {"InProgress": "in progress"}.get(version.status, version.status.lower())
    return APPROVAL.get(version.approval, version.approval.lower())


def moment(when: datetime | None) -> str:
    """Return a time in the time zone of this machine."""
    return f"{when.astimezone():%Y-%m-%d %H:%M}" if when else ""


def value(text: str) -> str:
    """Return what the main metric came to, which the registry keeps as a text."""
    try:
        return number(float(text))
    except ValueError:
        return text


def short_commit(commit: str) -> str:
    """Return the beginning of a commit's id, with the mark of a dirty tree."""
    dirty = "-dirty"
    return f"{commit.removesuffix(dirty)[:COMMIT]}{dirty if commit.endswith(dirty) else ''}"


def lines(versions: Sequence[Version], narrow: bool) -> tuple[list[str], list[list[str]], list[str]]:
    """Return headings, rows and styles. Where it is narrow, the last cell of a row is for a line of its own."""
    metrics = {version.metric[0] for version in versions if version.metric[0]}
    metric = one_line(metrics.pop(), 30) if len(metrics) == 1 else "metric"
    headings = ["group", "version", "status", metric, "created"]
    rows = [_line(version, named=metric == "metric") for version in versions]
    more = ["decided", "commit", "branch", "data", "template"]
    if narrow:
        rows = [[*row[:5], one_line("; ".join(_note(row[5:])), LONGEST)] for row in rows]
        more = ["decided, commit, branch, data, template"]
    return headings + more, rows, [COLOURS.get(state(version), "") for version in versions]


def _line(version: Version, named: bool) -> list[str]:
    name, came_to = version.metric
    metadata = version.metadata
    cells = [
        version.group.role,
        str(version.number),
        state(version),
        f"{name} {value(came_to)}" if named and name else value(came_to),
        moment(version.created),
        f"{version.changed_by} {moment(version.changed)}".strip(),
        short_commit(metadata.get("commit", "")),
        metadata.get("branch", ""),
        metadata.get("dataset_version", "")[:DATASET],
        metadata.get("template_version", ""),
    ]
    return [one_line(cell, 60) for cell in cells]


def _note(cells: Sequence[str]) -> Iterator[str]:
    decided, commit, branch, data, template = cells
    if decided:
        yield f"by {decided}"
    if commit:
        yield f"commit {commit}" + (f" on {branch}" if branch else "")
    if data:
        yield f"data {data}"
    if template:
        yield f"template {template}"


def as_json(version: Version) -> dict[str, Any]:
    """Return what the list shows, for programs."""
    name, came_to = version.metric
    return {
        "group": version.group.name,
        "version": version.number,
        "arn": version.arn,
        "status": version.status,
        "approval": version.approval,
        "reason": version.reason or None,
        "created": version.created.isoformat(),
        "registered_by": version.registered_by or None,
        "changed": version.changed.isoformat() if version.changed else None,
        "changed_by": version.changed_by or None,
        "metric": name or None,
        "value": came_to or None,
        "metadata": dict(version.metadata),
    }


def full_as_json(full: Full) -> dict[str, Any]:
    """Return everything about a version, for programs."""
    described = full.version.described
    return as_json(full.version) | {
        "description": described.get("ModelPackageDescription"),
        "model_data": full.version.container.get("ModelDataUrl"),
        "image": full.version.container.get("Image"),
        "image_digest": full.version.container.get("ImageDigest"),
        "generated_by": (described.get("MetadataProperties") or {}).get("GeneratedBy"),
        "settings": dict(full.settings.content) or None,
        "lineage": dict(full.lineage.content) or None,
        "problems": full.problems,
    }


def headline(version: Version) -> str:
    """Return one line about where a version stands."""
    said = f": {one_line(version.reason, LONGEST)}" if version.reason else ""
    return f"Version {version.number} of {version.group.name} is {state(version)}{said}"


def details(full: Full, *, own: bool = False) -> Iterator[Table]:
    """Yield the tables of one version: what it is, its metrics, what it was made with; `own`: of this repository."""
    lineage = full.lineage.content
    facts = [[name, one_line(text, LONGEST)] for name, text in _facts(full) if text]
    yield ["", f"version {full.version.number}"], facts
    if metrics := part(lineage, "metrics"):
        yield ["metric", "value", "95 % interval"], _metric_lines(metrics, lineage.get("main_metric"))
    if hyperparameters := part(lineage, "hyperparameters"):
        yield _pairs("hyperparameter", "value", hyperparameters)
    settings = flat(full.settings.content)
    settings = {key: settings[key] for key in settings if key.startswith(MATTER) and not key.startswith("data.columns")}
    if settings:
        yield _pairs("setting", "value", settings)
    if packages := part(lineage, "packages"):
        shown = main_packages(packages, own=own)
        headings, rows = _pairs("package", "version", shown)
        if more := len(packages) - len(shown):
            rows.append([f"and {more} more", "with --json"])
        yield headings, rows


def _facts(full: Full) -> Iterator[tuple[str, object]]:
    version, lineage = full.version, full.lineage.content
    metadata, container, image = dict(version.metadata), version.container, part(lineage, "image")
    yield "registered", f"{moment(version.created)} by {version.registered_by or 'nobody that is noted'}"
    # SageMaker keeps who changed a version last, so an edit after the decision hides who decided.
    yield "last changed", version.changed and f"{moment(version.changed)} by {version.changed_by}"
    yield "description", version.described.get("ModelPackageDescription")
    name, came_to = version.metric
    yield name, value(came_to)
    for key in ("commit", "branch", "template_version", "execution"):
        yield key.replace("_", " "), metadata.pop(key, "")
    yield "generated by", (version.described.get("MetadataProperties") or {}).get("GeneratedBy")
    yield "dataset", metadata.pop("dataset_uri", "")
    yield "dataset version", metadata.pop("dataset_version", "")
    yield "model", container.get("ModelDataUrl")
    yield "image", container.get("Image") or image.get("uri")
    yield "image digest", image.get("digest") or container.get("ImageDigest")
    yield "Python", lineage.get("python")
    if split := part(lineage, "split"):
        yield "split", ", ".join(f"{key} {split[key]}" for key in split)
    for key in ("settings_uri", "lineage_uri"):
        yield key.removesuffix("_uri"), metadata.pop(key, "")
    metadata.pop(f"{METRIC}{name}", None)
    yield from sorted(metadata.items())
    yield "ARN", version.arn


def _metric_lines(metrics: Mapping[str, Any], main: object) -> list[list[str]]:
    rows = []
    for name, metric in sorted(metrics.items(), key=lambda item: (item[0] != main, item[0])):
        content = metric if isinstance(metric, dict) else {"value": metric}
        interval = content.get("confidence_interval_95")
        both = isinstance(interval, list) and len(interval) == 2
        between = f"{number(interval[0])} to {number(interval[1])}" if both and interval else ""
        rows.append([one_line(cell, LONGEST) for cell in (name, number(content.get("value")), between)])
    return rows


def _pairs(what: str, of: str, content: Mapping[str, Any]) -> Table:
    rows = [[one_line(name, LONGEST), one_line(_text(content[name]), LONGEST)] for name in sorted(content)]
    return [what, of], rows


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return ", ".join(map(_text, value)) or "[]" if isinstance(value, list) else str(value)
