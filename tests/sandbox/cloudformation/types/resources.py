"""Resources and policies as templates have them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


def policy(action="s3:GetObject", resource="*", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


def trust(service="lambda.amazonaws.com"):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def resource(kind, **properties):
    return {"Type": f"AWS::{kind}", "Properties": properties}


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def gone(function, **params):
    with pytest.raises(ClientError) as caught:
        function(**params)
    code = caught.value.response["Error"]["Code"]
    assert any(part in code for part in ("NotFound", "NoSuch", "404", "NonExistent", "DoesNotExist")), code


# Keys that their account, and so its administrators, can use and change.
ROOT = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}


KEY = resource("KMS::Key", KeyPolicy=policy("kms:*", **ROOT))
