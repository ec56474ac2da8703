"""The merge of an update, and what becomes of what git could not decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops.own_repository import SETTINGS
from mlops.template_record import NAME
from mlops.update.merge import BASE, OURS, THEIRS, File, Merged, Scratch, printable
from mlops.update.settings_merge import NoSettings, merge_settings

DATA = "data"  # the folder that is the team's own: a table is not merged by line, nor taken for a renamed sample


@dataclass(frozen=True)
class Left:
    """A file about which people should know, or decide."""

    path: str  # as it can be printed
    what: str


@dataclass
class Result:
    """The tree of an update. `conflicts` wait for a decision, `kept` is only told."""

    tree: str
    changed: list[str] = field(default_factory=list)
    conflicts: list[Left] = field(default_factory=list)
    kept: list[Left] = field(default_factory=list)


def merge(
    scratch: Scratch, base: str, ours: str, theirs: str, labels: tuple[str, str], renamed: Mapping[str, str]
) -> Result:
    """Merge the change from `base` to `theirs`, trees of the template, into `ours`.

    Args:
        labels: what stands at conflict markers: ours, theirs.
        renamed: settings that the template calls otherwise now.
    """
    before, own, template = (scratch.files(tree) for tree in (base, ours, theirs))
    data = _touched_data(before, own, template)
    merged = scratch.merge(scratch.with_files(base, data), ours, scratch.with_files(theirs, data), labels)
    files: dict[str, File | None] = {NAME: template[NAME]}
    settings = _settings(scratch, [found.get(SETTINGS) for found in (before, own, template)], renamed)
    if settings:
        files[SETTINGS] = settings
    result = Result(merged.tree)
    for path in data:
        if template.get(path) not in (before.get(path), own.get(path)):
            why = "the template changed it, and so did you: your data stay as they are"
            result.kept.append(Left(printable(path), why))
    undecided = _settled(merged, files, result)
    back = _moved_back(scratch, scratch.with_files(merged.tree, files), own, undecided)
    files |= back
    result.conflicts = [
        Left(printable(path), _undecided(scratch, merged, path, stages, labels[0]))
        for path, stages in undecided.items()
        if path not in back
    ]
    result.tree = scratch.with_files(merged.tree, files)
    result.changed = scratch.changed(ours, result.tree)
    return result


def _touched_data(
    before: Mapping[str, File], own: Mapping[str, File], template: Mapping[str, File]
) -> dict[str, File | None]:
    """Return what the team has of the data that it touched, None where it removed something."""
    return {
        path: own.get(path)
        for path in {**before, **template}
        if path.startswith(f"{DATA}/") and own.get(path) != before.get(path)
    }


def _settled(merged: Merged, files: dict[str, File | None], result: Result) -> dict[str, dict[int, File]]:
    """Settle what one side removed and the other changed: note it in `files` and `result`. Return what is left."""
    # What git puts beside what the other side has in its place, a link for instance, with ~ and a label in its name.
    beside = {path for path in merged.conflicts if path.rpartition("~")[0] in merged.conflicts}
    undecided = {}
    for path, stages in merged.conflicts.items():
        if path in files:
            continue
        if stages.keys() == {BASE, THEIRS}:
            files[path] = None
            if path not in beside:
                why = "you removed it, and the template changed it: it stays removed"
                result.kept.append(Left(printable(path), why))
        elif stages.keys() == {BASE, OURS} and path not in beside:
            result.kept.append(Left(printable(path), "the template has removed it, and you changed it: it stays"))
        else:
            undecided[path] = stages
    return undecided


def _moved_back(
    scratch: Scratch, tree: str, own: Mapping[str, File], undecided: Mapping[str, Mapping[int, File]]
) -> dict[str, File | None]:
    """Return files of the team that git called NAME~dev, as there was a folder NAME, of which nothing is left."""
    moved = {
        path: path.rpartition("~")[0]
        for path, stages in undecided.items()
        if stages.keys() == {OURS} and path not in own and path.rpartition("~")[0] in own
    }
    back: dict[str, File | None] = {}
    for path, name in moved.items():
        if not scratch.files(tree, name):
            back |= {path: None, name: own[name]}
    return back


def _undecided(scratch: Scratch, merged: Merged, path: str, stages: Mapping[int, File], label: str) -> str:
    kept = scratch.files(merged.tree, path).get(path)
    if kept is None:
        return "you and the template gave it different names: both stand there"
    if {OURS, THEIRS} <= stages.keys() and kept == stages[OURS]:
        return "both changed it, and it is no text: yours stands there"
    if kept.mode.startswith("100") and f"<<<<<<< {label}".encode() in scratch.content(kept.blob):
        return "both changed the same lines: look for <<<<<<<"
    if OURS in stages:
        return "yours stands there, and the template has something else in its place"
    return "the template's stands there, and you have something else in its place"


def _settings(scratch: Scratch, versions: list[File | None], renamed: Mapping[str, str]) -> File | None:
    """Return mlops.yaml merged by key, where both sides changed it; None leaves it to git."""
    base, ours, theirs = versions
    if not (base and ours and theirs) or (not renamed and (ours in {base, theirs} or base == theirs)):
        return None

    try:
        texts = [scratch.content(file.blob).decode("utf-8") for file in (base, ours, theirs)]
        merged = merge_settings(texts[0], texts[1], texts[2], scratch.merge_texts, renamed)
    except (NoSettings, UnicodeDecodeError, RecursionError):  # the last: an anchor within itself
        return None
    return File(ours.mode, scratch.keep(merged.encode("utf-8")))
