"""`mlops status`: the versions of a project, one of them in full, and all projects of the account."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.cloud import version_table
from mlops.cloud.account_overview import live_version
from mlops.cloud.people import name_of
from mlops.cloud.stored_json import Stored
from mlops.cloud.version_table import Full
from mlops.cloud.versions import Group, Version
from mlops.image_support import END_OF_PATCH, support_of, support_of_framework
from mlops.laptop.plain_text import ILLEGAL
from tests.cloud.registry import COMMIT, DIGEST, IMAGE, FilledRegistry, lineage
from tests.conftest import SOURCE
from tests.setup.faults import faults
from tests.setup.stage import Quick

pytestmark = pytest.mark.slow

JOB = "mlops-tumor-diagnosis-prod-job"
SETTINGS = {"training": {"hyperparameters": {"max_iter": 200}}, "evaluation": {"metric": "auc"}, "serving": "realtime"}


def denied(operation: str, service: str = "sagemaker", times: int | None = None) -> dict[str, Any]:
    return {"service": service, "operation": operation, "times": times, "fault": "access-denied"}


def elsewhere(generated: Quick, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder that is no repository, as one does who has installed mlops."""
    return subprocess.run(
        [sys.executable, "-m", "mlops", *arguments],
        cwd=folder,
        env={**generated.environment, "PYTHONPATH": str(generated.path), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_versions_of_all_groups_the_newest_first(registry: FilledRegistry, generated: Quick) -> None:
    registry.register("tumor-diagnosis-dev", metadata={"branch": "dev", "commit": f"{COMMIT}-dirty"})
    registry.register("tumor-diagnosis-prod", by=JOB)
    registry.register("tumor-diagnosis-prod", by=JOB, metadata={"metric_auc": "0.9876543"})
    arn = registry.describe("tumor-diagnosis-prod", 1)["ModelPackageArn"]
    registry.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    done = generated.mlops("status")
    assert done.stderr == ""
    heading, names, *rows = done.stdout.splitlines()
    assert heading == "Versions of tumor-diagnosis in us-east-1, the newest first"
    assert names.split() == [
        "group",
        "version",
        "status",
        "auc",
        "created",
        "decided",
        "commit",
        "branch",
        "data",
        "template",
    ]
    cells = [row.split() for row in rows]
    assert [(row[0], row[1], row[2], row[3]) for row in cells] == [
        ("prod", "2", "pending", "0.9877"),
        ("prod", "1", "approved", "0.9910"),
        ("dev", "1", "pending", "0.9910"),
    ]
    assert cells[1][6] == "developer", "who approved"
    assert cells[2][-4:] == ["0123456789-dirty", "dev", "e2e2e2e2e2e2", "0.4.0"]
    listed = json.loads(generated.mlops("status", "--json").stdout)
    assert [(one["group"], one["version"], one["approval"]) for one in listed] == [
        ("tumor-diagnosis-prod", 2, "PendingManualApproval"),
        ("tumor-diagnosis-prod", 1, "Approved"),
        ("tumor-diagnosis-dev", 1, "PendingManualApproval"),
    ]
    assert (listed[1]["registered_by"], listed[1]["changed_by"]) == (JOB, "developer")
    assert datetime.fromisoformat(listed[1]["changed"]) > datetime.fromisoformat(listed[1]["created"])
    assert [one["version"] for one in json.loads(generated.mlops("status", "--env", "dev", "--json").stdout)] == [1]
    challenger = generated.mlops("status", "--group", "challenger").stdout
    assert challenger == "There is no version yet in tumor-diagnosis-challenger.\n"


def test_a_long_history_costs_no_more_calls_than_are_shown(registry: FilledRegistry, generated: Quick) -> None:
    """ListModelPackages begins with the oldest, and answers a page at a time."""
    for _ in range(12):
        registry.register("tumor-diagnosis-dev")
    start = len(registry.account.sandbox.calls)
    done = generated.mlops("status", "--env", "dev", "--last", "3")
    calls = [call["operation"] for call in registry.account.sandbox.calls[start:]]
    assert [line.split()[1] for line in done.stdout.splitlines()[2:5]] == ["12", "11", "10"]
    assert done.stdout.splitlines()[-1] == "There are older ones; show more with: mlops status --last 6"
    assert (calls.count("ListModelPackages"), calls.count("DescribeModelPackage")) == (1, 3)


def test_a_narrow_terminal_gets_two_lines_a_version(registry: FilledRegistry) -> None:
    group = Group("tumor-diagnosis-dev", "arn:aws:sagemaker:us-east-1:1:model-package-group/tumor-diagnosis-dev", "dev")
    registry.register("tumor-diagnosis-dev")
    version = Version(group, registry.describe("tumor-diagnosis-dev", 1))
    _, [row], _ = version_table.lines([version], narrow=True)
    assert row[:4] == ["dev", "1", "pending", "0.9910"]
    assert row[5] == "commit 0123456789 on main; data e2e2e2e2e2e2; template 0.4.0"


def test_one_version_in_full(registry: FilledRegistry, generated: Quick) -> None:
    files = {
        "lineage_uri": registry.store(lineage(auc=0.991, f1=0.95), "executions/abcd1234efgh/Compare/lineage"),
        "settings_uri": registry.store(SETTINGS, "settings"),
    }
    registry.register("tumor-diagnosis-prod", by=JOB, metadata=files | {"ticket": "ML-7"})
    arn = registry.describe("tumor-diagnosis-prod", 1)["ModelPackageArn"]
    registry.sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="worse on\x1b[2J young patients"
    )
    done = generated.mlops("status", "1", "--env", "prod")
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "Version 1 of tumor-diagnosis-prod is rejected: worse on young patients"
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for expected in (
        "auc 0.9910 0.9810 to 1.001",
        "f1 0.9500 0.9400 to 0.9600",
        f"commit {COMMIT}",
        "execution abcd1234efgh",
        f"image {IMAGE}",
        f"image digest {DIGEST}",
        "Python 3.11.9",
        "split validation_fraction 0.2, test_fraction 0.2, seed 42",
        "ticket ML-7",
        "max_iter 200",
        "training.hyperparameters.max_iter 200",
        "scikit-learn 1.9.0",
    ):
        assert expected in lines, expected
    assert f"by {JOB}" in done.stdout
    assert "by developer" in done.stdout
    full = json.loads(generated.mlops("status", "1", "--group", "tumor-diagnosis-prod", "--json").stdout)
    assert full["lineage"]["packages"] == {"numpy": "2.3.4", "scikit-learn": "1.9.0"}
    assert full["settings"] == SETTINGS
    assert (full["reason"], full["problems"]) == ("worse on\x1b[2J young patients", [])
    assert full["model_data"].endswith("/Train/model.tar.gz")


def test_of_hundreds_of_packages_those_are_shown_that_people_ask_about(
    registry: FilledRegistry, generated: Quick, tmp_path: Path
) -> None:
    """In a clone those that it asks for, too; all of them for programs."""
    packages = {f"dependency-{number}": f"{number}.0" for number in range(140)}
    packages |= {"numpy": "2.3.4", "scikit_learn": "1.9.0", "Life.Lines": "0.30.0"}
    uri = registry.store(lineage(auc=0.9) | {"packages": packages}, "lineage")
    registry.register("tumor-diagnosis-prod", metadata={"lineage_uri": uri})
    clone = tmp_path / "clone" / generated.path.name
    shutil.copytree(generated.path, clone, symlinks=True)
    with (clone / "model" / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write("-r more.txt\nlife-lines[plots]==0.30.0  # survival\n@@\n")
    shown = generated.at(clone).mlops("status", "1").stdout
    rows = [line.split(maxsplit=1) for line in shown[shown.index("package ") :].splitlines()]
    assert rows == [
        ["package", "version"],
        ["Life.Lines", "0.30.0"],
        ["numpy", "2.3.4"],
        ["scikit_learn", "1.9.0"],
        ["and", "140 more  with --json"],
    ]
    foreign = elsewhere(generated, tmp_path, "status", "1", "--project", "tumor-diagnosis").stdout
    assert "Life.Lines" not in foreign
    assert "and 141 more" in foreign
    full = json.loads(generated.mlops("status", "1", "--json").stdout)
    assert full["lineage"]["packages"] == packages


def test_without_a_group_the_only_one_that_has_the_number_is_meant(registry: FilledRegistry, generated: Quick) -> None:
    registry.register("tumor-diagnosis-dev")
    registry.register("tumor-diagnosis-dev")
    registry.register("tumor-diagnosis-prod")
    assert "Version 2 of tumor-diagnosis-dev" in generated.mlops("status", "2").stdout
    assert generated.refusal("status", "1") == (
        "version 1 is in tumor-diagnosis-dev and tumor-diagnosis-prod; say which: --group dev"
    )
    assert generated.refusal("status", "3", "--env", "dev") == "tumor-diagnosis-dev has no version 3; the newest is 2"
    assert "no group of tumor-diagnosis has a version 9" in generated.refusal("status", "9")
    assert generated.refusal("status", "1", "--env", "test") == (
        "--env test: there is no such model package group; there are: feature, dev, prod, champion, challenger"
    )
    assert "are two groups" in generated.refusal("status", "1", "--env", "dev", "--group", "champion")


def test_what_cannot_be_read_is_said_and_the_rest_shown(registry: FilledRegistry, generated: Quick) -> None:
    """Data scientists may seldom read the files of production."""
    good = registry.store(lineage(auc=0.9), "lineage")
    registry.register("tumor-diagnosis-prod", metadata={"lineage_uri": good})
    with faults(registry.account.sandbox, denied("GetObject", "s3")):
        done = generated.mlops("status", "1")
    assert done.stderr.splitlines() == [
        "Not shown: the version names no settings",
        f"Not shown: the lineage may not be read with these credentials: it takes s3:GetObject on {good}, "
        "and kms:Decrypt on its key",
    ]
    assert "0123456789abcdef" in done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, 2]", "the lineage is no JSON object"),
        (b"{", "the lineage is no JSON ("),
        (None, "the lineage is gone: there is no s3://"),
        (b'{"format": 2}', "has another hash than its name"),
    ],
)
def test_lineage_that_is_broken_gone_or_another_than_was_registered(
    registry: FilledRegistry, generated: Quick, content: bytes | None, said: str
) -> None:
    uri = registry.store({"format": 1}, "lineage", content if content and b"format" not in content else None)
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    if content is None:
        registry.s3.delete_object(Bucket=bucket, Key=key)
    elif b"format" in content:
        registry.s3.put_object(Bucket=bucket, Key=key, Body=content)
    registry.register("tumor-diagnosis-prod", metadata={"lineage_uri": uri})
    assert said in generated.mlops("status", "1").stderr


def test_all_projects_of_the_account(registry: FilledRegistry, generated: Quick, tmp_path: Path) -> None:
    """Without a clone."""
    old = {"Image": "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1", "ModelDataUrl": "s3://b/m"}
    xgboost = {
        "Containers": [old],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    registry.make_groups("churn", ("dev", "prod"))
    registry.account.make_group("of-somebody-else", {"team": "theirs"})
    registry.account.make_group("churn-pretender", {"mlops:project": "churn"})
    for _ in range(2):
        registry.register("churn-prod", InferenceSpecification=xgboost, ModelApprovalStatus="Approved")
    registry.register("churn-dev")
    registry.register("tumor-diagnosis-champion", ModelApprovalStatus="Approved")
    registry.deploy("churn-prod", "churn-prod-v1-0a1b2c3d-2")
    registry.make_groups("idle", ("prod",))
    registry.deploy("idle-prod", "made-by-hand")
    done = elsewhere(generated, tmp_path, "status", "--account")
    assert done.returncode == 0, done.stderr
    headings, *rows = done.stdout.splitlines()
    assert headings.split()[:5] == ["project", "owner", "template", "newest", "versions"]
    assert [" ".join(row.split()) for row in rows] == [
        "churn churn@hospital.org 0.4.0 dev 1 pending, prod 2 approved 1 XGBoost 1.7-1 patched until 2025-03-06: over",
        "idle idle@hospital.org 0.4.0 none ? - -",
        "tumor-diagnosis tumor-diagnosis@hospital.org 0.4.0 champion 1 approved - scikit-learn 1.9-0 "
        "patched until 2027-07-16",
    ]
    assert done.stderr.splitlines()[1:] == [
        "churn: XGBoost 1.7-1 is patched until 2025-03-06: over; set model.framework_version in its mlops.yaml to a "
        "newer one, and train again"
    ]
    with faults(registry.account.sandbox, denied("DescribeEndpoint")):
        listed = json.loads(generated.mlops("status", "--account", "--json").stdout)
    assert [(one["project"], one["live"], one["image_support"]) for one in listed] == [
        ("churn", "?", "ended"),
        ("idle", "?", "unknown"),
        ("tumor-diagnosis", "?", "supported"),
    ]
    assert listed[0]["newest"]["prod"] == {"version": 2, "approval": "Approved"}
    with faults(registry.account.sandbox, denied("ListTags", times=1)):
        partly = generated.mlops("status", "--account")
    assert "its tags may not be read (sagemaker:ListTags)" in partly.stderr
    assert "churn" in partly.stdout


def test_another_project_from_any_folder(registry: FilledRegistry, generated: Quick, tmp_path: Path) -> None:
    registry.make_groups("churn", ("dev", "prod"))
    registry.register("churn-prod")
    done = elsewhere(generated, tmp_path, "status", "--project", "churn", "--json")
    assert [one["group"] for one in json.loads(done.stdout)] == ["churn-prod"]
    refused = elsewhere(generated, tmp_path, "status")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "is in no model repository" in refused.stderr


def test_what_cannot_be_asked_is_one_line(registry: FilledRegistry, generated: Quick, tmp_path: Path) -> None:
    assert "it is the slug" in generated.refusal("status", "--project", "No Such")
    assert "nothing-here has no model package group in us-east-1" in generated.refusal(
        "status", "--project", "nothing-here"
    )
    assert "--account shows all projects" in generated.refusal("status", "1", "--account")
    with faults(registry.account.sandbox, denied("ListModelPackageGroups")):
        assert "ListModelPackageGroups is not allowed" in generated.refusal("status")
    nowhere = {"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_CONFIG_FILE": os.devnull}
    done = elsewhere(generated, tmp_path, "status", "--project", "churn", **nowhere)
    assert (done.returncode, done.stderr) == (
        1,
        "no region is set; set AWS_REGION, or give the profile one: aws configure set region us-east-1\n",
    )


# What AWS takes for metadata (letters, separators, numbers, some marks), and what JSON may hold in lineage.
LEGAL = st.text(st.characters(categories=["L", "Z", "N"], include_characters="_.:/=+-@"), min_size=1, max_size=256)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ANY,
    lambda content: st.lists(content, max_size=3) | st.dictionaries(ANY, content, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(
    metadata=st.dictionaries(
        LEGAL | st.sampled_from(["commit", "branch", "dataset_version", "metric_auc", "template_version"]), LEGAL
    ),
    reason=ANY,
    content=st.dictionaries(
        st.sampled_from(["metrics", "packages", "hyperparameters", "image", "split", "python", "main_metric"]) | ANY,
        JSON,
    ),
)
def test_whatever_stands_in_metadata_and_lineage_each_cell_is_one_harmless_line(
    metadata: dict[str, str], reason: str, content: dict[str, Any]
) -> None:
    group = Group("x-dev", "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/x-dev", "dev")
    described = {
        "ModelPackageVersion": 1,
        "ModelPackageArn": group.arn_of(1),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": reason,
        "CreationTime": datetime(2026, 11, 25, tzinfo=UTC),
        "CustomerMetadataProperties": metadata,
    }
    version = Version(group, described)
    full = Full(version, Stored(content), Stored(content))
    tables = [version_table.lines([version], narrow)[:2] for narrow in (False, True)]
    tables += list(version_table.details(full))
    cells = [cell for _, rows in tables for row in rows for cell in row]
    for cell in [*cells, version_table.headline(version)]:
        assert not ILLEGAL.search(cell)
        assert len(cell.splitlines()) <= 1
    json.dumps(version_table.full_as_json(full), default=str)


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ({"UserProfileName": "ada", "DomainId": "d-1"}, "ada"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::1:user/team/ada", "PrincipalId": "AIDA"}}, "ada"),
        ({"IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/mlops-x-prod-job/SageMaker"}}, "mlops-x-prod-job"),
        (
            {"IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/AWSReservedSSO_Approver_0123456789abcdef/ada@h.org"}},
            "ada@h.org (Approver)",
        ),
        ({"IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/r/s", "SourceIdentity": "ada@h.org"}}, "ada@h.org"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::1:root"}}, "root"),
        ({}, ""),
        (None, ""),
    ],
)
def test_people_have_the_names_that_colleagues_know(who: dict[str, Any] | None, name: str) -> None:
    assert name_of(who) == name


@pytest.mark.parametrize(
    ("configuration", "version"),
    [
        ("x-prod-v12-0a1b2c3d", "12"),
        ("x-prod-v12-0a1b2c3d-3", "12"),
        ("x-prod-v12-0a1b2c3", "?"),
        ("y-x-prod-v12-0a1b2c3d", "?"),
        ("", "?"),
    ],
)
def test_the_live_version_is_in_the_name_of_the_configuration(configuration: str, version: str) -> None:
    assert live_version("x-prod", configuration) == version


def test_an_image_is_warned_about_from_60_days_before_its_end() -> None:
    support = support_of(IMAGE)
    assert (support.image, support.ends) == ("scikit-learn 1.9-0", date(2027, 7, 16))
    states = {
        day: support.state(day) for day in (date(2027, 5, 16), date(2027, 5, 17), date(2027, 7, 16), date(2027, 7, 17))
    }
    assert list(states.values()) == ["supported", "ending", "ending", "ended"]
    assert support.sentence(date(2027, 7, 15)) == "patched until 2027-07-16: 1 day left"
    assert support.sentence(date(2027, 7, 17)) == "patched until 2027-07-16: over"
    digest = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.0-1@sha256:" + "0" * 64
    assert support_of(digest).sentence(date(2026, 11, 25)) == "no longer patched"
    for unknown in ("123.dkr.ecr.us-east-1.amazonaws.com/our/own:7", "own", "", None, "x/sagemaker-xgboost:9.9-9"):
        assert support_of(unknown).state(date(2030, 1, 1)) == "unknown"
    assert support_of("123.dkr.ecr.us-east-1.amazonaws.com/our/own:7").image == "own:7"


def test_the_images_that_the_template_offers_are_in_the_table() -> None:
    [line] = [line for line in (SOURCE / "mlops.yaml").read_text("utf-8").splitlines() if "framework_version" in line]
    offered = re.findall(r"'(\d+\.\d+-\d+)'", line)
    for framework, version in zip(("scikit-learn", "XGBoost"), offered, strict=True):
        assert END_OF_PATCH[framework, version], "a new image needs its date"
        newest = support_of_framework(framework.lower(), None)
        assert newest == support_of_framework(framework.lower(), version), "null means the newest"
