"""The real AWS CLI deploys, changes nothing, changes and deletes a stack."""

from __future__ import annotations

import subprocess
import time

import pytest

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Project: {Type: String, AllowedPattern: "[a-z-]+"}
Resources:
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/mlops/${Project}", RetentionInDays: 7}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "mlops-${Project}"
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: !Sub "lambda.${AWS::URLSuffix}"}, Action: "sts:AssumeRole"}]
Outputs:
  Role: {Value: !GetAtt Role.Arn}
"""


@pytest.mark.slow
def test_deploy_and_delete(sandbox, aws_cli, tmp_path, client):
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    client("cloudformation").list_stacks()

    def cloudformation(*args: str) -> subprocess.CompletedProcess[str]:
        command = [aws_cli, "cloudformation", *args]
        return subprocess.run(
            command, env=sandbox.environment(), capture_output=True, text=True, timeout=100, check=False
        )

    def deploy(*more: str) -> subprocess.CompletedProcess[str]:
        fixed = ("--stack-name", "demo", "--template-file", str(path), "--capabilities", "CAPABILITY_NAMED_IAM")
        return cloudformation("deploy", *fixed, "--no-fail-on-empty-changeset", *more)

    first = deploy("--parameter-overrides", "Project=demo")
    assert (first.returncode, "Successfully created/updated stack - demo" in first.stdout) == (0, True), first.stderr
    assert client("iam").get_role(RoleName="mlops-demo")["Role"]["RoleName"] == "mlops-demo"
    again = deploy()
    started = int(time.time())
    assert (again.returncode, "No changes to deploy. Stack demo is up to date" in again.stdout) == (0, True), (
        again.stderr
    )
    path.write_text(TEMPLATE.replace("RetentionInDays: 7", "RetentionInDays: 14"))
    client("s3").create_bucket(Bucket="templates")
    while int(time.time()) == started:  # the CLI names change sets by the second, and leaves an empty one behind
        time.sleep(0.05)
    changed = deploy("--s3-bucket", "templates", "--tags", "team=ml")
    assert changed.returncode == 0, changed.stderr
    group = client("logs").describe_log_groups(logGroupNamePrefix="/mlops/demo")["logGroups"][0]
    assert group["retentionInDays"] == 14
    assert cloudformation("delete-stack", "--stack-name", "demo").returncode == 0
    assert cloudformation("wait", "stack-delete-complete", "--stack-name", "demo").returncode == 0
    assert client("logs").describe_log_groups()["logGroups"] == []
