"""`mlops serve` as a process: how it starts, what it says, how it ends."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mlops.model_archive import extract
from tests.serve.server import ModelRepository, Server, Trained, predictions

pytestmark = pytest.mark.slow

ECHO = """
    def model_fn(folder): return folder
    def transform_fn(model, body, content_type, accept): return repr((body, content_type, accept)), "text/plain"
"""


@pytest.fixture(scope="module")
def model(trained: Callable[[str, str], Trained]) -> Trained:
    return trained("classification", "scikit-learn")


@pytest.fixture(scope="module")
def model_server(model: Trained) -> Iterator[Server]:
    """A server of a trained model, for the tests that leave it as it is."""
    with model.repository.serving("--model", model.archive) as server:
        yield server


def test_requests_side_by_side_are_answered_as_one_after_the_other(model: Trained, model_server: Server) -> None:
    features = [
        row.rpartition(",")[0] if model.rows[0].endswith("diagnosis") else row.partition(",")[2] for row in model.rows
    ]
    alone = [model_server.invoke(row) for row in features[1:21]]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(model_server.invoke, features[1:21]))
    assert [predictions(answer) for answer in alone] == [predictions(answer) for answer in together]
    assert len({answer.body for answer in alone}) > 10


def test_the_example_in_the_ready_line_works(model: Trained, model_server: Server) -> None:
    assert model_server.ready.count("\n") == 1
    assert str(model.archive) in model_server.ready
    command = shlex.split(model_server.ready.partition("try: ")[2])
    assert command[0] == "curl"
    done = subprocess.run([*command, "--silent", "--fail"], capture_output=True, text=True)
    assert done.returncode == 0, command
    (one,) = json.loads(done.stdout)["predictions"]
    assert one["label"] in {"benign", "malignant"}


def test_the_two_paths_and_nothing_else(repository: ModelRepository, pack: Callable[..., Path]) -> None:
    with repository.serving("--model", pack(ECHO)) as server:
        assert server.ask("GET", "/ping") == (200, "application/json", b"")
        assert server.ask("HEAD", "/ping").status == 200
        for method, path, status in [
            ("POST", "/ping", 405),
            ("GET", "/invocations", 405),
            ("PUT", "/invocations", 405),
            ("DELETE", "/invocations", 405),
            ("BREW", "/invocations", 405),
            ("GET", "/", 404),
            ("POST", "/invocations/", 404),
            ("GET", "/static/inference.py", 404),
            ("GET", "/execution-parameters", 404),
        ]:
            answer = server.ask(method, path)
            assert answer.status == status, (method, path)
            assert answer.content_type == "text/plain; charset=utf-8"
            assert "POST /invocations" in answer.text
            assert answer.text.count("\n") == 1
    assert [line.split()[1] for line in server.log[:3]] == ["200", "200", "405"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d  200 +\d+\.\d ms  GET /ping\n", server.log[0])


def test_type_and_accept_reach_the_model_as_in_the_containers(
    repository: ModelRepository, pack: Callable[..., Path]
) -> None:
    def seen(headers: dict[str, str]) -> Any:
        return eval(server.ask("POST", "/invocations", "ä", headers).text)  # noqa: S307 (our own repr)

    with repository.serving("--model", pack(ECHO)) as server:
        json_type = "application/json"
        assert seen({}) == ("ä", json_type, json_type)
        assert seen({"Content-Type": "text/csv", "Accept": "*/*"}) == ("ä", "text/csv", json_type)
        assert seen({"Content-Type": "text/csv; charset=utf-8"})[0] == "ä".encode()
        assert seen({"Content-Type": "TEXT/CSV"})[0] == "ä".encode()
        assert seen({"ContentType": "text/csv", "Content-Type": "text/plain"})[1] == "text/csv"
        assert seen({"Accept": "text/csv, */*"})[2] == "text/csv, */*"
        # No container looks at this one; it is Accept that InvokeEndpoint hands on.
        assert seen({"X-Amzn-SageMaker-Accept": "text/csv"})[2] == json_type
    variable = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    with repository.serving("--model", pack(ECHO), **variable) as server:
        assert seen({})[2] == "text/csv"
        assert seen({"Accept": "image/png"})[2] == "image/png"


def test_a_failing_model_tells_the_terminal_and_not_the_caller(
    repository: ModelRepository, pack: Callable[..., Path]
) -> None:
    archive = pack("""
        import flask
        def model_fn(folder): return {}
        def input_fn(body, content_type):
            if body == "abort": flask.abort(404)
            return body
        def predict_fn(data, model): return model[data]
        def output_fn(prediction, accept): return prediction, accept
    """)
    with repository.serving("--model", archive, FLASK_DEBUG="1") as server:
        for body in ("secret-key", "abort"):
            answer = server.invoke(body)
            assert answer.status == 500
            assert "its terminal says why" in answer.text
            assert answer.text.count("\n") == 1
            assert "secret" not in answer.text
        assert server.ask("GET", "/ping").status == 200
    log = "".join(server.log)
    assert "KeyError: 'secret-key'" in log
    assert "inference.py" in log
    assert len(re.findall(r"^\d\d:\d\d:\d\d  500 ", log, re.MULTILINE)) == 2
    assert "_ModelFailed" not in log


def test_a_body_above_the_limit_is_refused_and_the_largest_is_not(
    repository: ModelRepository, pack: Callable[..., Path]
) -> None:
    length = 'def model_fn(folder): return 0\ndef transform_fn(m, body, t, a): return str(len(body)), "text/plain"\n'
    with repository.serving("--model", pack(length)) as server:
        assert server.invoke(b"1" * 25 * 2**20).text == str(25 * 2**20)
        answer = server.invoke(b"1" * (25 * 2**20 + 1))
        assert answer == (
            413,
            "text/plain; charset=utf-8",
            b"the body is larger than 25 MB: send fewer rows at a time\n",
        )
        chunked = iter([b"1" * 2**20] * 26)  # http.client sends an iterator in chunks, without a Content-Length
        assert server.ask("POST", "/invocations", chunked).status == 413  # type: ignore[arg-type]


def test_a_model_is_asked_one_thing_at_a_time_and_ping_answers_meanwhile(
    repository: ModelRepository, pack: Callable[..., Path]
) -> None:
    archive = pack("""
        import threading, time
        busy = []
        def model_fn(folder): return 0
        def transform_fn(model, body, content_type, accept):
            busy.append(1)
            time.sleep(0.1)
            at_once = len(busy)
            busy.pop()
            return str(at_once), "text/plain"
    """)
    with repository.serving("--model", archive) as server, ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(server.invoke, "x") for _ in range(5)]
        assert server.ask("GET", "/ping").status == 200
        assert not all(one.done() for one in asked), "a ping does not wait for the model"
        assert [one.result().text for one in asked] == ["1"] * 5


def test_a_model_that_is_too_slow_is_a_504(
    repository: ModelRepository, pack: Callable[..., Path], tmp_path: Path
) -> None:
    slow = """
        import time
        from mlops.serving import serve
        serve.MAX_SECONDS = 0.2  # the test has no minute
        def model_fn(folder): return 0
        def transform_fn(model, body, content_type, accept):
            time.sleep(float(body))
            return "done", "text/plain"
    """
    with repository.serving("--model", pack(slow)) as server:
        assert server.invoke("0.0").text == "done"
        answer = server.invoke("0.3")
        assert answer.status == 504
        assert "SageMaker would have given up" in answer.text
    assert "  504  " in server.log[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_also_while_a_request_is_under_way(
    repository: ModelRepository, pack: Callable[..., Path], how: signal.Signals
) -> None:
    sleepy = "import time\ndef model_fn(f): return 0\ndef transform_fn(*_): time.sleep(30); return 'x'\n"
    before = sorted(path.name for path in (repository.path / ".mlops").glob("*"))
    with (
        repository.serving("--model", pack(sleepy)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as caller,
    ):
        caller.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        time.sleep(0.2)
        begin = time.monotonic()
        assert server.stop(how) == 0
        assert time.monotonic() - begin < 5
    assert server.log == []
    with pytest.raises(ConnectionRefusedError):
        server.ask("GET", "/ping")
    left = {path.name for path in (repository.path / ".mlops").glob("*")} - set(before)
    assert left <= {"unpacked"}


def test_ctrl_c_while_the_model_is_loaded_ends_it_quietly(
    repository: ModelRepository, pack: Callable[..., Path], tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    loading = f"import time, pathlib\ndef model_fn(f):\n pathlib.Path({str(begun)!r}).touch()\n time.sleep(30)\n"
    command = ["python", "-m", "mlops", "serve", "--port", "0", "--model", str(pack(loading))]
    process = subprocess.Popen(command, cwd=repository.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not begun.exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert (process.returncode, output) == (0, b"")


def test_a_port_in_use_is_named(repository: ModelRepository, pack: Callable[..., Path]) -> None:
    with repository.serving("--model", pack(ECHO)) as server:
        line = repository.refusal("serve", "--model", pack(ECHO), "--port", str(server.port))
        assert line == f"port {server.port} is in use; name another one, or 0 for any that is free: --port 0"
    if os.geteuid():
        assert "port 80 cannot be used" in repository.refusal("serve", "--model", pack(ECHO), "--port", "80")


def test_it_listens_on_this_machine_only(repository: ModelRepository, pack: Callable[..., Path]) -> None:
    with repository.serving("--model", pack(ECHO)) as server:
        others = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {
            "127.0.0.1"
        }
        for address in others or {"127.0.0.2"}:  # Linux takes all of 127.0.0.0/8 for itself
            with pytest.raises(OSError), socket.create_connection((address, server.port), timeout=2):  # noqa: PT011
                pass


@pytest.mark.parametrize(
    ("inference", "reason"),
    [
        ("import no_such_package", "the model imports 'no_such_package', which is neither in its code/ nor installed"),
        ("def model_fn(f): raise KeyError('tree')", "inference.py, line 1: KeyError: 'tree'"),
        (
            "def model_fn(f):\n  import joblib\n  joblib.load(f + '/model.joblib')",
            "the model cannot be loaded: inference.py, line 3: KeyError: 110",
        ),
        (
            "import pickle\ndef model_fn(f): return pickle.loads(b'cno_such_package\\nTree\\n.')",
            "the model imports 'no_such_package'",
        ),
        ("def model_fn(f): raise SystemExit('no licence')", "SystemExit: no licence"),
        ("def model_fn(f): raise RuntimeError('\\n\\nfirst\\nsecond')", "RuntimeError: first"),
        ("def model_fn(f): raise RuntimeError", "RuntimeError: no reason given"),
        ("def model_fn(f)", "SyntaxError: expected ':' (inference.py, line 1)"),
        ("raise OSError('dlopen: Library not loaded: @rpath/libomp.dylib')", "brew install libomp"),
        ("x = 1", "has no model_fn(model_dir)"),
        ("def model_fn(f): 0\ndef transform_fn(*a): 0\ndef input_fn(*a): 0", "has transform_fn and input_fn"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_one_line(
    repository: ModelRepository, pack: Callable[..., Path], inference: str, reason: str
) -> None:
    assert reason in repository.refusal("serve", "--model", pack(inference, {"model.joblib": "no pickle"}))


def test_requirements_that_are_missing_are_named_and_other_versions_warned_of(
    repository: ModelRepository, pack: Callable[..., Path]
) -> None:
    requirements = "# comment\n\n--extra-index-url https://example.com\nnever; python_version < '3'\n"
    name = "code/requirements.txt"
    line = repository.refusal("serve", "--model", pack(ECHO, {name: f"{requirements}no-such-package==1.2  # why\n"}))
    assert "needs no-such-package==1.2, which is not installed here" in line
    with repository.serving("--model", pack(ECHO, {name: f"{requirements}flask<1\nrich\n"})) as server:
        pass
    assert len(server.log) == 1
    assert "The model asks for flask<1, installed is 3." in server.log[0]


def test_the_model_answers_with_its_own_code_and_never_with_that_of_the_repository(
    repository: ModelRepository, pack: Callable[..., Path]
) -> None:
    own = "import payload\ndef model_fn(f): return 0\ndef transform_fn(*_): return payload.__file__, 'text/plain'\n"
    path = str(repository.path / "model")
    with repository.serving("--model", pack(own, {"code/payload.py": ""}), PYTHONPATH=path) as server:
        assert server.invoke("").text.startswith(str(repository.path / ".mlops" / "unpacked"))
    line = repository.refusal("serve", "--model", pack(own), PYTHONPATH=path)
    assert "the model imports 'payload', which is neither in its code/ nor installed" in line


def test_an_unpacked_model_is_served_where_it_lies(
    repository: ModelRepository, pack: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    with tarfile.open(pack(ECHO)) as tar:
        extract(tar, folder)
    with repository.serving("--model", folder, PYTHONDONTWRITEBYTECODE="") as server:
        assert server.invoke("x").status == 200
    assert [path.name for path in (folder / "code").iterdir()] == ["inference.py"]
