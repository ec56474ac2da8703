"""The merge of an update, and what becomes of what git could not decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops.own_repository import SETTINGS
from mlops.template_record import NAME
from mlops.update.merge import BASE, OURS, THEIRS, File, Merged, Scratch
from mlops.update.settings_merge import NoSettings, merge_settings

DATA = "data"  # the folder that is the team's own: a table is not merged by line, nor taken for a renamed sample


@dataclass(frozen=True)
class Left:
    """A file about which people should know, or decide."""

    path: str
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
    before, own, template = (scratch.files(tree, NAME, SETTINGS, DATA) for tree in (base, ours, theirs))
    touched = {
        path: own.get(path) for path, file in before.items() if path.startswith(f"{DATA}/") and own.get(path) != file
    }
    merged = scratch.merge(scratch.with_files(base, touched), ours, scratch.with_files(theirs, touched), labels)
    files: dict[str, File | None] = {NAME: template[NAME]}
    settings = _settings(scratch, [found.get(SETTINGS) for found in (before, own, template)], renamed)
    if settings:
        files[SETTINGS] = settings
    result = Result(merged.tree)
    for path in touched:
        if template.get(path) != before[path]:
            result.kept.append(Left(path, "the template changed it, and so did you: your data stay as they are"))
    for path, stages in merged.conflicts.items():
        if path in files:
            continue
        if stages.keys() == {BASE, THEIRS}:
            files[path] = None
            result.kept.append(Left(path, "you removed it, and the template changed it: it stays removed"))
        elif stages.keys() == {BASE, OURS}:
            result.kept.append(Left(path, "the template has removed it, and you changed it: it stays"))
        else:
            result.conflicts.append(Left(path, _undecided(scratch, merged, path, stages)))
    result.tree = scratch.with_files(merged.tree, files)
    result.changed = scratch.changed(ours, result.tree)
    return result


def _undecided(scratch: Scratch, merged: Merged, path: str, stages: Mapping[int, File]) -> str:
    kept = scratch.files(merged.tree, path).get(path)
    if OURS in stages and kept == stages[OURS]:
        return "both changed it, and it is no text: yours stands there"
    if kept is None:
        return "you and the template gave it different names: both stand there"
    return "both changed the same lines: look for <<<<<<<"


def _settings(scratch: Scratch, versions: list[File | None], renamed: Mapping[str, str]) -> File | None:
    """Return mlops.yaml merged by key, where both sides changed it; None leaves it to git."""
    base, ours, theirs = versions
    if not (base and ours and theirs) or (not renamed and (ours in {base, theirs} or base == theirs)):
        return None

    try:
        texts = [scratch.content(file.blob).decode("utf-8") for file in (base, ours, theirs)]
        merged = merge_settings(texts[0], texts[1], texts[2], scratch.merge_texts, renamed)
    except (NoSettings, UnicodeDecodeError):
        return None
    return File(ours.mode, scratch.keep(merged.encode("utf-8")))
