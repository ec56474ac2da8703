"""Service Quotas of SageMaker's instances, and what is refused beyond them."""

from __future__ import annotations

import re

import pytest

from sandbox.errors import AwsError
from sandbox.service_quotas import Quotas, Usage
from sandbox.service_quotas.table import sagemaker_quotas

M5_TRAINING = "ml.m5.large for training job usage"
USES = {
    "training job": "TrainingInstanceType",
    "spot training job": "TrainingInstanceType",
    "processing job": "ProcessingInstanceType",
    "transform job": "TransformInstanceType",
    "endpoint": "ProductionVariantInstanceType",
}


@pytest.fixture
def quotas(shared_client):
    return shared_client("service-quotas")


def test_an_applied_quota_is_shown_as_aws_shows_it(quotas):
    """API Reference, GetServiceQuota: ServiceQuota. The code is AWS's own (public guides pass it to --quota-code)."""
    got = quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode="L-611FA074")["Quota"]
    assert got == {
        "ServiceCode": "sagemaker",
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": "arn:aws:servicequotas:us-east-1:123456789012:sagemaker/L-611FA074",
        "QuotaCode": "L-611FA074",
        "QuotaName": M5_TRAINING,
        "Value": 15.0,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def test_the_default_is_that_of_a_new_account_and_of_no_account(quotas, sandbox):
    """GetAWSDefaultServiceQuota: "does not return […] applied values". A new account may train on no instance."""
    sandbox.set_quota(M5_TRAINING, 2)
    got = quotas.get_aws_default_service_quota(ServiceCode="sagemaker", QuotaCode="L-611FA074")["Quota"]
    assert (got["Value"], got["QuotaArn"]) == (0.0, "arn:aws:servicequotas:us-east-1::sagemaker/L-611FA074")
    assert quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode="L-611FA074")["Quota"]["Value"] == 2.0


@pytest.mark.parametrize("operation", ["list_service_quotas", "list_aws_default_service_quotas"])
def test_lists_come_in_pages_and_name_every_instance_type(quotas, sagemaker, operation):
    """MaxResults 1 to 100; names as in AWS General Reference, "Amazon SageMaker AI endpoints and quotas"."""
    first = getattr(quotas, operation)(ServiceCode="sagemaker")
    assert len(first["Quotas"]) == 100
    assert first["NextToken"]
    pages = quotas.get_paginator(operation).paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 90})
    names = [quota["QuotaName"] for page in pages for quota in page["Quotas"]]
    assert len(names) == len(set(names)) == len(list(sagemaker_quotas()))
    assert "Number of instances across all training jobs" in names
    for usage, enum in USES.items():
        assert {f"{name} for {usage} usage" for name in sagemaker.meta.service_model.shape_for(enum).enum} <= set(names)


def test_a_page_size_or_token_that_aws_refuses(quotas, refused):
    """ListServiceQuotas: MaxResults "Valid Range: Minimum value of 1. Maximum value of 100."; InvalidPaginationToken."""
    assert refused(quotas.list_service_quotas, ServiceCode="sagemaker", MaxResults=101)[0] == "ValidationException"
    other = quotas.list_aws_default_service_quotas(ServiceCode="sagemaker")["NextToken"]
    for token in (other, "AAAA"):
        code, _ = refused(quotas.list_service_quotas, ServiceCode="sagemaker", NextToken=token)
        assert code == "InvalidPaginationTokenException"


def test_one_code_can_be_asked_for_and_resource_level_quotas_are_none(quotas):
    """ListServiceQuotas: QuotaCode, QuotaAppliedAtLevel."""
    (one,) = quotas.list_service_quotas(ServiceCode="sagemaker", QuotaCode="L-611FA074")["Quotas"]
    assert one["QuotaName"] == M5_TRAINING
    assert quotas.list_service_quotas(ServiceCode="sagemaker", QuotaAppliedAtLevel="RESOURCE")["Quotas"] == []


def test_what_is_not_there_is_refused(quotas, refused):
    assert (
        refused(quotas.get_service_quota, ServiceCode="sagemaker", QuotaCode="L-00000000")[0]
        == "NoSuchResourceException"
    )
    assert refused(quotas.list_service_quotas, ServiceCode="ec2")[0] == "NotImplementedInSandbox"
    code, _ = refused(
        quotas.request_service_quota_increase, ServiceCode="sagemaker", QuotaCode="L-611FA074", DesiredValue=20.0
    )
    assert code == "NotImplementedInSandbox"
    assert quotas.list_services()["Services"] == [{"ServiceCode": "sagemaker", "ServiceName": "Amazon SageMaker"}]


def test_every_quota_has_a_code_of_its_own_in_awss_form():
    codes = [quota.code for quota in sagemaker_quotas()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch("L-[0-9A-F]{8}", code) for code in codes)


def test_gpus_have_no_quota_until_one_is_set():
    quotas = Quotas()
    assert quotas.value("ml.g5.2xlarge for training job usage") == 0
    assert quotas.value("ml.p5.48xlarge for endpoint usage") == 0


def test_more_than_the_quota_of_the_type_is_refused_in_awss_words():
    """ResourceLimitExceeded of CreateTrainingJob; the words are quoted in many public issues."""
    quotas = Quotas()
    quotas.set(M5_TRAINING, 0)
    with pytest.raises(AwsError) as caught:
        quotas.require(Usage.TRAINING, "ml.m5.large", 1, {})
    assert (caught.value.code, caught.value.message) == (
        "ResourceLimitExceeded",
        "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances, with current utilization of "
        "0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this "
        "quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.",
    )


def test_the_quota_counts_what_runs_already_of_the_type_and_of_all_types():
    quotas = Quotas()
    quotas.set("ml.m5.large for processing job usage", 3)
    quotas.set("Number of instances across all processing jobs", 4)
    quotas.require(Usage.PROCESSING, "ml.m5.large", 1, {"ml.m5.large": 2, "ml.c5.xlarge": 1})
    with pytest.raises(
        AwsError, match=r"'ml\.m5\.large for processing job usage' is 3 Instances, with current utilization of 3"
    ):
        quotas.require(Usage.PROCESSING, "ml.m5.large", 1, {"ml.m5.large": 3})
    with pytest.raises(AwsError, match="across all processing jobs' is 4 Instances, with current utilization of 3 "):
        quotas.require(Usage.PROCESSING, "ml.m5.large", 2, {"ml.m5.large": 1, "ml.c5.xlarge": 2})
    quotas.require(Usage.TRAINING, "ml.m5.large", 15, {})


def test_a_quota_that_is_set_must_exist_and_is_forgotten_by_reset(sandbox, quotas):
    with pytest.raises(KeyError, match="no quota is called"):
        sandbox.set_quota("ml.m5.huge for training job usage", 1)
    with pytest.raises(ValueError, match="cannot be -1"):
        sandbox.set_quota(M5_TRAINING, -1)
    sandbox.set_quota(M5_TRAINING, 1)
    sandbox.reset()
    assert quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode="L-611FA074")["Quota"]["Value"] == 15.0
