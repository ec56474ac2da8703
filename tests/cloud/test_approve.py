"""`mlops approve` and `mlops reject`: what is shown before, what is written, and what never is."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.cloud import approval
from mlops.cloud.project import Project
from mlops.cloud.stored_json import Stored
from mlops.cloud.versions import Group, Registry, Version
from mlops.problem import Problem
from tests.cloud.registry import FilledRegistry, lineage
from tests.cloud.test_status import JOB, denied, elsewhere
from tests.setup.at_a_terminal import on_a_terminal
from tests.setup.faults import faults
from tests.setup.stage import Quick

pytestmark = pytest.mark.slow

PROD = "tumor-diagnosis-prod"


def decided(registry: FilledRegistry, number: int, group: str = PROD) -> tuple[str, str]:
    """What AWS has of a decision."""
    described = registry.describe(group, number)
    return described["ModelApprovalStatus"], described.get("ApprovalDescription", "")


def test_what_is_shown_before_an_approval_and_what_is_written(registry: FilledRegistry, generated: Quick) -> None:
    before = registry.store(lineage(auc=0.98, f1=0.9), "lineage")
    after = registry.store(lineage(auc=0.99, f1=0.94), "lineage")
    registry.register(PROD, by=JOB, metadata={"lineage_uri": before, "metric_auc": "0.98", "branch": "main"})
    first = generated.mlops("approve", "1", "--yes", "--reason", "first one")
    assert first.stdout.splitlines()[0].startswith("AWS account 123456789012 (sandbox), us-east-1, as arn:aws:iam::")
    assert f"It becomes the current version of {PROD}." in first.stdout
    assert first.stderr == ""
    registry.register(PROD, by=JOB, metadata={"lineage_uri": after, "commit": "f" * 40})
    done = generated.mlops("approve", "2", "--yes", "--reason", "better\non the rare class")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for expected in (
        f"Version 2 of {PROD} is pending.",
        "version 1 (current) version 2",
        "commit 0123456789 ffffffffff",
        f"trained by {JOB} {JOB}",
        "metric version 1 (current) version 2 difference",
        "auc 0.9800 0.9900 +0.0100",
        "f1 0.9000 0.9400 +0.0400",
        f"It becomes the current version of {PROD} instead of 1.",
        f"Version 2 of {PROD} is approved.",
    ):
        assert expected in lines, expected
    assert decided(registry, 2) == ("Approved", "better on the rare class")
    assert decided(registry, 1) == ("Approved", "first one")


def test_it_asks_and_a_no_changes_nothing(registry: FilledRegistry, generated: Quick) -> None:
    registry.register(PROD)
    code, screen = on_a_terminal(generated, "n\n", "approve", "1")
    assert code == 1
    assert f"Approve version 1 of {PROD}? [y/N]" in screen
    assert "nothing was decided." in screen
    assert registry.updates() == 0
    code, screen = on_a_terminal(generated, "y\n", "approve", "1")
    assert (code, decided(registry, 1)) == (0, ("Approved", "")), screen


def test_somebody_who_decides_while_one_reads_is_not_overruled(registry: FilledRegistry, generated: Quick) -> None:
    registry.register(PROD)
    arn = registry.describe(PROD, 1)["ModelPackageArn"]

    def meanwhile() -> None:
        registry.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="data of last year"
        )

    code, screen = on_a_terminal(generated, "y\n", "approve", "1", meanwhile=meanwhile)
    assert code == 1
    assert "version 1 was rejected meanwhile by developer; nothing was changed" in screen
    assert decided(registry, 1) == ("Rejected", "data of last year")


def test_a_decision_that_is_made_already_emits_no_second_event(registry: FilledRegistry, generated: Quick) -> None:
    """Each edit of an approved version is an event, and events deploy."""
    registry.register(PROD, ModelApprovalStatus="Approved")
    done = generated.mlops("approve", "1", "--yes", "--reason", "again")
    assert done.stdout == f"Version 1 of {PROD} is approved; last changed by developer. Nothing was changed.\n"
    told = json.loads(generated.mlops("approve", "1", "--yes", "--json").stdout)
    assert (told["approval"], told["was"], told["changed"]) == ("Approved", "Approved", False)
    generated.mlops("reject", "1", "--reason", "no", "--yes")
    generated.mlops("reject", "1", "--reason", "no", "--yes")
    assert registry.updates() == 1


def test_rejecting_the_current_version_says_what_follows(registry: FilledRegistry, generated: Quick) -> None:
    for _ in range(3):
        registry.register(PROD, ModelApprovalStatus="Approved")
    registry.register(PROD)
    pending = generated.mlops("reject", "4", "--reason", "worse", "--yes").stdout
    assert f"The current version of {PROD} stays 3." in pending
    older = generated.mlops("reject", "1", "--reason", "worse", "--yes").stdout
    assert f"The current version of {PROD} stays 3." in older
    current = generated.mlops("reject", "3", "--reason", "complaints", "--yes", "--env", "prod").stdout
    assert "Version 2, approved before it, becomes the current one again: that is what is deployed then." in current
    last = generated.mlops("reject", "2", "--reason", "complaints", "--yes").stdout
    assert "there is none to go back to" in last
    assert [decided(registry, number)[0] for number in (1, 2, 3, 4)] == ["Rejected"] * 4
    back = json.loads(generated.mlops("approve", "2", "--yes", "--json").stdout)
    assert (back["was"], back["approval"], back["reason"]) == ("Rejected", "Approved", None), (
        "the reason for rejecting is none for approving"
    )
    assert decided(registry, 2) == ("Approved", "")


def test_an_older_version_does_not_become_the_current_one(registry: FilledRegistry, generated: Quick) -> None:
    registry.register(PROD)
    registry.register(PROD, ModelApprovalStatus="Approved")
    done = generated.mlops("approve", "1", "--yes")
    assert f"The current version of {PROD} stays 2, which is newer: to go back to 1, reject 2." in done.stdout
    assert done.stderr.splitlines() == [
        "Not all metrics of version 2 (current): the version names no lineage",
        "Not all metrics of version 1: the version names no lineage",
    ]


def test_groups_and_projects_are_named(registry: FilledRegistry, generated: Quick, tmp_path: Path) -> None:
    """Approving is for production, whatever the branch; without a clone too."""
    registry.register("tumor-diagnosis-dev")
    registry.register("tumor-diagnosis-challenger")
    assert generated.git("branch", "--show-current") == "dev"
    assert generated.refusal("approve", "1", "--yes") == f"{PROD} has no version 1; there is none yet"
    generated.mlops("approve", "1", "--env", "dev", "--yes")
    generated.mlops("approve", "1", "--group", "challenger", "--yes")
    assert decided(registry, 1, "tumor-diagnosis-dev")[0] == "Approved"
    assert decided(registry, 1, "tumor-diagnosis-challenger")[0] == "Approved"
    registry.make_groups("churn", ("prod",))
    registry.register("churn-prod")
    done = elsewhere(generated, tmp_path, "reject", "1", "--project", "churn", "--reason", "no", "--yes", "--json")
    assert json.loads(done.stdout)["group"] == "churn-prod", done.stderr
    assert decided(registry, 1, "churn-prod") == ("Rejected", "no")
    refused = elsewhere(generated, tmp_path, "approve", "1", "--yes")
    assert (refused.returncode, "is in no model repository" in refused.stderr) == (1, True)


def test_who_may_not_is_told_which_policy_it_takes(registry: FilledRegistry, generated: Quick) -> None:
    registry.register(PROD)
    with faults(registry.account.sandbox, denied("UpdateModelPackage")):
        refusal = generated.refusal("approve", "1", "--yes", "--json")
    assert refusal.startswith(f"you may not approve or reject in {PROD} (")
    assert "ask an administrator of the account for the policy mlops-approver, or an approver to decide" in refusal
    assert decided(registry, 1)[0] == "PendingManualApproval"


def test_an_answer_that_was_lost_is_looked_up(registry: FilledRegistry, generated: Quick) -> None:
    registry.register(PROD)
    lost = {"service": "sagemaker", "operation": "UpdateModelPackage", "times": None, "fault": "no-answer"}
    with faults(registry.account.sandbox, lost):
        done = generated.mlops("approve", "1", "--yes", "--json")
    assert json.loads(done.stdout)["approval"] == "Approved"
    with faults(registry.account.sandbox, lost | {"fault": "server-error"}):
        assert "UpdateModelPackage failed" in generated.refusal("reject", "1", "--reason", "x", "--yes", "--json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["approve", "1"], "this asks before it decides, and there is no terminal; add --yes."),
        (["approve", "1", "--json"], "--json prints JSON alone, and so cannot ask; add --yes"),
        (["reject", "1", "--reason", " ", "--yes"], "--reason is empty; say why, for those who trained it"),
        (["reject", "1", "--reason", "x" * 1025, "--yes"], "--reason has 1025 characters; SageMaker takes 1024"),
        (["approve", "0", "--yes"], f"{PROD} has no version 0; the newest is 1"),
        (["approve", "1", "--env", "test", "--yes"], "--env test: there is no such model package group"),
    ],
)
def test_what_cannot_be_decided_is_one_line_and_changes_nothing(
    registry: FilledRegistry, generated: Quick, words: list[str], said: str
) -> None:
    registry.register(PROD)
    assert said in generated.refusal(*words)
    assert registry.updates() == 0


def test_a_version_that_is_not_whole_cannot_be_approved(aws_like: Registry) -> None:
    version = Version(GROUP, {**DESCRIBED, "ModelPackageStatus": "Failed"})
    with pytest.raises(Problem, match="version 7 of x-prod is Failed, not Completed: it cannot be approved"):
        approval.prepare(aws_like, version, "Approved", "")


def test_without_lineage_the_metric_in_the_registry_counts() -> None:
    version = Version(GROUP, {**DESCRIBED, "CustomerMetadataProperties": {"metric_auc": "0.9"}})
    other = Version(GROUP, {**DESCRIBED, "CustomerMetadataProperties": {"metric_auc": "none"}})
    unread = Stored(problem="may not be read")
    assert approval.metrics_of(version, unread) == {"auc": 0.9}
    assert approval.metrics_of(version, Stored(lineage(auc=0.8, f1=0.7))) == {"auc": 0.8, "f1": 0.7}
    assert approval.metrics_of(other, unread) == {}


GROUP = Group("x-prod", "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/x-prod", "prod")
DESCRIBED: dict[str, Any] = {
    "ModelPackageVersion": 7,
    "ModelPackageArn": GROUP.arn_of(7),
    "ModelPackageStatus": "Completed",
    "ModelApprovalStatus": "PendingManualApproval",
}


@pytest.fixture
def aws_like() -> Registry:
    """A registry that is not asked."""
    return Registry(Project("x", "us-east-1"))
