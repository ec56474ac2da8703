"""What goes wrong with data, models and machines: one clear line, no version, and the next run works."""

import contextlib
import csv
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repository
from tests.run.conftest import Again, edit, versions

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


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_one_clear_line_and_the_next_run_works(again: Again, case: str) -> None:
    repository = again()
    spoil, reason = BAD_DATA[case]
    good = (repository.path / DATA).read_bytes()
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


def test_a_current_version_that_cannot_be_scored_is_told_and_can_be_passed(again: Again) -> None:
    repository = again()
    rows = table(repository)
    place = rows[0].index("worst_radius")
    write(repository, [row[:place] + row[place + 1 :] for row in rows])
    line = refused(repository)
    assert "worst_radius" in line
    assert "evaluation.comparison.gate" in line
    done = repository.mlops("run", "--set", "evaluation.comparison.gate=warn")
    assert "Version 2 is registered" in done.stdout


def test_data_that_changed_are_named_before_training_where_the_settings_say_so(again: Again) -> None:
    repository = again()
    rows = table(repository)
    place = rows[0].index("mean_area")
    for row in rows[1:]:
        row[place] = str(1000 * float(row[place]))
    write(repository, rows)
    line = refused(repository, "--set", "data_check.mode=enforce")
    assert line.startswith("step CheckData failed: ")
    assert "mean_area" in line
    warned = repository.mlops("run")
    assert "mean_area" in warned.stdout + warned.stderr, "what the check found is told"


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


def test_without_pip_and_without_a_shell_it_works(again: Again, tmp_path: Path) -> None:
    repository = again()
    (tmp_path / "guard" / "pip").mkdir(parents=True)
    (tmp_path / "guard" / "pip" / "__init__.py").write_text("raise ImportError('there is no pip')\n")
    tools = tmp_path / "bin"
    tools.mkdir()
    git = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    (tools / "git").symlink_to(git)
    edit(repository, "model/train.py", "    model = build_model(args)\n", "    model = build_model(args)  # other\n")
    done = repository.mlops("run", PYTHONPATH=str(tmp_path / "guard"), PATH=str(tools))
    assert "Version 2 is registered" in done.stdout


NOBODY = 65534


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_plain_user_needs_nothing_but_the_folder(again: Again) -> None:
    repository = again()
    for path in [repository.path, *repository.path.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    for folder in repository.path.parents:
        if os.stat(folder).st_uid == 0 and folder.stat().st_mode & 0o005 != 0o005 and "pytest" in str(folder):
            folder.chmod(0o755)
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
