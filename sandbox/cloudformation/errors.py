"""CloudFormation's refusals: nearly all are ValidationError ("Common errors" of the API Reference)."""

from __future__ import annotations

from sandbox.errors import AwsError, NotImplementedInSandbox


def invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def no_such_stack(name: str) -> AwsError:
    """The words by which `aws cloudformation deploy` knows that a stack is not there."""
    return invalid(f"Stack with id {name} does not exist")


def lacking(what: str, operation: str = "template") -> NotImplementedInSandbox:
    """What AWS has and the sandbox does not: nothing is created then."""
    return NotImplementedInSandbox("cloudformation", operation, what)


class Failed(Exception):
    """Work on a resource failed; the message is its ResourceStatusReason."""
