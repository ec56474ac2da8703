"""What runs, in which order, and how it all ends."""

import errno
import os
import random
import subprocess
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.runner import processing
from mlops.runner.execution import StepRun
from mlops.runner.processes import NoCapacity, Processes
from tests.runner.conftest import SLEEP, Laptop, Listener, get, is_up, model, output, statuses, succeeded

YES = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
NO = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}


def fail(name: str, message: Any = "no", **step: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **step}


def test_outputs_reach_the_steps_that_read_them(laptop: Laptop) -> None:
    write = "import pathlib; pathlib.Path('output/out/a').write_text('hello')"
    read = "import pathlib, sys; print(pathlib.Path('input/data/a').read_text(), sys.argv[1:])"
    runs = laptop.run(
        laptop.processing(
            "Second", read, inputs={"data": output("First")}, arguments=["--run", get("Execution.PipelineExecutionId")]
        ),
        laptop.processing("First", write, outputs=["out"]),
    )
    assert succeeded(runs)
    assert laptop.log("Second") == "hello ['--run', 'laptop-1']\n"
    assert list(runs) == ["First", "Second"]
    assert runs["Second"].seconds > 0
    assert not (laptop.steps / "First" / "opt").exists()


def test_steps_that_do_not_wait_for_each_other_run_side_by_side(laptop: Laptop) -> None:
    meet = "import pathlib, time, sys; here = pathlib.Path(sys.argv[1]); here.touch()\nwhile not pathlib.Path(sys.argv[2]).exists(): time.sleep(.01)"
    one, two = str(laptop.folder / "one"), str(laptop.folder / "two")
    assert succeeded(
        laptop.run(
            laptop.processing("One", meet, arguments=[one, two], limit=10),
            laptop.processing("Two", meet, arguments=[two, one], limit=10),
        )
    )


def test_no_more_steps_run_at_once_than_there_are_workers(laptop: Laptop) -> None:
    laptop.workers = 2
    succeeded(laptop.run(*[laptop.processing(f"S{number}") for number in range(6)]))
    running = most = 0
    for what, _ in laptop.listener.order:
        running += 1 if what == "started" else -1
        most = max(most, running)
    assert most == 2


def test_only_the_branch_that_is_taken_runs_and_what_waits_for_the_other_is_skipped(laptop: Laptop) -> None:
    inner = laptop.condition("Inner", [YES], [model("Deep")], [model("NotDeep")])
    runs = laptop.run(
        laptop.condition("Gate", [YES, YES], [model("Then"), inner], [model("Else")]),
        laptop.condition("Closed", [YES, NO], [laptop.condition("In", [YES], [model("InIn")])], []),
        model("AfterThen", DependsOn=["Then"]),
        model("AfterElse", DependsOn=["Else"]),
        model("AfterBoth", DependsOn=["Then", "Else"]),
        model("AfterAll", DependsOn=["AfterElse"]),
        model("AfterGate", DependsOn=["Gate"]),
    )
    skipped = {name for name, status in statuses(runs).items() if status == "Skipped"}
    assert skipped == {"Else", "NotDeep", "In", "InIn", "AfterElse", "AfterBoth", "AfterAll"}
    assert {name for name, status in statuses(runs).items() if status == "Succeeded"} == set(runs) - skipped
    assert runs["Gate"].outcome is True
    assert runs["Gate"].result.properties == {"Outcome": True}


def test_a_branch_decides_by_what_a_step_wrote(laptop: Laptop) -> None:
    files = [{"PropertyFileName": "Result", "OutputName": "out", "FilePath": "result.json"}]
    write = "import pathlib; pathlib.Path('output/out/result.json').write_text('{\"m\": {\"auc\": 0.9}}')"
    value = {"Std:JsonGet": {"PropertyFile": get("Steps.Score.PropertyFiles.Result"), "Path": "m.auc"}}
    enough = {"Type": "GreaterThanOrEqualTo", "LeftValue": value, "RightValue": get("Parameters.Threshold")}
    message = {"Std:Join": {"On": " ", "Values": ["only", value, "of", get("Parameters.Threshold")]}}
    steps = [
        laptop.processing("Score", write, outputs=["out"], PropertyFiles=files),
        laptop.condition("Gate", [enough], [model("Good")], [fail("Bad", message)]),
    ]
    parameters = [{"Name": "Threshold", "Type": "Float", "DefaultValue": 0.5}]
    assert statuses(laptop.run(*steps, parameters=parameters))["Good"] == "Succeeded"
    runs = laptop.run(*steps, parameters=parameters, given={"Threshold": 0.95})
    assert runs["Bad"].status == "Failed"
    assert runs["Bad"].reason == "only 0.9 of 0.95"
    assert runs["Good"].status == "Skipped"


def test_a_step_that_fails_ends_the_run_and_keeps_its_folder(laptop: Laptop) -> None:
    script = "import pathlib; pathlib.Path('output/out/half').write_text('x'); raise ValueError('ümlaut\\nand more')"
    runs = laptop.run(
        laptop.processing("Bad", script, outputs=["out"]),
        laptop.processing("Long", SLEEP),
        laptop.processing("After", inputs={"data": output("Bad")}),
        model("AfterAfter", DependsOn=["After"]),
    )
    assert statuses(runs) == {"Bad": "Failed", "Long": "Stopped"}
    assert runs["Bad"].reason == "step Bad failed: and more"
    assert "ValueError: ümlaut" in laptop.log("Bad")
    assert (laptop.steps / "Bad/opt/ml/processing/output/out/half").read_text() == "x"
    assert (laptop.steps / "Bad/opt/ml/processing/input/code/main.py").is_file()
    assert runs["Long"].seconds < 10


def reference(steps: list[dict[str, Any]]) -> set[str]:
    """Which steps of a random pipeline run: decided by recursion from the end, not in order."""
    flat: dict[str, tuple[dict[str, Any], tuple[str, bool] | None]] = {}

    def collect(listed: list[dict[str, Any]], branch: tuple[str, bool] | None) -> None:
        for step in listed:
            flat[step["Name"]] = step, branch
            collect(step["Arguments"].get("IfSteps", []), (step["Name"], True))
            collect(step["Arguments"].get("ElseSteps", []), (step["Name"], False))

    def runs(name: str) -> bool:
        step, branch = flat[name]
        if branch:
            condition, _ = flat[branch[0]]
            outcome = all(part["LeftValue"] == part["RightValue"] for part in condition["Arguments"]["Conditions"])
            if outcome is not branch[1] or not runs(branch[0]):
                return False
        return all(runs(other) for other in step.get("DependsOn", []))

    collect(steps, None)
    return {name for name in flat if runs(name)}


@settings(max_examples=60)
@given(st.integers(1, 14), st.randoms(use_true_random=False))
def test_any_pipeline_runs_the_steps_that_it_must_in_an_order_that_it_may(
    tmp_path_factory: pytest.TempPathFactory, count: int, chance: random.Random
) -> None:
    laptop = Laptop(tmp_path_factory.mktemp("laptop"))
    top: list[dict[str, Any]] = []
    places = [top]
    waits: dict[str, set[str]] = {}
    above: dict[int, set[str]] = {id(top): set()}
    for number in range(count):
        name, place = f"S{number}", chance.choice(places)
        before = chance.sample(sorted(waits), min(len(waits), chance.choice([0, 0, 1, 2])))
        before = [other for other in before if other not in above[id(place)]]
        waits[name] = set(before) | above[id(place)]
        if chance.random() < 0.4:
            step = laptop.condition(name, [chance.choice([YES, NO])], DependsOn=before)
            for branch in (step["Arguments"]["IfSteps"], step["Arguments"]["ElseSteps"]):
                places.append(branch)
                above[id(branch)] = {name}
        else:
            step = model(name, DependsOn=before)
        place.insert(chance.randint(0, len(place)), step)
    runs = laptop.run(*top)
    assert {name for name, run in runs.items() if run.status == "Succeeded"} == reference(top)
    assert set(statuses(runs).values()) <= {"Succeeded", "Skipped"}
    assert set(runs) == set(waits)
    order = laptop.listener.order
    for name, run in runs.items():
        if run.status == "Succeeded":
            assert all(order.index(("Succeeded", other)) < order.index(("started", name)) for other in waits[name])


def test_steps_that_are_reused_do_not_run_and_their_outputs_are_there(laptop: Laptop) -> None:
    write = "import pathlib; pathlib.Path('output/out/a').write_text('1')"
    first = laptop.processing("First", write, outputs=["out"])
    second = laptop.processing("Second", "print(open('input/data/a').read())", inputs={"data": output("First")})
    before = laptop.run(first, second)
    succeeded(before)
    laptop.listener = Listener()
    runs = laptop.run(first, second, reused={"First": before["First"]})
    assert succeeded(runs)
    assert {name for _, name in laptop.listener.order} == {"Second"}
    assert list(runs) == ["First", "Second"]


def test_a_retry_waits_as_the_policy_says_and_then_gives_up(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    refused = 3

    def run(self: Processes, *_: Any) -> int:
        if len(pauses) < refused:
            raise NoCapacity("Resource temporarily unavailable")
        return 0

    monkeypatch.setattr(Processes, "run", run)
    monkeypatch.setattr(Processes, "pause", lambda self, seconds: pauses.append(seconds))
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 30, "BackoffRate": 2.0}
    step = laptop.processing("Big", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}, policy | {"MaxAttempts": 3}])
    runs = laptop.run(step)
    assert succeeded(runs)
    assert pauses == [30, 60, 120]
    assert runs["Big"].attempts == 4
    pauses.clear()
    refused = 4
    runs = laptop.run(laptop.processing("Big", RetryPolicies=[policy | {"MaxAttempts": 2}]))
    assert pauses == [30, 60]
    assert runs["Big"].reason == "step Big cannot be started: Resource temporarily unavailable; close other programs"
    assert laptop.run(laptop.processing("Big"))["Big"].attempts == 1


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
def test_a_machine_that_starts_no_process_has_no_capacity(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def popen(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", popen)
    runs = laptop.run(laptop.processing("Big"))
    assert runs["Big"].reason == f"step Big cannot be started: {os.strerror(number)}; close other programs"


def test_a_command_that_is_not_installed_is_one_line(laptop: Laptop) -> None:
    step = laptop.processing("Spark")
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["no-such-program", "x"]
    assert laptop.run(step)["Spark"].reason == "step Spark: No such file or directory (no-such-program)"


def test_a_mistake_of_the_runner_fails_the_step_and_says_where(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(processing, "run", broken)
    runs = laptop.run(laptop.processing("One"), laptop.processing("Two", DependsOn=["One"]))
    assert statuses(runs) == {"One": "Failed"}
    assert runs["One"].reason == "step One: KeyError: 'oops'; mlops itself is wrong, see the log"
    assert 'raise KeyError("oops")' in laptop.log("One")


@pytest.mark.parametrize("moment", ["started", "ended"])
def test_a_listener_that_breaks_ends_the_run_and_all_its_processes(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def broken(step: StepRun) -> None:
        if step.name == "One":
            raise RuntimeError("the terminal is gone")

    monkeypatch.setattr(laptop.listener, moment, broken)
    pid = laptop.folder / "pid"
    script = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(60)"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(pid)!r}).exists(): time.sleep(.01)"
    with pytest.raises(RuntimeError, match="the terminal is gone"):
        laptop.run(laptop.processing("Long", script), laptop.processing("One", wait))
    assert not pid.exists() or not is_up(int(pid.read_text()))


def test_a_step_may_look_at_the_others_while_they_begin_and_end(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [laptop.processing(f"S{number}", DependsOn=[f"S{number - 1}"] * bool(number)) for number in range(5)]
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {}}
    execution = laptop.execution(*steps, register)

    def look(request: dict[str, Any]) -> str:
        while len(execution.runs) < 6:
            for _ in execution.runs.values():
                time.sleep(0.01)
        return "arn"

    monkeypatch.setattr(laptop.registry, "create_model_package", look)
    assert succeeded(execution.run())


def test_requests_are_looked_at_again_when_their_values_are_known(laptop: Laptop) -> None:
    step = laptop.processing("Many")
    step["Arguments"]["ProcessingResources"] = {"ClusterConfig": {"InstanceCount": get("Parameters.Count")}}
    runs = laptop.run(step, parameters=[{"Name": "Count", "Type": "Integer", "DefaultValue": 2}])
    assert runs["Many"].reason == (
        "step Many asks for ProcessingResources.ClusterConfig.InstanceCount 2, which cannot be done here; only 1 can"
    )
