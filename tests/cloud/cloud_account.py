"""An AWS account with the account stack in it, and the people and roles that act there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import boto3

from sandbox.server import Sandbox
from tests.conftest import TEMPLATE

NUMBER = "123456789012"
ROOT = f"arn:aws:iam::{NUMBER}:root"
Environment = dict[str, str]


class CloudAccount:
    """The sandbox's account, emptied, in which `make account` has run."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.set_faults([])
        sandbox.reset()
        self.environment = sandbox.environment()
        session = boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=sandbox.region,
        )
        self._session = session
        self.iam, self.sts = self.client("iam"), self.client("sts")

    def client(self, service: str) -> Any:
        """A client of the administrator's."""
        return self._session.client(service, endpoint_url=self.sandbox.url)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program behind `make account`."""
        return subprocess.run(
            [sys.executable, "-m", "account", *arguments],
            cwd=TEMPLATE,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def deploy(self, **parameters: str) -> None:
        """Deploy the stack; it must come to a good end."""
        settings = [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]
        done = self.make("deploy", "--yes", *settings)
        assert done.returncode == 0, done.stdout + done.stderr

    def network(self) -> tuple[list[str], str]:
        """Two subnets of the account and a security group."""
        ec2 = self.client("ec2")
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
        return subnets, ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]

    def person(self, name: str, *policies: str) -> Environment:
        """Somebody who has logged in by SSO: a role with customer managed policies, by the beginning of their names."""
        trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
        arn = self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )["Role"]["Arn"]
        for policy in self.iam.list_policies(Scope="Local")["Policies"]:
            if policy["PolicyName"].startswith(policies):
                self.iam.attach_role_policy(RoleName=name, PolicyArn=policy["Arn"])
        found = self.sts.assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return self._as(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def build(self, role: str) -> Environment:
        """A build that CodeBuild runs under a role."""
        arn = self.iam.get_role(RoleName=role)["Role"]["Arn"]
        caller = self.sandbox.inside.assume(arn, "codebuild.amazonaws.com", "build")
        assert caller.token
        return self._as(caller.access_key, caller.secret, caller.token)

    def _as(self, key: str, secret: str, token: str) -> Environment:
        credentials = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}
        return self.environment | credentials
