"""What runs in a function's process, in the place of Lambda's runtime: import the handler, call it, say what came.

Started as a file, without site-packages and without this project, by sandbox/functions/fork_server.py. It loads boto3
and waits on a socket for three file descriptors: an order to read, the log and the outcome to write. Each order is done
in a fork. The outcome is a line `ready` when the handler is imported, then a line of JSON.
Source: github.com/aws/aws-lambda-python-runtime-interface-client (bootstrap.py, lambda_context.py), whose error types,
words, members of the context and log lines these are; Developer Guide, "Define Lambda function handler in Python".
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from types import TracebackType
from typing import Any, TextIO


class Fault(Exception):
    """An error of the runtime's own, rather than of the function."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace or []


class Context:
    """What the handler gets as its second argument."""

    def __init__(self, order: dict[str, Any], deadline: float) -> None:
        self.aws_request_id: str = order["request_id"]
        self.invoked_function_arn: str = order["invoked_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = None
        self.tenant_id = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(int((self._deadline - time.monotonic()) * 1000), 0)


class LogHandler(logging.Handler):
    """What Lambda puts on the root logger before the function is imported."""

    request_id = ""

    def __init__(self) -> None:
        super().__init__()
        form = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(request)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        form.converter = time.gmtime
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        record.request = self.request_id
        sys.stdout.write(self.format(record) + "\n")


def find_handler(name: str) -> Callable[[Any, Context], Any]:
    """Raises Fault, or whatever the function's module raises."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text or ""}']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from None
    handler = getattr(module, function_name, None)
    if handler is None:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return handler  # type: ignore[no-any-return]


def marshalled(result: Any) -> str:
    try:
        return json.dumps(result, default=_decimal, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def error_of(error: BaseException, request_id: str) -> dict[str, Any]:
    """The payload of a function error, and the line that goes to the log."""
    if isinstance(error, Fault):
        kind, message, trace = error.kind, error.message, error.trace
        log = f"[ERROR] {kind}: {message}\nTraceback (most recent call last):\n" + "".join(trace)
    else:
        kind, message = type(error).__name__, str(error)
        trace = traceback.format_list(_of_function(error.__traceback__))
        log = f"[ERROR] {kind}: {message}\nTraceback (most recent call last):\n" + "".join(trace)
    payload = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return {"error": json.dumps(payload, ensure_ascii=False), "log": log}


def _of_function(trace: TracebackType | None) -> traceback.StackSummary:
    frames = traceback.extract_tb(trace)
    hidden = (__file__, importlib.__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
    return traceback.StackSummary.from_list([frame for frame in frames if frame.filename not in hidden])


def run(order: dict[str, Any], say: TextIO) -> None:
    """In a process that is this invocation's own."""
    log_handler = LogHandler()
    logging.getLogger().addHandler(log_handler)
    try:
        handler = find_handler(os.environ["_HANDLER"])
        log_handler.request_id = order["request_id"]
        deadline = time.monotonic() + order["timeout"]
        say.write("ready\n")
        say.flush()
        outcome = {"result": marshalled(handler(json.loads(order["event"]), Context(order, deadline)))}
    except Exception as error:
        outcome = error_of(error, order["request_id"])
    sys.stdout.flush()
    sys.stderr.flush()
    say.write(json.dumps(outcome) + "\n")
    say.flush()


def become_invocation(message: int, log: int, say: int) -> None:
    """From the fork to the function: its own session, streams, environment, folder and path. Never returns: Lambda
    freezes a process that has answered, and threads that it left behind get no more time."""
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        with os.fdopen(message, "rb") as stream:
            order = json.load(stream)
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        task_root = os.environ["LAMBDA_TASK_ROOT"]
        os.chdir(task_root)
        sys.path.insert(0, task_root)
        _forget_what_the_function_brings(task_root)
        with os.fdopen(say, "w", encoding="utf-8") as outcome:
            run(order, outcome)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _forget_what_the_function_brings(task_root: str) -> None:
    """A function's own boto3 comes before that of the runtime, which is loaded already."""
    packages = {name.split(".")[0] for name in os.listdir(os.environ["LAMBDA_RUNTIME_DIR"])}
    if packages & {name.split(".")[0] for name in os.listdir(task_root)}:
        for name in [name for name in sys.modules if name.split(".")[0] in packages]:
            del sys.modules[name]


def serve(control: socket.socket) -> None:
    """Fork for each order, say who was born and who ended, until nobody is at the other end."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waker)
    alive: set[int] = set()

    def tell(**said: int) -> None:
        with suppress(OSError):
            control.sendall(json.dumps(said).encode() + b"\n")

    while True:
        readable, _, _ = select.select([control.fileno(), wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
            for pid, status in _ended(alive):
                alive.discard(pid)
                _kill_group(pid)
                tell(ended=pid, status=status)
        if control.fileno() in readable:
            asked, descriptors, _, _ = socket.recv_fds(control, 1, 3)
            if not asked:
                break
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (wake, waker, control.detach()):
                    os.close(descriptor)
                become_invocation(*descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            alive.add(pid)
            tell(born=pid)
    for pid in alive:
        _kill_group(pid)


def _ended(alive: set[int]) -> list[tuple[int, int]]:
    found = []
    for pid in alive:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    control, runtime = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    sys.path.insert(0, runtime)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with suppress(ImportError):
        importlib.import_module("boto3")
    serve(control)


if __name__ == "__main__":
    main()
