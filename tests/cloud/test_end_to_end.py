"""One model from the first answer to an approved version, by the people and roles that the design names.

The organisation has its own network, tags and package index. A data scientist sets up and submits in feature; CI trains
in dev and prod; an approver approves. Everything that they, the pipelines, the jobs and the functions called is then
held against the deployed policies, and against what organisations deny.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.cloud.cloud_account import CloudAccount, Environment
from tests.definitions import shared_definitions
from tests.permissions.conftest import engine
from tests.permissions.engine import Engine
from tests.permissions.guardrails import GUARDRAILS
from tests.permissions.trial import Deployed, denied
from tests.setup.account import OWNER
from tests.setup.stage import Done, Quick, Zygote

__all__ = ["engine"]
pytestmark = pytest.mark.slow
SLUG = "tumor-diagnosis"


@dataclass(frozen=True)
class Lived:
    """What has happened. `calls` is the call log of it all."""

    account: CloudAccount
    repository: Quick
    scientist: Environment
    approver: Environment
    subnets: list[str]
    security_group: str
    calls: list[dict[str, Any]]
    told: dict[str, Done]  # what people were told

    def version(self, environment: str) -> dict[str, Any]:
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{SLUG}-{environment}/1"
        found: dict[str, Any] = self.account.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return found


@pytest.fixture(scope="module")
def lived(
    running_sandbox: Sandbox, zygote: Zygote, bake_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    account = CloudAccount(running_sandbox)
    subnets, group = account.network()
    account.deploy(
        SubnetIds=",".join(subnets),
        SecurityGroupIds=group,
        MandatoryTags="CostCenter=4711",
        PackageIndex="https://packages.example.org/simple",
    )
    scientist = account.person("scientist", "mlops-data-scientist")
    approver = account.person("approver", "mlops-approver")
    path = tmp_path_factory.mktemp("lived") / SLUG
    path.parent.rmdir()
    repository = copied(bake_once(owner=OWNER), path, scientist, zygote)
    running_sandbox.clear_calls()
    told = {"setup": repository.mlops("setup"), "doctor": repository.mlops("doctor")}
    repository.git("switch", "--quiet", "--create", "feature-depth")
    with shared_definitions(path):
        told["feature"] = repository.mlops("submit", "--wait")
    elsewhere = path.with_name("elsewhere")
    repository.git("clone", "--quiet", "--branch", "feature-depth", str(path), str(elsewhere))
    with shared_definitions(elsewhere):
        told["again"] = repository.at(elsewhere).mlops("submit", "--wait")
    repository.commit("Deeper trees")
    told["pr"], told["pr again"] = repository.mlops("pr"), repository.mlops("pr")
    for branch, environment, role in [("dev", "dev", "nonprod-ci"), ("main", "prod", "prod-ci")]:
        repository.git("switch", "--quiet", branch)
        told[environment] = repository.at(path, **account.build(f"mlops-{SLUG}-{role}")).mlops("submit", "--wait")
    told["approve"] = repository.at(path, **approver).mlops("approve", "1", "--env", "prod", "--yes")
    running_sandbox.wait_until_quiet()
    calls = running_sandbox.calls
    yield Lived(account, repository, scientist, approver, subnets, group, calls, told)
    running_sandbox.reset()


def copied(rendered: Path, path: Path, environment: Environment, zygote: Zygote) -> Quick:
    """A clone of a repository as it was generated."""
    import shutil

    shutil.copytree(rendered, path, symlinks=True)
    return Quick(path, environment, zygote)


def test_every_call_is_allowed_by_the_deployed_policies(lived: Lived, engine: Engine) -> None:
    """IAM by trial. With the organisation's denials in force as well: its defaults make every call pass."""
    deployed = Deployed(lived.account.sandbox, GUARDRAILS)
    refused = denied(lived.calls, engine, deployed)
    assert not refused, "\n".join(sorted({str(one) for one in refused}))


def test_the_trial_has_seen_everybody(lived: Lived) -> None:
    """A trial of nobody's calls would always pass."""
    seen = {call["role"].split("/")[1] for call in lived.calls if "assumed-role" in (call["role"] or "")}
    jobs = {f"mlops-{SLUG}-{kind}" for kind in ("nonprod-ci", "nonprod-job", "prod-ci", "prod-job")}
    assert seen == jobs | {"scientist", "approver", "mlops-account-register"}


def test_people_are_told_what_was_registered(lived: Lived) -> None:
    for environment in ("feature", "dev", "prod"):
        assert f"Version 1 of {SLUG}-{environment} is registered" in lived.told[environment].stdout


def test_the_scientist_asks_for_a_merge(lived: Lived) -> None:
    where = f"pull request 1 of {SLUG} on CodeCommit"
    assert lived.told["pr"].stdout == f"Opened {where}: feature-depth into dev, 1 commit.\n"
    assert lived.told["pr again"].stdout == f"{where} is open already: feature-depth into dev, 1 commit now.\n"


def test_a_second_clean_checkout_of_a_commit_finds_every_job_in_the_step_cache(lived: Lived) -> None:
    sagemaker = lived.account.client("sagemaker")
    [name] = [
        pipeline["PipelineName"]
        for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]
        if "-feature-" in pipeline["PipelineName"]
    ]
    second, first = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=second["PipelineExecutionArn"])
    sources = {s["StepName"]: s.get("CacheHitResult") for s in steps["PipelineExecutionSteps"]}
    made = {"SourcePipelineExecutionArn": first["PipelineExecutionArn"]}
    jobs = dict.fromkeys(["CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare"], made)
    assert sources == jobs | {"Gate": None, "Register": None}


@pytest.mark.parametrize(
    ("environment", "status"), [("feature", "PendingManualApproval"), ("dev", "Approved"), ("prod", "Approved")]
)
def test_versions_say_who_they_are(lived: Lived, environment: str, status: str) -> None:
    version = lived.version(environment)
    assert version["ModelApprovalStatus"] == status
    metadata = version["CustomerMetadataProperties"]
    branch = {"feature": "feature-depth", "dev": "dev", "prod": "main"}[environment]
    assert (metadata["branch"], metadata["commit"]) == (branch, lived.repository.root_commit)
    assert set(metadata) == {
        "branch",
        "commit",
        "dataset_uri",
        "dataset_version",
        "execution",
        "lineage_uri",
        "metric_auc",
        "settings_uri",
        "template_version",
    }
    assert version["MetadataProperties"]["GeneratedBy"].endswith(f"/execution/{metadata['execution']}")


def test_lineage_and_settings_lie_where_the_version_says(lived: Lived) -> None:
    metadata = lived.version("prod")["CustomerMetadataProperties"]
    lineage, settings = (_object(lived, metadata[name]) for name in ("lineage_uri", "settings_uri"))
    assert lineage["dataset"] == {"uri": metadata["dataset_uri"], "version": metadata["dataset_version"]}
    assert lineage["image"]["digest"].startswith("sha256:")
    assert float(metadata["metric_auc"]) == lineage["metrics"]["auc"]["value"]
    assert lineage["packages"]["scikit-learn"]
    assert lineage["hyperparameters"] == {
        name: json.dumps(value) for name, value in settings["training"]["hyperparameters"].items()
    }


def _object(lived: Lived, uri: str) -> dict[str, Any]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content: dict[str, Any] = json.loads(lived.account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return content


def test_every_job_is_in_the_organisations_network_under_its_key_and_tags(lived: Lived) -> None:
    sagemaker = lived.account.client("sagemaker")
    names = [
        job["ProcessingJobName"] for job in sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
    ]
    jobs = [sagemaker.describe_processing_job(ProcessingJobName=name) for name in names]
    assert len(jobs) == 3 * 5
    for job in jobs:
        vpc = job["NetworkConfig"]["VpcConfig"]
        assert (vpc["Subnets"], vpc["SecurityGroupIds"]) == (lived.subnets, [lived.security_group])
        assert job["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"].startswith("arn:aws:kms:")
        assert job["Environment"]["PIP_INDEX_URL"] == "https://packages.example.org/simple"
        tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=job["ProcessingJobArn"])["Tags"]}
        assert (tags["CostCenter"], tags["mlops:project"]) == ("4711", SLUG)
    for job in sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]:
        found = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
        assert found["VpcConfig"]["Subnets"] == lived.subnets
        assert found["ResourceConfig"]["VolumeKmsKeyId"] == found["OutputDataConfig"]["KmsKeyId"]


def test_feature_and_dev_never_touched_what_is_prods(lived: Lived) -> None:
    """Nor the other way round: each tier has its own folder, and its own roles."""
    for call in lived.calls:
        role = call["role"] or ""
        tier = "nonprod" if "-nonprod-" in role else "prod" if "-prod-" in role else None
        resources = call["resource"] if isinstance(call["resource"], list) else [call["resource"] or ""]
        for resource in resources:
            if tier and ":s3:::" in resource and "/" in resource:
                assert f"/{tier}/{SLUG}/" in resource, call
