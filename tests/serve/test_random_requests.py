"""Whatever is sent, the caller gets an answer that says whose fault it was, and the server lives on."""

import re
import socket
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.serve.server import COMBINATIONS, Server, Trained
from tests.sweeps import THOROUGH

RUNS = settings().max_examples if THOROUGH else 60
TYPES = [
    "text/csv",
    "application/json",
    "text/csv; charset=utf-8",
    "application/json;a=b",
    "TEXT/CSV",
    "",
    "\xe9",
    "*/*",
]
NAMES = [
    "Accept",
    "ContentType",
    "Content-Encoding",
    "Host",
    "Expect",
    "Connection",
    "Cookie",
    "Range",
    "X-Forwarded-For",
]
printable = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
names = st.sampled_from(NAMES) | st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", fullmatch=True)
headers = st.lists(st.tuples(names, printable | st.sampled_from(TYPES)), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture(scope="module", params=COMBINATIONS[:2], ids="-".join)
def model(trained: Callable[[str, str], Trained], request: pytest.FixtureRequest) -> Trained:
    return trained(*request.param)


@pytest.fixture(scope="module")
def server(model: Trained) -> Iterator[Server]:
    with model.repository.serving("--model", model.archive) as server:
        yield server
        # The template's own code never fails, so there is no traceback. Every request has its line.
        assert [line for line in server.log if not re.match(r"\d\d:\d\d:\d\d  [24]\d\d  .*\n$", line)] == []


def send(server: Server, request: bytes) -> int:
    """Return the final status; the connection is closed behind the request, so that nothing waits for more."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    statuses = [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d\d\d) ", answer, re.MULTILINE)]
    return next(status for status in statuses if status >= 200)


def http(body: bytes, content_type: str, more: list[tuple[str, str]], length: int | None = None) -> bytes:
    lines = [("Content-Type", content_type), *more, ("Content-Length", str(len(body) if length is None else length))]
    head = "".join(f"{name}: {text}\r\n" for name, text in lines)
    return b"POST /invocations HTTP/1.1\r\n" + head.encode("latin-1") + b"\r\n" + body


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(body=st.binary(max_size=400), content_type=st.sampled_from(TYPES) | printable, more=headers)
@example(body=b"[" * 100_000, content_type="application/json", more=[])
@example(body=b"1", content_type="text/csv", more=[("Transfer-Encoding", "chunked")])
@example(body=b"5\r\n1", content_type="text/csv", more=[("Transfer-Encoding", "chunked")])
@example(body=b"", content_type="text/csv", more=[("Expect", "100-continue")])
@example(body=b"1", content_type="text/csv", more=[("Host", "%zz[::1"), ("Cookie", "=;=;\xff")])
def test_random_bodies_and_headers(server: Server, body: bytes, content_type: str, more: list[tuple[str, str]]) -> None:
    assert 200 <= send(server, http(body, content_type, more)) < 500
    assert server.process.poll() is None


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(data=st.data())
def test_good_requests_with_something_wrong_in_them(server: Server, model: Trained, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(model.cases))
    body = case["payload"] if isinstance(case["payload"], bytes) else case["payload"].encode()
    begin = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(begin, min(len(body), begin + 20)))
    body = (
        body[:begin]
        + data.draw(st.binary(max_size=8) | st.sampled_from([b",", b"\n", b'"', b"null", b"]"]))
        + body[end:]
    )
    length = data.draw(st.none() | st.integers(0, len(body) + 5))
    assert 200 <= send(server, http(body, case["content_type"], [], length)) < 500


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(content=json_values)
def test_json_of_any_shape(server: Server, content: object) -> None:
    import json

    for shape in (content, [content], {"instances": content}, {"instances": [content]}):
        assert 200 <= send(server, http(json.dumps(shape).encode(), "application/json", [])) < 500


@pytest.mark.slow
@settings(max_examples=RUNS // 2)
@given(noise=st.binary(min_size=1, max_size=200))
def test_what_is_no_http_harms_nobody(server: Server, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(b"\x16" + noise)
        line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass
    assert server.ask("GET", "/ping").status == 200
