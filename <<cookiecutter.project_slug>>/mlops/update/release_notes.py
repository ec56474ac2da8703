"""What a template's CHANGELOG says to people, from one release to another."""

import re
from pathlib import Path

from mlops.update.template import later

# Ours, and that of a company's fork: in one file, its notes and ours would conflict with each release.
CHANGELOG, COMPANY_CHANGELOG = "CHANGELOG.md", "CHANGELOG.company.md"
HEADING = re.compile(r"^## \[?v?([0-9][^\s\]]*)\]?.*$", re.MULTILINE)


def release_notes(template: Path, old: str, new: str) -> str:
    """Return the sections of the releases after `old`, up to `new`, as they are written; empty where there are none."""
    files = (template / name for name in (COMPANY_CHANGELOG, CHANGELOG))
    return "\n\n".join(filter(None, (_sections(file, old, new) for file in files)))


def _sections(file: Path, old: str, new: str) -> str:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return "\n".join(
        text[heading.start() : end].strip() + "\n"
        for heading, end in zip(headings, ends, strict=True)
        if later(heading[1], old) and not later(heading[1], new)
    ).strip()
