"""How the sandbox's tests talk to it: boto3, the real AWS CLI, the real git, and requests that no SDK would send."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox import Sandbox

ROOT = Path(__file__).parents[2]
SESSION = boto3.session.Session()  # loads each service's model once
CLI = Path(sys.executable).with_name("aws")


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The one sandbox of this test process, empty and without faults."""
    running_sandbox.reset()
    yield running_sandbox
    running_sandbox.set_faults([])
    running_sandbox.reset()


@pytest.fixture
def aws_cli() -> str:
    """The real AWS CLI."""
    return str(CLI)


@pytest.fixture
def client(sandbox: Sandbox) -> Callable[..., Any]:
    """client("codecommit"), with no retries, so that each call is one call; client("sts", key=..., secret=...)."""

    def make(
        service: str, *, key: str = "", secret: str = "", token: str | None = None, region: str = "", attempts: int = 1
    ) -> Any:
        return SESSION.client(
            service,
            endpoint_url=sandbox.url,
            region_name=region or sandbox.region,
            aws_access_key_id=key or sandbox.endpoint.access_key,
            aws_secret_access_key=secret or sandbox.endpoint.secret,
            aws_session_token=token,
            config=Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                parameter_validation=False,
                read_timeout=60,
                proxies={},
            ),
        )

    return make


@pytest.fixture(scope="session")
def made_clients() -> dict[tuple[str, str, str], Any]:
    return {}


@pytest.fixture
def shared_client(
    sandbox: Sandbox, client: Callable[..., Any], made_clients: dict[tuple[str, str, str], Any]
) -> Callable[..., Any]:
    """As client("s3", region=...), but made once for all tests, for making one takes longer than most of them. Do not
    register events on it."""

    def find(service: str, *, region: str = "") -> Any:
        place = (sandbox.url, service, region)
        if place not in made_clients:
            made_clients[place] = client(service, region=region)
        return made_clients[place]

    return find


@pytest.fixture
def codecommit(client: Callable[..., Any]) -> Any:
    return client("codecommit")


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    return client("sagemaker")


@pytest.fixture
def refused() -> Callable[..., tuple[str, str]]:
    """refused(function, **params) -> (error code, message); fails if the call succeeds."""

    def call(function: Callable[..., Any], **params: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            function(**params)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call


@dataclass
class RawAnswer:
    status: int
    body: Any


@pytest.fixture
def raw_call(sandbox: Sandbox) -> Callable[..., RawAnswer]:
    """A signed JSON request that no SDK would send: raw_call("sagemaker", "SageMaker.ListTags", {...})."""

    def call(service: str, target: str, body: Any, content_type: str = "application/x-amz-json-1.1") -> RawAnswer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = AWSRequest(
            "POST", sandbox.url + "/", data=data, headers={"X-Amz-Target": target, "Content-Type": content_type}
        )
        SigV4Auth(Credentials(sandbox.endpoint.access_key, sandbox.endpoint.secret), service, sandbox.region).add_auth(
            request
        )
        wire = urllib.request.Request(sandbox.url + "/", data=data, headers=dict(request.headers), method="POST")  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(wire, timeout=10) as answer:
                return RawAnswer(answer.status, json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            return RawAnswer(error.code, json.loads(error.read()))

    return call


@dataclass
class Clone:
    """A working copy that pushes to the sandbox."""

    path: Path
    env: dict[str, str]

    def git(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["git", *args], cwd=self.path, env=self.env, capture_output=True, text=True, timeout=60, check=False
        )
        assert not check or done.returncode == 0, f"git {args}: {done.stderr}"
        return done

    def commit(self, name: str = "file.txt", content: str | bytes = "content\n", message: str = "a commit") -> str:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").stdout.strip()


@pytest.fixture
def git_env(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    env = sandbox.environment()
    env.update(GIT_CONFIG_GLOBAL=str(tmp_path / "no-gitconfig"), GIT_CONFIG_NOSYSTEM="1", HOME=str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{role}_NAME"], env[f"GIT_{role}_EMAIL"] = "Ada", "ada@example.com"
    return env


@pytest.fixture
def clone(sandbox: Sandbox, codecommit: Any, git_env: dict[str, str], tmp_path: Path) -> Callable[..., Clone]:
    """clone("name") -> a working copy of that repository, which is created if it is not there."""

    def make(name: str = "demo", folder: str = "work") -> Clone:
        known = {pair["repositoryName"] for pair in codecommit.list_repositories()["repositories"]}
        if name not in known:
            codecommit.create_repository(repositoryName=name)
        path = tmp_path / folder
        url = codecommit.get_repository(repositoryName=name)["repositoryMetadata"]["cloneUrlHttp"]
        subprocess.run(["git", "clone", "-q", url, str(path)], env=git_env, check=True, capture_output=True, timeout=60)
        working_copy = Clone(path, git_env)
        if working_copy.git("rev-parse", "HEAD", check=False).returncode:
            working_copy.git("symbolic-ref", "HEAD", "refs/heads/main")
        return working_copy

    return make


@pytest.fixture
def work(clone: Callable[..., Clone]) -> Clone:
    """A working copy whose repository `demo` has main, and feature one commit ahead of it; feature is checked out."""
    made = clone()
    made.commit()
    made.git("push", "-q", "origin", "main")
    made.git("checkout", "-q", "-b", "feature")
    made.commit("new.txt")
    made.git("push", "-q", "origin", "feature")
    return made


@pytest.fixture
def run_sandbox() -> Callable[..., subprocess.CompletedProcess[str]]:
    """run_sandbox("run", "--", "aws", ...) -> the finished `python -m sandbox` process."""

    def run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *args],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    return run
