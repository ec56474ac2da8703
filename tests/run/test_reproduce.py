"""`mlops run --reproduce`: a version is made again from what is recorded of it, and nothing else is touched."""

import hashlib
import json
import math
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.reproduce.again import Outcome
from mlops.reproduce.agreement import Agreement, verdict
from mlops.reproduce.original import Original
from sandbox.server import Sandbox
from tests.conftest import Repository
from tests.run.conftest import Again, edit, record, versions

BUCKET = "mlops-account-artifacts-123456789012"


def traces(repository: Repository) -> dict[str, Any]:
    """All of a repository that its owner would miss or notice."""
    files = [path for path in repository.path.rglob("*") if path.is_file()]
    kept = [file for file in files if not {".git", "__pycache__"} & set(file.relative_to(repository.path).parts)]
    return {
        "git": [
            repository.git(*words)
            for words in (
                ["status", "--porcelain"],
                ["for-each-ref"],
                ["worktree", "list"],
                ["reflog"],
                ["diff", "--cached"],
                ["config", "--local", "--list"],
            )
        ],
        "files": {
            str(file.relative_to(repository.path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in kept
        },
    }


@pytest.mark.slow
def test_a_version_of_a_dirty_tree_with_other_settings_is_made_again(again: Again, overridden: Repository) -> None:
    """What was run before it was committed lies in the store, and `--set` in the record."""
    repository = again(overridden)
    assert versions(repository) == [1, 2, 3]
    repository.git("checkout", "--", "model/train.py")
    edit(repository, "model/train.py", "    model = build_model(args)\n", "    raise SystemExit('not this')\n")
    edit(repository, "mlops.yaml", "    max_iter: 200\n", "    max_iter: 3\n")
    repository.git("add", "mlops.yaml")
    (repository.path / "notes.txt").write_text("mine\n")
    hook = repository.path / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)
    before = traces(repository)
    done = repository.mlops("run", "--reproduce", "3", "--json")
    assert traces(repository) == before
    assert not list(repository.path.rglob("hook-ran"))
    told = json.loads(done.stdout)
    assert (told["version"], told["agrees"]) == ("version 3 of this machine", True)
    assert {metric["verdict"] for metric in told["metrics"]} == {"same"}
    assert told["metrics"][0]["metric"] == "auc"
    assert len(told["metrics"]) > 3
    assert told["notes"] == ["model/ was not committed then; it was taken from the store of this machine."]
    assert (told["packages"], told["packages_absent"]) == ({}, [])


def on_aws(repository: Repository, aws: Sandbox, **changes: str) -> Repository:
    """Put the first version of a machine into the registry, as a pipeline would; return the repository with AWS."""
    environment = aws.environment()
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=aws.region,
    )
    s3, sagemaker = (session.client(name, endpoint_url=aws.url) for name in ("s3", "sagemaker"))
    s3.create_bucket(Bucket=BUCKET)
    run = record(repository, 1)

    def put(folder: str, content: object) -> str:
        text = json.dumps(content).encode()
        key = f"tumor-diagnosis/nonprod/{folder}/{hashlib.sha256(text).hexdigest()}.json"
        s3.put_object(Bucket=BUCKET, Key=key, Body=text)
        return f"s3://{BUCKET}/{key}"

    # Under another name than in git, so that it has to come from S3.
    table = (repository.path / run["data"]["path"]).read_bytes()
    listing = f"{hashlib.sha256(table).hexdigest()}  elsewhere.csv\n"
    tree = hashlib.sha256(listing.encode()).hexdigest()[:32]
    s3.put_object(Bucket=BUCKET, Key=f"tumor-diagnosis/nonprod/content/{tree}/elsewhere.csv", Body=table)
    evaluation = repository.path / ".mlops" / run["outputs"]["Evaluate"]["evaluation"] / "evaluation.json"
    [metrics] = [part for name, part in json.loads(evaluation.read_text()).items() if name.endswith("_metrics")]
    values = {name: {"value": metric["value"] * (1 + 1e-9)} for name, metric in metrics.items() if "value" in metric}
    values["recall"]["value"] += 0.01
    packages = run["packages"] | {"numpy": "0.0.1", "no-such-package": "1.0"}
    lineage = {"format": 1, "metrics": values, "packages": packages, "python": "3.1.0", "main_metric": "auc"}
    run["settings"]["data"]["path"] = "data/elsewhere.csv"
    metadata = {
        "commit": run["git"]["commit"],
        "branch": "dev",
        "dataset_uri": f"s3://{BUCKET}/tumor-diagnosis/nonprod/content/{tree}",
        "dataset_version": "0" * 64,
        "settings_uri": put("settings", run["settings"]),
        "lineage_uri": put("lineage", lineage),
        "metric_auc": str(values["auc"]["value"]),
    }
    sagemaker.create_model_package_group(ModelPackageGroupName="tumor-diagnosis-dev")
    sagemaker.create_model_package(
        ModelPackageGroupName="tumor-diagnosis-dev",
        InferenceSpecification={
            "Containers": [
                {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"}
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties={name: text for name, text in (metadata | changes).items() if text},
    )
    return Repository(repository.path, {**environment, "PYTHONDONTWRITEBYTECODE": ""})


@pytest.mark.slow
def test_a_version_of_aws_is_made_again_and_what_differs_is_said(again: Again, aws: Sandbox) -> None:
    repository = on_aws(again(), aws)
    shutil.rmtree(repository.path / ".mlops/runs")  # a colleague's machine knows nothing of it
    done = repository.mlops("run", "--reproduce", "1", "--env", "dev", check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("version 1 of tumor-diagnosis-dev is not reproduced: recall was ")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0].startswith("Making version 1 of tumor-diagnosis-dev again: commit ")
    assert any(line.startswith("auc 0.") and line.endswith("agrees to rounding") for line in lines)
    assert [line.split()[0] for line in lines if line.endswith("DIFFERS")] == ["recall"]
    assert any(line.startswith("numpy 0.0.1 ") for line in lines)
    assert any(line.startswith("Python 3.1.0 3.") for line in lines)
    assert any(line.endswith("no-such-package") for line in lines)
    read = [call["resource"] for call in aws.calls if call["operation"] == "GetObject"]
    assert any(str(resource).endswith("/elsewhere.csv") for resource in read)
    assert versions(repository) == [1]
    assert not list((repository.path / ".mlops").glob("scratch-*"))


@pytest.mark.slow
def test_what_cannot_be_made_again_is_one_line(again: Again, aws: Sandbox, tmp_path: Path) -> None:
    repository = again()

    def refusal(repository: Repository, *words: str) -> str:
        done = repository.mlops("run", "--reproduce", "1", *words, check=False)
        assert done.returncode == 1
        return done.stderr.splitlines()[-1]

    cloud = on_aws(repository, aws, commit="0" * 40 + "-dirty")
    assert "its code was changed after commit 0000000000, and the change is in no commit" in refusal(
        cloud, "--env", "dev"
    )
    aws.reset()
    assert "which this clone has not; fetch first" in refusal(on_aws(repository, aws, commit="0" * 40), "--env", "dev")
    assert "there is no such environment" in refusal(cloud, "--env", "test")
    assert "leave out --set and --from" in refusal(cloud, "--set", "max_iter=3")
    none = repository.mlops("run", "--reproduce", "9", check=False)
    assert none.stderr == "there is no version 9 on this machine; there are: 1 (one of AWS: --env dev)\n"
    run = record(repository, 1)
    run["parameters"]["DataUri"] = "s3://laptop/" + "0" * 32
    (repository.path / ".mlops/runs/1/run.json").write_text(json.dumps(run))
    assert "its data are neither in git nor in .mlops" in refusal(repository)
    assert repository.git("worktree", "list").count("\n") == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_leaves_neither_worktree_nor_process(again: Again, number: signal.Signals) -> None:
    repository = again()
    before = traces(repository)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops", "run", "--reproduce", "1"],
        cwd=repository.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    home = repository.path / ".mlops"
    while not (found := list(home.glob("scratch-*/tumor-diagnosis/.mlops/runs/1/steps/*/log.txt"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == "Stopped; the folder of its own is removed, and nothing was changed."
    assert traces(repository) == before
    place = str(found[0].relative_to(home).parts[0]).encode()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert place not in file.read_bytes()
        except OSError:
            continue


def made(then: dict[str, float], now: dict[str, float], **more: Any) -> Agreement:
    details: dict[str, Any] = {"packages": {}, "python": None, "missing": ()} | more
    original = Original("version 3 of x-dev", "dev", "a" * 40, {}, then, "auc", data_uri="", **details)
    return Agreement(original, Outcome(now, {"b": "2"}, "3.11.9", None))


VALUES = st.floats(allow_infinity=False)


@given(then=VALUES, now=VALUES | st.none())
def test_equal_is_same_and_what_is_near_is_rounding(then: float, now: float | None) -> None:
    word = verdict(then, now)
    assert verdict(then, then) == "same"
    assert (word == "absent") == (now is None)
    if word == "rounding" and now is not None:
        assert abs(then - now) <= 1.1e-6 * max(abs(then), abs(now))
    if word == "differs" and now is not None:
        assert math.isnan(then) != math.isnan(now) or abs(then - now) >= 0.9e-6 * max(abs(then), abs(now))


def test_one_metric_that_is_gone_or_other_is_no_agreement() -> None:
    assert made({"auc": 0.9, "f1": 0.8}, {"auc": 0.9, "f1": 0.8, "new": 1.0}).agrees
    gone = made({"auc": 0.9, "f1": 0.8, "recall": 0.5}, {"auc": 0.9, "f1": 0.81})
    assert not gone.agrees
    assert gone.sentence() == "version 3 of x-dev is not reproduced: f1 was 0.8 and is 0.81, and 1 more differs"
    assert [row[0] for row in gone.metric_lines()[0]] == ["auc", "f1", "recall"]
    assert gone.metric_lines()[0][2] == ["recall", "0.5000", "–", "–", "ABSENT"]
    near = made({"auc": 0.9}, {"auc": 0.9 + 1e-12}, packages={"b": "1", "c": "1"}, missing=("it may not be read",))
    assert near.sentence() == "version 3 of x-dev is reproduced: the metric agrees to rounding."
    assert near.metric_lines()[0][0][3] == "+1.0e-12"
    assert near.difference_lines() == [["b", "1", "2"]]
    assert list(near.notes()) == ["Not installed here, of 2 packages: c", "Not compared: it may not be read"]
