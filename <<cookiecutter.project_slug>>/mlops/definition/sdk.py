"""The SageMaker SDK without AWS: steps are built from parameters alone, and no request leaves the machine."""

import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import boto3
import botocore.session
from sagemaker.core.workflow.pipeline_context import PipelineSession

PLACE = "s3://given-at-run-time"  # where the SDK wants a text, and a parameter stands in the definition
ROLE = "arn:aws:iam::000000000000:role/given-at-run-time"


def offline() -> None:
    """Cut this process off from the network.

    The SDK asks STS and IAM about roles while it builds, and reports its use (to opt out of that by a configuration
    file costs 20 s: it checks the file about a hundred times). It gets on without answers.
    """
    # The SDK makes a session for each step, and each would read AWS's models anew: together more than a second.
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    session = botocore.session.get_session()
    session.register("before-send", _refuse)  # before the first of several attempts
    boto3.setup_default_session(botocore_session=session)
    sys.addaudithook(_no_connection)


def _refuse(request: Any, **_: object) -> NoReturn:
    raise ConnectionError(f"the definition is built without AWS, but {request.url} was asked")


def _no_connection(event: str, _: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo"}:
        raise ConnectionError("the definition is built without a network")


class OfflineSession(PipelineSession):
    """The SDK's session for building pipelines. What it would upload is kept in a folder."""

    def __init__(self, uploads: Path) -> None:
        """Remember where uploads go."""
        super().__init__(boto_session=boto3.DEFAULT_SESSION, default_bucket=PLACE.removeprefix("s3://"))
        self.uploads = uploads

    def default_bucket(self) -> str:
        """Return a bucket that does not exist: the real one is a parameter."""
        return PLACE.removeprefix("s3://")

    def upload_data(self, path: str, *_: object, **__: object) -> str:
        """Keep the training driver, the one thing that the SDK uploads here."""
        shutil.copytree(path, self.uploads, ignore=shutil.ignore_patterns("__pycache__"))
        return f"{PLACE}/TrainingDriverUri"


def place(parameter: str) -> str:
    """Return the text that stands for a parameter where the SDK takes no parameter."""
    return f"{PLACE}/{parameter}"


def with_parameters(part: Any) -> Any:
    """Return a part of the definition with parameters where the texts for them stood."""
    if isinstance(part, Mapping):
        return {key: with_parameters(value) for key, value in part.items()}
    if isinstance(part, str):
        if part == ROLE:
            return {"Get": "Parameters.JobRole"}
        if part.startswith(f"{PLACE}/"):
            return {"Get": f"Parameters.{part.removeprefix(PLACE).strip('/')}"}
        return part
    return [with_parameters(value) for value in part] if isinstance(part, Sequence) else part
