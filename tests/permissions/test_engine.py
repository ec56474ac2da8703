"""The engine, by policies small enough to check by eye: else a trial that finds nothing would prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.permissions.engine import Engine, Policies, Request

ROLE = "arn:aws:sts::123456789012:assumed-role/job/run"
MODEL = "arn:aws:sagemaker:us-east-1:123456789012:model/tumor-dev"
JOB_ROLE = "arn:aws:iam::123456789012:role/mlops/mlops-tumor-nonprod-job"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str, resource: str = "*", **conditions: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **_condition(conditions)}


def deny(action: str, resource: str = "*", **conditions: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Sid": "Refused", "Action": action, "Resource": resource, **_condition(conditions)}


def _condition(conditions: dict[str, Any]) -> dict[str, Any]:
    return {"Condition": conditions} if conditions else {}


def describe(resource: str = MODEL, **context: Any) -> Request:
    return Request(
        ROLE, "sagemaker:DescribeModel", resource, {name.replace("__", ":"): v for name, v in context.items()}
    )


ALLOWS = document(allow("sagemaker:DescribeModel", "arn:aws:sagemaker:*:123456789012:model/tumor-*"))
TAGGED = document(allow("sagemaker:DescribeModel", StringEquals={"aws:ResourceTag/project": "tumor"}))


@pytest.mark.parametrize(
    ("policies", "request_", "reason"),
    [
        (Policies({"p": ALLOWS}), describe(), ""),
        (Policies({"p": ALLOWS}), describe(MODEL.replace("tumor", "wine")), "no policy allows it"),
        (Policies({"p": ALLOWS}), describe(MODEL.replace("1234", "9876")), "no policy allows it"),
        (Policies(), describe(), "no policy allows it"),
        (Policies({"p": document(allow("*"), deny("sagemaker:Describe*"))}), describe(), "denied by p#Refused"),
        (Policies({"p": TAGGED}), describe(**{"aws__ResourceTag/project": "tumor"}), ""),
        (Policies({"p": TAGGED}), describe(**{"aws__ResourceTag/project": "wine"}), "no policy allows it"),
        (Policies({"p": TAGGED}), describe(), "no policy allows it"),
        (Policies({"p": ALLOWS}, boundary=ALLOWS), describe(), ""),
        (Policies({"p": ALLOWS}, boundary=document(allow("s3:*"))), describe(), "allowed, but not by: pb"),
        (Policies({"p": ALLOWS}, service_control={"scp": document(deny("s3:*"))}), describe(), ""),
        (
            Policies({"p": ALLOWS}, service_control={"scp": document(deny("sagemaker:*"))}),
            describe(),
            "denied by scp#Refused",
        ),
    ],
)
def test_the_engine_decides_as_iam(engine: Engine, policies: Policies, request_: Request, reason: str):
    decision = engine.decide(policies, request_)
    assert (decision.allowed, decision.reason) == (not reason, reason)


@pytest.mark.parametrize(("service", "allowed"), [("sagemaker.amazonaws.com", True), ("lambda.amazonaws.com", False)])
def test_a_role_is_passed_to_the_service_that_the_policy_names(engine: Engine, service: str, allowed: bool):
    statement = allow("iam:PassRole", JOB_ROLE, StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"})
    request = Request(ROLE, "iam:PassRole", JOB_ROLE, {"iam:PassedToService": service})
    assert engine.decide(Policies({"p": document(statement)}), request).allowed is allowed


def test_an_arn_that_is_not_known_to_its_end_is_allowed_by_what_allows_any_end(engine: Engine):
    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/mlops-account/*"
    request = Request(ROLE, "cloudformation:CreateStack", stack)
    whole = Policies({"p": document(allow("cloudformation:CreateStack", stack))})
    part = Policies({"p": document(allow("cloudformation:CreateStack", stack.replace("/*", "/1*")))})
    assert engine.decide(whole, request).allowed
    assert not engine.decide(part, request).allowed


def test_all_resources_are_allowed_by_a_star_alone(engine: Engine):
    request = Request(ROLE, "sagemaker:ListModels", "*")
    assert engine.decide(Policies({"p": document(allow("sagemaker:ListModels"))}), request).allowed
    assert not engine.decide(Policies({"p": document(allow("sagemaker:ListModels", MODEL))}), request).allowed


@pytest.mark.parametrize(
    "request_",
    [
        Request(ROLE, "sagemaker:NoSuchAction", "*"),
        Request(ROLE, "sagemaker:DescribeModel", "arn:aws:s3:::bucket"),
        Request(ROLE, "sagemaker:DescribeModel", MODEL, {"sagemaker:VpcSubnets": ["subnet-1"]}),
    ],
    ids=["action", "resource", "condition key"],
)
def test_what_aws_does_not_have_is_not_evaluated(engine: Engine, request_: Request):
    with pytest.raises(AssertionError, match=r"cannot be evaluated|no such condition keys"):
        engine.decide(Policies({"p": document(allow("*"))}), request_)


def test_a_policy_that_aws_would_not_take_is_not_evaluated(engine: Engine):
    with pytest.raises(AssertionError, match=r"policy\.errors"):
        engine.decide(Policies({"p": document({"Effect": "Allow", "Action": "s3:*"})}), describe())
