"""The report of a run: one HTML file that needs nothing else, for browsers, JupyterLab, mail and paper."""

from pathlib import Path


def write_report(run_folder: Path) -> Path:
    """Write `report.html` into the folder of a run and return its path.

    Whatever the run left behind is shown; a run that failed, or still runs, has a shorter report.
    """
    from mlops.laptop import runs
    from mlops.report.page import page
    from mlops.report.sections import SECTIONS, project

    run = runs.read(run_folder.resolve())
    parts = [part for make in SECTIONS for part in make(run)]
    target = run_folder / "report.html"
    target.write_text(page(f"{project(run)}, run {run.number}", parts), "utf-8")
    return target
