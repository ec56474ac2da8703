"""Condition keys of the services whose requests hold them plainly. Source: Service Authorization Reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.authorization import moto_state
from sandbox.authorization.check import given
from sandbox.authorization.codebuild import codebuild_context
from sandbox.authorization.sagemaker import sagemaker_context
from sandbox.calls import Call

_BOUNDED = {
    "DeleteRole",
    "GetRole",
    "UpdateRole",
    "UpdateAssumeRolePolicy",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "DeleteRolePermissionsBoundary",
}


def service_context(call: Call) -> dict[str, Any]:
    """The service's own keys for the call's main action."""
    own = _OF_SERVICE.get(call.service)
    return own(call) if own else {}


def _iam(call: Call) -> dict[str, Any]:
    """iam:PermissionsBoundary is that of the request where it sets one, else that of the role (IAM User Guide,
    "Permissions boundaries for IAM entities", "Delegating responsibility to others")."""
    params = call.params
    context = given(**{"iam:PolicyARN": params.get("PolicyArn")}) if call.operation in _ATTACHES else {}
    if call.operation in ("CreateRole", "CreateUser", "PutRolePermissionsBoundary"):
        return context | given(**{"iam:PermissionsBoundary": params.get("PermissionsBoundary")})
    if call.operation in _BOUNDED:
        role = moto_state.role(call, params["RoleName"])
        return context | given(**{"iam:PermissionsBoundary": role.permissions_boundary_arn if role else None})
    return context


_ATTACHES = {"AttachRolePolicy", "DetachRolePolicy", "AttachUserPolicy", "DetachUserPolicy"}


def _lambda(call: Call) -> dict[str, Any]:
    params = call.params
    if call.operation in ("AddPermission", "RemovePermission"):
        return given(**{"lambda:Principal": params.get("Principal")})
    if call.operation not in ("CreateFunction", "UpdateFunctionConfiguration"):
        return {}
    network = params.get("VpcConfig") or {}
    return given(
        **{
            "lambda:Layer": params.get("Layers"),
            "lambda:SubnetIds": network.get("SubnetIds"),
            "lambda:SecurityGroupIds": network.get("SecurityGroupIds"),
        }
    )


def _events(call: Call) -> dict[str, Any]:
    if call.operation == "PutTargets":
        return {"events:TargetArn": [target["Arn"] for target in call.params["Targets"]]}
    return {}


def _cloudwatch(call: Call) -> dict[str, Any]:
    if call.operation == "PutMetricData":
        return {"cloudwatch:namespace": call.params["Namespace"]}
    if call.operation == "PutMetricAlarm":
        return given(**{"cloudwatch:AlarmActions": call.params.get("AlarmActions")})
    return {}


def _ssm(call: Call) -> dict[str, Any]:
    if call.operation == "GetParametersByPath":
        return {"ssm:Recursive": str(bool(call.params.get("Recursive"))).lower()}
    if call.operation == "PutParameter":
        return {"ssm:Overwrite": str(bool(call.params.get("Overwrite"))).lower()}
    return {}


def _service_quotas(call: Call) -> dict[str, Any]:
    if call.operation in ("GetServiceQuota", "RequestServiceQuotaIncrease"):
        return {"servicequotas:service": call.params["ServiceCode"]}
    return {}


def _cloudformation(call: Call) -> dict[str, Any]:
    params = call.params
    context: dict[str, Any] = {}
    if call.operation == "CreateChangeSet":
        context = {"cloudformation:ChangeSetName": params["ChangeSetName"]}
    if call.operation in ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet"):
        context |= given(**{"cloudformation:RoleArn": params.get("RoleARN")})
    if call.operation in ("CreateStack", "UpdateStack", "CreateChangeSet", "ValidateTemplate", "GetTemplateSummary"):
        context |= given(**{"cloudformation:TemplateUrl": params.get("TemplateURL")})
    return context


def _kms(call: Call) -> dict[str, Any]:
    params = call.params
    context: dict[str, Any] = {}
    if call.operation not in ("ListKeys", "ListAliases"):
        context["kms:CallerAccount"] = call.caller.account
    if via := call.caller.context.get("aws:CalledVia"):
        context["kms:ViaService"] = via.replace(".", f".{call.region}.", 1)
    if call.operation == "CreateKey":
        context |= {
            "kms:KeySpec": params.get("KeySpec") or "SYMMETRIC_DEFAULT",
            "kms:KeyUsage": params.get("KeyUsage") or "ENCRYPT_DECRYPT",
            "kms:KeyOrigin": params.get("Origin") or "AWS_KMS",
            "kms:MultiRegion": str(bool(params.get("MultiRegion"))).lower(),
        }
    if call.operation in ("CreateKey", "PutKeyPolicy"):
        lockout = str(bool(params.get("BypassPolicyLockoutSafetyCheck"))).lower()
        context["kms:BypassPolicyLockoutSafetyCheck"] = lockout
    if call.operation == "ScheduleKeyDeletion":
        days = params.get("PendingWindowInDays") or 30
        context["kms:ScheduleKeyDeletionPendingWindowInDays"] = str(days)
    encryption = params.get("EncryptionContext") or {}
    if encryption:
        context |= {f"kms:EncryptionContext:{key}": value for key, value in encryption.items()}
        context["kms:EncryptionContextKeys"] = sorted(encryption)
    return context


def _sns(call: Call) -> dict[str, Any]:
    if call.operation == "Subscribe":
        return given(**{"sns:Endpoint": call.params.get("Endpoint"), "sns:Protocol": call.params.get("Protocol")})
    return {}


_OF_SERVICE: dict[str, Callable[[Call], dict[str, Any]]] = {
    "iam": _iam,
    "lambda": _lambda,
    "events": _events,
    "cloudwatch": _cloudwatch,
    "ssm": _ssm,
    "service-quotas": _service_quotas,
    "cloudformation": _cloudformation,
    "kms": _kms,
    "sns": _sns,
    "codebuild": codebuild_context,
    "sagemaker": sagemaker_context,
}
