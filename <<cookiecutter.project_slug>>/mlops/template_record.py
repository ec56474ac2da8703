"""`.template.json`: where this repository came from, in which release, with which answers."""

import json
from dataclasses import dataclass

from mlops.problem import Problem
from mlops.settings import ROOT

FILE = ROOT / ".template.json"


@dataclass(frozen=True)
class TemplateRecord:
    """What the template wrote down about itself when it rendered this repository."""

    source: str | None  # a URL, an abbreviation or a folder; None: a folder that was temporary
    version: str
    answers: dict[str, str]


def load_template_record() -> TemplateRecord:
    """Read the record.

    Raises:
        Problem: the file is missing or was damaged.
    """
    try:
        return TemplateRecord(**json.loads(FILE.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise Problem(f"{FILE.name} cannot be read ({error}); restore it with: git checkout -- {FILE.name}") from None
