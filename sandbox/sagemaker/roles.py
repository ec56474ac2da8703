"""The role that SageMaker takes for a job, a model or a pipeline."""

from __future__ import annotations

from sandbox.callers import Caller
from sandbox.calls import Call
from sandbox.errors import AwsError, NotImplementedInSandbox
from sandbox.inside import CannotAssume, Inside
from sandbox.role_trust import UnreadableTrust
from sandbox.sagemaker.store import invalid

PRINCIPAL = "sagemaker.amazonaws.com"


def take(inside: Inside, call: Call, role: str, session: str, refusal: AwsError, source: str) -> Caller:
    """Credentials of a role. source: the ARN of what takes it (aws:SourceArn).

    Raises refusal if there is no such role or it does not trust SageMaker, and ValidationException for a role of
    another account ("RoleArn: Cross-account pass role is not allowed.", Developer Guide, "Troubleshooting").
    """
    if role.split(":")[4] != call.caller.account:
        raise invalid("RoleArn: Cross-account pass role is not allowed.")
    try:
        return inside.assume(role, PRINCIPAL, session, SourceArn=source)
    except CannotAssume:
        raise refusal from None
    except UnreadableTrust as error:
        raise NotImplementedInSandbox("sagemaker", call.operation, str(error)) from error


def cannot_assume(role: str) -> AwsError:
    """As users of CreateTrainingJob quote it."""
    return invalid(
        f"Could not assume role {role}. Please ensure that the role exists and allows principal '{PRINCIPAL}' "
        "to assume the role."
    )
