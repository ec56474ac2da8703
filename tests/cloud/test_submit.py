"""`mlops submit` and `mlops logs` around one training run: what is shown before, what is reused, what fails and how."""

import json
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.cloud.cloud_account import CloudAccount
from tests.cloud.submitting import BRANCH, READING, SLUG, Project, edit, until
from tests.setup.at_a_terminal import on_a_terminal
from tests.setup.faults import end, fault, faults, let_go, until_it_hangs
from tests.setup.stage import Zygote

pytestmark = pytest.mark.slow
JOBS = {"CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare"}
TRAIN = "def main("


@pytest.fixture(scope="module")
def trained(
    running_sandbox: Sandbox, zygote: Zygote, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project whose first model has been trained in feature."""
    account = CloudAccount(running_sandbox)
    account.deploy()
    scientist = account.person("scientist", "mlops-data-scientist")
    project = Project(account, scientist, built, tmp_path_factory.mktemp("clones"), zygote)
    project.repository.mlops("submit", "--wait")
    yield project
    running_sandbox.reset()


@pytest.fixture(autouse=True)
def no_faults(trained: Project) -> Iterator[None]:
    """Each test begins and ends without faults, in a log of its own, with the clone as it was committed."""
    trained.sandbox.clear_calls()
    yield
    trained.sandbox.set_faults([])
    trained.repository.git("checkout", "--quiet", "--", ".")


@pytest.mark.parametrize("option", ["--plan", "--json"])
def test_the_plan_changes_nothing_and_shows_what_would_be_sent(trained: Project, option: str) -> None:
    edit(trained.repository, "model/train.py", TRAIN, "# Another thought.\n\n\n" + TRAIN)
    before = trained.keys(), trained.executions()
    done = trained.repository.mlops("submit", "--plan", *{option})
    assert (done.code, done.stderr) == (0, "")
    assert [call for call in trained.calls() if not call.startswith(READING)] == []
    assert (trained.keys(), trained.executions()) == before
    role = f"arn:aws:iam::123456789012:role/mlops/mlops-{SLUG}-nonprod-job"
    if option == "--plan":
        lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
        commit = trained.repository.root_commit
        assert lines[0].startswith("AWS account 123456789012 (sandbox), us-east-1, as arn:aws:sts::")
        assert f"commit {commit}-dirty ({BRANCH}), into feature" in lines
        assert f"pipeline {trained.pipeline()}: exists" in lines
        assert f"role {role}" in lines
        assert "compared with nothing: no version is approved yet" in lines
        assert "quotas suffice" in lines
        assert "Train 1 x ml.m5.large 30 GB 60 min" in lines
        assert any(line.startswith("send ") and f" files, {0}" not in line for line in lines)
        return
    plan = json.loads(done.stdout)
    assert plan["pipeline"] == {"name": trained.pipeline(), "change": "exists", "role": role}
    assert (plan["environment"], plan["branch"], plan["definition"]) == ("feature", BRANCH, [])
    changed = [file for file in plan["send"] if file["key"].endswith("/train.py")]
    size = (trained.repository.path / "model/train.py").stat().st_size
    assert changed
    assert {file["bytes"] for file in changed} == {size}
    assert all(file["key"].startswith(f"nonprod/{SLUG}/content/") for file in plan["send"])
    assert {machine["step"] for machine in plan["machines"]} == JOBS
    assert plan["machines"][0] | {"step": ""} == {
        "step": "",
        "instance_type": "ml.m5.large",
        "instances": 1,
        "volume_gb": 30,
        "at_most_minutes": 60,
        "usage": "processing job usage",
    }


def test_the_plan_fits_a_terminal(trained: Project) -> None:
    code, screen = on_a_terminal(trained.repository, "", "submit", "--plan")
    assert code == 0, screen
    tables = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", screen).splitlines()[1:]
    assert max(map(len, tables)) <= 80, screen


def test_the_plan_names_what_an_edit_changes_in_the_definition(trained: Project) -> None:
    edit(trained.repository, "mlops.yaml", "{instance_type: ml.m5.large,", "{instance_type: ml.m5.xlarge,")
    plan = json.loads(trained.repository.mlops("submit", "--plan", "--json").stdout)
    assert plan["pipeline"]["change"] == "update"
    named = {change["where"]: (change["before"], change["after"]) for change in plan["definition"]}
    assert named["parameter TrainInstanceType"] == ("ml.m5.large", "ml.m5.xlarge")
    assert {machine["instance_type"] for machine in plan["machines"]} == {"ml.m5.xlarge"}
    shown = trained.repository.mlops("submit", "--plan").stdout
    assert "changed in the definition" in shown


def test_another_clean_clone_reuses_all_of_it(trained: Project) -> None:
    before = trained.sagemaker.describe_pipeline(PipelineName=trained.pipeline())
    content, versions = trained.keys("content") | trained.keys("settings"), trained.versions()
    second = trained.clone("second")
    done = second.mlops("submit", "--wait", "--json")
    result = json.loads(done.stdout)
    assert (result["change"], result["status"]) == (None, "Succeeded")
    assert (
        trained.sagemaker.describe_pipeline(PipelineName=trained.pipeline())["PipelineDefinition"]
        == (before["PipelineDefinition"])
    )
    assert {"PutObject", "UpdatePipeline", "CreatePipeline", "CreateMultipartUpload"}.isdisjoint(trained.calls())
    assert trained.keys("content") | trained.keys("settings") == content
    steps = trained.steps(trained.latest())
    assert {name for name, step in steps.items() if "CacheHitResult" in step} == JOBS
    assert {call for call in trained.calls(f"mlops-{SLUG}-nonprod-job") if call.endswith("Job")} == set()
    assert trained.versions() == versions + 1
    assert result["version"].endswith(f"/{versions + 1}")


def test_reused_steps_name_the_execution_that_they_come_from(trained: Project) -> None:
    repository = trained.repository
    repository.mlops("submit", "--wait")
    listed = json.loads(repository.mlops("logs", "--json").stdout)
    assert listed["execution"] == trained.latest()["PipelineExecutionArn"]
    sources = {row["step"]: row["reused_from"] for row in listed["steps"]}
    assert sources["Gate"] is None
    first = sources["Train"]
    assert {sources[name] for name in JOBS} == {first}
    rows = [line.split() for line in repository.mlops("logs").stdout.splitlines()[1:]]
    assert {name: status for name, status, _ in rows} == dict.fromkeys(JOBS, "reused") | dict.fromkeys(
        ("Gate", "Register"), "Succeeded"
    )
    assert all(job.startswith(f"pipelines-{first}-{name}-") for name, status, job in rows if status == "reused")
    lines = repository.mlops("logs", "Train", "--execution", first).stdout
    assert "train_log_loss" in lines
    assert repository.mlops("logs", "Train").stdout == lines
    as_json = [json.loads(line) for line in repository.mlops("logs", "Train", "--json").stdout.splitlines()]
    assert [line["line"] for line in as_json] == lines.splitlines()
    assert [line["at"] for line in as_json] == sorted(line["at"] for line in as_json)
    assert repository.mlops("logs", "Train", "--follow").stdout == lines
    assert repository.refusal("logs", "Gate") == "Gate is no job: it has no log"
    assert "has no such step yet; there are: CheckData, " in repository.refusal("logs", "Tran")
    assert "has no execution nope; start one with: mlops submit" in repository.refusal("logs", "--execution", "nope")
    assert "has no execution yet; start one with: mlops submit" in repository.refusal("logs", "--env", "dev")


def test_a_script_that_fails_is_named_with_its_reason_and_its_traceback_is_shown(trained: Project) -> None:
    repository, versions = trained.repository, trained.versions()
    edit(repository, "model/train.py", TRAIN, "raise ValueError('depth must be positive')\n\n\n" + TRAIN)
    done = repository.mlops("submit", "--wait", check=False)
    assert done.code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("step Train: ValueError: depth must be positive (")
    assert line.endswith("; what it printed: mlops logs Train")
    assert "failed  Train" in done.stdout
    shown = repository.mlops("logs", "Train").stdout
    assert "Traceback (most recent call last):" in shown
    assert "ValueError: depth must be positive" in shown
    assert trained.versions() == versions
    assert parameters(trained, trained.latest())["Commit"] == f"{repository.root_commit}-dirty"


def parameters(trained: Project, execution: dict[str, Any]) -> dict[str, str]:
    pages = trained.sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )
    return {parameter["Name"]: parameter["Value"] for page in pages for parameter in page["PipelineParameters"]}


def test_a_gate_that_refuses_says_why_in_one_line(trained: Project) -> None:
    versions = trained.versions()
    edit(trained.repository, "mlops.yaml", "threshold: 0.95", "threshold: 0.9999")
    done = trained.repository.mlops("submit", "--wait", "--json", check=False)
    assert done.code == 1
    line = done.stderr.splitlines()[-1]
    result = json.loads(done.stdout)
    assert (result["status"], result["step"], result["version"]) == ("Failed", "Refused", None)
    assert "auc" in result["reason"]
    assert "0.9999" in result["reason"]
    assert line == f"nothing was registered: {result['reason']}"
    assert trained.versions() == versions


def test_ctrl_c_leaves_the_execution_running_and_stop_stops_it(trained: Project) -> None:
    repository, versions = trained.repository, trained.versions()
    edit(
        repository,
        "model/train.py",
        TRAIN,
        "import time\n\nprint('waiting', flush=True)\ntime.sleep(300)\n\n\n" + TRAIN,
    )
    process = repository.zygote.start(repository.path, repository.environment, "submit", "--wait")
    until(lambda: "waiting" in trained.printed("Train"))
    end(process, signal.SIGINT)
    done = repository.zygote.wait()
    execution = trained.latest()
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert done.code == 1
    assert done.stderr == (
        f"interrupted; the execution {id_} of {trained.pipeline()} goes on. "
        "Its steps: mlops logs; to stop it: mlops submit --stop\n"
    )
    assert execution["PipelineExecutionStatus"] == "Executing"
    repository.zygote.start(repository.path, repository.environment, "logs", "Train", "--follow")
    stopped = repository.run(sys.executable, "-m", "mlops", "submit", "--stop").stdout
    assert stopped == f"Execution {id_} is being stopped.\n"
    followed = repository.zygote.wait()
    assert (followed.code, followed.stdout) == (0, "waiting\n")
    assert trained.over()["PipelineExecutionStatus"] == "Stopped"
    assert repository.refusal("submit", "--stop") == f"the latest execution, {id_}, is over already: Stopped"
    assert trained.versions() == versions


def test_data_that_change_during_training_end_the_execution(trained: Project) -> None:
    """They are overwritten after their version was taken, before anything is computed with them."""
    repository, versions = trained.repository, trained.versions()
    edit(repository, "mlops.yaml", "threshold: 0.95", "threshold: 0.94")
    (key,) = [key for key in trained.keys("content") if key.endswith("/breast_cancer.csv")]
    place = {"Bucket": trained.bucket, "Key": key}
    first = trained.s3.head_object(**place)["VersionId"]
    start, call = len(trained.sandbox.calls), ("sagemaker", "StartPipelineExecution", 1)
    with faults(trained.sandbox, fault(call, "hang-before")):
        repository.zygote.start(repository.path, repository.environment, "submit", "--wait")
        until_it_hangs(trained.sandbox, call, "hang-before", start)
        trained.s3.put_object(**place, Body=b"diagnosis\n1\n")
        let_go(trained.sandbox, start)
        done = repository.zygote.wait()
    assert done.code == 1
    assert "step Compare: " in done.stderr
    assert f"the data at s3://{trained.bucket}/{key.rpartition('/')[0]} changed during training" in done.stderr
    assert trained.versions() == versions
    assert "12 bytes lie there" in repository.refusal("submit")  # what was written once is not written over
    trained.s3.delete_object(**place)
    with faults(trained.sandbox, fault(("sagemaker", "CreateProcessingJob", 1), "access-denied", None)):
        assert "has begun" in repository.mlops("submit").stdout
        assert trained.over()["PipelineExecutionStatus"] == "Failed"
    content = trained.s3.get_object(**place)["Body"].read()
    assert content == (repository.path / "data/breast_cancer.csv").read_bytes()
    # The very object that the first model was trained with: all but Compare is reused.
    found = trained.s3.list_object_versions(Bucket=trained.bucket, Prefix=key)
    for version in (*found["Versions"], *found["DeleteMarkers"]):
        if version["VersionId"] != first:
            trained.s3.delete_object(**place, VersionId=version["VersionId"])
    assert "Version" in repository.mlops("submit", "--wait").stdout


def test_prod_is_for_ci(trained: Project) -> None:
    before = trained.keys()
    with faults(trained.sandbox, fault(("sagemaker", "DescribePipeline", 1), "access-denied", None)):
        line = trained.repository.refusal("submit", "--env", "prod")
    assert line.startswith(
        "prod is trained by CI, when a change is merged to main; "
        f"these credentials may not (pipeline {SLUG}-prod: DescribePipeline is not allowed: "
    )
    with faults(trained.sandbox, fault(("s3", "ListObjectsV2", 1), "access-denied", None)):
        line = trained.repository.refusal("submit", "--env", "prod")
    assert line.startswith("prod is trained by CI, when a change is merged to main; these credentials may not (s3://")
    edit(trained.repository, "model/train.py", TRAIN, "# Another thought.\n\n\n" + TRAIN)
    trained.sandbox.clear_calls()
    assert "prod is trained from a commit" in trained.repository.refusal("submit", "--env", "prod")
    assert trained.calls() == []
    assert trained.keys() == before


def test_no_quota_is_known_before_anything_is_sent(trained: Project) -> None:
    quota = "ml.m5.large for training job usage"
    edit(trained.repository, "model/train.py", TRAIN, "# Another thought.\n\n\n" + TRAIN)
    before = trained.keys(), trained.executions()
    trained.sandbox.set_quota(quota, 0)
    line = trained.repository.refusal("submit")
    assert line.startswith(f"step Train asks for 1 x ml.m5.large, and the quota '{quota}' of this account is 0")
    assert "take another in `jobs` of mlops.yaml, or ask for more" in line
    assert (trained.keys(), trained.executions()) == before
    trained.sandbox.set_quota(quota, 20)


def test_a_small_quota_makes_steps_wait_and_an_unknown_one_is_a_warning(trained: Project) -> None:
    quota = "ml.m5.large for processing job usage"
    trained.sandbox.set_quota(quota, 1)
    assert "suffice, with 1 steps at a time" in trained.repository.mlops("submit", "--plan").stdout
    trained.repository.mlops("submit")
    assert trained.over()["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}
    trained.sandbox.set_quota(quota, 20)
    with faults(trained.sandbox, fault(("service-quotas", "ListServiceQuotas", 1), "access-denied", None)):
        done = trained.repository.mlops("submit")
    assert done.stderr.startswith("The quotas were not looked at: ListServiceQuotas is not allowed: ")
    assert "has begun" in done.stdout
    assert "ParallelismConfiguration" not in trained.over()


def test_a_branch_of_no_environment(trained: Project) -> None:
    trained.repository.git("switch", "--quiet", "--create", "fix-it")
    line = trained.repository.refusal("submit")
    trained.repository.git("switch", "--quiet", BRANCH)
    assert line.startswith("the branch fix-it belongs to no environment, as feature-*, feature/*, dev and main do; ")
    assert "there are: feature, dev, prod" in trained.repository.refusal("submit", "--env", "test")


def test_an_account_stack_that_is_absent_or_apart(trained: Project) -> None:
    everything = {name.rpartition("/")[2].replace("-", "_"): None for name in trained.published}
    with trained.publishing(**everything):
        line = trained.repository.refusal("submit")
    assert line == (
        "the account stack mlops-account is not deployed in us-east-1; mlops setup tells whom to ask, and for what"
    )
    for interface, words in {
        "3": "this repository (interface 1) is older than the account stack",
        "-1": "interface -1) is older than this repository can use (interface 1); an administrator deploys",
        "none": "publishes what this repository cannot read",
    }.items():
        with trained.publishing(interface=interface):
            assert words in trained.repository.refusal("submit")
    for interface in ("0", "2"):
        with trained.publishing(interface=interface):
            assert trained.repository.mlops("submit", "--plan").code == 0
    with faults(trained.sandbox, fault(("ssm", "GetParametersByPath", 1), "access-denied", None)):
        assert trained.repository.refusal("submit").startswith("GetParametersByPath is not allowed: ")


def test_without_roles_or_a_group_it_says_mlops_setup(trained: Project) -> None:
    repository, iam = trained.clone("without", "feature-without"), trained.account.iam
    before = trained.executions()
    trained.sagemaker.delete_model_package_group(ModelPackageGroupName=f"{SLUG}-dev")
    assert repository.refusal("submit") == f"the model package group {SLUG}-dev does not exist; run: mlops setup"
    repository.mlops("setup")
    role = f"mlops-{SLUG}-nonprod-job"
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    iam.delete_role(RoleName=role)
    line = repository.refusal("submit")
    assert f"SageMaker cannot use its role (Could not assume role arn:aws:iam::123456789012:role/mlops/{role}" in line
    assert line.endswith("a missing one: mlops setup")
    assert trained.executions() == before
    repository.mlops("setup")
    repository.mlops("submit")
    assert len(trained.executions()) == len(before) + 1
    shutil.rmtree(repository.path)
