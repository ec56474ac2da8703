"""A sandbox that is killed outright while one of its functions runs; argument: where the function writes its pid."""

import os
import signal
import sys
import time
from typing import Any

import boto3
from lambda_functions import make_function  # type: ignore[import-not-found]

from sandbox import Sandbox

CODE = """
import os, time
def handler(event, context):
    open(event, "w").write(str(os.getpid()))
    time.sleep(50)
"""


def main(path: str) -> None:
    sandbox = Sandbox().__enter__()

    def client(service: str) -> Any:
        endpoint = sandbox.endpoint
        return boto3.client(
            service,
            endpoint_url=sandbox.url,
            region_name="us-east-1",
            aws_access_key_id=endpoint.access_key,
            aws_secret_access_key=endpoint.secret,
        )

    make_function(client, CODE, Timeout=60)
    client("lambda").invoke(FunctionName="demo", InvocationType="Event", Payload=f'"{path}"')
    while not os.path.exists(path) or not os.path.getsize(path):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
