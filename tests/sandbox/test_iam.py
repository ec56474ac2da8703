"""IAM refuses what AWS refuses: documents, sizes, quotas, what is in use.

Sources: IAM API Reference (errors of each operation), IAM User Guide, "IAM and AWS STS quotas" and "Grammar of the IAM
JSON policy language".
"""

from __future__ import annotations

import json

import pytest

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}
LONG = {**READ, "Resource": ["arn:aws:s3:::" + "x" * 59 + str(100 + number) for number in range(90)]}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def iam(client):
    return client("iam")


@pytest.fixture
def role(iam):
    iam.create_role(RoleName="job", Path="/mlops/", AssumeRolePolicyDocument=document(ASSUME))
    return "job"


@pytest.mark.parametrize(
    ("trust", "message"),
    [
        ("{", "invalid Json"),
        ("{}", "Syntax errors in policy"),
        (document({"Effect": "Allow", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
        (document({**ASSUME, "Resource": "*"}), "prohibited field Resource"),
        (document({**ASSUME, "Action": "s3:GetObject"}), "may only specify STS AssumeRole actions"),
        (document({**ASSUME, "Effect": "allow"}), "Syntax errors in policy"),
        (document({**ASSUME, "Sid": "a b"}), "alpha-numeric"),
        (document({**ASSUME, "Principal": {"Service": "sagemaker"}}), 'Invalid principal in policy: "SERVICE"'),
        (document({**ASSUME, "Principal": {"Somebody": "x"}}), "Invalid principal"),
        (document({**ASSUME, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}}), '"AWS":"arn'),
        (document({**ASSUME, "Principal": {"AWS": "somebody"}}), '"AWS":"somebody"'),
    ],
)
def test_a_malformed_trust_policy_is_refused(iam, refused, role, trust, message):
    for call in (
        lambda **document_: iam.create_role(RoleName="new", AssumeRolePolicyDocument=trust),
        lambda **document_: iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust),
    ):
        code, text = refused(call)
        assert (code, message in text) == ("MalformedPolicyDocument", True), text


def test_a_trust_policy_may_name_who_is_there(iam, role):
    for principal in (ROOT, ACCOUNT, "*", f"arn:aws:iam::{ACCOUNT}:role/mlops/job", "arn:aws:iam::999999999999:role/x"):
        iam.update_assume_role_policy(
            RoleName=role, PolicyDocument=document({**ASSUME, "Principal": {"AWS": principal}})
        )


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({**READ, "Principal": "*"}, "should not specify a principal"),
        ({**READ, "Sid": "a b"}, "alpha-numeric"),
        ({"Effect": "Allow", "Action": "s3:GetObject"}, "must contain resources"),
        ({**READ, "Action": "GetObject"}, "vendor"),
    ],
)
def test_a_malformed_policy_is_refused(iam, refused, role, statement, message):
    for call in (
        lambda: iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(statement)),
        lambda: iam.create_policy(PolicyName="p", PolicyDocument=document(statement)),
    ):
        code, text = refused(call)
        assert (code, message in text) == ("MalformedPolicyDocument", True), text


def test_sizes_are_counted_without_white_space(iam, refused, role):
    """Managed 6,144 characters; inline 10,240 for all of a role; trust 2,048."""
    assert refused(iam.create_policy, PolicyName="p", PolicyDocument=document(LONG))[0] == "LimitExceeded"
    iam.put_role_policy(RoleName=role, PolicyName="a", PolicyDocument=document(LONG))
    iam.put_role_policy(RoleName=role, PolicyName="a", PolicyDocument=document(LONG))  # instead of the first
    code, message = refused(iam.put_role_policy, RoleName=role, PolicyName="b", PolicyDocument=document(LONG))
    assert (code, message) == ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role job")
    many = document(*({**ASSUME, "Sid": f"S{number}"} for number in range(20)))
    assert refused(iam.update_assume_role_policy, RoleName=role, PolicyDocument=many)[0] == "LimitExceeded"
    spaced = json.dumps(json.loads(document(READ)), indent=1500)
    assert len(spaced) > 6144
    iam.create_policy(PolicyName="spaced", PolicyDocument=spaced)


def test_a_role_has_at_most_ten_managed_policies(iam, refused, role):
    arns = [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=document(READ))["Policy"]["Arn"]
        for number in range(11)
    ]
    for arn in arns[:10]:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    iam.attach_role_policy(RoleName=role, PolicyArn=arns[0])  # it has it already
    code, message = refused(iam.attach_role_policy, RoleName=role, PolicyArn=arns[10])
    assert (code, message) == ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")


def test_a_boundary_must_exist_and_then_stays(iam, refused, role):
    nowhere = f"arn:aws:iam::{ACCOUNT}:policy/mlops/none"
    code, _ = refused(
        iam.create_role, RoleName="new", AssumeRolePolicyDocument=document(ASSUME), PermissionsBoundary=nowhere
    )
    assert code == "NoSuchEntity"
    assert refused(iam.put_role_permissions_boundary, RoleName=role, PermissionsBoundary=nowhere)[0] == "NoSuchEntity"
    arn = iam.create_policy(PolicyName="boundary", Path="/mlops/", PolicyDocument=document(READ))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=arn)
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.delete_role_permissions_boundary(RoleName=role)
    iam.delete_policy(PolicyArn=arn)


def test_what_is_in_use_is_not_deleted(iam, refused, role):
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(READ))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=document(READ))
    assert refused(iam.delete_role, RoleName=role)[0] == "DeleteConflict"
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    assert refused(iam.delete_role, RoleName=role)[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName=role, PolicyName="inline")
    iam.delete_role(RoleName=role)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(READ), SetAsDefault=True)
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)


def test_names_and_tags(iam, refused, role):
    """Names differ in more than case; tags: 50, keys not case-sensitive, none of AWS's own."""
    code, _ = refused(iam.create_role, RoleName="JOB", AssumeRolePolicyDocument=document(ASSUME))
    assert code == "EntityAlreadyExists"
    iam.tag_role(RoleName=role, Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(50)])
    iam.tag_role(RoleName=role, Tags=[{"Key": "k1", "Value": "again"}])
    assert refused(iam.tag_role, RoleName=role, Tags=[{"Key": "one-more", "Value": "v"}])[0] == "LimitExceeded"
    assert refused(iam.tag_role, RoleName=role, Tags=[{"Key": "aws:x", "Value": "v"}])[0] == "InvalidInput"
    assert refused(iam.tag_role, RoleName=role, Tags=[{"Key": "x", "Value": "a,b"}])[0] == "ValidationError"


@pytest.mark.parametrize(
    ("principal", "condition", "works"),
    [
        ({"AWS": ROOT}, None, True),
        ({"AWS": ACCOUNT}, None, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/developer"}, None, True),
        ({"AWS": "999999999999"}, None, False),
        ({"Service": "sagemaker.amazonaws.com"}, None, False),
        ({"AWS": ROOT}, {"StringEquals": {"sts:ExternalId": "7"}}, False),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/dev*"}}, True),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, False),
    ],
)
def test_a_role_is_taken_by_whom_it_trusts(iam, client, refused, role, principal, condition, works):
    """IAM User Guide, "AWS JSON policy elements: Principal"."""
    statement = {**ASSUME, "Principal": principal, **({"Condition": condition} if condition else {})}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(statement))
    arn = f"arn:aws:iam::{ACCOUNT}:role/mlops/job"
    if works:
        assert client("sts").assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"]
    else:
        assert refused(client("sts").assume_role, RoleArn=arn, RoleSessionName="run")[0] == "AccessDenied"


def test_a_role_that_a_role_is_trusted_with(iam, client, role):
    """A session is meant by the ARN of its role, and by its own."""
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document({**ASSUME, "Principal": {"AWS": ROOT}}))
    first = client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/mlops/job", RoleSessionName="run")
    keys = first["Credentials"]
    as_job = client("sts", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys["SessionToken"])
    for name, principal in (("by-role", "iam::{}:role/mlops/job"), ("by-session", "sts::{}:assumed-role/job/run")):
        trusted = {"AWS": "arn:aws:" + principal.format(ACCOUNT)}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({**ASSUME, "Principal": trusted}))
        assert as_job.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="next")["Credentials"]
