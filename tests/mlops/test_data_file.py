"""A data file is looked at before it is read: what is wrong with it is one line, found fast and in little memory."""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.own_data import data_file
from mlops.problem import Problem
from tests.conftest import SOURCE

ROWS = b"1,2\n" * 50_000

NO_TABLES = {
    "an empty file": ("t.csv", b"", "t.csv is empty"),
    "a header alone": ("t.csv", b"a,b\n", "has a header and no row"),
    "blank lines below the header": ("t.csv", b"a,b\n\n\n", "has a header and no row"),
    "semicolons": ("t.csv", b"a;b\n1;2\n", "seems to have semicolons (';') between its values; write it with commas"),
    "semicolons and decimal commas": ("t.csv", b"a;b\n1,5;2,5;x;y\n", "semicolons"),
    "tabs": ("t.csv", b"a\tb\n1\t2\n", "seems to have tabs ('\\t')"),
    "bars": ("t.csv", b"a|b\n1|2\n", "seems to have bars ('|')"),
    "Latin-1 in the header": ("t.csv", b"gr\xf6\xdfe,b\n1,2\n", "is not UTF-8: byte 0xF6 in line 1"),
    "UTF-16": ("t.csv", "a,b\n1,2\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    "a NUL byte": ("t.csv", b"a,b\n1,\x002\n", "holds a NUL byte in line 2"),
    "bytes of no text": ("t.csv", bytes(range(128, 256)) * 99, "is not UTF-8: byte 0x80 in line 1"),
    "Parquet called CSV": ("t.csv", b"PAR1\x15\x04", "is Parquet by its content"),
    "Excel called CSV": ("t.csv", b"PK\x03\x04\x14", "is a ZIP archive or Excel by its content"),
    "gzip called CSV": ("t.csv", b"\x1f\x8b\x08", "is gzip by its content"),
    "doubled names": ("t.csv", b"a,b,a\n1,2,3\n", "two columns are called 'a'"),
    "a column without a name": ("t.csv", b"a, ,c\n1,2,3\n", "column 2 has no name"),
    "an index without a name": ("t.csv", b",a\n0,2\n", "column 1 has no name; name it, or write the table without"),
    "a line break in a name": ("t.csv", b'"a\nb",c\n1,2\n', "the name 'a\\nb' of column 1 holds a control character"),
    "an open quote in the header": ("t.csv", b'"a,b\n1,2\n', "the header is broken"),
    "one endless line": ("t.csv", b"a" * 2_000_000, "no line break in its first 1024 KB"),
    "CSV called Parquet": ("t.parquet", b"a,b\n1,2\n", "is no Parquet file"),
    "Parquet that was cut off": ("t.parquet", b"PAR1" + b"x" * 99, "is no Parquet file, or was cut off"),
    "Excel": ("t.xlsx", b"PK", "is neither .csv nor .parquet; save it as CSV (UTF-8)"),
    "a packed file": ("t.csv.gz", b"\x1f\x8b", "unpack it first"),
    "capital letters": ("t.CSV", b"a,b\n1,2\n", "in small letters"),
}


def problem_with(file: Path) -> str:
    with pytest.raises(Problem) as problem:
        data_file.look_at(file)
    text = str(problem.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("name", "content", "reason"), NO_TABLES.values(), ids=NO_TABLES.keys())
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert reason in problem_with(tmp_path / name)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert f"there is no file {tmp_path}/nothing.csv" in problem_with(tmp_path / "nothing.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in problem_with(tmp_path / "folder.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is no plain file" in problem_with(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    assert "cannot be read: " in problem_with(tmp_path / "loop.csv")


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"a,b\n1,2\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # these tests may run as root, who may read everything
    assert problem_with(file) == f"{file} cannot be read: Permission denied"


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a,b\n1,2", b"\xef\xbb\xbfa,b\n1,2\n", b'"x;y",b\n"1;2",2\n', b"a\n1\n2\n"],
    ids=["plain", "Windows", "no end", "byte order mark", "semicolons in quotes", "one column"],
)
def test_a_healthy_file_passes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    data_file.look_at(file)
    data_file.check_rows(file)
    assert data_file.column_names(file) == list(pd.read_csv(file))


def test_a_character_on_the_edge_of_the_look_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    for shift in range(4):
        file.write_bytes(b"a,b\n" + b"x" * shift + "1,ä€😀\n".encode() * 20_000)
        data_file.look_at(file)
        data_file.check_rows(file)


def test_a_header_of_thousands_of_columns_passes(tmp_path: Path) -> None:
    names = [f"a rather long name of column {number}" for number in range(5000)]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n" + ",".join("1" * 5000) + "\n")
    data_file.look_at(tmp_path / "t.csv")
    assert data_file.column_names(tmp_path / "t.csv") == names


def test_a_look_imports_nothing_heavy() -> None:
    code = "import sys, json; from mlops.own_data import data_file; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], cwd=SOURCE, capture_output=True, text=True, check=True)
    modules = set(json.loads(printed.stdout))
    assert "mlops.own_data.data_file" in modules
    assert not modules & {"pandas", "numpy", "pyarrow", "boto3", "pydantic", "ruamel.yaml"}


@pytest.mark.parametrize("start", [b"", b"a,b\n" + ROWS], ids=["nothing but NULs", "rows, then NULs"])
def test_a_sparse_file_of_ten_gigabytes_is_refused_in_little_memory(
    tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "t.csv"
    with file.open("wb") as stream:
        stream.write(start)
        stream.truncate(10**10)
    monkeypatch.setattr(data_file, "_memory", lambda: 16 * 10**9)
    tracemalloc.start()
    reason = problem_with(file)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert ("NUL byte in line 1" in reason) if not start else ("is 10.0 GB: reading it takes about 50.0 GB" in reason)
    assert not start or "this machine has 16.0 GB" in reason


def test_where_the_memory_would_do_the_hole_is_still_found_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    with file.open("wb") as stream:
        stream.write(b"a,b\n" + ROWS)
        stream.truncate(10**9)
    tracemalloc.start()
    with pytest.raises(Problem, match="NUL byte in line 50002"):
        data_file.check_rows(file)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_the_memory_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + ROWS * 4)
    data_file.look_at(tmp_path / "t.csv")
    monkeypatch.setattr(data_file, "MEMORY_LIMIT", tmp_path / "memory.max")
    assert "takes about 4.0 MB of memory and this machine has 3.0 MB" in problem_with(tmp_path / "t.csv")
    (tmp_path / "memory.max").write_text("max\n")
    data_file.look_at(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n1,2\n1\n", "line 3 has 1 values where the header has 2 names"),
        (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 values"),
        (b"a,b\n1,2,\n1,2,\n", "line 2 has 3 values"),  # pandas would take the first column for an index
        (b'a,b\n1,"2\n1,2\n', "is broken: unexpected end of data"),
        (b'a,b\n1,"2"3\n', "line 2 is broken"),
        (b"a,b\n" + ROWS + b"1,\xe4\n", "is not UTF-8: byte 0xE4 in line 50002"),
        (b"a,b\n" + ROWS * 10 + b"1,\xe4\n" + ROWS, "is not UTF-8: byte 0xE4 in line 500002"),
        (b"a,b\n" + ROWS + b"1,\0\n", "holds a NUL byte in line 50002"),
        (b"a,b\n1," + b"x" * 3_000_000 + b"\n", "is longer than 1048576 bytes"),
    ],
)
def test_what_pandas_would_let_pass_is_found_below_the_start(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(Problem) as problem:
        data_file.check_rows(tmp_path / "t.csv")
    assert reason in str(problem.value)


def test_line_breaks_in_quotes_and_blank_lines_are_fine(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'a,b\n"1\n1",2\n\n3,"4,\r\n5"\n')
    data_file.check_rows(tmp_path / "t.csv")
    assert len(data_file.read(tmp_path / "t.csv")) == 2


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 2], "b": ["", "x"], "c": [0.5, None], "d": pd.Categorical(["", "x"])})
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    for file in (tmp_path / "t.parquet", tmp_path / "t.csv"):
        data_file.look_at(file)
        assert data_file.column_names(file) == ["a", "b", "c", "d"]
        read = data_file.read(file, without=["c"])
        assert list(read) == ["a", "b", "d"]
        assert read["b"].isna().tolist() == read["d"].isna().tolist() == [True, False]


def test_nested_values_of_parquet_are_read_for_the_message(tmp_path: Path) -> None:
    pd.DataFrame({"a": [[1, 2], None], "b": [{"x": 1}, {"x": 2}]}).to_parquet(tmp_path / "t.parquet")
    assert len(data_file.read(tmp_path / "t.parquet")) == 2


def test_sizes_are_written_for_people() -> None:
    sizes = [data_file.in_bytes(size) for size in (0, 8, 1500, 30_277_358, 10**10)]
    assert sizes == ["0 bytes", "8 bytes", "1.5 KB", "30.3 MB", "10.0 GB"]


def test_an_index_of_parquet_is_no_column(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2], "key": ["x", "y"]}).set_index("key").to_parquet(tmp_path / "t.parquet")
    assert data_file.column_names(tmp_path / "t.parquet") == ["a"]
    assert list(data_file.read(tmp_path / "t.parquet")) == ["a"]


def test_broken_parquet_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + b"x" * 50 + b"PAR1")
    data_file.look_at(tmp_path / "t.parquet")
    with pytest.raises(Problem, match=r"^t\.parquet cannot be read: [^\n]+$"):
        data_file.column_names(tmp_path / "t.parquet")
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(Problem, match="has no row"):
        data_file.column_names(tmp_path / "t.parquet")


def test_parquet_that_unpacks_to_more_than_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"a": range(200_000)}).to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(data_file, "_memory", lambda: 1_000_000)
    with pytest.raises(Problem, match="of memory and this machine has"):
        data_file.column_names(tmp_path / "t.parquet")


def test_columns_said_to_be_text_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("zip,n\n01234,1\n,2\n")
    assert data_file.read(tmp_path / "t.csv", as_text=["zip"])["zip"].dropna().tolist() == ["01234"]


@given(st.binary(max_size=200))
def test_whatever_stands_in_a_file_is_taken_or_refused_in_one_line(content: bytes) -> None:
    file = Path(os.environ["HOME"]) / "any.csv"
    file.write_bytes(content)
    try:
        data_file.look_at(file)
        data_file.check_rows(file)
        data_file.column_names(file)
    except Problem as problem:
        assert "\n" not in str(problem)
