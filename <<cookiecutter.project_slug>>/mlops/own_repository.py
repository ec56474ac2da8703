"""The repository that a command belongs to: that of its own code."""

from pathlib import Path

from mlops.problem import Problem

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = "mlops.yaml"  # the file that every model repository has


def refuse_elsewhere() -> None:
    """Refuse to act on another repository: its code, its settings and its versions may be others.

    Raises:
        Problem: the current folder is in another repository, or in none.
    """
    here = Path.cwd().resolve()
    nearest = next((folder for folder in (here, *here.parents) if (folder / SETTINGS).is_file()), None)
    if nearest != ROOT:
        where = f"this is {nearest}" if nearest else f"{here} is in no model repository"
        raise Problem(f"this mlops belongs to {ROOT}, and {where}; run the one of this place: python -m mlops")
