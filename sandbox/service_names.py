"""Which botocore service a signed request is for.

A SigV4 credential scope names the *signing name*, which several services may share (`sagemaker` is also used by
`sagemaker-runtime`). Only what differs from the service's own name is listed; a test compares this table with
botocore's data.
"""

from __future__ import annotations

from functools import lru_cache

from moto.core.model import ServiceModel
from moto.core.utils import get_service_model

SIGNING_NAMES: dict[str, tuple[str, ...]] = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "cloudcontrolapi": ("cloudcontrol",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticmapreduce": ("emr",),
    "events": ("events",),
    "iam": ("iam",),
    "lambda": ("lambda",),
    "monitoring": ("cloudwatch",),
    "rds": ("rds",),
    "s3": ("s3", "s3control"),
    "sagemaker": (
        "sagemaker",
        "sagemaker-runtime",
        "sagemaker-metrics",
        "sagemaker-featurestore-runtime",
    ),
    "servicecatalog": ("servicecatalog", "servicecatalog-appregistry"),
    "servicequotas": ("service-quotas",),
    "ses": ("sesv2", "ses"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}


@lru_cache(maxsize=64)
def model_of(service: str) -> ServiceModel:
    """botocore's model of a service (with moto's additions). Raises botocore.exceptions.UnknownServiceError."""
    return get_service_model(service)


def services_signed_as(signing_name: str) -> tuple[str, ...]:
    """Candidate services for a signing name, the likeliest first."""
    return SIGNING_NAMES.get(signing_name, (signing_name,))
