"""Every command of the README runs, in its order, against the sandbox."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.server import Sandbox
from tests.conftest import TEMPLATE

QUESTIONS = sum(not name.startswith("_") for name in json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8")))
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """Return the shell blocks of a page."""
    return BLOCK.findall(page.read_text("utf-8"))


def run(block: str, aws: Sandbox, folder: Path = TEMPLATE, **environment: str) -> str:
    """Run a block as somebody would who pastes it: every line must succeed."""
    typed = "\n" * QUESTIONS
    environment = {**aws.environment(), **environment}
    done = subprocess.run(
        ["sh", "-eu", "-c", block], cwd=folder, env=environment, input=typed, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_first_screen_is_one_command_and_what_appears() -> None:
    first_screen = (TEMPLATE / "README.md").read_text("utf-8").splitlines()[:30]
    assert commands(TEMPLATE / "README.md")[0] == "make demo\n"
    assert "make demo" in first_screen
    assert any(line.startswith("tumor-diagnosis/") for line in first_screen)


@pytest.mark.slow
def test_the_demo_shows_repository_branches_groups_tags_and_metrics(aws: Sandbox) -> None:
    shown = run(commands(TEMPLATE / "README.md")[0], aws)
    for line in (
        "BRANCHES\tdev",
        "BRANCHES\tmain",
        "tumor-diagnosis\tmain\thttp://127.0.0.1:",
        "The stack mlops-account is at release",
        "tumor-diagnosis-champion",
        "Version 1 of tumor-diagnosis-feature is registered",
        "validation_accuracy",
        "Version 1 of tumor-diagnosis-feature is approved.",
        "mlops:owner",
        "Version 1 is registered: auc is 0.99",
        "run  started",
    ):
        assert line in shown, line


@pytest.mark.slow
def test_the_other_commands_of_the_readme_do_what_it_says(aws: Sandbox) -> None:
    for project in ("tumor-diagnosis", "house-prices"):
        shutil.rmtree(TEMPLATE / "build" / project, ignore_errors=True)
    install, script, _, work, verify = commands(TEMPLATE / "README.md")[1:]
    run(work.replace("make test-fast\n", "make --dry-run test-fast\n"), aws)
    run(verify, aws)
    assert f"[{QUESTIONS}/{QUESTIONS}]" in run(install, aws)
    run(script, aws)
    made = {call["operation"] for call in aws.calls}
    assert {"CreateRepository", "GitPush", "CreateModelPackageGroup"} <= made


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/account.md"])
def test_what_platform_teams_type_does_what_it_says(page: str, aws: Sandbox, workshop: Path) -> None:
    """In their place a yes is said; the organisation of docs/account.md has a network that is there."""
    blocks = [block for block in commands(TEMPLATE / page) if "make account" in block]
    if page == "docs/account.md":
        (workshop / "organisation.yaml").write_text(_organisation(aws), "utf-8")
    shown = [run(block, aws, workshop, YES="1") for block in blocks]
    assert "Add     AWS::KMS::Key" in shown[0]
    assert "The stack mlops-account is at release" in shown[0]
    assert shown[-1].endswith("The stack mlops-account is gone.\n")
    [described] = [call for call in aws.calls if call["operation"] == "CreateKey"]
    assert described["status"] == 200


@pytest.mark.slow
def test_the_other_commands_of_the_account_page_are_understood(aws: Sandbox, workshop: Path) -> None:
    """With a permission set that nobody has: AWS's model takes all that the command says, and then looks for it."""
    handing, trying = [block for block in commands(TEMPLATE / "docs/account.md") if "make account" not in block]
    instance = "ssoins-0123456789abcdef"
    handing = handing.replace("INSTANCE", f"arn:aws:sso:::instance/{instance}")
    handing = handing.replace(" SET ", f" arn:aws:sso:::permissionSet/{instance}/ps-0123456789abcdef ")
    done = subprocess.run(["sh", "-euc", handing], env=aws.environment(), capture_output=True, text=True)
    assert "Could not find PermissionSet with id ps-0123456789abcdef" in done.stderr, done.stderr
    assert "AWS account 123456789012" in run(trying, aws, workshop)


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """The template's folder, in which one may write."""
    for part in TEMPLATE.iterdir():
        if part.name not in {".git", "build"}:
            (tmp_path / part.name).symlink_to(part)
    return tmp_path


def client(aws: Sandbox, service: str) -> Any:
    """A client for looking."""
    keys = aws.environment()
    return boto3.client(
        service,
        region_name=aws.region,
        endpoint_url=aws.url,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )


def _organisation(aws: Sandbox) -> str:
    """The YAML of docs/account.md, with subnets and a group of the sandbox's."""
    example: str
    [example] = re.findall(r"^```yaml\n(.*?)^```$", (TEMPLATE / "docs/account.md").read_text("utf-8"), re.M | re.S)
    ec2 = client(aws, "ec2")
    real = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    real.append(ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"])
    for name, there in zip(re.findall(r"(?:subnet|sg)-\w+", example), real, strict=True):
        example = example.replace(name, there)
    return example


@pytest.mark.parametrize("folder", [TEMPLATE, TEMPLATE / "<<cookiecutter.project_slug>>"], ids=["here", "there"])
def test_the_list_of_make_fits_a_terminal_of_80_columns(folder: Path) -> None:
    listed = subprocess.run(["make", "-C", str(folder), "--no-print-directory", "help"], capture_output=True, text=True)
    lines = listed.stdout.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if len(line) > 80] == []


def test_every_make_target_that_the_readme_names_exists() -> None:
    page = (TEMPLATE / "README.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (TEMPLATE / "Makefile").read_text("utf-8"), re.MULTILINE))
    in_repository = re.findall(
        r"^([a-z-]+):",
        (TEMPLATE / "<<cookiecutter.project_slug>>" / "Makefile").read_text("utf-8"),
        re.MULTILINE,
    )
    named = set(re.findall(r"make ([a-z-]+)", page))
    assert named <= targets | set(in_repository), named
