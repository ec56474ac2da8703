"""`python -m sandbox run`, `serve` and `env`: exit codes, signals, silence, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from sandbox import Sandbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable


def start(*args, **options):
    return subprocess.Popen(
        [PYTHON, "-m", "sandbox", *args], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_run_gives_the_real_aws_cli_an_account_and_shows_it_the_sandboxs_errors(run_sandbox, aws_cli):
    script = (
        f"{aws_cli} sts get-caller-identity --query Arn --output text; "
        f"{aws_cli} codecommit get-repository-triggers --repository-name x --region eu-west-1"
    )
    done = run_sandbox("run", "--region", "eu-west-1", "--", "sh", "-c", script)
    assert done.stdout == "arn:aws:iam::123456789012:user/developer\n"
    assert done.returncode > 128  # the AWS CLI's own code for an error of the service
    assert done.stderr.strip() == (
        "aws: [ERROR]: "
        * done.stderr.strip().startswith("aws: [ERROR]")
        + "An error occurred (NotImplementedInSandbox) when calling the GetRepositoryTriggers operation: "
        "sandbox/ has no codecommit GetRepositoryTriggers. Call it on a real account, or add it to sandbox/ (docs/sandbox.md says how)."
    )


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
def test_run_exits_with_the_commands_code(run_sandbox, script, code):
    done = run_sandbox("run", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (code, "")


def test_a_command_that_is_not_there_is_127_and_one_line(run_sandbox, tmp_path):
    done = run_sandbox("run", "--", "no-such-command")
    assert (done.returncode, done.stdout, done.stderr) == (127, "", "sandbox: command not found: no-such-command\n")
    (tmp_path / "plain").write_text("")
    assert run_sandbox("run", "--", str(tmp_path / "plain")).returncode == 126


def test_options_of_the_command_are_the_commands(run_sandbox):
    done = run_sandbox("run", "--", "printf", "%s,", "--call-log", "-x", "--help")
    assert done.stdout == "--call-log,-x,--help,"


def test_a_call_log_that_cannot_be_written_is_one_line(run_sandbox, tmp_path):
    done = run_sandbox("run", "--call-log", str(tmp_path / "none" / "log"), "--", "true")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_command_and_leave_nothing_behind(number, tmp_path):
    code = (
        "import os, signal, sys, pathlib, urllib.request\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        "url = os.environ['AWS_ENDPOINT_URL'] + '/_sandbox/environment'\n"
        "urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url).read()\n"
        "folder = pathlib.Path(os.environ['AWS_CONFIG_FILE']).parent\n"
        "print(os.getpid(), os.environ['AWS_ENDPOINT_URL'].rpartition(':')[2], folder, flush=True)\n"
        "signal.pause()\n"
    )
    process = start("run", "--", PYTHON, "-c", code)
    child, port, folder = process.stdout.readline().split()
    assert Path(folder).is_dir()
    process.send_signal(number)
    assert process.wait(timeout=20) == 9
    assert is_free(int(port))
    assert not Path(folder).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(child), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_sandbox_that_is_killed_outright_takes_the_command_with_it():
    process = start("run", "--", "sh", "-c", "echo $$; exec sleep 60")
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and "zombie" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_serve_keeps_a_sandbox_that_other_shells_join(aws_cli):
    """`serve` prints export lines; `env` prints them again; both point a shell at the same state."""
    server = start("serve", "--port", "0")
    lines = []
    for line in server.stdout:
        lines.append(line)
        if line.startswith("#"):
            break
    port = next(line for line in lines if line.startswith("export AWS_ENDPOINT_URL=")).strip().rpartition(":")[2]
    try:
        script = "".join(lines) + f"{aws_cli} codecommit create-repository --repository-name demo >/dev/null"
        subprocess.run(["sh", "-ec", script], check=True, timeout=60)
        join = f'eval "$({PYTHON} -m sandbox env --port {port})"; git ls-remote "$AWS_ENDPOINT_URL/v1/repos/demo" && '
        listed = subprocess.run(
            [
                "sh",
                "-c",
                join + f"{aws_cli} codecommit list-repositories --query 'repositories[].repositoryName' --output text",
            ],
            cwd=ROOT,
            env={**os.environ, "AWS_PROFILE": "real", "AWS_SESSION_TOKEN": "real"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert listed.stdout == "demo\n"
        taken = subprocess.run(
            [PYTHON, "-m", "sandbox", "serve", "--port", port], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (taken.returncode, taken.stdout) == (1, "")
        assert f"port {port}" in taken.stderr
    finally:
        server.terminate()
    assert server.wait(timeout=20) == 0
    assert is_free(int(port))
    nobody = subprocess.run(
        [PYTHON, "-m", "sandbox", "env", "--port", port], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "No sandbox answers" in nobody.stderr


def test_a_run_does_not_meet_another_sandbox_and_keeps_its_own_log(sandbox, codecommit, run_sandbox, tmp_path):
    codecommit.create_repository(repositoryName="demo")
    log = tmp_path / "calls.jsonl"
    log.write_text('{"before": true}\n')
    code = "import boto3; print(boto3.client('codecommit').list_repositories()['repositories'])"
    done = run_sandbox("run", "--call-log", str(log), "--", PYTHON, "-c", code)
    assert (done.returncode, done.stdout) == (0, "[]\n")
    first, second = map(json.loads, log.read_text().splitlines())
    assert first == {"before": True}
    assert (second["service"], second["operation"], second["status"]) == ("codecommit", "ListRepositories", 200)
    assert len(sandbox.calls) == 1


def test_the_environment_reaches_no_real_account(sandbox):
    base = {
        "PATH": "/bin",
        "AWS_PROFILE": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_S3": "https://real.example.com",
        "NO_PROXY": "intranet",
    }
    env = sandbox.environment(base)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & env.keys()
    assert env["AWS_ENDPOINT_URL"] == sandbox.url
    assert env["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert env["PATH"] == "/bin"
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert Path(env[name]).read_text() == ""


def test_a_process_has_one_sandbox_at_a_time(sandbox):
    with pytest.raises(RuntimeError, match="a sandbox already"), Sandbox():
        pass


def test_the_sandbox_listens_on_loopback_only(sandbox):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address")
        address = probe.getsockname()[0]
    port = int(sandbox.url.rpartition(":")[2])
    with socket.socket() as outside:
        assert outside.connect_ex((address, port)) != 0


def test_reset_forgets_state_calls_and_repositories_on_disk(sandbox, codecommit, client):
    client("s3").create_bucket(Bucket="bucket")
    codecommit.create_repository(repositoryName="demo")
    sandbox.reset()
    assert sandbox.calls == []
    assert client("s3").list_buckets()["Buckets"] == []
    assert codecommit.list_repositories()["repositories"] == []
    assert not list(Path(sandbox.endpoint.folder, "codecommit").glob("*.git"))
    assert client("sts").get_caller_identity()["Arn"].endswith("user/developer")


def test_how_long_it_takes_is_shown(sandbox, sagemaker, capsys, run_sandbox):
    """No assertion on time: `make bench` compares it."""
    begun = time.perf_counter()
    for _ in range(20):
        sagemaker.list_model_package_groups()
    call = (time.perf_counter() - begun) / 20
    begun = time.perf_counter()
    code = (
        "import os, urllib.request as u; o = u.build_opener(u.ProxyHandler({})); "
        "o.open(os.environ['AWS_ENDPOINT_URL'] + '/_sandbox/environment').read()"
    )
    assert run_sandbox("run", "--", PYTHON, "-c", code).returncode == 0
    with capsys.disabled():
        whole = time.perf_counter() - begun
        print(f"\n[sandbox: {call * 1000:.1f} ms a call; `run` of one request {whole:.2f} s]")
    assert json.loads(
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sandbox.url + "/_sandbox/environment").read()
    )
