"""`mlops predict`: send a file to a model, in requests that it can take, and join the answers.

Only the standard library, and pandas for Parquet: it starts at once.
"""

import csv
import http.client
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.settings import Data, load_settings
from mlops.terminal import warn

CSV, JSON, PARQUET = "text/csv", "application/json", "application/vnd.apache.parquet"
KINDS = {".csv": CSV, ".json": JSON, ".parquet": PARQUET}

# What a real-time endpoint takes: "The payload limits are 25 MB for real-time endpoints" (SageMaker Developer Guide,
# Model Hosting FAQs; it was 6 MB, which botocore's model of InvokeEndpoint still says).
MAX_BODY = 25 * 2**20
# "A customer's model containers must respond to requests within 60 seconds" (InvokeEndpoint, which also advises
# callers to wait for 70).
MAX_SECONDS = 60
PATIENCE = 70
# A request stays far below both limits, and below the 100,000 rows of model/payload.py.
ROWS_A_REQUEST = 10_000
BYTES_A_REQUEST = 5 * 2**20

# Body, content type and accept go in, the body of the answer comes out; Problem where there is none.
Invoke = Callable[[bytes, str, str], bytes]


@dataclass(frozen=True)
class Request:
    """A part of a file; `rows` is None where nobody counted them."""

    body: bytes
    rows: int | None = None


def predict(
    file: Path, invoke: Invoke, content_type: str | None, accept: str | None, progress: Callable[[int, int], None]
) -> bytes:
    """Return the answers to all rows of a file ("-": standard input), in their order.

    `progress` hears how many of how many requests are answered, after each.

    Raises:
        Problem: the file cannot be read, or a request was refused: then there is no answer at all.
    """
    content = _read(file)
    kind = content_type or KINDS.get(file.suffix.lower()) or _guess(content)
    if kind == PARQUET:
        content, kind = _as_csv(content, file), CSV
    is_csv = _type(kind) == CSV
    requests, left_out = _requests(content, load_settings().data) if is_csv else ([Request(content)], [])
    wanted = accept or (_type(kind) if _type(kind) in {CSV, JSON} else JSON)
    answers, row = [], 1
    for request in requests:
        if len(request.body) > MAX_BODY:
            size = f"{len(request.body) / 2**20:.1f} MB, and a request holds at most {MAX_BODY // 2**20}"
            raise Problem(f"{file.name} has {size}: make smaller files of it, or CSV, which is sent in parts")
        try:
            answer = invoke(request.body, kind, wanted)
            if request.rows is not None:
                _check_number(answer, _type(wanted), request.rows)
        except Problem as problem:
            if len(requests) == 1:
                raise
            part = f"rows {row} to {row + (request.rows or 1) - 1} of {file.name}: "
            raise Problem(f"{part}{problem}") from None
        answers.append(answer)
        row += request.rows or 0
        progress(len(answers), len(requests))
    if left_out:
        them = "it" if len(left_out) == 1 else "them"
        warn(f"Left out, for the model does not take {them}: {', '.join(map(repr, left_out))}")
    return _joined(answers, _type(wanted))


def local_server(url: str) -> Invoke:
    """Return the way to `mlops serve`, or to any other server with SageMaker's two paths.

    Raises:
        Problem: the address is none.
    """
    try:
        place = urlsplit(url)
        scheme, host, port = place.scheme, place.hostname, place.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in {"http", "https"} or not host:
        raise Problem(f"--url {url} is no address of a server; one is http://127.0.0.1:8080")
    connection = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    path = place.path.rstrip("/").removesuffix("/invocations") + "/invocations"

    def invoke(body: bytes, content_type: str, accept: str) -> bytes:
        line = connection(host, port, timeout=PATIENCE)  # straight there: a proxy knows no loopback of ours
        try:
            line.request("POST", path, body, {"Content-Type": content_type, "Accept": accept})
            answer = line.getresponse()
            content = answer.read()
        except ConnectionRefusedError:
            raise Problem(f"nothing answers on {url}; start a server with: mlops serve") from None
        except TimeoutError:
            raise Problem(f"{url} did not answer within {PATIENCE} s; its terminal may say why") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Problem(f"{url} gave no answer ({reason}); is it a server of mlops serve?") from None
        finally:
            line.close()
        if answer.status != 200:
            raise Problem(f"refused ({answer.status}): {_first_line(content) or answer.reason}")
        return content

    return invoke


def _read(file: Path) -> bytes:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}") from None
    if not content.strip():
        raise Problem(f"{file} is empty: there is nothing to predict")
    return content


def _guess(content: bytes) -> str:
    return JSON if content.lstrip()[:1] in {b"{", b"["} else CSV


def _type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _as_csv(content: bytes, file: Path) -> bytes:
    try:
        import pandas as pd

        return str(pd.read_parquet(io.BytesIO(content)).to_csv(index=False)).encode("utf-8")
    except ImportError as error:
        raise Problem(f"Parquet needs pandas and pyarrow: {error}; run make install, or send CSV") from None
    except (ValueError, OSError) as error:  # pyarrow's are of these kinds
        raise Problem(f"{file} is no Parquet file: {' '.join(str(error).split())}") from None


def _requests(content: bytes, data: Data) -> tuple[list[Request], list[str]]:
    """Cut CSV into requests; return them and the names of the columns that were left out.

    What is one request anyway goes as it is, so that the model sees what the file holds.
    """
    as_it_is = [Request(content)]
    try:
        text = content.decode("utf-8-sig").rstrip("\r\n")
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        first = next(rows)
        header = first if _is_header(first, data) else None
        kept = [place for place, name in enumerate(first) if not header or _is_feature(name, data)]
        small = len(content) <= BYTES_A_REQUEST and text.count("\n") < ROWS_A_REQUEST
        if small and len(kept) == len(first):
            return as_it_is, []
        parts = list(_parts(rows if header else chain([first], rows), header, kept, len(first)))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return as_it_is, []  # the model's own code says best what is wrong
    return (parts or as_it_is), [name for place, name in enumerate(first) if parts and place not in set(kept)]


def _parts(rows: Iterable[list[str]], header: list[str] | None, kept: Sequence[int], width: int) -> Iterator[Request]:
    top = _lines([[header[place] for place in kept]]) if header else b""
    part: list[bytes] = []
    size = 0
    for row in rows:
        # A row of another length is for the model to refuse: it stays as it is.
        line = _lines([[row[place] for place in kept] if len(row) == width else row])
        if part and (len(part) == ROWS_A_REQUEST or size + len(line) > BYTES_A_REQUEST):
            yield Request(top + b"".join(part), len(part))
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield Request(top + b"".join(part), len(part))


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)  # with the line end of CSV: a lone \r or \n in a cell is then quoted
    return text.getvalue().encode("utf-8")


def _is_header(first: Sequence[str], data: Data) -> bool:
    """Tell by the names in mlops.yaml and in the data. Where there are none, no cell may be a number or stand twice."""
    names = {*data.columns, *_names_in(ROOT / data.path)}
    if data.columns and set(data.columns) <= set(first):
        return True
    if names:
        return sum(cell in names for cell in first) * 2 > len(first)
    return len(set(first)) == len(first) and all(cell.strip() and not _is_number(cell) for cell in first)


def _names_in(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as content:
            return next(csv.reader(content)) if file.suffix.lower() == ".csv" else []
    except (OSError, UnicodeDecodeError, csv.Error, StopIteration):
        return []  # it may not have been fetched yet


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_feature(name: str, data: Data) -> bool:
    """Say no to what training takes away too: target, ids, columns that mlops.yaml does not list."""
    return name not in {data.target, *data.id_columns} and (not data.columns or name in data.columns)


def _check_number(answer: bytes, accept: str, rows: int) -> None:
    """Refuse answers that fit no rows: the file begins with names where none were seen, or the other way round."""
    found: int | None = None
    try:
        if accept == CSV:
            found = sum(1 for _ in csv.reader(io.StringIO(answer.decode("utf-8"), newline="")))
        elif accept == JSON:
            found = len(_predictions(answer))
    except (ValueError, TypeError, LookupError, csv.Error):
        return  # an answer of the team's own making
    if found not in {None, rows}:
        raise Problem(f"{found} answers came for {rows} rows; does the file begin with the names of its columns?")


def _predictions(answer: bytes) -> list[object]:
    content = json.loads(answer)
    rows = content if isinstance(content, list) else content["predictions"]
    if not isinstance(rows, list):
        raise TypeError
    return rows


def _joined(answers: Sequence[bytes], accept: str) -> bytes:
    if len(answers) == 1:
        return answers[0]
    if accept == JSON:
        try:
            rows = [row for answer in answers for row in _predictions(answer)]
        except (ValueError, TypeError, LookupError):
            pass  # then it is one answer a line
        else:
            is_list = answers[0].lstrip().startswith(b"[")
            return json.dumps(rows if is_list else {"predictions": rows}, ensure_ascii=False).encode("utf-8")
    return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers)


def _first_line(content: bytes) -> str:
    lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
    line = next((line for line in lines if line), "")
    return "".join(c if c.isprintable() else "?" for c in line)[:1000]
