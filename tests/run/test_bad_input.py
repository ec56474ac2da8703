"""What goes wrong with data, models and machines: one clear line, no version, and the next run works."""

import contextlib
import csv
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repository
from tests.run.conftest import Again, copy, edit, versions

pytestmark = pytest.mark.slow

DATA = "data/breast_cancer.csv"


def table(repository: Repository) -> list[list[str]]:
    """The rows of the data, the header first."""
    with (repository.path / DATA).open(newline="") as file:
        return list(csv.reader(file))


def write(repository: Repository, rows: list[list[str]], delimiter: str = ",") -> None:
    """Write the rows as the data."""
    with (repository.path / DATA).open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)


def empty_file(repository: Repository) -> None:
    (repository.path / DATA).write_bytes(b"")


def only_a_header(repository: Repository) -> None:
    write(repository, table(repository)[:1])


def another_delimiter(repository: Repository) -> None:
    write(repository, table(repository), ";")


def no_such_file(repository: Repository) -> None:
    (repository.path / DATA).unlink()


def a_missing_target(repository: Repository) -> None:
    rows = table(repository)
    place = rows[0].index("diagnosis")
    write(repository, [row[:place] + row[place + 1 :] for row in rows])


def a_gap_in_the_target(repository: Repository) -> None:
    rows = table(repository)
    rows[7][rows[0].index("diagnosis")] = ""
    write(repository, rows)


def one_class(repository: Repository) -> None:
    rows = table(repository)
    place = rows[0].index("diagnosis")
    write(repository, [rows[0], *(row for row in rows if row[place] == "benign")])


def a_sparse_file(repository: Repository) -> None:
    with (repository.path / DATA).open("wb") as file:
        file.truncate(10 * 2**30)


def bytes_that_are_no_text(repository: Repository) -> None:
    (repository.path / DATA).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))


BAD_DATA: dict[str, tuple[Callable[[Repository], None], str]] = {
    "an empty file": (empty_file, "breast_cancer.csv is empty"),
    "a header and no row": (only_a_header, "no row"),
    "another delimiter": (another_delimiter, "';'"),
    "no file": (no_such_file, "breast_cancer.csv"),
    "no target": (a_missing_target, "'diagnosis'"),
    "a gap in the target": (a_gap_in_the_target, "'diagnosis' is empty in row 7"),
    "one class only": (one_class, "always benign"),
    "a sparse file that claims 10 GB": (a_sparse_file, "breast_cancer.csv"),
    "bytes that are no text": (bytes_that_are_no_text, "breast_cancer.csv"),
}


def refused(repository: Repository, *arguments: str, **environment: str) -> str:
    """Run, see it fail, and return its last line; nothing may have been registered."""
    before = versions(repository)
    done = repository.mlops("run", *arguments, check=False, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert versions(repository) == before
    return done.stderr.strip().splitlines()[-1]


def test_bad_data_are_one_clear_line_and_the_next_run_works(again: Again, subtests: pytest.Subtests) -> None:
    """One repository for all: a run that is refused leaves it as it was."""
    repository = again()
    good = (repository.path / DATA).read_bytes()
    for case, (spoil, reason) in BAD_DATA.items():
        with subtests.test(case):
            spoil(repository)
            assert reason in refused(repository)
        (repository.path / DATA).write_bytes(good)
    assert "Nothing is new: this is version 1." in repository.mlops("run").stdout


def test_a_model_that_cannot_be_unpickled_is_one_clear_line(again: Again) -> None:
    repository = again()
    edit(
        repository,
        "model/train.py",
        '    joblib.dump(model, model_dir / "model.joblib")',
        '    (model_dir / "model.joblib").write_bytes(b"junk")',
    )
    line = refused(repository)
    assert line.startswith("step Evaluate failed: evaluate.py: ")
    edit(
        repository,
        "model/train.py",
        '(model_dir / "model.joblib").write_bytes(b"junk")',
        'joblib.dump(model, model_dir / "model.joblib")',
    )
    assert "Nothing is new: this is version 1." in repository.mlops("run").stdout


def test_data_that_changed_are_named_and_a_current_version_they_do_not_fit_can_be_passed(again: Again) -> None:
    repository = again()
    rows = table(repository)
    area, radius = rows[0].index("mean_area"), rows[0].index("worst_radius")
    for row in rows[1:]:
        row[area] = str(1000 * float(row[area]))
    write(repository, rows)
    line = refused(repository, "--set", "data_check.mode=enforce")
    assert line.startswith("step CheckData failed: ")
    assert "mean_area" in line, "where the settings say so, before training"

    write(repository, [row[:radius] + row[radius + 1 :] for row in rows])
    done = repository.mlops("run", check=False)
    assert done.returncode == 1
    assert "mean_area" in done.stdout + done.stderr, "what the check found is told"
    line = done.stderr.strip().splitlines()[-1]
    assert "worst_radius" in line
    assert "evaluation.comparison.gate" in line
    assert versions(repository) == [1]
    done = repository.mlops("run", "--set", "evaluation.comparison.gate=warn")
    assert "Version 2 is registered" in done.stdout


def test_a_full_disk_is_one_clear_line(again: Again) -> None:
    """Files may not grow beyond some kilobytes: what writing to a full disk is like, without filling one."""
    repository = again()
    edit(repository, "model/train.py", "    model = build_model(args)\n", "    model = build_model(args)  # other\n")
    limited = (
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "sys.argv = ['mlops', 'run']\n"
        "runpy.run_module('mlops', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], cwd=repository.path, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "File too large" in last or "Errno 27" in last
    assert versions(repository) == [1]
    assert "Version 2 is registered" in repository.mlops("run").stdout


NOBODY = 65534


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_plain_user_needs_nothing_but_the_folder(once: Repository) -> None:
    # pytest's own folders are root's alone, and every pytest that starts makes them so again.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 (so that the user can reach what is in it)
        repository = copy(once, Path(folder))
        for path in [repository.path, *repository.path.rglob("*")]:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        _run_as_nobody(repository)


def _run_as_nobody(repository: Repository) -> None:
    edit(repository, "model/train.py", "    model = build_model(args)\n", "    model = build_model(args)  # other\n")
    environment = {**os.environ, "HOME": str(repository.path), "PYTHONPATH": sysconfig.get_path("purelib")}
    python = python_for_everybody(environment)
    opt = "import os; print(os.getuid(), os.access('/opt/ml', os.W_OK), os.access('/opt', os.W_OK))"
    assert as_nobody(python, "-c", opt, cwd="/", env=environment).stdout == f"{NOBODY} False False\n"
    done = as_nobody(python, "-m", "mlops", "run", cwd=repository.path, env=environment)
    assert "Version 2 is registered" in done.stdout, done.stderr


def python_for_everybody(environment: dict[str, str]) -> str:
    """An interpreter that a plain user can start, with the packages of this one: root's own may lie in its home."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(PermissionError, FileNotFoundError):
            if as_nobody(python, "-c", "import pandas, sklearn, typer", cwd="/", env=environment).returncode == 0:
                return python
    pytest.skip("this Python lies where only root may look, and there is no other")


def as_nobody(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, **options
    )
