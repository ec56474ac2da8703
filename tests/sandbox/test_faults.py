"""Faults strike the n-th call, in the way their name says, and a fault file that names nothing real is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

ROLE = "arn:aws:iam::123456789012:user/developer"


def fault(name, service="sagemaker", operation="CreateModelPackageGroup", **more):
    return {"service": service, "operation": operation, "fault": name, **more}


@pytest.mark.parametrize(
    ("service", "operation", "call", "name", "code", "status"),
    [
        ("sagemaker", "ListModels", "list_models", "throttling", "ThrottlingException", 400),
        ("iam", "ListRoles", "list_roles", "throttling", "Throttling", 400),
        ("s3", "ListBuckets", "list_buckets", "throttling", "SlowDown", 503),
        ("lambda", "ListFunctions", "list_functions", "throttling", "ThrottlingException", 429),
        ("sagemaker", "ListModels", "list_models", "access-denied", "AccessDeniedException", 400),
        ("iam", "ListRoles", "list_roles", "access-denied", "AccessDenied", 403),
        ("s3", "ListBuckets", "list_buckets", "access-denied", "AccessDenied", 403),
        ("sagemaker", "ListModels", "list_models", "server-error", "InternalServerException", 500),
        ("s3", "ListBuckets", "list_buckets", "server-error", "InternalError", 500),
        ("sagemaker", "ListModels", "list_models", "expired-token", "ExpiredTokenException", 400),
        ("iam", "ListRoles", "list_roles", "expired-token", "ExpiredToken", 403),
    ],
)
def test_a_fault_answers_with_the_services_own_error(sandbox, client, service, operation, call, name, code, status):
    sandbox.set_faults([fault(name, service, operation)])
    with pytest.raises(ClientError) as caught:
        getattr(client(service), call)()
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert (sandbox.calls[-1]["fault"], sandbox.calls[-1]["error"]) == (name, code)
    getattr(client(service), call)()


def test_a_refusal_names_caller_action_and_resource_as_iam_does(sandbox, sagemaker, refused):
    """IAM User Guide, "Troubleshoot access denied error messages"."""
    sandbox.set_faults([fault("access-denied")])
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g"
    assert refused(sagemaker.create_model_package_group, ModelPackageGroupName="g")[1] == (
        f"User: {ROLE} is not authorized to perform: sagemaker:CreateModelPackageGroup on resource: {arn} "
        "because no identity-based policy allows the sagemaker:CreateModelPackageGroup action"
    )


def test_call_and_times_say_which_calls_fail(sandbox, sagemaker):
    sandbox.set_faults([fault("throttling", operation="ListModels", call=2, times=2)])
    assert [_fails(sagemaker.list_models) for _ in range(5)] == [False, True, True, False, False]
    sandbox.set_faults([fault("throttling", operation="ListModels", call=2, times=None)])
    assert [_fails(sagemaker.list_models) for _ in range(4)] == [False, True, True, True]
    sandbox.reset()
    assert [_fails(sagemaker.list_models) for _ in range(2)] == [False, True]


@pytest.mark.slow
def test_a_client_that_retries_survives_throttling(sandbox, client):
    sandbox.set_faults([fault("throttling", operation="ListModels")])
    client("sagemaker", attempts=3).list_models()
    assert [call["status"] for call in sandbox.calls] == [400, 200]


def test_no_answer_takes_effect_and_dropped_does_not(sandbox, sagemaker):
    sandbox.set_faults([fault("no-answer", call=1), fault("dropped", call=2)])
    for name in ("with-effect", "without"):
        with pytest.raises(ConnectionClosedError):
            sagemaker.create_model_package_group(ModelPackageGroupName=name)
    names = [
        item["ModelPackageGroupName"] for item in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]
    assert names == ["with-effect"]
    assert [(call["status"], call["fault"]) for call in sandbox.calls[:2]] == [(None, "no-answer"), (None, "dropped")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "made"), [("hang-before", []), ("hang-after", ["g"])])
def test_a_hanging_call_is_held_until_the_client_goes_away(sandbox, sagemaker, client, name, made):
    sandbox.set_faults([fault(name)])
    client_that_waits = client("sagemaker")
    client_that_waits.meta.config.read_timeout = 1
    client_that_waits._endpoint.http_session._timeout = 1
    client_that_waits._endpoint.http_session._manager.connection_pool_kw["timeout"] = 1
    with pytest.raises(ReadTimeoutError):
        client_that_waits.create_model_package_group(ModelPackageGroupName="g")
    names = [
        item["ModelPackageGroupName"] for item in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]
    assert names == made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arrives", "told"),
    [
        ("throttling", False, "429"),
        ("access-denied", False, "403"),
        ("expired-token", False, "403"),
        ("server-error", False, "500"),
        ("dropped", False, "Empty reply"),
        ("no-answer", True, "Empty reply"),
    ],
)
def test_a_push_fails_in_each_way_too(sandbox, codecommit, clone, name, arrives, told):
    work = clone()
    work.commit()
    sandbox.set_faults([fault(name, "codecommit", "GitPush")])
    refused = work.git("push", "origin", "main", check=False)
    assert refused.returncode != 0
    assert told in refused.stderr
    assert codecommit.list_branches(repositoryName="demo")["branches"] == (["main"] if arrives else [])
    assert [call["fault"] for call in sandbox.calls if call["operation"] == "GitPush"] == [name]
    work.git("push", "origin", "main")


@pytest.mark.slow
def test_a_fetch_fails_too(sandbox, clone):
    work = clone()
    work.commit()
    work.git("push", "origin", "main")
    other = clone(folder="other")
    work.commit(content="more\n")
    work.git("push", "origin", "main")
    sandbox.set_faults([fault("access-denied", "codecommit", "GitPull")])
    assert "403" in other.git("fetch", check=False).stderr
    other.git("fetch")


def test_a_push_can_be_killed_while_it_hangs_after_its_effect(sandbox, codecommit, clone):
    work = clone()
    work.commit()
    sandbox.set_faults([fault("hang-after", "codecommit", "GitPush")])
    push = subprocess.Popen(
        ["git", "push", "origin", "main"],
        cwd=work.path,
        env=work.env,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while "main" not in codecommit.list_branches(repositoryName="demo")["branches"]:
        assert push.poll() is None
    import os

    os.killpg(push.pid, signal.SIGKILL)
    push.wait()
    assert codecommit.list_branches(repositoryName="demo")["branches"] == ["main"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "a list of faults is needed, not dict"),
        ("[", "not JSON"),
        (
            '[{"service": "sagmaker", "operation": "X", "fault": "dropped"}]',
            "no service 'sagmaker'; allowed are e.g. sagemaker",
        ),
        (
            '[{"service": "sagemaker", "operation": "ListModel", "fault": "dropped"}]',
            "no operation 'ListModel'; allowed are e.g. ListModels",
        ),
        ('[{"service": "sagemaker", "operation": "ListModels", "fault": "boom"}]', "'throttling', 'access-denied'"),
        (
            '[{"service": "sagemaker", "operation": "ListModels", "fault": "dropped", "call": "3"}]',
            "0.call: Input should be a valid integer, not '3'",
        ),
        (
            '[{"service": "sagemaker", "operation": "ListModels", "fault": "dropped", "call": 0}]',
            "0.call: Input should be greater than or equal to 1, not 0",
        ),
        (
            '[{"service": "sagemaker", "operation": "ListModels", "fault": "dropped", "time": 2}]',
            "(allowed: service, operation, fault, call, times)",
        ),
        ('[{"service": "sagemaker", "fault": "dropped"}]', "0.operation: Field required"),
    ],
)
def test_a_fault_file_that_names_nothing_real_is_refused_in_one_line(run_sandbox, tmp_path, text, told):
    path = tmp_path / "faults.json"
    path.write_text(text)
    from sandbox.fault_file import BadFaults, read_faults

    with pytest.raises(BadFaults) as caught:
        read_faults(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_line_refuses_it_too_and_starts_nothing(run_sandbox, tmp_path):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([fault("boom")]))
    done = run_sandbox("run", "--faults", str(path), "--", sys.executable, "-c", "print('started')")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "boom" in done.stderr


def _fails(call):
    try:
        call()
    except ClientError:
        return True
    return False
