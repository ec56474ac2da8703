"""Where a repository stands beside its template: what `mlops update --check` says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from mlops.git import GitFailed, run_git
from mlops.own_repository import SETTINGS
from mlops.problem import Problem
from mlops.template_record import NAME, TemplateRecord, parse
from mlops.update import answers
from mlops.update.source import open_template
from mlops.update.start import Start, find_start
from mlops.update.template import Release, Template


@dataclass(frozen=True)
class Wish:
    """What a person asks for on the command line.

    `link` is the release that a repository without a record, or with a wrong one, is taken to come from; `template`
    another place of the template than the recorded one.
    """

    to: str | None = None
    link: str | None = None
    template: str | None = None
    answers: Sequence[str] = ()


@dataclass(frozen=True)
class Outlook:
    """A repository, what its record says, and the release that an update would take it to."""

    root: Path
    start: Start
    record: TemplateRecord
    template: Template
    old: Release
    new: Release
    commits: int | None  # from the old release to the new one, where the template has commits

    @property
    def behind(self) -> bool:
        """Whether the template has moved on."""
        if self.commits is None:
            return self.old.version != self.new.version
        return self.commits > 0


def look(root: Path, wish: Wish) -> Outlook:
    """Find out where the repository in a folder stands. Reads only; a template elsewhere is fetched into a cache.

    Raises:
        Problem: there is no record, its template cannot be reached, or a release is not there.
    """
    start = find_start(root)
    record = _record(root, start, wish)
    address = wish.template or record.source
    if not address:
        raise Problem(
            f"{NAME} does not say where the template is (it was rendered from a temporary folder); "
            "name a URL or a folder: mlops update --template ADDRESS"
        )
    template = open_template(address, root)
    if wish.template and template.source:
        record = replace(record, source=template.source)
    old = template.of_record(record)
    new = template.find(wish.to) if wish.to else template.newest()
    return Outlook(root, start, record, template, old, new, template.commits_between(old, new))


def committed(root: Path, start: Start, path: str) -> bytes | None:
    """Return what a file holds where the update starts, or None if it is not there.

    Raises:
        GitFailed: git cannot read it, such as in a partial clone without its remote.
    """
    blob = run_git(["rev-parse", "--verify", "--quiet", f"{start.commit}:{path}"], root=root).stdout.decode().strip()
    if not blob:
        return None
    done = run_git(["cat-file", "blob", blob], root=root)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
        raise GitFailed(f"git cannot read {path} of {start.name}: {reason[-1]}")
    return done.stdout


def _record(root: Path, start: Start, wish: Wish) -> TemplateRecord:
    content = committed(root, start, NAME)
    record = parse(content) if content is not None else None
    if wish.link:
        return _linked(root, start, record, wish.link.removeprefix("v"))
    if record is None:
        raise Problem(
            f"{start.name} has no {NAME}, so nobody knows which template it came from; "
            "say so: mlops update --link VERSION --template ADDRESS"
        )
    return record


def _linked(root: Path, start: Start, record: TemplateRecord | None, version: str) -> TemplateRecord:
    """Return the record that a repository would have, had it been rendered in a release as its settings say."""
    settings = committed(root, start, SETTINGS)
    if settings is None:
        raise Problem(
            f"{start.name} has no {SETTINGS}, which tells the answers; copy one of a new render, and fill it in"
        )
    try:
        own = answers.of_settings(yaml.safe_load(settings))
    except (yaml.YAMLError, ValueError) as error:  # 2024-13-45 is a ValueError
        raise Problem(f"{SETTINGS} on {start.name} is no YAML: {' '.join(str(error).split())}") from None
    known = record or TemplateRecord(None, version, {})
    return replace(known, version=version, commit=None, answers=known.answers | own)
