"""KMS: states of keys, their policies, aliases and rotation. Each docstring names the source of the rule."""

from __future__ import annotations

import json

import pytest

ACCOUNT = "arn:aws:iam::123456789012"
NOWHERE = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def kms(shared_client):
    return shared_client("kms")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def policy(**changes):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
        **changes,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    "named", [NOWHERE, f"arn:aws:kms:us-east-1:123456789012:key/{NOWHERE}", "alias/none", "nonsense"]
)
def test_a_key_that_is_not_there_encrypts_nothing(kms, refused, named):
    """NotFoundException of Encrypt and GenerateDataKey."""
    assert refused(kms.encrypt, KeyId=named, Plaintext=b"x")[0] == "NotFoundException"
    assert refused(kms.generate_data_key, KeyId=named, KeySpec="AES_256")[0] == "NotFoundException"


def test_a_key_is_of_one_region_and_account(kms, key, shared_client, refused):
    """KMS Developer Guide, "Key identifiers (KeyId)": an ARN holds both; moto looks at the last part alone."""
    assert (
        refused(shared_client("kms", region="eu-west-1").encrypt, KeyId=key, Plaintext=b"x")[0] == "NotFoundException"
    )
    other = key.replace(":123456789012:", ":210987654321:")
    assert refused(kms.encrypt, KeyId=other, Plaintext=b"x")[0] == "NotFoundException"


def test_a_disabled_key_is_used_for_nothing(kms, key, refused):
    """Key states of AWS KMS keys: DisabledException for cryptographic operations, grants and rotation."""
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    grant = {"GranteePrincipal": f"{ACCOUNT}:root", "Operations": ["Decrypt"]}
    for function, params in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.generate_data_key_without_plaintext, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.decrypt, {"CiphertextBlob": blob}),
        (kms.enable_key_rotation, {"KeyId": key}),
        (kms.create_grant, {"KeyId": key, **grant}),
    ):
        assert refused(function, **params) == ("DisabledException", f"{key} is disabled.")
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_is_deleted_after_seven_to_thirty_days(kms, key, refused):
    """ScheduleKeyDeletion: PendingWindowInDays 7 to 30, default 30; the answer holds the ARN and the state."""
    for days in (6, 31):
        assert refused(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days)[0] == "ValidationException"
    got = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (got["KeyId"], got["KeyState"], got["PendingWindowInDays"]) == (key, "PendingDeletion", 7)
    shown = kms.describe_key(KeyId=key)["KeyMetadata"]["DeletionDate"]
    assert abs((shown - got["DeletionDate"]).total_seconds()) < 1


def test_a_key_that_waits_for_its_deletion_can_only_be_saved(kms, key, refused):
    """Key states: KMSInvalidStateException. CancelKeyDeletion leaves it Disabled."""
    kms.schedule_key_deletion(KeyId=key)
    tags = [{"TagKey": "a", "TagValue": "b"}]
    for function, params in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (kms.enable_key, {"KeyId": key}),
        (kms.disable_key, {"KeyId": key}),
        (kms.schedule_key_deletion, {"KeyId": key}),
        (kms.enable_key_rotation, {"KeyId": key}),
        (kms.tag_resource, {"KeyId": key, "Tags": tags}),
        (kms.update_key_description, {"KeyId": key, "Description": "x"}),
        (kms.create_alias, {"AliasName": "alias/x", "TargetKeyId": key}),
    ):
        assert refused(function, **params) == ("KMSInvalidStateException", f"{key} is pending deletion.")
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused(kms.cancel_key_deletion, KeyId=key)[0] == "KMSInvalidStateException"


def test_rotation_has_a_period_and_a_next_date(kms, key):
    """GetKeyRotationStatus; EnableKeyRotation: RotationPeriodInDays 90 to 2560, "default 365 days"."""
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 365
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    got = kms.get_key_rotation_status(KeyId=key)
    assert (got["KeyRotationEnabled"], got["RotationPeriodInDays"], got["KeyId"]) == (True, 90, key)
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mlops", "ValidationException"),
        ("alias/with space", "ValidationException"),
        ("alias/with:colon", "ValidationException"),
        ("alias/aws/mine", "NotAuthorizedException"),
    ],
)
def test_an_alias_that_cannot_be(kms, key, refused, name, code):
    """CreateAlias, AliasName: "must begin with alias/ […] cannot begin with alias/aws/ […] can contain only alphanumeric
    characters, forward slashes, underscores and dashes"."""
    assert refused(kms.create_alias, AliasName=name, TargetKeyId=key)[0] == code


def test_an_alias_is_of_one_key_that_is_there(kms, key, refused):
    """CreateAlias: NotFoundException, AlreadyExistsException; an alias is no target."""
    assert refused(kms.create_alias, AliasName="alias/mlops", TargetKeyId=NOWHERE)[0] == "NotFoundException"
    kms.create_alias(AliasName="alias/mlops", TargetKeyId=key)
    assert refused(kms.create_alias, AliasName="alias/mlops", TargetKeyId=key)[0] == "AlreadyExistsException"
    assert refused(kms.create_alias, AliasName="alias/b", TargetKeyId="alias/mlops")[0] == "ValidationException"
    assert kms.encrypt(KeyId="alias/mlops", Plaintext=b"x")["KeyId"] == key
    kms.delete_alias(AliasName="alias/mlops")
    assert refused(kms.encrypt, KeyId="alias/mlops", Plaintext=b"x")[0] == "NotFoundException"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        policy(Effect="Perhaps"),
        policy(Principal={"AWS": f"{ACCOUNT}:role/nobody"}),
        policy(Principal={"Service": "not-a-service"}),
        policy(Action="s3:GetObject"),
        policy(Surprise=1),
    ],
)
def test_a_key_policy_that_kms_refuses(kms, key, refused, text):
    """MalformedPolicyDocumentException of CreateKey and PutKeyPolicy; principals must exist."""
    assert refused(kms.create_key, Policy=text)[0] == "MalformedPolicyDocumentException"
    assert refused(kms.put_key_policy, KeyId=key, Policy=text)[0] == "MalformedPolicyDocumentException"


def test_a_key_policy_may_not_lock_everyone_out(kms, shared_client, refused):
    """BypassPolicyLockoutSafetyCheck: "must allow the principal […] to make a subsequent PutKeyPolicy request"."""
    iam = shared_client("iam")
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    only_other = policy(Principal={"AWS": f"{ACCOUNT}:role/other"})
    code, message = refused(kms.create_key, Policy=only_other)
    assert (code, message) == (
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )
    assert refused(kms.create_key, Policy=policy(Action="kms:Encrypt"))[0] == "MalformedPolicyDocumentException"
    kms.create_key(Policy=only_other, BypassPolicyLockoutSafetyCheck=True)
    kms.create_key(Policy=policy(Principal={"AWS": f"{ACCOUNT}:user/developer"}))
    kms.create_key(Policy=policy())


def test_tags_of_a_key_follow_kmss_rules(kms, key, refused):
    """TagResource: TagException; "You cannot use the aws: prefix"."""
    for bad in ("aws:x", "a#b"):
        tags = [{"TagKey": bad, "TagValue": "1"}]
        assert refused(kms.tag_resource, KeyId=key, Tags=tags)[0] == "TagException"
        assert refused(kms.create_key, Tags=tags)[0] == "TagException"


def test_the_call_log_has_the_key_behind_an_alias_and_the_encryption_context(kms, key, sandbox):
    """Service Authorization Reference, KMS: resource key; kms:EncryptionContext:${key}, kms:EncryptionContextKeys."""
    kms.create_alias(AliasName="alias/mlops", TargetKeyId=key)
    assert sandbox.calls[-1]["resource"] == [key, "arn:aws:kms:us-east-1:123456789012:alias/mlops"]
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "ml"}])
    kms.encrypt(KeyId="alias/mlops", Plaintext=b"x", EncryptionContext={"purpose": "test"})
    assert sandbox.calls[-1]["resource"] == key
    assert sandbox.calls[-1]["context"] == {
        "aws:ResourceTag/team": "ml",
        "kms:EncryptionContext:purpose": "test",
        "kms:EncryptionContextKeys": ["purpose"],
    }
