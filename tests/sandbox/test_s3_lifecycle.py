"""Lifecycle configurations. Source of all rules: sandbox/s3/lifecycle.py."""

from __future__ import annotations

import pytest

BUCKET = "some-bucket"
IN_A_WEEK = {"Days": 7}


@pytest.fixture
def put(shared_client):
    s3 = shared_client("s3")
    s3.create_bucket(Bucket=BUCKET)

    def configure(*rules):
        filled = [{"ID": "one", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule} for rule in rules]
        for rule in filled:
            if rule["Filter"] is None:
                del rule["Filter"]
        return s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": filled})

    return configure


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([{"Expiration": IN_A_WEEK}] * 1001, "MalformedXML"),
        ([{"Expiration": IN_A_WEEK}] * 2, "InvalidArgument"),
        ([{"ID": "x" * 256, "Expiration": IN_A_WEEK}], "InvalidArgument"),
        ([{"Filter": None, "Expiration": IN_A_WEEK}], "MalformedXML"),
        ([{"Prefix": "a", "Expiration": IN_A_WEEK}], "MalformedXML"),
        ([{"Filter": {"Prefix": "a", "Tag": {"Key": "a", "Value": "b"}}, "Expiration": IN_A_WEEK}], "MalformedXML"),
        ([{"Filter": {"And": {"Prefix": "a"}}, "Expiration": IN_A_WEEK}], "MalformedXML"),
        ([{}], "InvalidRequest"),
        ([{"Expiration": {"Days": 0}}], "InvalidArgument"),
        ([{"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}], "MalformedXML"),
        ([{"Transitions": [{"Days": 29, "StorageClass": "STANDARD_IA"}]}], "InvalidArgument"),
        (
            [{"Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}], "Expiration": {"Days": 30}}],
            "InvalidArgument",
        ),
        ([{"Transitions": [{"StorageClass": "GLACIER"}]}], "MalformedXML"),
        ([{"NoncurrentVersionTransitions": [{"NoncurrentDays": 29, "StorageClass": "ONEZONE_IA"}]}], "InvalidArgument"),
        ([{"NoncurrentVersionExpiration": {"NoncurrentDays": 0}}], "InvalidArgument"),
        ([{"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}], "InvalidArgument"),
        (
            [
                {
                    "Filter": {"Tag": {"Key": "a", "Value": "b"}},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ],
            "InvalidRequest",
        ),
        ([{"Expiration": {"Date": "2027-01-01T10:00:00Z"}}], "InvalidArgument"),
    ],
)
def test_a_rule_that_s3_refuses(put, refused, rules, code):
    """PutBucketLifecycleConfiguration."""
    assert refused(lambda: put(*rules))[0] == code


def test_what_is_put_comes_back_whole(put, shared_client, refused):
    """GetBucketLifecycleConfiguration. A rule without ID gets one; NewerNoncurrentVersions and sizes are kept."""
    rules = [
        {
            "ID": "versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "large",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 1000, "Tags": [{"Key": "a", "Value": "b"}]}},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
            "Expiration": {"Days": 31},
        },
    ]
    s3 = shared_client("s3")
    put(*rules)
    assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"] == rules
    put({"ID": "", "Expiration": IN_A_WEEK})
    assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"][0]["ID"]
    s3.delete_bucket_lifecycle(Bucket=BUCKET)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=BUCKET)[0] == "NoSuchLifecycleConfiguration"
