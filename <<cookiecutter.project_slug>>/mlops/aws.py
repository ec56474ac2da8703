"""AWS clients, and AWS's errors in words for people."""

import functools
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from mlops.problem import Problem

# Calls that setup makes answer within a second. Retries are botocore's own: throttling, 5xx, lost connections.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
    user_agent_appid="mlops",
)
# For what is only nice to know: a network without a way to IAM must not keep people waiting.
BRIEFLY = CONFIG.merge(Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1}))

# AWS names the same refusal differently from service to service.
ACCESS_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
ASK = "; ask an administrator of the account for it."
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
INVALID_CREDENTIALS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "AuthFailure",
}


@functools.cache
def client(service: str, region: str | None, config: Config = CONFIG) -> Any:
    """Return the boto3 client of a service in a region, with the credentials at hand.

    Raises:
        Problem: the profile that AWS_PROFILE names does not exist, or the configuration cannot be read.
    """
    try:
        return session().client(service, region_name=region, config=config)
    except exceptions.BotoCoreError as error:
        raise Problem(explain(error)) from None


@functools.cache
def session() -> boto3.Session:
    """Return the one session of this process.

    Raises:
        Problem: as `client` does.
    """
    try:
        return boto3.Session()
    except exceptions.BotoCoreError as error:
        raise Problem(explain(error)) from None


def partition(region: str) -> str:
    """Return what stands behind `arn:` in a region: aws, aws-us-gov, aws-cn.

    Raises:
        Problem: as `client` does, or there is no such region.
    """
    try:
        return str(session().get_partition_for_region(region))
    except exceptions.BotoCoreError as error:
        raise Problem(explain(error)) from None


@dataclass(frozen=True)
class Caller:
    """Who the credentials belong to."""

    account: str
    alias: str | None
    arn: str

    @property
    def place(self) -> str:
        """The account as people know it: its number, and its alias where it has one."""
        return f"{self.account} ({self.alias})" if self.alias else self.account


def caller(region: str) -> Caller:
    """Ask AWS who we are.

    Raises:
        Problem: there are no credentials, or they are refused.
    """
    try:
        identity = client("sts", region).get_caller_identity()
    except (exceptions.ClientError, exceptions.BotoCoreError) as error:
        raise Problem(explain(error)) from None
    try:
        aliases = client("iam", region, BRIEFLY).list_account_aliases()["AccountAliases"]
    except (exceptions.ClientError, exceptions.BotoCoreError):
        aliases = []  # nice to read, and data scientists may seldom ask for it
    return Caller(identity["Account"], aliases[0] if aliases else None, identity["Arn"])


def refuse_other_account(wanted: str | None, account: str, shown: str) -> None:
    """Refuse credentials of another account than mlops.yaml names; None: any will do. `shown` is it for people.

    Raises:
        Problem: they are of another one.
    """
    if wanted not in {None, account}:
        raise Problem(
            f"these credentials are for account {shown}, and mlops.yaml wants {wanted}; "
            "set AWS_PROFILE to a profile of that account."
        )


def code(error: Exception) -> str:
    """Return AWS's code of an error, or the empty string where AWS did not answer."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, exceptions.ClientError) else ""


def took_effect_perhaps(error: Exception) -> bool:
    """Whether a call may have done its work although it failed: its answer, or an earlier attempt's, was lost."""
    if isinstance(error, exceptions.ClientError):
        metadata = error.response.get("ResponseMetadata", {})
        return bool(metadata.get("RetryAttempts", 0) > 0 or metadata.get("HTTPStatusCode", 0) >= 500)
    return isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError)


def explain(error: Exception) -> str:
    """Put an AWS error in one line: what was refused, and what to do."""
    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return "no AWS credentials were found; log in with `aws sso login` or `aws configure`, or set AWS_PROFILE."
        case exceptions.ProfileNotFound():
            return f"{error}; list the profiles with `aws configure list-profiles` and set AWS_PROFILE to one of them."
        case (
            exceptions.UnauthorizedSSOTokenError()
            | exceptions.SSOTokenLoadError()
            | exceptions.TokenRetrievalError()
            | exceptions.CredentialRetrievalError()
        ):
            return f"the AWS login has ended ({error}); log in again with `aws sso login`."
        case (
            exceptions.EndpointConnectionError() | exceptions.ConnectTimeoutError() | exceptions.ProxyConnectionError()
        ):
            return f"AWS cannot be reached ({_one_line(error)}); check network, proxy and region."
        case exceptions.ClientError():
            return _explain_answer(error)
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return f"the connection to AWS was lost ({_one_line(error)}); try again."
        case _:
            return _one_line(error)


def _explain_answer(error: exceptions.ClientError) -> str:
    operation, answer = error.operation_name, error.response["Error"]
    if code(error) in EXPIRED:
        return "the AWS credentials have expired; log in again with `aws sso login`, or get new ones."
    if code(error) in INVALID_CREDENTIALS:
        return f"AWS does not know these credentials ({code(error)}); check `aws sts get-caller-identity`."
    if code(error) in ACCESS_DENIED:
        why = _one_line(answer.get("Message", "")).rstrip(".")
        return f"{operation} is not allowed: {why}{ASK}"
    what = f"{operation} failed: {code(error)}: {_one_line(answer.get('Message', ''))}"
    passing = code(error) in THROTTLED or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return f"{what.rstrip('.')}; try again in a minute." if passing else what


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
