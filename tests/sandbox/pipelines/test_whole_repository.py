"""The pipeline of a generated repository, run by the sandbox's SageMaker from S3 alone."""

from __future__ import annotations

import hashlib
import json
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TEMPLATE, Repository
from tests.sandbox.pipelines.conftest import BUCKET, Account
from tests.sandbox.pipelines.steps import run, steps_of, succeeded

HERE = Path(__file__).parent
JOBS = {"CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What travels from a repository to SageMaker. Builds the definition once."""
    from cookiecutter.main import cookiecutter

    folder = tmp_path_factory.mktemp("baked")
    cookiecutter(str(TEMPLATE), no_input=True, default_config=True, accept_hooks=False, output_dir=str(folder))
    baked = Repository(folder / "tumor-diagnosis")
    done = baked.run(sys.executable, str(HERE / "what_travels.py"), PYTHONPATH=str(baked.path))
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def upload(account: Account, files: dict[str, bytes]) -> str:
    """Lay files where their content says."""
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    for name, content in files.items():
        account.put(f"content/{digest}/{name}", content)
    return f"s3://{BUCKET}/content/{digest}"


def uploaded(account: Account, repository: dict[str, Any]) -> dict[str, str]:
    """Everything that only the place of a run knows."""
    uris = {
        parameter: upload(account, {name: Path(path).read_bytes() for name, path in files.items()})
        for parameter, files in repository["files"].items()
    }
    uris |= {
        parameter: upload(account, {name: b64decode(content) for name, content in contents.items()})
        for parameter, contents in repository["contents"].items()
    }
    uris |= {parameter: f"{uris[parameter]}/{name}" for parameter, name in repository["within"].items()}
    return uris | {
        "JobRole": account.role,
        "ArtifactsUri": f"s3://{BUCKET}/executions",
        "ModelPackageGroup": "tumor-diagnosis-feature",
        "Commit": "0" * 40,
        "Branch": "feature-x",
        "DatasetVersion": "v1",
        "TemplateVersion": "0.4.0",
    }


def test_it_registers_a_version_and_the_same_again_is_found_in_the_cache(
    account: Account, repository: dict[str, Any]
) -> None:
    account.sagemaker.create_model_package_group(ModelPackageGroupName="tumor-diagnosis-feature")
    parameters = uploaded(account, repository)
    account.sagemaker.create_pipeline(
        PipelineName="tumor-diagnosis-dev",
        PipelineDefinition=json.dumps(repository["definition"]),
        RoleArn=account.role,
    )
    first = run(account, "tumor-diagnosis-dev", parameters)
    assert succeeded(account, first)
    found = steps_of(account, first)
    assert set(found) == JOBS | {"Gate", "Register"}
    version = account.sagemaker.describe_model_package(
        ModelPackageName=found["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert (version["ModelPackageGroupName"], version["ModelPackageVersion"]) == ("tumor-diagnosis-feature", 1)
    identity = first["PipelineExecutionArn"].rpartition("/")[2]
    assert version["CustomerMetadataProperties"]["execution"] == identity
    assert float(version["CustomerMetadataProperties"]["metric_auc"]) > 0.9
    statistics = version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert statistics == f"s3://{BUCKET}/executions/{identity}/Evaluate/evaluation/evaluation.json"
    assert json.loads(account.get(statistics))
    assert account.get(version["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])

    second = run(account, "tumor-diagnosis-dev", parameters)
    assert succeeded(account, second)
    reused = {name for name, step in steps_of(account, second).items() if "CacheHitResult" in step}
    assert reused == JOBS
    assert len(account.sagemaker.list_model_packages(ModelPackageGroupName="tumor-diagnosis-feature")[
        "ModelPackageSummaryList"]) == 2  # fmt: skip

    broken = parameters | {"PreprocessCodeUri": upload(account, {"preprocess.py": b"raise ValueError('no rows')"})}
    third = run(account, "tumor-diagnosis-dev", broken)
    assert third["PipelineExecutionStatus"] == "Failed"
    failed = steps_of(account, third)["Preprocess"]
    assert failed["FailureReason"] == "ClientError: AlgorithmError: ValueError: no rows, exit code: 1"
    job = failed["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert account.log(job)[-1] == "ValueError: no rows"
