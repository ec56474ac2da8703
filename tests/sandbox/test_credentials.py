"""Only keys that the sandbox or its IAM and STS issued are let in, and only with the right signature."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'


def test_the_developer_is_an_iam_user_of_an_account_with_an_alias(client):
    identity = client("sts").get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/developer"
    assert identity["Account"] == "123456789012"
    assert identity["UserId"].startswith("AIDA")
    assert client("iam").list_account_aliases()["AccountAliases"] == ["sandbox"]
    assert client("iam").get_user()["User"]["UserName"] == "developer"


@pytest.mark.parametrize(
    ("service", "operation", "params", "unknown", "wrong"),
    [
        ("sagemaker", "list_models", {}, "UnrecognizedClientException", "InvalidSignatureException"),
        ("codecommit", "list_repositories", {}, "UnrecognizedClientException", "InvalidSignatureException"),
        ("lambda", "list_functions", {}, "UnrecognizedClientException", "InvalidSignatureException"),
        ("sts", "get_caller_identity", {}, "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("iam", "list_roles", {}, "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("s3", "list_buckets", {}, "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    ],
)
def test_an_unknown_key_and_a_wrong_secret_get_the_services_own_errors(
    client, refused, service, operation, params, unknown, wrong
):
    """Common errors of each service; Amazon S3, "Error responses"."""
    stranger = client(service, key="AKIANOBODYNOBODYNOBO", secret="x")
    assert refused(getattr(stranger, operation), **params)[0] == unknown
    forger = client(service, secret="x" * 40)
    assert refused(getattr(forger, operation), **params)[0] == wrong


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sagemaker", "list_models", "ExpiredTokenException"),
        ("lambda", "list_functions", "ExpiredTokenException"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
    ],
)
def test_a_documented_key_is_answered_as_expired(client, refused, service, operation, code):
    late = client(service, key="ASIASANDBOXEXPIREDXX", secret="x", token="x")
    assert refused(getattr(late, operation))[0] == code


def test_an_assumed_role_is_who_it_says_and_its_token_belongs_to_its_key(client, refused):
    client("iam").create_role(RoleName="ci", AssumeRolePolicyDocument=TRUST)
    given = client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/ci", RoleSessionName="build")[
        "Credentials"
    ]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    assert client("sts", key=key, secret=secret, token=token).get_caller_identity()["Arn"] == (
        "arn:aws:sts::123456789012:assumed-role/ci/build"
    )
    assert (
        client("sagemaker", key=key, secret=secret, token=token).list_model_package_groups()[
            "ModelPackageGroupSummaryList"
        ]
        == []
    )
    assert refused(client("sagemaker", key=key, secret=secret).list_models)[0] == "UnrecognizedClientException"
    assert (
        refused(client("sagemaker", key=key, secret=secret, token="other").list_models)[0]
        == "UnrecognizedClientException"
    )


def test_a_session_that_has_run_out_is_expired(client, refused):
    from datetime import datetime

    from moto.sts.models import sts_backends

    client("iam").create_role(RoleName="ci", AssumeRolePolicyDocument=TRUST)
    given = client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/ci", RoleSessionName="build")[
        "Credentials"
    ]
    sts_backends["123456789012"]["aws"].assumed_roles[0].expiration = datetime(2020, 1, 1)
    late = client("sagemaker", key=given["AccessKeyId"], secret=given["SecretAccessKey"], token=given["SessionToken"])
    assert refused(late.list_models)[0] == "ExpiredTokenException"


def test_a_role_that_does_not_exist_cannot_be_assumed(client, refused):
    """STS answers AccessDenied for a role that is not there, as for one that does not trust the caller (IAM User Guide,
    "Troubleshoot IAM roles")."""
    code, message = refused(
        client("sts").assume_role, RoleArn="arn:aws:iam::123456789012:role/none", RoleSessionName="build"
    )
    assert code == "AccessDenied"
    assert message == (
        "User: arn:aws:iam::123456789012:user/developer is not authorized to perform: sts:AssumeRole "
        "on resource: arn:aws:iam::123456789012:role/none"
    )


def test_a_key_of_another_user_works_until_it_is_inactive(client, refused):
    iam = client("iam")
    iam.create_user(UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    sts = client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/ada"
    iam.update_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"


def test_an_unsigned_request_is_refused(sandbox):
    def post(headers, data):
        request = urllib.request.Request(sandbox.url + "/", data=data, headers=headers, method="POST")  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
        return caught.value.read()

    assert b"MissingAuthenticationToken" in post({"X-Amz-Target": "SageMaker.ListModels"}, b"{}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert b"MissingAuthenticationToken" in post(form, b"Action=ListRoles&Version=2010-05-08")
    assert b"<Code>AccessDenied</Code>" in post({}, b"")


def test_a_body_changed_after_signing_is_refused(client, refused):
    sagemaker = client("sagemaker")

    def alter(request, **_):
        request.body = b'{"MaxResults":1}'

    sagemaker.meta.events.register_last("before-send.sagemaker.ListModels", alter)
    assert refused(sagemaker.list_models)[0] == "InvalidSignatureException"


def test_presigned_urls_of_s3_work(sandbox, client):
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"})
    assert urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url).read() == b"content"
