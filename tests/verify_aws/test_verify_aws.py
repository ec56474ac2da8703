"""`make verify-aws`, run against the sandbox: it is ready for the day on which there is an account."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox
from tests.cloud.cloud_account import NUMBER, CloudAccount
from tests.conftest import TEMPLATE
from verify_aws.assumptions import ASSUMPTIONS
from verify_aws.refusals import CASES

pytestmark = pytest.mark.slow

# What only AWS can tell: the sandbox lets everybody do everything, and has no engine of IAM.
FOR_AWS_ALONE = {"permissions", "refusals"}


@pytest.fixture
def account(running_sandbox: Sandbox) -> Iterator[CloudAccount]:
    """An account without the account stack."""
    yield CloudAccount(running_sandbox)
    running_sandbox.reset()


def verify(account: CloudAccount, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "verify_aws", *options],
        cwd=TEMPLATE,
        env=account.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left(account: CloudAccount) -> list[str]:
    """What a run has left, of each kind that it makes."""
    sagemaker, stacks = account.client("sagemaker"), account.client("cloudformation")
    keys = account.client("kms")
    return [
        *(one["PipelineName"] for one in sagemaker.list_pipelines()["PipelineSummaries"]),
        *(
            one["ModelPackageGroupName"]
            for one in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        ),
        *(one["RoleName"] for one in account.iam.list_roles()["Roles"] if "register" not in one["RoleName"]),
        *(one["repositoryName"] for one in account.client("codecommit").list_repositories()["repositories"]),
        *(one["StackName"] for one in stacks.describe_stacks()["Stacks"]),
        *(f"{one['Name']}: {objects(account, one['Name'])}" for one in account.client("s3").list_buckets()["Buckets"]),
        *(
            one["KeyId"]
            for one in keys.list_keys()["Keys"]
            if keys.describe_key(KeyId=one["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
        ),
    ]


def objects(account: CloudAccount, bucket: str) -> int:
    found = account.client("s3").list_object_versions(Bucket=bucket)
    return len(found.get("Versions", []) + found.get("DeleteMarkers", []))


@pytest.mark.slow
def test_the_whole_loop_runs_is_judged_and_leaves_nothing(account: CloudAccount) -> None:
    process = verify(account, "--yes", "--account", NUMBER)
    shown, _ = process.communicate()
    assert process.returncode == 0, shown
    for said in (
        "0.69 USD at the very most",
        "Version 1 of verify-",
        "reused Compare, Evaluate, EvaluateCurrent, Train, Preprocess, CheckData",
        "Nothing is left.",
    ):
        assert said in shown, shown
    judged = shown[shown.index("the sandbox assumes") :]
    agrees = [line.rsplit("  ", 1)[-1].strip() for line in judged.splitlines()[1:] if line.strip()]
    assert agrees.count("yes") == len({one.__name__ for one in ASSUMPTIONS} - FOR_AWS_ALONE)
    assert "NO" not in agrees
    assert judged.count("permissions are not enforced here") == 4
    assert "NotImplementedInSandbox" in judged
    assert left(account) == []


@pytest.mark.slow
def test_ctrl_c_removes_what_was_made_and_leaves_a_stack_that_was_there(account: CloudAccount) -> None:
    account.deploy()
    before = left(account)
    process = verify(account, "--yes", "--account", NUMBER, "--use-stack")
    assert process.stdout
    shown = ""
    while "-m mlops doctor" not in shown:
        line = process.stdout.readline()
        assert line, shown
        shown += line
    assert len(left(account)) > len(before), "setup has run"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()
    assert process.returncode == 1
    assert "it was interrupted: removing what was made" in rest
    assert "Nothing is left." in rest
    assert "account remove" not in rest
    assert left(account) == before


def test_it_refuses_what_could_hurt(account: CloudAccount) -> None:
    def refusal(*options: str) -> str:
        process = verify(account, *options)
        shown, _ = process.communicate()
        assert process.returncode == 1, shown
        return shown.splitlines()[-1]

    assert "these credentials are for account 123456789012, and 999999999999" in refusal("--account", "999999999999")
    assert "make verify-aws YES=1 ACCOUNT=123456789012" in refusal("--yes")
    assert "nobody is here to type the account's number" in refusal()
    assert "there is no stack mlops-account in us-east-1 to use" in refusal("--use-stack")
    account.client("cloudformation").create_stack(
        StackName="mlops-account", TemplateBody='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    )
    assert "this would remove it at the end; add USE_STACK=1" in refusal("--yes", "--account", NUMBER)
    made = {
        call["operation"] for call in account.sandbox.calls if not call["operation"].startswith(("Get", "Describe"))
    }
    assert made == {"CreateStack", "CreateTopic"}


def test_what_may_not_stands_beside_what_may() -> None:
    """An engine that refuses everything would agree with a list of refusals."""
    for who in {case.who for case in CASES}:
        assert {case.allowed for case in CASES if case.who == who} == {True, False}, who


def test_nothing_of_the_sandbox_is_in_it() -> None:
    for file in (TEMPLATE / "verify_aws").glob("*.py"):
        assert "import sandbox" not in (text := file.read_text("utf-8")), file
        assert "from sandbox" not in text, file
