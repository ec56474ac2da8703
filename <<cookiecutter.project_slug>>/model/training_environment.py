"""What the model was trained with: the version of Python, and of each package, where training ran.

`train.py` writes `environment.json` beside the model. The pipeline takes it into the lineage of the
version, so that the same model can be trained again.
"""

import json
import platform
import re
import sys
from pathlib import Path

FILE = "environment.json"


def write_environment(folder: Path) -> None:
    """Write Python and the installed packages into a file beside the model."""
    content = {"python": platform.python_version(), "packages": installed_packages()}
    (folder / FILE).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")


def installed_packages() -> dict[str, str]:
    """Return the version of each installed package, by its normalised name.

    The names of the folders that installers leave say both (PyPA specification "Recording installed
    projects"); the metadata in them would take 0.2 s to read. Of two, the first on Python's path counts.
    """
    versions: dict[str, str] = {}
    for folder in sys.path:
        for pattern in ("*.dist-info", "*.egg-info"):
            for path in Path(folder).glob(pattern):
                name, _, rest = path.stem.partition("-")
                if rest:  # without: the sources of a package, not an installed one
                    versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), rest.partition("-")[0])
    return versions
