"""Functions that run: environment, context, outcomes, limits, logs. Each docstring names the source of the rule."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sandbox.lambda_functions import zipped

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_environment_context_and_credentials(function, invoke, role):
    """Developer Guide, "Defined runtime environment variables", "Using the Lambda context object to retrieve Python
    function information": that and nothing of whoever runs the sandbox."""
    arn = function(
        """
        import os, sys, boto3
        def handler(event, context):
            caller = boto3.client("sts").get_caller_identity()["Arn"]
            names = [name for name in dir(context) if not name.startswith("_")]
            left = context.get_remaining_time_in_millis()
            return {"env": dict(os.environ), "event": event, "caller": caller, "names": names, "left": left,
                    "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb, "cwd": os.getcwd(),
                    "stream": context.log_stream_name, "request": context.aws_request_id}
        """,
        Environment={"Variables": {"STAGE": "dev"}},
        Timeout=20,
    )
    said, error = invoke({"a": [1, None, "ü"]}, FunctionName=arn)
    assert (error, said["event"]) == (None, {"a": [1, None, "ü"]})
    assert said["caller"] == "arn:aws:sts::123456789012:assumed-role/function-role/demo"
    assert (said["arn"], said["memory"], said["env"].pop("STAGE")) == (arn, "128", "dev")
    assert 10_000 < said["left"] <= 20_000
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", said["stream"])
    assert re.fullmatch(UUID, said["request"])
    assert said["cwd"] == said["env"]["LAMBDA_TASK_ROOT"]
    assert {"aws_request_id", "function_name", "function_version", "log_group_name", "client_context"} < set(
        said["names"]
    )
    assert set(said["env"]) - {"LC_CTYPE"} == {
        *("PATH", "LANG", "TZ", "HOME", "TMPDIR", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER"),
        *("AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME"),
        *("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"),
    }


def test_only_what_lambda_has_can_be_imported(function, invoke):
    """Developer Guide, "Runtime-included SDK versions": boto3 and what it needs; the sandbox has much more."""
    function(
        """
        from importlib.util import find_spec
        def handler(event, context):
            return [name for name in event if find_spec(name)]
        """
    )
    there = ["boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "json"]
    absent = ["pandas", "sklearn", "numpy", "sagemaker", "yaml", "requests", "pydantic", "moto", "sandbox", "werkzeug"]
    assert invoke(there + absent) == (there, None)


@pytest.mark.parametrize(
    ("code", "handler", "kind", "words"),
    [
        ("def handler(e, c): raise KeyError('lost')", "main.handler", "KeyError", "'lost'"),
        ("def handler(e, c): return {1, 2}", "main.handler", "Runtime.MarshalError", "Unable to marshal response: Object of type set"),
        ("def handler(e, c): return float('nan')", "main.handler", "Runtime.MarshalError", "Unable to marshal response"),
        ("def handler(e): return 1", "main.handler", "TypeError", "positional argument"),
        ("import sys\ndef handler(e, c): sys.exit(3)", "main.handler", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("import os\ndef handler(e, c): os._exit(0)", "main.handler", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGKILL)", "main.handler", "Runtime.ExitError", "signal: SIGKILL"),
        ("def handler(e, c): return 'x' * (6 * 1024 * 1024 + 100)", "main.handler", "Function.ResponseSizeTooLarge", "exceeded maximum"),
        ("import pandas", "main.handler", "Runtime.ImportModuleError", "Unable to import module 'main': No module named 'pandas'"),
        ("def broken(:", "main.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'main'"),
        ("raise ValueError('at import')", "main.handler", "ValueError", "at import"),
        ("", "main.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'main'"),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("", "other.handler", "Runtime.ImportModuleError", "No module named 'other'"),
    ],
)  # fmt: skip
def test_errors_are_answers_with_200(function, functions, code, handler, kind, words):
    """API Reference, Invoke (FunctionError); Developer Guide, "Lambda function errors in Python"; bootstrap.py of the
    runtime interface client."""
    function(code, Handler=handler)
    answer = functions.invoke(FunctionName="demo")
    payload = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (payload["errorType"], words in payload["errorMessage"]) == (kind, True), payload


def test_an_error_shows_where_it_was_raised(function, invoke):
    function("def inner():\n    raise ValueError('deep')\ndef handler(e, c):\n    inner()\n")
    said, _ = invoke()
    assert (said["errorMessage"], said["errorType"]) == ("deep", "ValueError")
    assert re.fullmatch(UUID, said["requestId"])
    assert [re.findall(r"line (\d+), in (\w+)", entry) for entry in said["stackTrace"]] == [
        [("4", "handler")],
        [("2", "inner")],
    ]


def test_a_timeout_ends_the_process_and_its_children(function, invoke, tmp_path):
    """Developer Guide, "Configure Lambda function timeout"; the payload is what the service answers today."""
    function(
        """
        import subprocess, time
        def handler(event, context):
            subprocess.Popen(["sh", "-c", f"sleep 1.5; touch {event}"])
            time.sleep(30)
        """,
        Timeout=1,
    )
    began = time.monotonic()
    said, error = invoke(str(tmp_path / "alive"))
    assert time.monotonic() - began < 5
    assert (error, said["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert re.fullmatch(rf"RequestId: {UUID} Error: Task timed out after 1\.00 seconds", said["errorMessage"])
    time.sleep(1)
    assert not (tmp_path / "alive").exists()


def test_what_a_function_leaves_running_ends_with_its_answer(function, invoke):
    """Developer Guide, "execution environment lifecycle": after the answer the environment is frozen."""
    function(
        """
        import threading, time, os
        def handler(event, context):
            threading.Thread(target=time.sleep, args=(60,)).start()
            if os.fork() == 0:
                time.sleep(60)
            return "done"
        """,
        Timeout=20,
    )
    began = time.monotonic()
    assert invoke() == ("done", None)
    assert time.monotonic() - began < 10


def test_logs_go_to_cloudwatch_as_the_role(sandbox, client, function, invoke):
    """Developer Guide, "Sending Lambda function logs to CloudWatch Logs" and "Log and monitor Python Lambda functions":
    the role needs the permissions, the call log shows which."""
    function(
        """
        import logging
        logging.getLogger().setLevel("INFO")
        def handler(event, context):
            print("one line")
            logging.info("another")
            raise RuntimeError("no luck")
        """,
        LoggingConfig={"LogGroup": "/own/group"},
    )
    invoke()
    sandbox.wait_until_quiet()
    logs = client("logs")
    (stream,) = logs.describe_log_streams(logGroupName="/own/group")["logStreams"]
    events = logs.get_log_events(logGroupName="/own/group", logStreamName=stream["logStreamName"], startFromHead=True)
    lines = [event["message"] for event in events["events"]]
    assert lines[0].startswith("START RequestId: ")
    assert lines[1] == "one line"
    assert re.fullmatch(rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{UUID}\tanother", lines[2])
    assert lines[3].startswith("[ERROR] RuntimeError: no luck\nTraceback (most recent call last):\n  File ")
    assert [line.split()[0] for line in lines[4:]] == ["END", "REPORT"]
    role = "arn:aws:sts::123456789012:assumed-role/function-role/demo"
    made = [(call["operation"], call["status"]) for call in sandbox.calls if call["role"] == role]
    assert made == [("CreateLogStream", 400), ("CreateLogGroup", 200), ("CreateLogStream", 200), ("PutLogEvents", 200)]


def test_the_tail_of_the_log(function, functions):
    """API Reference, Invoke, LogType: the last 4 KB, Base64."""
    function("def handler(e, c):\n    for n in range(500):\n        print('line', n)\n")
    answer = functions.invoke(FunctionName="demo", LogType="Tail")
    tail = base64.b64decode(answer["LogResult"])
    assert (len(tail), b"line 499\n" in tail, tail.splitlines()[-1][:6]) == (4096, True, b"REPORT")
    assert "LogResult" not in functions.invoke(FunctionName="demo")


def test_payloads(functions, function, refused):
    """Lambda quotas, "Invocation payload": 6 MB, 1 MB for events; API Reference, Invoke (DryRun)."""
    function("def handler(e, c): return e")
    assert json.loads(functions.invoke(FunctionName="demo")["Payload"].read()) == {}
    assert functions.invoke(FunctionName="demo", InvocationType="DryRun")["StatusCode"] == 204
    code, _ = refused(functions.invoke, FunctionName="demo", Payload=b"{no json")
    assert code == "InvalidRequestContentException"
    text = json.dumps("x" * (1024 * 1024))
    code, message = refused(functions.invoke, FunctionName="demo", Payload=text, InvocationType="Event")
    assert (code, "limit 1048576 bytes" in message) == ("RequestEntityTooLargeException", True)
    code, message = refused(functions.invoke, FunctionName="demo", Payload=json.dumps("x" * (6 * 1024 * 1024)))
    assert (code, "limit 6291456 bytes" in message) == ("RequestEntityTooLargeException", True)


def test_reserved_concurrency(sandbox, functions, function, refused):
    """Developer Guide, "Configuring reserved concurrency"."""
    function("import time\ndef handler(e, c): time.sleep(e)", Timeout=20)
    limit = refused(functions.put_function_concurrency, FunctionName="demo", ReservedConcurrentExecutions=901)
    assert "below its minimum value of [100]" in limit[1]
    functions.put_function_concurrency(FunctionName="demo", ReservedConcurrentExecutions=1)
    functions.invoke(FunctionName="demo", InvocationType="Event", Payload=b"1.5")
    deadline = time.monotonic() + 5
    while sandbox.functions.registry.every()[0].running == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert refused(functions.invoke, FunctionName="demo", Payload=b"0") == (
        "TooManyRequestsException",
        "Rate Exceeded.",
    )
    sandbox.wait_until_quiet()
    assert functions.invoke(FunctionName="demo", Payload=b"0")["StatusCode"] == 200
    functions.put_function_concurrency(FunctionName="demo", ReservedConcurrentExecutions=0)
    assert refused(functions.invoke, FunctionName="demo", Payload=b"0")[0] == "TooManyRequestsException"


def test_a_role_that_is_gone_cannot_be_taken(client, functions, function, refused):
    function("def handler(e, c): return 1")
    client("iam").delete_role(RoleName="function-role")
    assert refused(functions.invoke, FunctionName="demo") == (
        "AccessDeniedException",
        "The role defined for the function cannot be assumed by Lambda.",
    )


def test_a_reset_ends_what_runs(sandbox, functions, function):
    function("import time\ndef handler(e, c): time.sleep(60)", Timeout=60)
    functions.invoke(FunctionName="demo", InvocationType="Event")
    with pytest.raises(TimeoutError):
        sandbox.wait_until_quiet(0.3)
    began = time.monotonic()
    sandbox.reset()
    assert time.monotonic() - began < 5
    sandbox.wait_until_quiet(0)
    assert functions.list_functions()["Functions"] == []


def test_what_a_function_brings_comes_before_what_the_runtime_has(functions, role, invoke):
    """Developer Guide, "Runtime-included SDK versions": a function may bring its own."""
    given = {"FunctionName": "demo", "Role": role, "Runtime": "python3.13", "Handler": "main.handler"}
    code = "import six\ndef handler(e, c): return six.OWNER"
    functions.create_function(**given, Code={"ZipFile": zipped(code, six="OWNER = 'the function'")})
    functions.get_function(FunctionName="demo")
    assert invoke() == ("the function", None)


@pytest.mark.slow
def test_no_process_outlives_a_sandbox_that_is_killed(tmp_path):
    """The processes see that nobody is left who could want their answer."""
    written = tmp_path / "pid"
    script = Path(__file__).with_name("killed_sandbox.py")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "sandbox")]),
        "TMPDIR": str(tmp_path),  # a sandbox that is killed cannot tidy up
    }
    done = subprocess.run([sys.executable, str(script), str(written)], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    pid = int(written.read_text())
    deadline = time.monotonic() + 5
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(pid)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
