"""The report is one safe file that shows what there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.laptop.runs import read
from mlops.report import write_report
from tests.report.history import BINARY, DATA_CHECK, REGRESSION, History, step
from tests.report.reading import figure, parsed, sections, text_of, words


def test_a_registered_classifier_shows_everything(history: History) -> None:
    text = text_of(history.add(overrides={"training.hyperparameters.max_iter": 200}))
    assert sections(text) == [
        "Result", "Gate", "How the model errs, and on what it relies", "Data", "Steps", "Settings", "Origin",
    ]  # fmt: skip
    root = parsed(text)
    assert words(root.find("body/main/header/h1")) == "Run 1"  # type: ignore[arg-type]
    shown = words(root)
    for part in ["Tumor Diagnosis", "Registered as version 1.", "environment dev", "3af09ce13a", "100 test rows"]:
        assert part in shown
    for part in [
        "0.9100",
        "0.9000 to 0.9200",
        "so good",
        "age is missing in 20 %",
        "member",
        "true in 25\u00a0%",
        "Rome",
    ]:
        assert part in shown
    for part in [
        "training.hyperparameters.max_iteroverride",
        "data/table.csv",
        "118.0 kB",
        "a" * 64,
        "numpy",
        "3.11.7",
    ]:
        assert part in shown
    assert "ml.m5.large" not in shown, "machines do not decide how a model comes out"
    cells = [cell.get("fill-opacity") for cell in figure(text, "Confusion matrix").iter("rect")]
    assert cells == [f"{0.5 * share:.3f}" for share in (50 / 60, 10 / 60, 5 / 40, 35 / 40)]
    roc = figure(text, "ROC curve")
    assert [path.get("class") for path in roc.iter("path")][-3:] == ["guide", "other", "curve"]
    assert "area 0.9100" in words(roc)
    assert len(list(figure(text, "Calibration").iter("circle"))) == 3
    lines = figure(text, "Importance of the columns").findall(".//tbody/tr")
    assert [words(line) for line in lines] == ["age0.2000± 0.0200", "city0.0100± 0.0200", "noise−0.0010± 0.0030"]


def test_a_regression_shows_its_own_figures(history: History) -> None:
    text = text_of(history.add(REGRESSION))
    titles = [words(title) for title in parsed(text).iter("h3")]
    assert titles == ["Prediction against truth", "Errors", "Importance of the columns"]
    dots = [
        path.get("d") for path in figure(text, "Prediction against truth").iter("path") if path.get("class") == "dots"
    ]
    assert dots[0].count("M") == 3  # type: ignore[union-attr]
    assert len(list(figure(text, "Errors").iter("rect"))) == 2, "an empty bar is none"
    assert "at most 60" in text


def test_of_more_than_two_classes_the_curves_tell_each_from_the_rest(history: History) -> None:
    curves = BINARY["figures"] | {"roc": BINARY["figures"]["roc"] | {"class": None}}
    text = text_of(history.add({**BINARY, "figures": curves}))
    assert "Area 0.9100 for each class against the rest; grey: " in words(figure(text, "ROC curve"))
    assert "On the dashed line, a class comes true as often as predicted" in words(figure(text, "Calibration"))


def test_columns_that_make_no_difference_are_only_counted(history: History) -> None:
    run = history.add()
    rows = [["age", 0.2, 0.02], ["a", 0.0, 0.0], ["b", 0.0, 0.0]]
    figures = BINARY["figures"] | {"importance": rows}
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", figures))
    assert len(figure(text, "Importance of the columns").findall(".//tbody/tr")) == 1
    assert "2 more columns make no difference." in text
    nothing = BINARY["figures"] | {"importance": rows[1:]}
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", nothing))
    assert words(figure(text, "Importance of the columns").findall(".//tbody/tr")[0]) == "a0± 0"


def test_a_step_that_was_skipped_is_not_listed(history: History) -> None:
    text = text_of(history.add(steps=[step("Evaluate", "Succeeded"), step("Refused", "Skipped")]))
    assert "Evaluate" in words(parsed(text))
    assert "Refused" not in words(parsed(text))


def test_many_classes_are_a_list_of_mistakes(history: History) -> None:
    labels = [f"class {number}" for number in range(40)]
    counts = [
        [7 if line == column else 3 if (line, column) == (1, 2) else 0 for column in range(40)] for line in range(40)
    ]
    run = history.add()
    figures = {"confusion_matrix": {"labels": labels, "counts": counts}}
    text = text_of(history.rewrite(run, "Evaluate", "evaluation", "figures.json", figures))
    assert [words(row) for row in figure(text, "Most frequent mistakes").findall(".//tbody/tr")] == ["class 1class 23"]


def test_differences_in_colour_are_more_than_chance(history: History) -> None:
    run = history.add()
    better = json.loads(json.dumps(BINARY["evaluation"]))
    group = better["binary_classification_metrics"]
    group["auc"]["value"], group["log_loss"]["value"], group["accuracy"]["value"] = 0.5, 0.2, 0.8501
    text = text_of(history.rewrite(run, "EvaluateCurrent", "evaluation", "evaluation.json", better))
    rows = {words(row[0]): row[-1] for row in parsed(text).iterfind(".//div[@class='scroll metrics']//tbody/tr")}
    assert [(words(cell), [part.get("class") for part in cell]) for cell in rows.values()] == [
        ("+0.4100", ["good"]),
        ("−0.0001", []),
        ("+0.1000", ["bad"]),
        ("0", []),
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"refused": True}, "Refused: auc is 0.91, 0.8 is asked"),
        ({"status": "Stopped", "version": None, "reason": "stopped by Ctrl-C"}, "Stopped: stopped by Ctrl-C"),
        ({"status": "Executing", "version": None}, "It has not ended."),
        (
            {"status": "Executing", "version": None, "process": 2**22 + 1},
            "Stopped: its process is gone and left no word",
        ),
        ({"version": None}, "Succeeded, and registered nothing."),
    ],
)
def test_the_first_sentence_is_the_verdict(history: History, change: dict[str, Any], sentence: str) -> None:
    assert sentence in words(parsed(text_of(history.add(**change))))


def test_a_warning_is_part_of_the_verdict(history: History) -> None:
    run = history.add()
    warned = dict(run.comparison) | {"verdict": "warned", "message": "auc is too low"}
    text = text_of(history.rewrite(run, "Compare", "comparison", "comparison.json", warned))
    assert "Registered as version 1, with a warning: auc is too low" in text
    assert 'class="verdict warn"' in text


def test_the_origin_names_the_lineage_and_what_training_ran_with(history: History) -> None:
    run = history.add()
    name = f"{'d' * 64}.json"
    place = history.keep(run.number, "lineage", {name: {"python": "3.12.3", "packages": {"numpy": "2.5.0"}}})
    outputs = dict(run.record["outputs"])
    outputs["Compare"] = {**outputs["Compare"], "lineage": place}
    (run.folder / "run.json").write_text(json.dumps(dict(run.record) | {"outputs": outputs}), "utf-8")
    named = dict(run.comparison) | {"lineage": name}
    shown = words(parsed(text_of(history.rewrite(run, "Compare", "comparison", "comparison.json", named))))
    for text in (name, "3.12.3", "Packages (1)", "2.5.0"):
        assert text in shown
    (history.home / place / name).write_text(json.dumps({"python": None, "packages": None}), "utf-8")
    shown = words(parsed(text_of(read(run.folder))))
    assert "3.11.7" in shown, "those of the run itself, where training left none"
    assert "Packages (2)" in shown


def test_without_a_current_version_nothing_is_compared(history: History) -> None:
    text = text_of(history.add(compared=False))
    headings = [words(cell) for cell in parsed(text).iterfind(".//div[@class='scroll metrics']//thead/tr/th")]
    assert headings == ["metric", "this run", "95 % interval"]
    assert "grey" not in words(figure(text, "ROC curve"))


def test_a_current_version_that_could_not_be_scored_says_why(history: History) -> None:
    run = history.add()
    broken = {"model": None, "problem": "the test rows have no column 'age'"}
    text = text_of(history.rewrite(run, "EvaluateCurrent", "evaluation", "evaluation.json", broken))
    shown = words(parsed(text))
    assert "Version 1 could not be scored on these test rows: the test rows have no column 'age'" in shown
    assert "The version" not in shown


def test_a_failed_step_shows_its_reason_and_the_end_of_its_log(history: History) -> None:
    log = "".join(f"line {number}\n" for number in range(500)) + "\x1b[31mValueError\x1b[0m: no\rtrain.py: it broke\n"
    text = text_of(history.fail("Train", "train.py: it broke", log))
    assert sections(text) == ["Train failed", "Data", "Steps", "Settings", "Origin"]
    root = parsed(text)
    assert "Failed at Train: train.py: it broke" in words(root)
    lines = words(next(root.iter("pre"))).splitlines()
    assert lines == [*(f"line {number}" for number in range(471, 500)), "train.py: it broke"]
    assert [words(row[0]) for row in root.iterfind(".//tbody/tr") if words(row[1]) == "failed"] == ["Train"]


def test_a_step_that_was_stopped_because_another_failed_is_not_the_one_to_blame(history: History) -> None:
    reason = "step Train failed: NameError: is it called 'main_'?"
    steps = [step("EvaluateCurrent", "Stopped", "the run was stopped"), step("Train", "Failed", reason)]
    text = text_of(history.fail("Train", reason, "Traceback\n", steps=steps))
    assert "Failed at Train: NameError: is it called 'main_'?" in (shown := words(parsed(text)))
    assert "'main_'?." not in shown
    assert sections(text)[0] == "Train failed"
    assert [words(part) for part in parsed(text).iter("pre")] == ["Traceback\n"]


def test_data_that_were_refused_are_shown_from_the_folder_that_the_step_keeps(history: History) -> None:
    run = history.fail("CheckData", "check_data.py: age is missing in 20 %", "age is missing in 20 %\n")
    kept = run.folder / "steps/CheckData/opt/ml/processing/output/report"
    kept.mkdir(parents=True)
    duplicates = {"check": "duplicates", "column": None, "message": "too many", "value": 0.0501, "limit": 0.05}
    found = DATA_CHECK | {"verdict": "failed", "findings": [duplicates]}
    (kept / "data_check.json").write_text(json.dumps(found))
    text = text_of(run)
    assert "Data" in sections(text)
    [row] = parsed(text).iterfind(".//div[@class='scroll findings']//tbody/tr")
    assert [words(cell) for cell in row] == ["duplicates", "–", "too many", "0.0501", "0.0500"]
    assert "500 rows, 4 columns; refused; compared with the current version's training data." in words(parsed(text))


def test_why_data_were_not_compared_is_said_once(history: History) -> None:
    run, why = history.add(), "the current version has no baseline: it comes from an older train.py"
    check = DATA_CHECK | {"compared_with_current": False, "notes": [why]}
    shown = words(parsed(text_of(history.rewrite(run, "CheckData", "report", "data_check.json", check))))
    assert shown.count(why) == 1
    assert "no current version" not in shown


@pytest.mark.parametrize("log", ["", "\n\n", "x" * 300_000, "\udcff\udcfe broken \x00 bytes"])
def test_any_log_will_do(history: History, log: str) -> None:
    assert "Failed at Evaluate" in text_of(history.fail("Evaluate", "it broke", log))


@pytest.mark.parametrize(
    "record",
    ["", "{", "[]", "null", "{}", '{"status": "Failed"}', '{"steps": [{"name": "Train", "status": "Failed"}]}',
     '{"outputs": {"Evaluate": {"evaluation": "store/gone"}}, "steps": null, "settings": null, "git": null}'],
)  # fmt: skip
def test_whatever_is_left_of_a_record_has_a_report(history: History, record: str) -> None:
    run = history.add()
    (run.folder / "run.json").write_text(record)
    assert "Run 1" in text_of(run)


def test_results_that_are_gone_are_left_out(history: History) -> None:
    run = history.add()
    for file in (history.home / "store").rglob("*.json"):
        file.write_text("{broken")
    assert sections(text_of(run)) == ["Steps", "Settings", "Origin"]


def test_the_report_of_a_relative_folder_lies_there(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.add()
    monkeypatch.chdir(history.home.parent)
    assert write_report(Path(".mlops/runs/1")) == Path(".mlops/runs/1/report.html")
    assert "Registered as version 1" in Path(".mlops/runs/1/report.html").read_text("utf-8")
