"""What a definition says about order, and what is refused before anything runs."""

import random
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.problem import Problem
from mlops.runner import graph, requests
from tests.runner.conftest import of_sdk

Step = dict[str, Any]


def fail(name: str, message: Any = "", **step: Any) -> Step:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **step}


def condition(name: str, then: list[Step], otherwise: list[Step], left: Any = 1, **step: Any) -> Step:
    test = {"Type": "Equals", "LeftValue": left, "RightValue": 1}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [test], "IfSteps": then, "ElseSteps": otherwise},
        **step,
    }


def read(*steps: Step, parameters: list[Step] | None = None) -> dict[str, graph.Step]:
    return graph.read({"Parameters": parameters or [], "Steps": [*steps]})


def test_steps_come_in_an_order_in_which_they_can_run_and_else_as_they_are_written() -> None:
    steps = read(fail("Z", DependsOn=["B"]), fail("Y"), fail("B"), fail("A", {"Get": "Steps.Z.X"}))
    assert list(steps) == ["Y", "B", "Z", "A"]
    assert steps["A"].waits_for == {"Z"}


@given(st.integers(2, 12), st.randoms(use_true_random=False))
def test_any_graph_without_circles_is_ordered(count: int, chance: random.Random) -> None:
    names = [f"S{number}" for number in range(count)]
    before = {name: chance.sample(names[:place], chance.randint(0, place)) for place, name in enumerate(names)}
    written = [fail(name, DependsOn=before[name]) for name in names]
    chance.shuffle(written)
    order = list(read(*written))
    assert sorted(order) == sorted(names)
    for name in names:
        assert all(order.index(other) < order.index(name) for other in before[name])
    later = graph.descendants(read(*written), names[0])
    reached = {names[0]}
    for name in names:
        if reached & set(before[name]):
            reached.add(name)
    assert later == reached
    # B comes before A where A comes after B.
    assert graph.ancestors(read(*written), names[-1]) == {
        name for name in names[:-1] if names[-1] in graph.descendants(read(*written), name)
    }


def test_steps_of_a_branch_wait_for_their_condition_also_when_nested() -> None:
    inner = condition("Inner", [fail("Deep")], [])
    steps = read(condition("Outer", [inner], [fail("Else")]), fail("After", DependsOn=["Deep"]))
    assert steps["Inner"].branch == ("Outer", True)
    assert steps["Deep"].branch == ("Inner", True)
    assert steps["Deep"].waits_for == {"Inner"}
    assert steps["Else"].branch == ("Outer", False)
    assert steps["After"].branch is None
    assert graph.descendants(steps, "Inner") == {"Inner", "Deep", "After"}


def test_a_function_in_a_function_makes_a_step_wait_for_each_that_it_reads() -> None:
    files = [{"PropertyFileName": "F", "OutputName": "out", "FilePath": "f.json"}]
    first = {"Name": "One", "Type": "Processing", "Arguments": {}, "PropertyFiles": files}
    join = {"Std:Join": {"On": "", "Values": [{"Std:JsonGet": {"PropertyFile": {"Get": "Steps.One.PropertyFiles.F"},
            "Path": {"Std:Join": {"On": ".", "Values": ["a", {"Get": "Steps.Two.Outcome"}]}}}}]}}  # fmt: skip
    assert read(first, condition("Two", [], []), fail("Last", join))["Last"].waits_for == {"One", "Two"}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"Name": "X", "Type": "Tuning", "Arguments": {}}], "step X is of the type Tuning, which cannot run here"),
        ([{"Name": "X", "Type": "Lambda", "Arguments": {}}], "type Lambda"),
        ([fail("X", Depends=["Y"])], "step X has the key 'Depends'"),
        ([fail("X"), fail("X")], "two steps are called 'X'"),
        ([fail("../X")], "'../X'"),
        ([fail("X", DependsOn=["Y"])], "step X waits for 'Y', which is no step"),
        ([fail("X", {"Get": "Steps.Y.Z"})], "step X waits for 'Y', which is no step"),
        ([fail("X", {"Get": "Parameters.P"})], "step X uses Parameters.P, which is no parameter"),
        ([fail("X", {"Get": "Execution.PipelineArn"})], "step X uses Execution.PipelineArn, which there is not here"),
        ([fail("X", {"Get": "Item.Value"})], "step X uses Item.Value, which cannot be followed here"),
        ([fail("X", [{"Std:Sum": []}])], "step X uses Std:Sum"),
        ([fail("X", {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a"}})], "step X reads JSON from S3"),
        (
            [fail("Y"), fail("X", {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Y.PropertyFiles.F"}, "Path": "a"}})],
            "step X reads the property file 'F' of step Y, which that step does not have",
        ),
        ([fail("X", DependsOn=["Y"]), fail("Y", DependsOn=["X"])], "these steps wait for each other: X, Y"),
        ([fail("A", DependsOn=["X"]), fail("X", DependsOn=["X"])], "these steps wait for each other: X"),
        ([condition("C", [fail("X")], [], DependsOn=["X"])], "these steps wait for each other: C, X"),
        ([condition("C", [fail("X", DependsOn=["Y"])], [])], "step X waits for 'Y', which is no step"),
        ([condition("C", [fail("X", Bad=1)], [])], "step X has the key 'Bad'"),
        ([{**fail("X"), "Arguments": {"Message": ""}}], "step X asks for Message, which cannot be followed here"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_name_before_anything_runs(steps: list[Step], message: str) -> None:
    with pytest.raises(Problem) as caught:
        read(*steps)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("Training", {"CheckpointConfig": {}}, "asks for CheckpointConfig, which cannot be followed here"),
        ("Training", {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}, "TrainingInputMode Pipe"),
        ("Training", {"AlgorithmSpecification": {"AlgorithmName": "a"}}, "AlgorithmSpecification.AlgorithmName"),
        ("Training", {"InputDataConfig": [{"CompressionType": "Gzip"}]}, "InputDataConfig.CompressionType Gzip"),
        ("Training", {"InputDataConfig": [{"DataSource": {"FileSystemDataSource": {}}}]}, "FileSystemDataSource"),
        ("Training", {"OutputDataConfig": {"CompressionType": "NONE"}}, "only GZIP can"),
        ("Training", {"ResourceConfig": {"InstanceCount": 2}}, "ResourceConfig.InstanceCount 2"),
        ("Training", {"ResourceConfig": {"InstanceGroups": []}}, "ResourceConfig.InstanceGroups"),
        ("Processing", {"ProcessingInputs": [{"DatasetDefinition": {}}]}, "ProcessingInputs.DatasetDefinition"),
        ("Processing", {"ProcessingInputs": [{"S3Input": {"S3DataType": "ManifestFile"}}]}, "only S3Prefix can"),
        ("Processing", {"ProcessingInputs": [{"S3Input": {"S3InputMode": "Pipe"}}]}, "S3InputMode Pipe"),
        ("Processing", {"ProcessingOutputConfig": {"Outputs": [{"FeatureStoreOutput": {}}]}}, "FeatureStoreOutput"),
        ("Processing", {"ProcessingResources": {"ClusterConfig": {"InstanceCount": 3}}}, "InstanceCount 3"),
        ("Transform", {"TransformInput": {"SplitType": "RecordIO"}}, "SplitType RecordIO"),
        ("Transform", {"TransformInput": {"CompressionType": "Gzip"}}, "CompressionType Gzip"),
        ("Transform", {"DataProcessing": {"JoinSource": "Input"}}, "DataProcessing.JoinSource Input"),
        ("Transform", {"DataProcessing": {"InputFilter": "$[1:]"}}, "InputFilter $[1:]"),
        ("Model", {"Containers": []}, "asks for Containers"),
        ("Model", {"PrimaryContainer": {"Mode": "MultiModel"}}, "only SingleModel can"),
    ],
)
def test_what_only_sagemaker_does_is_refused_by_name(kind: str, arguments: Step, message: str) -> None:
    with pytest.raises(Problem) as caught:
        read({"Name": "X", "Type": kind, "Arguments": arguments})
    assert str(caught.value).startswith("step X asks for ")
    assert message in str(caught.value)


def test_a_value_that_only_a_run_knows_is_looked_at_then() -> None:
    arguments = {"ResourceConfig": {"InstanceCount": {"Get": "Parameters.Count"}}}
    step = {"Name": "X", "Type": "Training", "Arguments": arguments}
    read(step, parameters=[{"Name": "Count", "Type": "Integer", "DefaultValue": 1}])
    with pytest.raises(Problem, match="InstanceCount 2"):
        requests.check("X", "Training", {"ResourceConfig": {"InstanceCount": 2}})


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("Processing", "CreateProcessingJob"),
        ("Training", "CreateTrainingJob"),
        ("Transform", "CreateTransformJob"),
        ("Model", "CreateModel"),
    ],
)
def test_the_members_that_are_followed_are_those_of_the_services(kind: str, operation: str) -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")

    def compare(followed: Any, shape: Any) -> None:
        if isinstance(followed, dict):
            for name, part in followed.items():
                if part is None and shape.type_name == "map":
                    continue
                assert name in shape.members or name in {"VpcConfig", "EnableNetworkIsolation", "RoleArn"}, name
                if name in shape.members:
                    compare(part, shape.members[name])
        elif isinstance(followed, list):
            compare(followed[0], shape.member)
        elif followed and shape.type_name == "string":
            assert followed <= set(shape.enum or followed), followed

    compare(requests.FOLLOWED[kind], model.operation_model(operation).input_shape)


def test_steps_that_run_after_a_failure_are_refused_as_the_sdk_writes_them() -> None:
    sdk = of_sdk("mlops/workflow/step_dependency.py")
    for trigger in (sdk.TriggerCondition.FAILED, sdk.TriggerCondition.STOPPED, sdk.TriggerCondition.ANY):
        written = sdk.StepDependency("Train", trigger).to_request()
        with pytest.raises(Problem, match=f"step X runs when Train has ended as {trigger.value}, which cannot"):
            read(fail("Train"), fail("X", DependsOn=[written]))
    assert read(fail("Train"), fail("X", DependsOn=[sdk.StepDependency("Train").to_request()]))["X"].waits_for == {
        "Train"
    }


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P30D", timedelta(days=30)),
        ("p30d", timedelta(days=30)),
        ("PT1H", timedelta(hours=1)),
        ("T12H", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("5y", timedelta(days=5 * 365)),
        ("T16m", timedelta(minutes=16)),
        ("30dT5h", timedelta(days=30, hours=5)),
        ("P4DT12H", timedelta(days=4, hours=12)),
        ("P1Y2M3W4DT5H6M7S", timedelta(days=365 + 60 + 21 + 4, hours=5, minutes=6, seconds=7)),
        ("PT90M", timedelta(minutes=90)),
        ("P99999999999D", timedelta.max),
    ],
)
def test_durations_are_read_as_the_sdk_and_the_developer_guide_document_them(text: str, duration: timedelta) -> None:
    assert read(fail("X", CacheConfig={"Enabled": True, "ExpireAfter": text}))["X"].cached_for == duration


@pytest.mark.parametrize("text", ["30", "12H", "", "P", "PT", "T", "P0.5D", "PT1D", "P1H", "-P1D", "one day", " P1D"])
def test_no_durations_are_refused(text: str) -> None:
    with pytest.raises(Problem, match="step X is cached for"):
        read(fail("X", CacheConfig={"Enabled": True, "ExpireAfter": text}))
    assert read(fail("X", CacheConfig={"Enabled": False, "ExpireAfter": text}))["X"].cached_for is None


def test_enabled_without_a_duration_is_refused() -> None:
    with pytest.raises(Problem, match="step X is cached for ''"):
        read(fail("X", CacheConfig={"Enabled": True}))


def test_retry_policies_are_read_as_the_sdk_writes_them() -> None:
    sdk = of_sdk("mlops/workflow/retry.py")
    capacity = [sdk.SageMakerJobExceptionTypeEnum.CAPACITY_ERROR]
    counted = sdk.SageMakerJobStepRetryPolicy(capacity, max_attempts=2, interval_seconds=3, backoff_rate=2.0)
    timed = sdk.SageMakerJobStepRetryPolicy(capacity, expire_after_mins=5)
    one, two, none = read(
        fail("X", RetryPolicies=[counted.to_request(), timed.to_request(), {"ExceptionType": ["Step.THROTTLING"]}])
    )["X"].retry_policies
    assert [one.is_over(attempts, 1e9) for attempts in (1, 2, 3)] == [False, False, True]
    assert [one.pause(attempts) for attempts in (1, 2, 3)] == [3, 6, 12]
    assert [two.is_over(1000, seconds) for seconds in (299, 300)] == [False, True]
    assert [none.is_over(attempts, 0) for attempts in (5, 6)] == [False, True]
