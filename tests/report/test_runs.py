"""`mlops runs`: the list, the differences, the approval."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlops import terminal
from mlops.commands.runs import app
from mlops.laptop import run_table, runs, store, versions
from mlops.laptop.run_changes import changes, flat
from mlops.problem import Problem
from tests.conftest import Bake
from tests.report.history import DATA_CHECK, REGRESSION, History


@pytest.fixture(autouse=True)
def this_machine(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history is that of the commands."""
    monkeypatch.setattr(runs, "HOME", history.home)
    monkeypatch.setattr(store, "HOME", history.home)
    monkeypatch.setattr(versions, "FOLDER", history.home / "versions")
    monkeypatch.setenv("TZ", "UTC")


def run(*arguments: str) -> Result:
    """Run `mlops runs …`; a Problem is left to the command line of all commands."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, Problem | SystemExit), result.output
    return result


def register(history: History, number: int, status: str = "Approved") -> int:
    """Register a version for a run, as `mlops run` does."""
    model = history.home / "store" / f"model-{number}"
    model.mkdir(parents=True)
    return versions.register(
        status, model, run=number, created="2026-11-22T22:30:15+00:00", evaluation=None, request={}, recipe=str(number)
    ).number


# --- the list -------------------------------------------------------------------------------------


def test_without_runs_the_list_says_how_to_start_one() -> None:
    assert run().output == "There is no run yet; start one with: mlops run\n"
    assert json.loads(run("--json").output) == []


def test_a_line_says_what_a_run_came_to(history: History) -> None:
    history.add(overrides={"training.hyperparameters.max_iter": 300})
    history.add(refused=True, seconds=75.4)
    history.fail("Train", "train.py: --max_iter is 0", "no")
    register(history, 1)
    heading, first, second, third = run().output.splitlines()
    assert heading.split("  ")[0] == "run"
    assert first.split() == [
        "1",
        "2026-11-22",
        "22:31",
        "registered",
        "0.9100",
        "*",
        "1",
        "dev",
        "6.1",
        "s",
        "max_iter=300",
    ]
    assert second.split("  ")[-1] == "auc is 0.91, 0.8 is asked"
    assert "refused" in second
    assert "1 min 15 s" in second
    assert "failed" in third
    assert third.endswith("Train: train.py: --max_iter is 0")


def test_the_order_is_that_of_the_numbers(history: History) -> None:
    for _ in range(11):
        history.add()
    assert [line.split()[0] for line in run().output.splitlines()] == ["run", *map(str, range(1, 12))]


def test_the_best_is_marked_by_the_direction_of_its_metric(history: History) -> None:
    history.add(REGRESSION)
    better = json.loads(json.dumps(REGRESSION))
    better["evaluation"]["regression_metrics"]["rmse"]["value"] = 40.0
    history.add(better)
    history.add()
    lines = run().output.splitlines()
    assert "metric" in lines[0]
    assert "rmse 52.00 " in lines[1]
    assert "rmse 40.00 *" in lines[2]
    assert "auc 0.9100 " in lines[3]
    assert lines[3].count("*") == 0, "nobody is the best of one"


def test_a_waiting_and_a_rejected_version_say_so(history: History) -> None:
    for status in ("Approved", "PendingManualApproval", "Rejected"):
        register(history, history.add().number, status)
    lines = run().output.splitlines()[1:]
    assert [part in line for part, line in zip(("approved", "2 pending", "3 rejected"), lines, strict=True)] == [
        False,
        True,
        True,
    ]


def test_a_run_whose_model_is_a_version_already_says_so(history: History) -> None:
    register(history, history.add().number)
    again = history.add(version=1)
    assert again.verdict.sentence == "Nothing is new: this is version 1, of run 1."
    assert [line.split()[3] for line in run().output.splitlines()[1:]] == ["registered", "unchanged"]


def test_a_run_that_was_stopped_after_registering_says_both(history: History) -> None:
    stopped = history.add(status="Stopped", reason="stopped by Ctrl-C")
    assert stopped.verdict.sentence == "Stopped: stopped by Ctrl-C. Version 1 was registered before."


def test_a_broken_record_does_not_hide_the_others(history: History) -> None:
    history.add()
    history.add()
    (history.home / "runs" / "1" / "run.json").write_text("{")
    (history.home / "runs" / "9").mkdir()
    (history.home / "runs" / "notes").mkdir()
    first, second = run().output.splitlines()[1:]
    assert "unreadable" in first
    assert "run.json is broken" in first
    assert "registered" in second


def test_a_run_whose_process_died_is_not_running(history: History) -> None:
    history.add(status="Executing", version=None, process=2**22 + 1)
    history.add(status="Executing", version=None)
    assert [line.split()[3] for line in run().output.splitlines()[1:]] == ["stopped", "running"]


@pytest.mark.parametrize("width", [60, 80, 109])
def test_a_narrow_terminal_has_short_lines(history: History, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    history.add(overrides={"training.hyperparameters.max_iter": 300})
    history.fail("Train", "x" * 400, "no")
    monkeypatch.setattr(terminal, "PLAIN_WIDTH", width)
    lines = run().output.splitlines()
    assert lines[2] == "     max_iter=300"
    assert lines[4].startswith("     Train: xxx")
    assert len(lines[4]) <= 155
    assert max(len(lines[place]) for place in (0, 1, 3)) <= 60


def test_control_characters_of_a_log_do_not_reach_the_terminal(history: History) -> None:
    history.fail("Train", "\x1b[31mred\x1b[0m\x07 and\nmore \x1b]0;title\x07", "no")
    for shown in (run().output, run("show", "1").output):
        assert "Train: red\ufffd and more" in shown
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_json_says_all_that_the_table_says(history: History) -> None:
    history.add(overrides={"training.hyperparameters.max_iter": 300})
    history.fail("Train", "no", "no")
    register(history, 1)
    first, second = json.loads(run("--json").output)
    assert first["run"] == 1
    assert first["value"] == first["metrics"]["auc"] == 0.91
    assert (first["verdict"], first["version"], first["approval"], first["reason"]) == (
        "registered",
        1,
        "Approved",
        None,
    )
    assert first["overrides"] == {"training.hyperparameters.max_iter": 300}
    assert (second["verdict"], second["reason"], second["value"], second["approval"]) == (
        "failed",
        "Train: no",
        None,
        None,
    )
    assert [step["status"] for step in second["steps"]][-1] == "Failed"
    assert first == json.loads(run("show", "1", "--json").output)


# --- one run --------------------------------------------------------------------------------------


def test_show_tells_verdict_metrics_steps_and_report(history: History) -> None:
    shown = history.add(overrides={"training.hyperparameters.max_iter": 300})
    register(history, 1, "PendingManualApproval")
    (shown.folder / "report.html").write_text("")
    text = run("show", "1").output
    assert text.startswith("Run 1: Registered as version 1.\nVersion 1 is pending.\n")
    for part in ("auc", "0.9000 to 0.9200", "EvaluateCurrent", "1.5 s", "training.hyperparameters.max_iter", "300"):
        assert part in text
    assert text.endswith(f"Report: {shown.folder / 'report.html'}\n")


@pytest.mark.parametrize("command", [["show", "7"], ["diff", "1", "7"], ["approve", "7"]])
def test_a_run_that_is_not_there_is_one_line(history: History, command: list[str]) -> None:
    history.add()
    history.add()
    assert str(run(*command).exception) == "no run 7: there are 1 to 2"


def test_without_any_run_that_line_says_how_to_start_one() -> None:
    assert str(run("show", "1").exception) == "no run 1: there is none yet: mlops run"


# --- differences ----------------------------------------------------------------------------------


def settings_with(history: History, **hyperparameters: Any) -> dict[str, Any]:
    settings = json.loads(json.dumps(history.add().settings))
    settings["training"]["hyperparameters"] = hyperparameters
    return dict(settings)


def found(history: History) -> list[tuple[str, str, Any, Any]]:
    """Return what differs between the first run and the last."""
    known = runs.runs()
    return [(change.what, change.key, change.old, change.new) for change in changes(known[0], known[-1])]


def test_nothing_changed_says_so(history: History) -> None:
    history.add()
    history.add(started="2027-01-01T00:00:00+00:00", seconds=99)
    assert found(history) == []
    assert (
        "Nothing changed from run 1 to run 2: same settings, code, data and packages." in run("diff", "1", "2").output
    )
    assert json.loads(run("diff", "1", "2", "--json").output)["changes"] == []


def test_a_changed_added_and_removed_setting_has_its_dotted_key(history: History) -> None:
    history.add(settings=settings_with(history, learning_rate=0.1, depth=3))
    prefix = "training.hyperparameters"
    assert set(found(history)) == {
        ("settings", f"{prefix}.learning_rate", 0.05, 0.1),
        ("settings", f"{prefix}.depth", None, 3),
        ("settings", f"{prefix}.max_iter", 200, None),
    }
    lines = run("diff", "1", "2").output.splitlines()
    assert lines[1].split() == ["settings", f"{prefix}.learning_rate", "0.05", "0.1"]
    assert lines[2].split() == [f"{prefix}.max_iter", "200", "–"]


def test_a_list_is_written_as_people_write_it(history: History) -> None:
    history.add(settings=settings_with(history, layers=["a", "b"], off=[]))
    lines = [line.split() for line in run("diff", "1", "2").output.splitlines()]
    assert ["training.hyperparameters.layers", "–", "a,", "b"] in lines
    assert ["training.hyperparameters.off", "–", "[]"] in lines


def test_a_setting_that_is_emptied_changed(history: History) -> None:
    history.add(settings=settings_with(history))
    assert ("settings", "training.hyperparameters", None, {}) in found(history)


def test_code_that_changed_came_and_went_is_named(history: History) -> None:
    history.add()
    history.add(
        code={"train.py": "d" * 64, "steps.py": "e" * 64}, git={"commit": "f" * 40, "branch": "dev", "dirty": False}
    )
    rows = {tuple(line.split()) for line in run("diff", "1", "2").output.splitlines()}
    assert {
        ("code", "model/train.py", "changed"),
        ("model/inference.py", "removed"),
        ("model/steps.py", "–", "added"),
    } <= rows
    assert f"git diff 3af09ce13a {'f' * 10} -- model" in run("diff", "1", "2").output


def test_uncommitted_code_is_not_to_be_found_by_git(history: History) -> None:
    history.add()
    history.add(code={}, git={"commit": "f" * 40, "branch": "dev", "dirty": True})
    assert "git diff" not in run("diff", "1", "2").output


def test_other_data_is_told_by_hash_size_and_rows(history: History) -> None:
    history.add()
    other = history.add(data={"path": "data/table.csv", "sha256": "9" * 64, "bytes": 236_000})
    history.rewrite(other, "CheckData", "report", "data_check.json", DATA_CHECK | {"rows": 1000})
    assert set(found(history)) == {
        ("data", "sha256", "c" * 12, "9" * 12),
        ("data", "bytes", 118_000, 236_000),
        ("data", "rows", 500, 1000),
    }
    assert "118,000" in run("diff", "1", "2").output


def test_packages_python_template_and_environment_count(history: History) -> None:
    history.add()
    history.add(
        packages={"numpy": "2.5.0", "xgboost": "3.2"}, python="3.12.1", template_version="0.3.0", environment="prod"
    )
    assert set(found(history)) == {
        ("packages", "numpy", "2.4.6", "2.5.0"),
        ("packages", "scikit-learn", "1.9.1", None),
        ("packages", "xgboost", None, "3.2"),
        ("environment", "environment", "dev", "prod"),
        ("environment", "python", "3.11.7", "3.12.1"),
        ("environment", "template", "0.2.0", "0.3.0"),
    }


def test_the_metrics_stand_beside_each_other(history: History) -> None:
    history.add()
    history.fail("Train", "no", "no")
    history.add(REGRESSION)
    lines = [line.split() for line in run("diff", "3", "1").output.splitlines()]
    assert ["rmse", "52.00", "–", "–"] in lines
    assert ["auc", "–", "0.9100", "–"] in lines
    both = json.loads(run("diff", "1", "1", "--json").output)["metrics"]
    assert {"metric": "auc", "old": 0.91, "new": 0.91} in both
    assert ["auc", "–", "0.9100", "–"] in [line.split() for line in run("diff", "2", "1").output.splitlines()]


def test_a_diff_fits_into_80_columns(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.add(settings=settings_with(history, learning_rate=0.1), code={}, packages={}, data={})
    monkeypatch.setattr(terminal, "PLAIN_WIDTH", 80)
    assert max(len(line) for line in run("diff", "1", "2").output.splitlines()) <= 80


def test_flat_keys_name_every_value() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": [1]}, "e": {}}) == {"a.b.c": 1, "a.d": [1], "e": {}}


# --- approval -------------------------------------------------------------------------------------


def test_rejecting_a_version_brings_back_the_one_before(history: History) -> None:
    for _ in range(2):
        register(history, history.add().number)
    rejected = run("reject", "2").output
    assert rejected == "Version 2 (of run 2) is rejected.\nNew models are compared with version 1.\n"
    assert run("reject", "1").output.splitlines()[1] == "There is no current version now."
    assert run("approve", "2").output.splitlines() == [
        "Version 2 (of run 2) is approved.",
        "New models are compared with version 2.",
    ]
    assert [version.status for version in versions.versions()] == ["Rejected", "Approved"]


def test_the_number_is_that_of_the_run(history: History) -> None:
    history.fail("Train", "no", "no")
    history.add(version=1)
    register(history, 2, "PendingManualApproval")
    assert run("approve", "2").output.startswith("Version 1 (of run 2) is approved.")
    assert str(run("approve", "1").exception).startswith(
        "run 1 registered no version that could be approved: Failed at Train"
    )


def test_a_time_that_is_none_is_left_out(history: History) -> None:
    assert run_table.started(history.add(started="yesterday")) == ""
    assert run_table.started(history.add(started=None)) == ""


@pytest.mark.slow
def test_the_commands_of_a_generated_repository_start_without_heavy_packages(bake: Bake, history: History) -> None:
    repository = bake()
    history.add()
    history.home.rename(repository.path / ".mlops")
    script = (
        "import sys; from mlops.laptop import runs, run_table, run_changes; from mlops.report import write_report; "
        "print(*[name for name in ('pandas', 'numpy', 'boto3', 'sagemaker', 'flask') if name in sys.modules]); "
        "print(write_report(runs.find(1).folder))"
    )
    loaded, report = repository.run("python", "-c", script).stdout.splitlines()
    assert loaded == ""
    assert Path(report).is_file()
