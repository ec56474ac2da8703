"""The data file: a look that costs nothing, a check of every line, and the table itself."""

import codecs
import csv
import io
import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

HEAD = 64 * 1024  # bytes that a look reads
LONGEST_LINE = 1024 * 1024  # bytes; a longer one is no row of a table
MEMORY_PER_BYTE = 5  # what pandas takes while it reads a CSV file; the same is assumed of unpacked Parquet
PARQUET = b"PAR1"  # first and last four bytes of such a file
UNUSABLE = {"Cc", "Zl", "Zp", "Cs"}  # in a name: control characters, line breaks, halves of characters
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container

INSTEAD = {
    ".gz": "unpack it first",
    ".zip": "unpack it first",
    ".xls": "save it as CSV (UTF-8)",
    ".xlsx": "save it as CSV (UTF-8)",
    ".tsv": "write it with commas, as .csv",
}
MAGIC = {PARQUET: "Parquet", b"PK\x03\x04": "a ZIP archive or Excel", b"\x1f\x8b": "gzip", b"\x89HDF": "HDF5"}


def look_at(path: Path) -> None:
    """Look at the first 64 KB of a CSV or Parquet file, and at its size: a millisecond, and nothing heavy imported.

    Raises:
        Problem: it is absent, unreadable, empty, no such file by its content, too large for this machine's memory,
            has no rows, another delimiter than the comma, or columns without a name of their own.
    """
    size = _size(path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            if path.suffix == ".parquet":
                file.seek(-min(4, size), os.SEEK_END)
                if (head[:4], file.read()) != (PARQUET, PARQUET):
                    raise Problem(f"{path.name} is no Parquet file, or was cut off; write it again")
                _fits_into_memory(path.name, size)
                return
            if b"\n" not in head:  # a table of thousands of columns has a long header
                head += file.read(LONGEST_LINE - HEAD)
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}") from None
    _look_at_csv(path.name, head, whole=len(head) == size)
    _fits_into_memory(path.name, size)


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise Problem(f"there is no file {path}") from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}") from None
    if stat.S_ISDIR(status.st_mode):
        raise Problem(f"{path} is a folder; name one CSV or Parquet file")
    if not stat.S_ISREG(status.st_mode):  # a pipe would wait for somebody to write
        raise Problem(f"{path} is no plain file; name one CSV or Parquet file")
    check_suffix(path)
    if not status.st_size:
        raise Problem(f"{path.name} is empty")
    return status.st_size


def check_suffix(path: Path) -> None:
    """Check that the name is one of a data file.

    Raises:
        Problem: it is not.
    """
    if path.suffix not in {".csv", ".parquet"}:
        what = INSTEAD.get(path.suffix.lower(), "its name must end in .csv or .parquet, in small letters")
        raise Problem(f"{path.name} is neither .csv nor .parquet; {what}")
    if not path.name.isprintable():
        raise Problem(f"the file's name {path.name!r} holds a control character; rename it")


def _look_at_csv(name: str, head: bytes, whole: bool) -> None:
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            raise Problem(f"{name} is {kind} by its content, not CSV; rename or convert it")
    text = _decode(name, head, 1, whole)
    lines = [line.rstrip("\n") for line in io.StringIO(text, newline=None) if whole or line.endswith("\n")]
    if not lines:
        raise Problem(f"{name} has no line break in its first {len(head) // 1024} KB; is it CSV?")
    for delimiter, called in {";": "semicolons", "\t": "tabs", "|": "bars"}.items():
        if all(line.count(delimiter) > line.count(",") for line in lines[:2]):
            raise Problem(f"{name} seems to have {called} ({delimiter!r}) between its values; write it with commas")
    check_names(name, _first_row(name, text))
    if whole and not any(lines[1:]):
        raise Problem(f"{name} has a header and no row")


def _first_row(name: str, text: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise Problem(f"{name}: the header is broken: {error}") from None


def check_names(name: str, columns: list[str]) -> None:
    """Check the names of the columns.

    Raises:
        Problem: one is missing, stands twice, or holds a line break or another control character.
    """
    for number, column in enumerate(columns, 1):
        if not column.strip():
            raise Problem(f"{name}: column {number} has no name; name it, or write the table without its index")
        if any(unicodedata.category(character) in UNUSABLE or character == "\ufffd" for character in column):
            raise Problem(f"{name}: the name {column!r} of column {number} holds a control character; rename it")
    for first, second in pairwise(sorted(columns)):
        if first == second:
            raise Problem(f"{name}: two columns are called {first!r}; rename or drop one")


def _decode(name: str, content: bytes, line: int, final: bool = True) -> str:
    """Decode UTF-8 that begins in a line; without `final`, the last character may be cut off."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Problem(f"{name} is UTF-16; save it as UTF-8")
    if b"\0" in content:
        line += content[: content.index(b"\0")].count(b"\n")
        raise Problem(f"{name} holds a NUL byte in line {line}: it is no text, or a part of it is missing")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content, final)
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        byte = error.object[error.start]
        raise Problem(f"{name} is not UTF-8: byte 0x{byte:02X} in line {line}; save it as UTF-8") from None


def _fits_into_memory(name: str, size: int) -> None:
    needed, there = MEMORY_PER_BYTE * size, _memory()
    if needed > there:
        raise Problem(
            f"{name} is {in_bytes(size)}: reading it takes about {in_bytes(needed)} of memory and this machine has "
            f"{in_bytes(there)}; take a sample of its rows, or a larger machine"
        )


def _memory() -> int:
    """Return the bytes of memory that this process may use at most."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(MEMORY_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or "max"
        return machine


def in_bytes(size: int) -> str:
    """Write a number of bytes for people."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def check_rows(path: Path) -> None:
    """Read a CSV file once, in little memory, and check what pandas would let pass.

    Raises:
        Problem: a line has another number of values than the header, is no UTF-8, holds NUL bytes or broken quotes.
    """
    reader = csv.reader(_lines(path), strict=True)
    try:
        width = len(next(reader))
        for row in reader:
            if len(row) != width and row:  # pandas skips blank lines
                raise Problem(
                    f"{path.name}: line {reader.line_num} has {len(row)} values where the header has {width} names; "
                    "values with commas belong in double quotes"
                )
    except csv.Error as error:
        raise Problem(f"{path.name}: line {reader.line_num} is broken: {error}") from None


def _lines(path: Path) -> Iterator[str]:
    line = 1
    with path.open("rb") as file:
        while block := file.read(LONGEST_LINE):
            block += file.readline(LONGEST_LINE)
            text = _decode(path.name, block, line)
            line += block.count(b"\n")
            if len(block) == 2 * LONGEST_LINE and not block.endswith(b"\n"):
                raise Problem(f"{path.name}: line {line} is longer than {LONGEST_LINE} bytes; is it a table?")
            yield from io.StringIO(text, newline="")


def column_names(path: Path) -> list[str]:
    """Return the names of the columns, without reading the rows.

    Raises:
        Problem: they cannot be read, or one is unusable.
    """
    if path.suffix == ".csv":
        with path.open("rb") as file:
            return _first_row(path.name, _decode(path.name, file.readline(LONGEST_LINE), 1))
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as error:
        raise Problem(f"{path.name} cannot be read: {_one_line(error)}") from None
    if not metadata.num_rows:
        raise Problem(f"{path.name} has no row")
    unpacked = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    _fits_into_memory(path.name, unpacked)
    index = (schema.pandas_metadata or {}).get("index_columns", [])  # pandas makes no columns of these
    names = [name for name in schema.names if name not in index]
    check_names(path.name, names)
    return names


def read(path: Path, without: Collection[str] = (), as_text: Collection[str] = ()) -> "pd.DataFrame":
    """Read the table as model/preprocess.py does.

    Args:
        without: columns that are left out.
        as_text: columns of a CSV file that are texts whatever stands in them.

    Raises:
        Problem: it cannot be read.
    """
    import pandas as pd

    try:
        if path.suffix == ".csv":
            kinds = dict.fromkeys(as_text, object)
            return pd.read_csv(path, low_memory=False, usecols=lambda name: name not in without, dtype=kinds)
        table = pd.read_parquet(path, columns=[name for name in column_names(path) if name not in without])
    except (ValueError, OSError) as error:  # the errors of pandas and pyarrow are ValueErrors
        raise Problem(f"{path.name} cannot be read: {_one_line(error)}") from None
    except MemoryError:
        raise Problem(f"{path.name} is too large for this machine's memory; take a sample of its rows") from None
    table = table.reset_index(drop=True).rename(columns=str)
    for name, column in table.items():
        if pd.api.types.infer_dtype(column, skipna=True) in {"string", "categorical"}:
            table[name] = column.mask(column == "")  # as in CSV, where an empty text is a missing one
    return table


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
