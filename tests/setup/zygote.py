"""Runs `mlops` commands of any repository, each in a fork of its own: a process with signals, a kill, an exit code, but
without the seconds that imports and AWS clients take. `stage.py` talks to it, one JSON object a line.

Waits between attempts are shorter; nothing else differs from `python -m mlops`.
"""

import functools
import json
import os
import sys
import time
import traceback
from typing import Any

import boto3
import botocore.session
import pydantic
import rich.table
import typer
import yaml

SHORTER = 50  # so many times
WARM = (boto3, pydantic, rich.table, typer, yaml)
loaded: tuple[str, dict[str, str]] | None = None


def main() -> None:
    real_sleep = time.sleep
    time.sleep = lambda seconds: real_sleep(float(seconds) / SHORTER)
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)  # AWS's models are read once
    for service in ("sts", "iam", "codecommit", "sagemaker", "ssm", "lambda", "s3", "service-quotas", "ecr", "logs"):
        boto3.Session().client(service, region_name="us-east-1")
    for line in sys.stdin:
        request = json.loads(line)
        if request.pop("preload", False):
            preload(request["root"], request["environment"])
            answer(0)
            continue
        child = os.fork()
        if child == 0:
            run(**request)
        answer(child)
        answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def answer(number: int) -> None:
    print(number, flush=True)


def preload(root: str, environment: dict[str, str]) -> None:
    """Import one repository's mlops and make its AWS clients: for the tests that run it again and again."""
    global loaded
    if loaded == (root, of_aws(environment)):
        return
    enter(root, environment)
    from mlops import aws, doctor, setup, teardown
    from mlops.settings import load_settings

    region = load_settings().region
    for service in ("sts", "codecommit", "sagemaker", "ssm"):
        aws.client(service, region)
    aws.client("iam", region, aws.BRIEFLY)
    loaded = root, of_aws(environment)
    assert all((doctor, setup, teardown))


def enter(root: str, environment: dict[str, str]) -> None:
    os.chdir(root)
    os.environ.clear()
    os.environ.update(environment)
    if loaded != (root, of_aws(environment)):
        for name in [name for name in sys.modules if name.partition(".")[0] == "mlops"]:
            del sys.modules[name]
        sys.path[0] = root


def of_aws(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("AWS_")}


def run(root: str, arguments: list[str], streams: list[str], environment: dict[str, str]) -> Any:
    """One command, as the leader of its own process group: a signal to the group is what a terminal's Ctrl-C is.

    `streams` are its standard input, output and error. A terminal among them becomes the one that it is run from.
    """
    os.setsid()
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["mlops", *arguments]
    code = 0
    try:
        enter(root, environment)
        from mlops import cli

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
