"""`mlops predict`: what is sent of a file, and what is made of the answers."""

import csv
import http.server
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.problem import Problem
from mlops.serving import predict as predict_module
from mlops.serving.predict import Request, _joined, _requests, local_server, predict
from mlops.settings import Column, Data
from tests.serve.server import ModelRepository, Trained
from tests.sweeps import nightly

NUMBER = Column(type="number")
DATA = Data(path=Path("none.csv"), target="y", id_columns=["id"], columns={"a": NUMBER, "b": NUMBER})
ANY = Data(path=Path("none.csv"), target="y", id_columns=["id"])


def parsed(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of three rows."""
    monkeypatch.setattr(predict_module, "ROWS_A_REQUEST", 3)


def test_a_small_file_goes_as_it_is() -> None:
    for content in (b"a,b\r\n1,2", b'\xef\xbb\xbfa,b\n"1",2\n\n', b"1;2", b"\xff", b'"open', b"1,2\n3"):
        assert _requests(content, DATA) == ([Request(content)], [])


def test_target_ids_and_columns_that_are_no_features_are_left_out_and_named() -> None:
    (one,), left_out = _requests(b'id,a,y,b,note\n7,1,yes,2,"x,\ny"\n8,3,no,,z\n', DATA)
    assert parsed(one.body) == [["a", "b"], ["1", "2"], ["3", ""]]
    assert one.rows == 2
    assert left_out == ["id", "y", "note"]
    # Where mlops.yaml lists no columns, whatever else the file holds may be a feature.
    (one,), left_out = _requests(b"id,a,y,b,note\n7,1,yes,2,x\n", ANY)
    assert parsed(one.body) == [["a", "b", "note"], ["1", "2", "x"]]
    assert left_out == ["id", "y"]
    # More columns than the model takes are still columns, as long as all that it takes are there.
    (one,), left_out = _requests(b"p,q,r,s,a,b\n1,2,3,4,5,6\n", DATA)
    assert (parsed(one.body), left_out) == ([["a", "b"], ["5", "6"]], ["p", "q", "r", "s"])


def test_rows_without_a_header_are_not_touched(small_parts: None) -> None:
    requests, _ = _requests(b"1,2\n3,4\n5,6\n7,8\n", DATA)
    assert [(parsed(request.body), request.rows) for request in requests] == [
        ([["1", "2"], ["3", "4"], ["5", "6"]], 3),
        ([["7", "8"]], 1),
    ]


def test_each_part_has_the_header(small_parts: None) -> None:
    requests, _ = _requests(b"\xef\xbb\xbfb,a\n1,2\n3,4\n5,6\n7,8\n", DATA)
    assert [parsed(request.body) for request in requests] == [
        [["b", "a"], ["1", "2"], ["3", "4"], ["5", "6"]],
        [["b", "a"], ["7", "8"]],
    ]


def test_numbers_may_be_names_and_names_may_be_others_than_those_of_the_data(small_parts: None, tmp_path: Path) -> None:
    years = ANY.model_copy(update={"columns": {"2024": NUMBER, "2025": NUMBER}})
    assert [len(parsed(request.body)) for request in _requests(b"2024,2025\n1,2\n3,4\n5,6\n7,8\n", years)[0]] == [4, 2]
    table = tmp_path / "data.csv"
    table.write_text("2024,2025,y\n1,2,3\n", "utf-8")
    from_file = ANY.model_copy(update={"path": table})
    assert [request.rows for request in _requests(b"2024,2025\n1,2\n3,4\n5,6\n7,8\n", from_file)[0]] == [3, 1]
    assert [request.rows for request in _requests(b"width,height\n1,2\n3,4\n5,6\n7,8\n", ANY)[0]] == [3, 1]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=5)


@given(
    rows=st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=20)
    ),
    has_header=st.booleans(),
    most=st.integers(1, 5),
    size=st.integers(10, 200),
)
def test_no_row_is_lost_doubled_or_changed(rows: list[list[str]], has_header: bool, most: int, size: int) -> None:
    names = [["a", "b", "c", "d"][: len(rows[0])]] if has_header else []
    data = ANY.model_copy(update={"columns": dict.fromkeys("abcd", NUMBER)})
    text = io.StringIO()
    csv.writer(text).writerows([*names, *rows])
    content = text.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict_module, "ROWS_A_REQUEST", most)
        patch.setattr(predict_module, "BYTES_A_REQUEST", size)
        requests, _ = _requests(content, data)
    if requests == [Request(content)]:
        return
    seen_as_header = parsed(requests[0].body)[0] if len(parsed(requests[0].body)) > (requests[0].rows or 0) else None
    sent = [seen_as_header] if seen_as_header else []
    for request in requests:
        part = parsed(request.body)
        assert request.rows is not None
        assert 1 <= request.rows <= most
        assert (part[0] if seen_as_header else None) == seen_as_header
        sent += part[1:] if seen_as_header else part
    # A line end at the end of a cell at the very end of the file is no row of its own.
    assert sent == parsed(content.rstrip(b"\r\n"))


def test_answers_are_joined_in_their_form() -> None:
    json_type = "application/json"
    assert _joined([b'{"predictions": [1]}', b'{"predictions": [2]}'], json_type) == b'{"predictions": [1, 2]}'
    assert _joined([b"[1]", b"[2]\n"], json_type) == b"[1, 2]"
    assert _joined([b'{"own": 1}', b'{"own": 2}'], json_type) == b'{"own": 1}\n{"own": 2}\n'
    assert _joined([b"1\n", b"2"], "text/csv") == b"1\n2\n"
    assert _joined([b"whatever"], "text/csv") == b"whatever"


@pytest.fixture
def settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a mlops.yaml, which the template itself has not."""

    class Settings:
        data = DATA

    monkeypatch.setattr(predict_module, "load_settings", Settings)


def test_a_refusal_names_the_rows_of_its_part(small_parts: None, settings_of_nobody: None, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n3,4\n5,6\n7,8\n")

    def invoke(body: bytes, content_type: str, accept: str) -> bytes:
        if b"7,8" in body:
            raise Problem("refused (400): row 1 is wrong")
        return b"x\n" * 3

    with pytest.raises(Problem, match=r"^rows 4 to 4 of rows\.csv: refused \(400\): row 1 is wrong$"):
        predict(file, invoke, None, None, lambda *_: None)


def test_answers_that_fit_no_rows_are_refused(small_parts: None, settings_of_nobody: None, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("red,round\n" * 5)  # all words, and some twice: no header
    for accept, answer in [("text/csv", b"x\n" * 2), ("application/json", b'{"predictions": [1, 2]}')]:
        with pytest.raises(Problem, match="2 answers came for 3 rows; does the file begin with the names"):
            predict(file, lambda *_, answer=answer: answer, None, accept, lambda *_: None)
    done: list[tuple[int, int]] = []
    own = predict(file, lambda *_: b"own\n", "text/csv", "text/plain", lambda *one: done.append(one))
    assert own == b"own\nown\n"
    assert done == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("name", "content", "content_type", "sent"),
    [
        ("a.csv", b"1,2", None, ("text/csv", "text/csv")),
        ("a.JSON", b"[[1]]", None, ("application/json", "application/json")),
        ("a.txt", b" {}", None, ("application/json", "application/json")),
        ("a.txt", b"1,2", None, ("text/csv", "text/csv")),
        ("a.txt", b"1,2", "text/csv; charset=utf-8", ("text/csv; charset=utf-8", "text/csv")),
        ("a.csv", b"1,2", "application/x-npy", ("application/x-npy", "application/json")),
    ],
)
def test_the_type_is_what_is_said_or_what_the_name_says(
    settings_of_nobody: None,
    tmp_path: Path,
    name: str,
    content: bytes,
    content_type: str | None,
    sent: tuple[str, str],
) -> None:
    (tmp_path / name).write_bytes(content)
    seen: list[tuple[bytes, str, str]] = []
    predict(tmp_path / name, lambda *one: seen.append(one) or b"", content_type, None, lambda *_: None)  # type: ignore[func-returns-value]
    assert seen == [(content, *sent)]


def test_what_cannot_be_sent_is_one_line(settings_of_nobody: None, tmp_path: Path) -> None:
    def refuse(name: str, content: bytes | None) -> str:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(Problem) as refused:
            predict(tmp_path / name, lambda *_: b"", None, None, lambda *_: None)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    assert "none.csv cannot be read: No such file" in refuse("none.csv", None)
    assert "is empty" in refuse("empty.csv", b"\n")
    assert "is no Parquet file" in refuse("broken.parquet", b"PAR1")
    assert refuse("large.json", b"[" + b"1," * 13 * 2**20).startswith(
        "large.json has 26.0 MB, and a request holds at most 25"
    )
    for url in ("127.0.0.1:8080", "ftp://x", "http://", "http://[::1", "http://x:99999"):
        with pytest.raises(Problem, match="is no address of a server"):
            local_server(url)


@pytest.fixture
def other_server() -> Iterator[str]:
    """Something that listens and is no `mlops serve`: it answers what its path says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/noise"):
                self.wfile.write(b"220 smtp ready\r\n")
            elif self.path.startswith("/page"):
                self.send_error(500)
            else:
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_server_is_no_riddle(other_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for path, reason in [
        ("/noise", r"gave no answer \(220 smtp ready\); is it a server of mlops serve\?"),
        ("/page/", r"refused \(500\): "),
        ("/invocations", r"refused \(204\): No Content"),
    ]:
        with pytest.raises(Problem, match=reason) as refused:
            local_server(other_server + path)(b"x", "text/csv", "text/csv")
        assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_where_nothing_answers_it_says_how_to_start_one(repository: ModelRepository) -> None:
    line = repository.refusal("predict", "data/breast_cancer.csv", "--url", "http://127.0.0.1:9")
    assert line.endswith("nothing answers on http://127.0.0.1:9; start a server with: mlops serve")


def test_it_starts_without_what_only_others_need(repository: ModelRepository) -> None:
    script = "import sys, mlops.cli, mlops.serving.predict; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository.path, capture_output=True, text=True, check=True
    )
    assert "mlops.serving.predict" in done.stdout.split()
    assert not {"flask", "werkzeug", "pandas", "numpy", "sklearn", "boto3"} & set(done.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "framework"),
    [("classification", "scikit-learn"), pytest.param("regression", "xgboost", marks=nightly)],
)
def test_a_file_of_the_data_itself_is_answered_row_by_row(
    trained: Callable[[str, str], Trained], tmp_path: Path, task: str, framework: str
) -> None:
    model = trained(task, framework)
    path = next((model.repository.path / "data").glob("*.csv"))
    target = {"classification": "diagnosis", "regression": "progression"}[task]
    features = [[cell for name, cell in row.items() if name != target] for row in csv.DictReader(model.rows)]
    with model.repository.serving("--model", model.archive) as server:
        url = ["--url", server.url]
        # The whole file, with the target in it
        done = model.repository.mlops("predict", path, *url)
        assert done.returncode == 0, done.stderr
        assert done.stderr == f"Left out, for the model does not take it: '{target}'\n"
        answers = done.stdout.splitlines()
        assert len(answers) == len(model.rows) - 1
        # One big request, past predict
        rows = "\n".join(",".join(row) for row in features)
        assert server.invoke(rows, accept="text/csv").text.splitlines() == answers
        # 40 times as much, which takes more than one request; in a file, and from standard input
        many = tmp_path / "many.csv"
        many.write_text("\n".join([rows] * 40))
        out = tmp_path / "answers.csv"
        done = model.repository.mlops("predict", many, *url, "--out", out)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert out.read_text().splitlines() == answers * 40
        assert sum("/invocations" in line for line in server.log[-3:]) == 3
        as_json = model.repository.mlops("predict", "-", *url, "--accept", "application/json", stdin=many.read_bytes())
        assert len(json.loads(as_json.stdout)["predictions"]) == len(answers) * 40
        # Parquet
        import pandas as pd

        pd.read_csv(path).to_parquet(tmp_path / "rows.parquet")
        assert model.repository.mlops("predict", tmp_path / "rows.parquet", *url).stdout.splitlines() == answers
        # JSON
        (tmp_path / "rows.json").write_text(json.dumps({"instances": [[float(cell) for cell in features[0]]]}))
        (one,) = json.loads(model.repository.mlops("predict", tmp_path / "rows.json", *url).stdout)["predictions"]
        assert answers[0].startswith(one["label"] if task == "classification" else str(one))
        # A mistake in the last part; nothing is written
        out.unlink()
        many.write_text("\n".join([*[rows] * 40, "1,2"]))
        line = model.repository.refusal("predict", many, *url, "--out", out)
        assert "of many.csv: refused (400): row " in line
        assert f"has 2 values where {len(features[0])} are expected" in line
        assert not out.exists()
        # A mistake in a file of one part: the server's own words
        (tmp_path / "short.csv").write_text("1,2\n")
        line = model.repository.refusal("predict", tmp_path / "short.csv", *url)
        assert line == f"refused (400): row 1 has 2 values where {len(features[0])} are expected"
        done = model.repository.mlops("predict", tmp_path / "rows.json", *url, "--out", tmp_path / "no" / "x")
        assert done.returncode == 1
        assert done.stderr == f"--out {tmp_path / 'no' / 'x'} cannot be written: No such file or directory\n"
        # A reader that has seen enough
        command = [sys.executable, "-m", "mlops", "predict", str(path), *url]
        with subprocess.Popen(
            command, cwd=model.repository.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read().count("\n") == 1
