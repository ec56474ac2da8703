"""Data that cannot be read end the check, and the preprocessing, in one line; in any mode."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.jobs.conftest import JOBS, declare, scripts_of


def doubled(file: Path) -> None:
    """Write a Parquet file that pandas would never write."""
    table = pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"])
    pyarrow.parquet.write_table(table, file)


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "no file": ({}, r"one \.csv or \.parquet file is needed in .+; found: none"),
    "two files": ({"a.csv": "a,y\n1,2\n", "b.csv": "a,y\n1,2\n"}, r"found: a\.csv, b\.csv"),
    "an empty file": ({"a.csv": ""}, r"a\.csv: the file is empty"),
    "white space": ({"a.csv": "\n\n  \n"}, r"a\.csv: the file is empty"),
    "a header alone": ({"a.csv": "a,y\n"}, "the data has no rows"),
    "semicolons": ({"a.csv": "a;y\n1;2\n"}, "commas must separate the columns, but the first line is 'a;y'"),
    "decimal commas": ({"a.csv": "a;y\n1,5;2,5\n"}, "commas must separate the columns, but the first line is 'a;y'"),
    "tabs": ({"a.csv": "a\ty\n1\t2\n"}, r"commas must separate the columns, but the first line is 'a\\ty'"),
    "Latin-1": ({"a.csv": b"a,y\nK\xf6ln,2\n"}, r"a\.csv: this is not UTF-8: save the file as UTF-8"),
    "UTF-16": ({"a.csv": "a,y\n1,2\n".encode("utf-16")}, "zero bytes"),
    "a column twice": ({"a.csv": "a,a,y\n1,2,3\n"}, "two columns are called 'a'"),
    "a column twice in Parquet": ({"a.parquet": doubled}, r"a\.parquet: .*(two columns are called 'a'|Name\(a\))"),
    "an unnamed column": ({"a.csv": ",a,y\n0,1,2\n"}, "column 1 has no name"),
    "a longer row": ({"a.csv": "a,y\n1,2\n1,2,3\n"}, "Expected 2 fields in line 3, saw 3"),
    "longer rows": ({"a.csv": "a,y\n1,2,3\n1,2,3\n"}, "Expected 2 fields in line 2, saw 3"),
    "an open quote": ({"a.csv": 'a,y\n1,"2\n3,4\n'}, r"a\.csv: .*EOF inside string"),
    "no Parquet": ({"a.parquet": "a,y\n1,2\n"}, r"a\.parquet: "),
}


@pytest.fixture(params=UNREADABLE)
def unreadable(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], str]:
    """The arguments that name data which cannot be read, and what the reason looks like."""
    files, reason = UNREADABLE[request.param]
    (tmp_path / "data").mkdir()
    for name, content in files.items():
        if callable(content):
            content(tmp_path / "data" / name)
        else:
            (tmp_path / "data" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    schema = declare(tmp_path / "schema")
    arguments = ["--input-dir", tmp_path / "data", "--schema-dir", schema, "--output-dir", tmp_path / "out"]
    return [*map(str, arguments)], reason


@pytest.mark.parametrize("mode", ["warn", "enforce"])
def test_the_check_fails_in_one_line(unreadable: tuple[list[str], str], mode: str) -> None:
    import check_data  # type: ignore[import-not-found]

    arguments, reason = unreadable
    with pytest.raises(ValueError, match=reason) as error:
        check_data.main([*arguments, "--mode", mode])
    assert not re.search(r"[\r\n]", str(error.value))
    assert len(str(error.value)) < 300


def test_preprocessing_fails_alike(unreadable: tuple[list[str], str], rendered: dict[Any, Path]) -> None:
    arguments, reason = unreadable
    folder = rendered["classification", "scikit-learn"] / "model"
    with scripts_of(folder) as script, pytest.raises(ValueError, match=reason) as error:
        script("preprocess").main(arguments)
    assert not re.search(r"[\r\n]", str(error.value))


@pytest.mark.slow
@pytest.mark.parametrize("start", ["", "a,y\n1,2\n", "a,y\n" + 50_000 * "1,2\n"], ids=["holes", "few", "many"])
def test_a_sparse_file_that_claims_10_gb_is_refused_at_once(start: str, tmp_path: Path) -> None:
    """As a process, within 2 GB of memory: reading it would take more."""
    import resource

    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "a.csv").open("w") as file:
        file.write(start)
        file.truncate(10 * 2**30)
    schema = declare(tmp_path / "schema")
    command: list[str | Path] = [sys.executable, JOBS / "check_data.py", "--schema-dir", schema]
    command += ["--input-dir", tmp_path / "data"]
    done = subprocess.run(
        [*command, "--output-dir", tmp_path / "out"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "check_data.py: a.csv: there are zero bytes in it: copy the file again, or save it as UTF-8\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_process_says_so_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pd.DataFrame({"a": [1, 2], "y": ["no", "no"]}).to_csv(tmp_path / "data" / "a.csv", index=False)
    schema = declare(tmp_path / "schema")
    command: list[str | Path] = [sys.executable, JOBS / "check_data.py", "--schema-dir", schema]
    command += ["--input-dir", tmp_path / "data"]
    command += ["--output-dir", tmp_path / "out"]
    warned = subprocess.run(command, capture_output=True, text=True)
    assert (warned.returncode, warned.stderr) == (0, "")
    failed = subprocess.run([*command, "--mode", "enforce"], capture_output=True, text=True)
    reason = "the target 'y' is always no: there is nothing to learn"
    assert (failed.returncode, failed.stderr) == (1, f"check_data.py: {reason}\n")
    assert (
        failed.stdout
        == warned.stdout
        == f"balance: {reason}\nfindings=1;\n".join(["note: there is no current version to compare with\n", ""])
    )
    absent = subprocess.run([*command, "--schema-dir", tmp_path], capture_output=True, text=True)
    assert (absent.returncode, absent.stderr) == (
        1,
        f"check_data.py: no data.json in {tmp_path}: the pipeline writes it\n",
    )
