"""Which service a request is for, and what the sandbox's documents promise of each."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import botocore
import pytest

from sandbox.service_names import services_signed_as

ROOT = Path(__file__).parents[2]
OURS = [
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codepipeline",
    "dynamodb",
    "dynamodbstreams",
    "ecr",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "resourcegroupstaggingapi",
    "s3",
    "s3control",
    "sagemaker",
    "sagemaker-runtime",
    "sagemaker-metrics",
    "scheduler",
    "secretsmanager",
    "service-quotas",
    "servicecatalog",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
]


SCHEDULE = {
    "Name": "x",
    "ScheduleExpression": "rate(5 minutes)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": "arn:aws:sqs:us-east-1:123456789012:q",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
    },
}


@pytest.mark.parametrize("service", OURS)
def test_a_signing_name_leads_to_the_service(service):
    """botocore's metadata: signingName, else endpointPrefix."""
    folder = sorted((Path(botocore.__file__).parent / "data" / service).iterdir())[-1]
    plain, packed = folder / "service-2.json", folder / "service-2.json.gz"
    text = plain.read_text() if plain.exists() else gzip.decompress(packed.read_bytes()).decode()
    metadata = json.loads(text)["metadata"]
    assert service in services_signed_as(metadata.get("signingName", metadata["endpointPrefix"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudwatch", "describe_alarms"),
        ("events", "list_rules"),
        ("lambda", "list_functions"),
        ("dynamodb", "list_tables"),
        ("ssm", "describe_parameters"),
        ("cloudformation", "list_stacks"),
        ("codebuild", "list_projects"),
        ("logs", "describe_log_groups"),
        ("sqs", "list_queues"),
        ("sns", "list_topics"),
        ("servicecatalog", "list_portfolios"),
        ("kms", "list_keys"),
        ("scheduler", "list_schedules"),
    ],
)
def test_moto_answers_through_the_front(sandbox, client, service, operation):
    getattr(client(service), operation)()
    assert sandbox.calls[-1]["service"] == service


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("sagemaker", "list_projects", {}),
        ("lambda", "list_capacity_providers", {}),
        ("iam", "list_server_certificate_tags", {"ServerCertificateName": "x"}),
        ("sts", "get_federation_token", {"Name": "xx"}),
        ("s3", "put_bucket_notification_configuration", {"Bucket": "bucket", "NotificationConfiguration": {}}),
        ("scheduler", "create_schedule", SCHEDULE),
        ("freetier", "get_account_plan_state", {}),
    ],
)
def test_what_nobody_implements_is_501_and_not_retried(sandbox, client, refused, service, operation, params):
    """botocore/data/_retry.json retries 500, 502, 503, 504 and 509."""
    code, message = refused(getattr(client(service, attempts=3), operation), **params)
    assert code == "NotImplementedInSandbox"
    assert "moto failed" not in message
    assert [call["status"] for call in sandbox.calls] == [501]


def test_every_fault_name_and_log_field_is_documented():
    from sandbox.faults import FaultName

    text = (ROOT / "docs" / "sandbox.md").read_text()
    assert all(f"`{name}`" in text for name in FaultName)
    for field in (
        "service",
        "operation",
        "status",
        "at",
        "role",
        "resource",
        "context",
        "authorization",
        "error",
        "fault",
    ):
        assert f"`{field}`" in text


@pytest.mark.slow
def test_every_command_of_the_documentation_is_one_that_these_tests_run(run_sandbox, aws_cli, tmp_path):
    """The commands of docs/sandbox.md: `serve` and `env` are run by test_command_line, the `run` ones here."""
    text = (ROOT / "docs" / "sandbox.md").read_text()
    shown = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert shown == [
        "python -m sandbox run -- aws sts get-caller-identity",
        "python -m sandbox serve --port 5555",
        'eval "$(python -m sandbox env --port 5555)"',
        "python -m sandbox run --call-log calls.jsonl --faults faults.json --region eu-west-1 -- aws codecommit list-repositories",
    ]
    (fault,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    faults, log = tmp_path / "faults.json", tmp_path / "calls.jsonl"
    faults.write_text(fault)
    command = (
        shown[3]
        .replace("calls.jsonl", str(log))
        .replace("faults.json", str(faults))
        .replace("-- aws", f"-- {aws_cli}")
        .split()
    )
    done = run_sandbox(*command[3:])
    assert (done.returncode, json.loads(done.stdout)) == (0, {"repositories": []})
    assert json.loads(log.read_text())["operation"] == "ListRepositories"


def test_nothing_but_what_is_allowed_is_imported():
    """sandbox/ imports nothing of ours but mlops' runner, in one place, and few packages."""
    allowed = {"sandbox", "moto", "boto3", "botocore", "werkzeug", "typer", "pydantic", "regex", "jsonschema", "yaml"}
    import sys

    for path in (ROOT / "sandbox").rglob("*.py"):
        for name in re.findall(r"^\s*(?:from|import) ([a-z0-9_]+)", path.read_text(), re.MULTILINE):
            ours = name == "mlops" and path == ROOT / "sandbox" / "sagemaker" / "runner.py"
            assert ours or name in allowed or name in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_the_head_of_an_object_says_how_long_it_is(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="some-bucket")
    s3.put_object(Bucket="some-bucket", Key="a/b.csv", Body=b"12345")
    assert s3.head_object(Bucket="some-bucket", Key="a/b.csv")["ContentLength"] == 5
    assert s3.get_object(Bucket="some-bucket", Key="a/b.csv")["Body"].read() == b"12345"
