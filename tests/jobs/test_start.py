"""start.py runs a script as python3 would, after installing what it needs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.jobs.conftest import JOBS

SCRIPT = """
import os, sys
import beside
print(__name__, os.getcwd() == os.path.dirname(__file__), sys.argv[1:], beside.VALUE, os.path.basename(sys.argv[0]))
"""
START = str(JOBS / "start.py")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "beside.py").write_text("VALUE = 42\n")
    (folder / "script.py").write_text(SCRIPT)
    return folder


def start(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, START, *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.mark.parametrize("requirements", [None, "", "# only a comment\n\n   \n"])
def test_a_script_runs_in_its_own_folder_with_its_siblings(
    code: Path, tmp_path: Path, requirements: str | None
) -> None:
    if requirements is not None:
        (code / "requirements.txt").write_text(requirements)
    (tmp_path / "pip.py").write_text("raise SystemExit('pip was started')\n")
    done = start(code / "script.py", "--a", "b c", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "__main__ True ['--a', 'b c'] 42 script.py\n"


@pytest.mark.parametrize(
    ("ending", "status", "last"),
    [
        ("raise SystemExit('script.py: no column is called y')", 1, "script.py: no column is called y"),
        ("raise SystemExit(3)", 3, "3"),
        ("raise SystemExit(0)", 0, None),
        ("sys.exit()", 0, None),
        ("raise KeyError('y')", 1, "KeyError: 'y'"),
        ("raise ValueError('first\\nsecond ' + 'ü' * 999)", 1, ("second " + "ü" * 999).encode()[:1023].decode()),
    ],
)
def test_the_reason_of_a_failure_becomes_the_exit_message(
    code: Path, tmp_path: Path, ending: str, status: int, last: str | None
) -> None:
    (code / "script.py").write_text(f"import sys\nsys.stderr.write('noise\\n')\n{ending}\n")
    message = tmp_path / "message"
    whole = (JOBS / "start.py").read_text("utf-8").replace('Path("/opt/ml/output/message")', f"Path({str(message)!r})")
    assert whole.count(str(message)) == 1
    (tmp_path / "start.py").write_text(whole)
    command = [sys.executable, str(tmp_path / "start.py"), str(code / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True)
    plain = subprocess.run([sys.executable, str(code / "script.py")], capture_output=True, text=True)
    assert done.returncode == plain.returncode == status
    assert done.stderr.splitlines()[-1] == plain.stderr.splitlines()[-1]
    assert (message.read_text("utf-8") if message.exists() else None) == last
    assert last is None or len(last.encode()) <= 1024


def test_where_there_is_no_such_folder_nothing_is_written(code: Path) -> None:
    (code / "script.py").write_text("raise SystemExit('no')")
    done = start(code / "script.py")
    assert (done.returncode, done.stderr) == (1, "no\n")


@pytest.mark.slow
def test_what_the_script_needs_is_installed_first(code: Path, tmp_path: Path) -> None:
    """Without an index: from a folder of wheels, as pip's own environment variables say."""
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel = tmp_path / "wheels" / "needed-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("needed.py", "VALUE = 'needed'\n")
        archive.writestr("needed-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: needed\nVersion: 1.0\n")
        archive.writestr("needed-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("needed-1.0.dist-info/RECORD", "")
    (code / "requirements.txt").write_text("# what it needs\nneeded==1.0  # pinned\n")
    (code / "script.py").write_text("import needed\nprint(needed.VALUE)\n")
    variables = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)}
    variables |= {"PIP_TARGET": str(packages), "PYTHONPATH": str(packages)}  # not into the environment of these tests
    command = [sys.executable, START, str(code / "script.py")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "needed\n"

    (code / "requirements.txt").write_text("needed==2.0\n")
    failed = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert (
        last == "start.py: requirements.txt cannot be installed: ERROR: No matching distribution found for needed==2.0"
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [([], "start.py: name the script to run"), (["nowhere.py"], "start.py: there is no ")],
)
def test_a_script_that_is_not_there_is_named(arguments: list[str], reason: str) -> None:
    done = start(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(reason)
    assert len(done.stderr.splitlines()) == 1
