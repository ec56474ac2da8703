"""What the organisation asks for reaches every job; nothing else of the definition changes."""

import copy
from typing import Any

import pytest

from mlops.cloud.account_stack import AccountStack
from mlops.cloud.definition_changes import changes
from mlops.cloud.organisation import steps_of, with_organisation
from mlops.cloud.quotas import Demand, at_once, check, demands
from mlops.problem import Problem

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
PLAIN = AccountStack("0.4.0", 1, "bucket", KEY, "function", "/mlops/")
STRICT = AccountStack(
    "0.4.0",
    1,
    "bucket",
    KEY,
    "function",
    "/mlops/",
    ("subnet-1", "subnet-2"),
    ("sg-1",),
    {"CostCenter": "7"},
    "https://pip",
)
VALUES = {"ScoreInstanceType": "ml.m5.large", "TrainInstanceType": "ml.g5.xlarge"}


def definition() -> dict[str, Any]:
    """One step of each kind, two of them in the branches of a condition."""
    processing = {
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": {"Get": "Parameters.ScoreInstanceType"}, "InstanceCount": 1}
        },
    }
    training = {"ResourceConfig": {"InstanceType": {"Get": "Parameters.TrainInstanceType"}, "InstanceCount": 2}}
    transform = {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}}
    condition = {
        "Conditions": [],
        "IfSteps": [{"Name": "Make", "Type": "Model", "Arguments": {"Tags": [{"Key": "team", "Value": "own"}]}}],
        "ElseSteps": [{"Name": "Refused", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
    steps = [
        {"Name": "Score", "Type": "Processing", "Arguments": processing},
        {"Name": "Train", "Type": "Training", "Arguments": training},
        {"Name": "Ask", "Type": "Transform", "Arguments": transform},
        {"Name": "Gate", "Type": "Condition", "Arguments": condition},
    ]
    return {"Version": "2020-12-01", "Parameters": [{"Name": "Seed", "DefaultValue": "42"}], "Steps": steps}


def laid_over(stack: AccountStack) -> dict[str, dict[str, Any]]:
    result = with_organisation(definition(), stack, {"mlops:project": "demo"}, VALUES)
    return {step["Name"]: step["Arguments"] for step in steps_of(result)}


def test_network_key_tags_and_package_index_reach_every_job() -> None:
    found = laid_over(STRICT)
    vpc = {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert found["Score"]["NetworkConfig"]["VpcConfig"] == vpc
    assert [found[name]["VpcConfig"] for name in ("Train", "Make")] == [vpc, vpc]
    assert found["Score"]["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == KEY
    assert found["Ask"]["TransformResources"]["VolumeKmsKeyId"] == KEY
    for name in ("Score", "Train", "Ask", "Make"):
        assert {"Key": "CostCenter", "Value": "7"} in found[name]["Tags"], name
        assert {"Key": "mlops:project", "Value": "demo"} in found[name]["Tags"], name
    assert [found[name]["Environment"] for name in ("Score", "Train")] == [{"PIP_INDEX_URL": "https://pip"}] * 2


def test_disks_that_encrypt_themselves_get_no_key() -> None:
    """CreateTrainingJob refuses one there."""
    assert "VolumeKmsKeyId" not in laid_over(STRICT)["Train"]["ResourceConfig"]


def test_without_an_organisation_there_are_tags_and_the_accounts_key_alone() -> None:
    found = laid_over(PLAIN)
    assert "NetworkConfig" not in found["Score"]
    assert not {"VpcConfig", "Environment"} & found["Train"].keys()
    assert found["Refused"] == {"ErrorMessage": "no"}


def test_a_tag_of_the_teams_own_stays_and_the_organisations_wins() -> None:
    tags = {tag["Key"]: tag["Value"] for tag in laid_over(STRICT)["Make"]["Tags"]}
    assert tags == {"mlops:project": "demo", "team": "own", "CostCenter": "7"}


def test_the_definition_itself_is_not_changed() -> None:
    original = definition()
    before = copy.deepcopy(original)
    with_organisation(original, STRICT, {}, VALUES)
    assert original == before


def test_each_job_asks_for_what_it_runs_on() -> None:
    assert demands(definition(), VALUES) == [
        Demand("Score", "ml.m5.large for processing job usage", 1),
        Demand("Train", "ml.g5.xlarge for training job usage", 2),
        Demand("Ask", "ml.m5.large for transform job usage", 1),
    ]


def test_a_step_that_can_never_start_is_refused_with_its_quota() -> None:
    with pytest.raises(Problem, match=r"step Train asks for 2 x ml.g5.xlarge, and the quota .* is 1 in eu-west-1"):
        check(demands(definition(), VALUES), {"ml.g5.xlarge for training job usage": 1.0}, "eu-west-1")


@pytest.mark.parametrize(
    ("quota", "steps"), [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, None), (None, None)], ids=lambda value: str(value)
)
def test_no_more_steps_at_once_than_the_quota_has_room_for(quota: float | None, steps: int | None) -> None:
    asked = [Demand(name, "ml.m5.large for processing job usage", 1) for name in "abc"]
    quotas = {} if quota is None else {"ml.m5.large for processing job usage": quota}
    assert at_once(asked, quotas) == steps


def test_what_changed_in_a_definition_is_named_by_step_and_part() -> None:
    before, after = definition(), definition()
    after["Steps"][1]["Arguments"]["ResourceConfig"]["InstanceCount"] = 3
    after["Steps"][3]["Arguments"]["ElseSteps"] = []
    after["Steps"][0]["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.m5.xlarge"
    after["Parameters"][0]["DefaultValue"] = "43"
    assert [(change.where, change.before, change.after) for change in changes(before, after)] == [
        (
            "Score: ProcessingResources.ClusterConfig.InstanceType",
            '{"Get": "Parameters.ScoreInstanceType"}',
            "ml.m5.xlarge",
        ),
        ("Train: ResourceConfig.InstanceCount", "2", "3"),
        ("parameter Seed", "42", "43"),
        ("step Refused", "there", "-"),
    ]
