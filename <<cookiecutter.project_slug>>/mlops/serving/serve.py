"""`mlops serve`: a model behind the two paths that SageMaker calls, `/ping` and `/invocations`, on this machine only.

SageMaker's containers serve with Flask, and so does this: what `inference.py` sees, and what becomes of its
exceptions, is the same code path. Differences on purpose: one worker; the model is loaded before the first request;
errors are one line of text instead of a page of HTML; a body above the limit of InvokeEndpoint is refused here.
"""

import csv
import errno
import io
import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from flask import Flask, Response, got_request_exception, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.serving import WSGIRequestHandler, make_server

from mlops.problem import Problem
from mlops.serving import model_folder
from mlops.serving.inference_functions import CSV, JSON, Inference, load
from mlops.serving.predict import MAX_BODY, MAX_SECONDS
from mlops.settings import load_settings
from mlops.terminal import console, say

HOST = "127.0.0.1"


class _ModelFailed(Exception):
    """An exception of the model's code. The containers wrap them too: an `abort(404)` in there is a 500."""


def serve(version: int | None, run: int | None, model: Path | None, port: int) -> None:
    """Answer requests until Ctrl-C or SIGTERM; either may raise KeyboardInterrupt while the model is being loaded.

    Raises:
        Problem: there is no such model, it cannot be loaded, or the port is taken.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    framework = load_settings().model.framework
    chosen = model_folder.find(version, run, model)
    with _bound(port) as listener:
        shown = console()
        with shown.status(f"loading {chosen.name} …") if shown.is_terminal else nullcontext():
            folder = model_folder.unpack(chosen)
            app = application(load(folder, framework))
        server = make_server(HOST, port, app, threaded=True, request_handler=_Handler, fd=listener.fileno())
        url = f"http://{HOST}:{server.port}"
        say(f"{chosen.name} answers on {url} until Ctrl-C; try: {_example(folder, url)}")
        sys.stdout.flush()
        server.serve_forever()


def _bound(port: int) -> socket.socket:
    """Take the port before the model is loaded; who asks meanwhile waits for the answer."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise Problem(f"port {port} {reason}; name another one, or 0 for any that is free: --port 0") from None
    return listener


def application(inference: Inference) -> Flask:
    """Return the WSGI application of SageMaker's containers with a model in it."""
    app = Flask("inference", static_folder=None)
    # FLASK_DEBUG in somebody's environment would hand exceptions to the caller.
    app.debug = False
    # One byte more is read than allowed: werkzeug cuts a body that comes in chunks at its limit, and says nothing.
    app.config.update(PROPAGATE_EXCEPTIONS=False, MAX_CONTENT_LENGTH=MAX_BODY + 1)
    app.url_map.merge_slashes = False
    app.logger.disabled = True  # the handler below writes the log
    one_at_a_time = threading.Lock()  # as in a worker of the containers: inference.py need not be safe for threads

    @app.before_request
    def begin() -> None:
        request.environ["mlops.started"] = time.monotonic()

    @app.get("/ping")
    def ping() -> Response:
        return Response(mimetype=JSON)

    @app.post("/invocations")
    def invocations() -> Any:
        content_type = request.headers.get("ContentType") or request.headers.get("Content-Type") or JSON
        accept = request.headers.get("Accept")
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        data = request.get_data()
        if len(data) > MAX_BODY:
            raise RequestEntityTooLarge
        # These very words make it a text; with a parameter behind them it stays bytes.
        body = data.decode("utf-8", "replace") if content_type in {JSON, CSV} else data
        try:
            with one_at_a_time:
                answer, rows = inference.answer(body, content_type, accept)
        except Exception as error:
            raise _ModelFailed from error
        request.environ["mlops.rows"] = rows
        return Response(answer[0], mimetype=answer[1] or JSON) if isinstance(answer, tuple) else answer

    @app.after_request
    def end(response: Response) -> Response:
        if time.monotonic() - request.environ["mlops.started"] > MAX_SECONDS:
            response = _line(f"it took longer than {MAX_SECONDS} s: SageMaker would have given up", 504)
        if response.status_code >= 400 and response.mimetype == "text/plain" and not response.is_streamed:
            request.environ["mlops.reason"] = response.get_data(as_text=True).strip()
        return response

    app.register_error_handler(HTTPException, _refusal)
    got_request_exception.connect(_remember, app, weak=False)
    return app


def _remember(app: Flask, exception: Exception) -> None:
    request.environ["mlops.error"] = exception.__cause__ if isinstance(exception, _ModelFailed) else exception


def _refusal(error: HTTPException) -> Response:
    texts = {
        404: "there is nothing here: POST /invocations asks the model, GET /ping whether it is ready",
        405: f"{request.method} is not for {request.path}: POST /invocations, GET /ping",
        413: f"the body is larger than {MAX_BODY // 2**20} MB: send fewer rows at a time",
        500: "the model failed: its terminal says why (SageMaker would answer 500 as well, and its log say why)",
    }
    code = error.code or 500
    response = _line(texts.get(code) or error.description or error.name, code)
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return response


def _line(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")


class _Handler(WSGIRequestHandler):
    """Writes one line for each request, and below it the traceback where the model failed."""

    timeout = MAX_SECONDS  # for a caller that stops sending, as in the containers (nginx, client_body_timeout)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        facts = getattr(self, "environ", {})
        milliseconds = (time.monotonic() - facts.get("mlops.started", time.monotonic())) * 1000
        rows, reason = facts.get("mlops.rows"), facts.get("mlops.reason", "")
        end = f"  {rows} row{'' if rows == 1 else 's'}" if rows is not None else f"  {reason}" if reason else ""
        what = self.requestline.rpartition(" HTTP/")[0] or self.requestline
        line = f"{time.strftime('%H:%M:%S')}  {int(code)}  {milliseconds:7.1f} ms  {what[:80]}{end}"
        error = facts.get("mlops.error") if int(code) >= 500 else None
        shown = "".join(traceback.format_exception(error)) if error else ""
        # In one piece, for there are several threads; a caller must not be able to write on the terminal.
        sys.stderr.write("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) + "\n" + shown)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002
        """Leave it at the line: a request that is no HTTP has one too."""


def _example(folder: Path, url: str) -> str:
    """Return a command that asks the model: for the medians of its training rows, where it keeps them."""
    data = "@rows.csv"
    try:
        columns = json.loads((folder / "baseline.json").read_text("utf-8"))["columns"]
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(_typical(column) for column in columns.values())
        data = text.getvalue()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # a model of the team's own making
    return f"curl {url}/invocations -H 'Content-Type: text/csv' --data-binary {shlex.quote(data)}"


def _typical(column: dict[str, Any]) -> str:
    if column["type"] == "number":
        return f"{column['quantiles']['0.5']:.6g}"
    if column["type"] == "boolean":
        return str(column["true"] >= 0.5).lower()
    return str(max(column["shares"], key=column["shares"].get))
