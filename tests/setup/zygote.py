"""Runs `mlops` commands of the repository it stands in, each in a fork of its own: a process with signals, a kill, an exit
code, but without the second that imports and AWS clients take. `stage.py` talks to it, one JSON object a line.

Waiting between attempts is sped up; nothing else differs from `python -m mlops`.
"""

import json
import os
import sys
import time
import traceback

ROOT = os.getcwd()
sys.path[0] = ROOT
ONCE = 50  # so many times faster are the waits between attempts

from mlops import aws, cli, doctor, setup, teardown  # noqa: E402, F401
from mlops.settings import load_settings  # noqa: E402
from mlops.terminal import table  # noqa: E402, F401


def main() -> None:
    real_sleep = time.sleep
    time.sleep = lambda seconds: real_sleep(seconds / ONCE)
    region = load_settings().region
    for service in ("sts", "codecommit", "sagemaker"):
        aws.client(service, region)
    aws.client("iam", region, aws.BRIEFLY)
    answer(os.getpid())
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(**request)
        answer(child)
        answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def answer(number: int) -> None:
    print(number, flush=True)


def run(arguments: list[str], stdout: str, stderr: str, environment: dict[str, str]) -> None:
    """One command, as the leader of its own process group: a signal to the group is what a terminal's Ctrl-C is."""
    os.setsid()
    os.chdir(ROOT)
    os.environ.update(environment)
    for number, path in enumerate((os.devnull, stdout, stderr)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["mlops", *arguments]
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


main()
