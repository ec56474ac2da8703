"""What runs in a function's process, in the place of Lambda's runtime: import the handler, call it, say what came.

Started as a file, without site-packages and without this project. Standard input: a JSON object that says what to do.
The file descriptor that it names: a line `ready` when the handler is imported, then a JSON object with the outcome.
Source: github.com/aws/aws-lambda-python-runtime-interface-client (bootstrap.py, lambda_context.py), whose error types,
words, members of the context and log lines these are; Developer Guide, "Define Lambda function handler in Python".
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from types import TracebackType
from typing import Any


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


def main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    say = os.fdopen(order["say"], "w", encoding="utf-8")
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:0] = [task_root, os.environ["LAMBDA_RUNTIME_DIR"]]
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
    say.close()
    # Lambda freezes a process that has answered: threads that the function left behind get no more time.
    os._exit(0)


if __name__ == "__main__":
    main()
