"""CloudWatch Logs. Source of the rules: CloudWatch Logs API Reference, the operation that a docstring names."""

from __future__ import annotations

import json
import time

import pytest

GROUP = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
STREAM = {**GROUP, "logStreamName": "job/algo-1"}
HOUR = 60 * 60 * 1000


@pytest.fixture
def logs(shared_client):
    shared_client("logs").create_log_group(**GROUP)
    shared_client("logs").create_log_stream(**STREAM)
    return shared_client("logs")


@pytest.fixture
def now():
    return int(time.time() * 1000)


def events(*times, message="line"):
    return [{"timestamp": at, "message": message} for at in times]


@pytest.mark.slow
def test_a_group_that_cannot_be(logs, refused):
    """CreateLogGroup: names "can't start with the string aws/"; characters; once."""
    for name in ("aws/x", "a b"):
        assert refused(logs.create_log_group, logGroupName=name)[0] == "InvalidParameterException"
    assert refused(logs.create_log_group, **GROUP)[0] == "ResourceAlreadyExistsException"
    assert refused(logs.create_log_stream, **STREAM)[0] == "ResourceAlreadyExistsException"
    assert refused(logs.create_log_stream, logGroupName="/none", logStreamName="x")[0] == "ResourceNotFoundException"
    assert refused(logs.create_log_stream, **GROUP, logStreamName="a:b")[0] == "InvalidParameterException"


def test_retention_is_one_of_awss_values(logs, refused):
    """PutRetentionPolicy: "Possible values are: 1, 3, 5, 7, 14, 30, […]"."""
    assert refused(logs.put_retention_policy, **GROUP, retentionInDays=2)[0] == "InvalidParameterException"
    logs.put_retention_policy(**GROUP, retentionInDays=30)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30


def test_a_batch_that_is_refused(logs, now, refused):
    """PutLogEvents: order, 24 hours, 1,048,576 bytes with 26 for each event, 10,000 events, a stream that is there."""

    def code(batch, **where):
        return refused(logs.put_log_events, **(STREAM | where), logEvents=batch)[0]

    assert code(events(now, now - 1)) == "InvalidParameterException"
    assert code(events(now - 25 * HOUR, now)) == "InvalidParameterException"
    assert code(events(now, message="x" * (1_048_576 - 25))) == "InvalidParameterException"
    assert code(events(now, now, message="é" * 300_000)) == "InvalidParameterException"
    assert code(events(*[now] * 10_001)) == "InvalidParameterException"
    assert code([]) == "InvalidParameterException"
    assert code(events(now), logStreamName="none") == "ResourceNotFoundException"
    assert code(events(now), logGroupName="none") == "ResourceNotFoundException"
    assert logs.get_log_events(**STREAM)["events"] == []
    logs.put_log_events(**STREAM, logEvents=events(now - 24 * HOUR, now))
    logs.put_log_events(**STREAM, logEvents=events(now, message="x" * (1_048_576 - 26)))


def test_what_is_too_old_or_too_new_is_left_out(logs, now):
    """RejectedLogEventsInfo: tooOldLogEventEndIndex "is exclusive", tooNewLogEventStartIndex "is inclusive"."""
    logs.put_retention_policy(**GROUP, retentionInDays=7)
    batch = events(now - 15 * 24 * HOUR, now - 8 * 24 * HOUR, now, now + HOUR, now + 3 * HOUR)
    got = logs.put_log_events(**STREAM, logEvents=batch)["rejectedLogEventsInfo"]
    assert got == {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4}
    kept = logs.get_log_events(**STREAM)["events"]
    assert [event["timestamp"] for event in kept] == [now, now + HOUR]


def test_lines_are_followed_by_the_token_until_it_stays_the_same(logs, now):
    """GetLogEvents: "If you have reached the end of the stream, it returns the same token you passed in"."""
    logs.put_log_events(**STREAM, logEvents=events(*range(now, now + 7)))
    got = logs.get_log_events(**STREAM, startFromHead=True, limit=5)
    seen, token = list(got["events"]), got["nextForwardToken"]
    got = logs.get_log_events(**STREAM, nextToken=token)
    seen += got["events"]
    end = got["nextForwardToken"]
    assert (len(seen), end != token) == (7, True)
    got = logs.get_log_events(**STREAM, nextToken=end)
    assert (got["events"], got["nextForwardToken"]) == ([], end)
    logs.put_log_events(**STREAM, logEvents=events(now + 9))
    assert len(logs.get_log_events(**STREAM, nextToken=end)["events"]) == 1


def test_the_end_of_a_time_range(logs, now):
    """GetLogEvents: endTime is exclusive. FilterLogEvents: "Events with a timestamp later than this time are not
    returned"."""
    logs.put_log_events(**STREAM, logEvents=events(now, now + 1))
    assert len(logs.get_log_events(**STREAM, startTime=now, endTime=now + 1)["events"]) == 1
    assert len(logs.filter_log_events(**GROUP, startTime=now, endTime=now + 1)["events"]) == 2


def test_questions_that_are_refused(logs, refused):
    """GetLogEvents, FilterLogEvents."""
    assert refused(logs.get_log_events, **STREAM, nextToken="made up")[0] == "InvalidParameterException"
    assert refused(logs.get_log_events, **GROUP, logStreamName="none")[0] == "ResourceNotFoundException"
    assert refused(logs.get_log_events, logStreamName="x")[0] == "InvalidParameterException"
    assert refused(logs.filter_log_events, **GROUP, logStreamNames=["none"])[0] == "ResourceNotFoundException"
    assert refused(logs.filter_log_events, logGroupName="none")[0] == "ResourceNotFoundException"
    both = {"logStreamNames": ["job/algo-1"], "logStreamNamePrefix": "job"}
    assert refused(logs.filter_log_events, **GROUP, **both)[0] == "InvalidParameterException"


@pytest.mark.parametrize("pattern", ["?a ?b", "{ $.x = 1 }", "a -b", "%x%", "[a, b]", "'a'"])
def test_a_filter_pattern_that_is_not_understood_finds_nothing_silently(logs, refused, pattern):
    """moto would return every line (its own documentation says so)."""
    assert refused(logs.filter_log_events, **GROUP, filterPattern=pattern)[0] == "NotImplementedInSandbox"


def test_lines_of_several_streams_are_found_in_order_of_time_and_in_pages(logs, now):
    """FilterLogEvents: interleaved; logStreamNamePrefix; nextToken."""
    logs.create_log_stream(**GROUP, logStreamName="job/algo-2")
    logs.create_log_stream(**GROUP, logStreamName="other")
    logs.put_log_events(**STREAM, logEvents=events(now, now + 2, message="an ERROR"))
    for name in ("job/algo-2", "other"):
        logs.put_log_events(**GROUP, logStreamName=name, logEvents=events(now + 1, message="fine"))

    def found(**params):
        pages = logs.get_paginator("filter_log_events").paginate(**GROUP, **params, PaginationConfig={"PageSize": 2})
        return [(event["logStreamName"], event["timestamp"] - now) for page in pages for event in page["events"]]

    assert found(logStreamNamePrefix="job/") == [("job/algo-1", 0), ("job/algo-2", 1), ("job/algo-1", 2)]
    assert found(logStreamNamePrefix="none") == []
    assert len(found()) == 4
    assert found(filterPattern="ERROR") == [("job/algo-1", 0), ("job/algo-1", 2)]
    assert found(filterPattern='"an ERR"') == [("job/algo-1", 0), ("job/algo-1", 2)]


def key_policy(**changes):
    root = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:123456789012:log-group:/mlops/*"}
        },
        **changes,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [root, service]})


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "logs.eu-west-1.amazonaws.com"}},
        {"Principal": {"AWS": "123456789012"}},
        {"Action": "kms:Encrypt"},
        {
            "Condition": {
                "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:123456789012:log-group:/x"}
            }
        },
        {"Effect": "Deny"},
    ],
)
def test_a_key_that_does_not_let_the_service_in_encrypts_no_group(logs, shared_client, refused, changes):
    """User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service", step 2."""
    key = shared_client("kms").create_key(Policy=key_policy(**changes))["KeyMetadata"]["Arn"]
    code, message = refused(logs.create_log_group, logGroupName="/mlops/x", kmsKeyId=key)
    assert (code, "not allowed to be used with LogGroup" in message) == ("InvalidParameterException", True)


def test_a_group_is_encrypted_by_a_key_that_is_there_enabled_and_lets_the_service_in(logs, shared_client, refused):
    """CreateLogGroup: "If […] the KMS key does not exist or the KMS key is disabled, you receive an
    InvalidParameterException error"; AssociateKmsKey, DisassociateKmsKey."""
    kms = shared_client("kms")
    key = kms.create_key(Policy=key_policy())["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="/mlops/x", kmsKeyId=key)
    assert refused(logs.associate_kms_key, **GROUP, kmsKeyId=key)[0] == "InvalidParameterException"
    named = {"logGroupName": "/mlops/x"}
    logs.disassociate_kms_key(**named)
    kms.disable_key(KeyId=key)
    assert refused(logs.associate_kms_key, **named, kmsKeyId=key)[0] == "InvalidParameterException"
    kms.enable_key(KeyId=key)
    logs.associate_kms_key(**named, kmsKeyId=key)
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/mlops")["logGroups"]
    assert group["kmsKeyId"] == key
