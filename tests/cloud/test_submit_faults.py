"""Every AWS call of `mlops submit` fails: the reason is one clear line, nothing is started twice, the next run completes.

No job runs here: each execution that is started ends at its first one.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.cloud.cloud_account import CloudAccount
from tests.cloud.submitting import SLUG, Project, until
from tests.setup.faults import fault, faults
from tests.setup.stage import Done, Zygote
from tests.sweeps import some_of

pytestmark = pytest.mark.slow
NO_JOB = fault(("sagemaker", "CreateProcessingJob", 1), "access-denied", None)
# Without them training goes on: the account's alias, the image's digest and the quotas are good to know, and no more.
NOT_NEEDED = {"ListAccountAliases", "BatchGetImage", "ListServiceQuotas"}
READING = [
    ("sts", "GetCallerIdentity"),
    ("iam", "ListAccountAliases"),
    ("ssm", "GetParametersByPath"),
    ("sagemaker", "DescribePipeline"),
    ("sagemaker", "ListModelPackages"),
    ("sagemaker", "DescribeModelPackage"),
    ("ecr", "BatchGetImage"),
    ("service-quotas", "ListServiceQuotas"),
    ("s3", "ListObjectsV2"),
    ("kms", "GenerateDataKey"),
    ("s3", "ListObjectVersions"),
    ("sagemaker", "ListTags"),
]
# What was done before one of these fails is there when the next run comes.
WRITING = [
    ("s3", "PutObject"),
    ("sagemaker", "CreatePipeline"),
    ("sagemaker", "UpdatePipeline"),
    ("sagemaker", "AddTags"),
    ("sagemaker", "StartPipelineExecution"),
]
TRIED = [*some_of(READING, "reading calls of submit", every=3), *WRITING]


class World:
    """A project whose first submit is still to come (its pipeline is created), or has been (it is updated)."""

    def __init__(self, project: Project) -> None:
        self.project, self.repository, self.sandbox = project, project.repository, project.sandbox
        container = {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"}
        project.sagemaker.create_model_package(
            ModelPackageGroupName=f"{SLUG}-dev",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [container | {"ModelDataUrl": f"s3://{project.bucket}/nonprod/{SLUG}/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
        self.submit()
        self.name = project.pipeline()
        self.right = project.sagemaker.describe_pipeline(PipelineName=self.name)["PipelineDefinition"]
        self.settings = next(iter(project.keys("settings")))

    def prepare(self, operation: str) -> None:
        """See to it that the next submit makes this call."""
        project = self.project
        project.s3.delete_object(Bucket=project.bucket, Key=self.settings)
        if operation == "CreatePipeline":
            until(lambda: project.latest()["PipelineExecutionStatus"] == "Failed")
            project.sagemaker.delete_pipeline(PipelineName=self.name, ClientRequestToken=secrets.token_hex(16))
        elif operation in {"UpdatePipeline", "AddTags"}:
            other = json.loads(self.right)
            other["Steps"][0]["CacheConfig"]["ExpireAfter"] = "P1D"
            project.sagemaker.update_pipeline(PipelineName=self.name, PipelineDefinition=json.dumps(other))
            arn = project.sagemaker.describe_pipeline(PipelineName=self.name)["PipelineArn"]
            project.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["mlops:owner"])

    def submit(self, *wanted: Any) -> Done:
        """Run it while something fails; its execution ends at the first job, however long after the command that is."""
        self.sandbox.set_faults([NO_JOB, *wanted])
        try:
            return self.repository.mlops("submit", check=False)
        finally:
            self.sandbox.set_faults([NO_JOB])

    def is_right(self) -> bool:
        """Whether the pipeline is as it should be, and all that travels is there."""
        found = self.project.sagemaker.describe_pipeline(PipelineName=self.name)
        tags = self.project.sagemaker.list_tags(ResourceArn=found["PipelineArn"])["Tags"]
        owned = {"Key": "mlops:owner", "Value": "vision@hospital.org"} in tags
        return found["PipelineDefinition"] == self.right and owned and self.settings in self.project.keys("settings")


@pytest.fixture(scope="module")
def world(
    running_sandbox: Sandbox, zygote: Zygote, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    account = CloudAccount(running_sandbox)
    account.deploy()
    scientist = account.person("scientist", "mlops-data-scientist")
    yield World(Project(account, scientist, built, tmp_path_factory.mktemp("clones"), zygote))
    running_sandbox.set_faults([])
    running_sandbox.reset()


def test_the_calls_are_all_that_a_submit_makes(world: World) -> None:
    """A call that is added later must be tried as well."""
    seen = set()
    for operation in ("CreatePipeline", "UpdatePipeline"):
        world.prepare(operation)
        world.sandbox.clear_calls()
        world.submit()
        seen |= {
            (call["service"], call["operation"]) for call in world.sandbox.calls if "/scientist" in (call["role"] or "")
        }
    assert seen == {*READING, *WRITING}


@pytest.mark.parametrize(("service", "operation"), TRIED, ids=[operation for _, operation in TRIED])
def test_a_call_that_fails(world: World, service: str, operation: str) -> None:
    """For ever; then twice in a row, in ways that clients try again: that is the next run, and it completes."""
    world.prepare(operation)
    for name in some_of(("access-denied", "server-error"), operation, every=2):
        before = len(world.project.executions())
        done = world.submit(fault((service, operation, 1), name, None))
        started = len(world.project.executions()) - before
        if operation in NOT_NEEDED:
            assert (done.code, started) == (0, 1), f"{name}: {done}"
            continue
        (line,) = done.stderr.splitlines()
        assert (done.code, started) == (1, 0), f"{name}: {done}"
        reasons = ("is not allowed: ", "access is denied; ") if name == "access-denied" else ("ry again",)
        assert any(reason in line for reason in reasons), line
        assert "Traceback" not in line
    before = len(world.project.executions())
    lost = [fault((service, operation, number), name) for number, name in enumerate(("dropped", "no-answer"), 1)]
    done = world.submit(*lost)
    assert (done.code, done.stderr, len(world.project.executions())) == (0, "", before + 1), done
    assert world.is_right()


@pytest.mark.parametrize("operation", ["DescribePipelineExecution", "ListPipelineExecutionSteps"])
def test_who_cannot_follow_any_more_is_told_that_training_goes_on(world: World, operation: str) -> None:
    with faults(world.sandbox, NO_JOB, fault(("sagemaker", operation, 1), "server-error", None)):
        line = world.repository.refusal("submit", "--wait")
    id_ = world.project.latest()["PipelineExecutionArn"].rpartition("/")[2]
    assert f"{operation} failed: " in line
    assert f"the execution {id_} of {world.name} goes on. Its steps: mlops logs" in line
