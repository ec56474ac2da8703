"""What an address of a template means."""

import os
import re
from pathlib import Path

from mlops.problem import Problem
from mlops.update.git_template import GitTemplate, is_git, url_of
from mlops.update.template import Template
from mlops.update.zip_template import ZipTemplate


def open_template(address: str, home: Path) -> Template:
    """Return the template at an address: a git URL or abbreviation, a folder, a zip, or zips on S3.

    Args:
        home: the repository whose git settings tell how git authenticates.

    Raises:
        Problem: nothing that could be a template is there.
    """
    if address.startswith("s3://") or address.endswith(".zip"):
        return ZipTemplate(address)
    folder = Path(os.path.expanduser(address))  # which leaves ~nobody as it is
    if folder.is_dir():
        folder = folder.resolve()
        if is_git(folder):
            return GitTemplate(str(folder), folder)
        if any(folder.glob("*.zip")):
            return ZipTemplate(str(folder))
        raise Problem(
            f"{folder} is neither a git repository nor a folder of zips, so it has no earlier release to compare with; "
            "name a clone of the template: mlops update --template ADDRESS"
        )
    if not re.search(r"[:@]", address):
        raise Problem(f"there is no template at {address}; name its new place: mlops update --template ADDRESS")
    return GitTemplate.fetched(url_of(address), home)
