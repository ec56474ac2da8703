"""Clients of AWS, and its errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from account.problem import Problem

_CONFIG = Config(connect_timeout=10, read_timeout=70, retries={"mode": "standard", "total_max_attempts": 5})


def client(service: str) -> Any:
    """A client for the credentials and the region of the environment."""
    return boto3.client(service, config=_CONFIG)


def code(error: ClientError) -> str:
    """The service's name for an error, such as ValidationError."""
    return str(error.response["Error"]["Code"])


def message(error: ClientError) -> str:
    """The service's words."""
    return str(error.response["Error"].get("Message", ""))


@contextmanager
def explained() -> Iterator[None]:
    """Turn what AWS and botocore raise into a Problem of one line."""
    try:
        yield
    except NoCredentialsError:
        raise Problem("there are no AWS credentials; set AWS_PROFILE, or run `aws configure`") from None
    except NoRegionError:
        raise Problem("no AWS region is set; set AWS_REGION, for example to us-east-1") from None
    except ClientError as error:
        words = " ".join(message(error).split()).rstrip(".")
        raise Problem(f"{error.operation_name} was refused: {code(error)}: {words}") from None
    except BotoCoreError as error:
        raise Problem(f"AWS cannot be reached: {' '.join(str(error).split())}") from None
