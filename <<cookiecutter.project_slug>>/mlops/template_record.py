"""`.template.json`: where this repository came from, in which release, with which answers."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from mlops.own_repository import ROOT
from mlops.problem import Problem

NAME = ".template.json"
FILE = ROOT / NAME


@dataclass(frozen=True)
class TemplateRecord:
    """What the template wrote down about itself when it rendered this repository."""

    source: str | None  # a URL, an abbreviation or a folder; None: a folder that was temporary
    version: str
    answers: dict[str, Any]
    commit: str | None = None  # of the template; None: it was no git repository, or was older than 0.3.0

    def text(self) -> str:
        """Return the file's content, as the template renders it."""
        fields = asdict(self)
        in_order = {name: fields[name] for name in ("source", "version", "commit", "answers")}
        return json.dumps(in_order, indent=2, ensure_ascii=False) + "\n"


def load_template_record() -> TemplateRecord:
    """Read the record.

    Raises:
        Problem: the file is missing or was damaged.
    """
    try:
        return parse(FILE.read_bytes())
    except OSError as error:
        raise Problem(f"{NAME} cannot be read ({error}); restore it with: git checkout -- {NAME}") from None


def parse(content: bytes) -> TemplateRecord:
    """Return the record that a file holds. A newer template may note more than this release knows.

    Raises:
        Problem: it was damaged.
    """
    try:
        match json.loads(content.decode("utf-8")):
            case {"source": str() | None as source, "version": str(version), "answers": dict(answers), **more} if (
                isinstance(commit := more.get("commit"), str | None)
            ):
                return TemplateRecord(source, version, answers, commit)
        raise ValueError("it needs source, version and commit, which are texts, and answers")
    except ValueError as error:
        raise Problem(f"{NAME} cannot be read ({error}); restore it with: git checkout -- {NAME}") from None
