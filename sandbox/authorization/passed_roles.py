"""iam:PassRole: asked of whoever hands a role to a service, on that role.

Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (iam:PassedToService,
iam:AssociatedResourceArn); Service Authorization Reference, the dependent actions of each creation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.authorization.arns import each
from sandbox.authorization.check import Check
from sandbox.calls import Call

# service -> its principal, and where its requests hold roles. A request that names none passes none.
_PASSED: dict[str, tuple[str, tuple[str, ...]]] = {
    "sagemaker": (
        "sagemaker.amazonaws.com",
        ("RoleArn", "ExecutionRoleArn", "ValidationSpecification.ValidationRole"),
    ),
    "lambda": ("lambda.amazonaws.com", ("Role",)),
    "events": ("events.amazonaws.com", ("RoleArn", "Targets.RoleArn")),
    "codebuild": ("codebuild.amazonaws.com", ("serviceRole", "serviceRoleOverride")),
    "cloudformation": ("cloudformation.amazonaws.com", ("RoleARN",)),
    "s3": ("s3.amazonaws.com", ("ReplicationConfiguration.Role",)),
}
_LAUNCH_ROLE = "TemplateProviders.CfnTemplateProvider.RoleARN"


def passed_roles(call: Call, resource: str) -> Iterator[Check]:
    """One authorization for each role in the request. resource: what the role will serve."""
    service, paths = _PASSED.get(call.service, ("", ()))
    for path in paths:
        yield from (_pass(role, service, resource) for role in _values(call.params, path.split(".")))
    if call.operation == "CreateProject" and call.service == "sagemaker":
        launch = _values(call.params, _LAUNCH_ROLE.split("."))
        yield from (_pass(role, "cloudformation.amazonaws.com", resource) for role in launch)


def _pass(role: str, service: str, resource: str) -> Check:
    context = {"iam:PassedToService": service}
    return Check("iam:PassRole", role, context | ({"iam:AssociatedResourceArn": resource} if resource != "*" else {}))


def _values(holder: Any, path: list[str]) -> Iterator[str]:
    for item in each(holder):
        if not path and isinstance(item, str):
            yield item
        elif path and isinstance(item, dict):
            yield from _values(item.get(path[0]), path[1:])
