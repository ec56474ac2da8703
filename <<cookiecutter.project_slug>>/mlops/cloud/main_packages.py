"""The packages that people ask about, of the hundreds that an environment holds."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from mlops.own_repository import ROOT

USUAL = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")


def main_packages(packages: Mapping[str, Any], *, own: bool) -> dict[str, Any]:
    """Return those that nearly every model needs and, of this repository's own model, those that it asks for.

    Names are compared as installers compare them: https://packaging.python.org/en/latest/specifications/name-normalization/.
    """
    wanted = {_normalized(name) for name in (*USUAL, *(_asked_for() if own else ()))}
    return {name: version for name, version in packages.items() if _normalized(name) in wanted}


def _asked_for() -> Iterator[str]:
    """What model/requirements*.txt name; options, comments and what cannot be read name nothing."""
    for file in sorted((ROOT / "model").glob("requirements*.txt")):
        for line in file.read_text("utf-8", errors="replace").splitlines():
            try:
                yield Requirement(re.sub(r"(^|\s)#.*", "", line)).name
            except InvalidRequirement:
                continue


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
