"""`mlops run`, as a data scientist uses it: run, edit, run again, look."""

import contextlib
import hashlib
import json
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from mlops.laptop.run import _ended_like_ctrl_c
from tests.conftest import Repository
from tests.definitions import shared_definitions
from tests.run.conftest import Again, edit, ran, record, versions

pytestmark = pytest.mark.slow


def test_the_first_run_registers_a_version_and_leaves_a_report(once: Repository) -> None:
    first = record(once, 1)
    assert first["status"] == "Succeeded"
    assert ran(once, 1) == {"CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare"}
    assert (first["version"], first["current"]) == (1, None)
    assert first["git"]["commit"] == once.git("rev-parse", "HEAD")
    assert first["environment"] == "dev"
    page = (once.path / ".mlops/runs/1/report.html").read_text("utf-8")
    assert "Registered as version 1" in page
    assert "<script" not in page
    assert once.git("status", "--porcelain") == ""


def test_a_version_says_where_it_comes_from(once: Repository) -> None:
    version = json.loads((once.path / ".mlops/versions/1.json").read_text("utf-8"))
    metadata, request = version["request"]["CustomerMetadataProperties"], version["request"]
    assert (metadata["commit"], metadata["branch"]) == (once.git("rev-parse", "HEAD"), "dev")
    file = in_store(once, metadata["lineage_uri"])
    assert file.name == f"{hashlib.sha256(file.read_bytes()).hexdigest()}.json"
    lineage = json.loads(file.read_text("utf-8"))
    first = record(once, 1)
    assert lineage["dataset"] == {"uri": metadata["dataset_uri"], "version": metadata["dataset_version"]}
    assert metadata["dataset_version"] == f"content:{first['data']['sha256']}"
    texts = {name: str(value) for name, value in once.settings()["training"]["hyperparameters"].items()}
    assert lineage["hyperparameters"] == texts
    assert lineage["python"] == first["python"]
    assert lineage["packages"] == first["packages"]
    assert lineage["image"] == {"uri": None, "digest": None}, "no image trained it"
    value = lineage["metrics"][lineage["main_metric"]]["value"]
    assert metadata[f"metric_{lineage['main_metric']}"] == json.dumps(value)
    baselines = request["DriftCheckBaselines"]
    rows = json.loads(in_store(once, baselines["ModelDataQuality"]["Statistics"]["S3Uri"]).read_text("utf-8"))
    assert rows["rows"] == 341
    assert in_store(once, baselines["ModelQuality"]["Statistics"]["S3Uri"]).name == "evaluation.json"
    with tarfile.open(in_store(once, request["SamplePayloadUrl"])) as archive:
        payload = archive.extractfile("sample_payload.csv")
        assert payload is not None
        assert payload.read() == (once.path / "tests/sample_payload.csv").read_bytes()
    assert file.name in (once.path / ".mlops/runs/1/report.html").read_text("utf-8")


def in_store(repository: Repository, uri: str) -> Path:
    """Where a URI lies on this machine."""
    return repository.path / ".mlops/store" / uri.removeprefix("s3://laptop/")


def test_a_version_of_a_dirty_tree_on_an_odd_branch_says_so_in_legal_words(edited: Repository) -> None:
    version = json.loads((edited.path / ".mlops/versions/2.json").read_text("utf-8"))
    metadata = version["request"]["CustomerMetadataProperties"]
    assert metadata["commit"] == f"{edited.git('rev-parse', 'HEAD')}-dirty"
    assert metadata["branch"] == "feature/a-b"
    assert record(edited, 2)["git"]["branch"] == "feature/a#b", "here nothing forbids it"


def test_what_aws_would_refuse_after_training_is_refused_before(again: Again) -> None:
    repository = again()
    edit(repository, ".template.json", '"version": "', '"version": "#')
    done = repository.mlops("run", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("a version of the model cannot say template_version: '#")
    assert len(done.stderr.splitlines()) == 1
    edit(repository, ".template.json", '"version": "#', '"version": "')
    (repository.path / "tests/sample_payload.csv").unlink()
    done = repository.mlops("run", check=False)
    assert done.stderr.startswith("there is no tests/sample_payload.*, which every version of the model carries; write")
    assert not (repository.path / ".mlops/runs/2").exists()


def test_with_nothing_changed_nothing_runs_and_nothing_is_registered(again: Again) -> None:
    repository = again()
    done = repository.mlops("run")
    assert "Nothing is new: this is version 1." in done.stdout
    assert ran(repository, 2) == set()
    assert versions(repository) == [1]


def test_a_repository_that_was_moved_finds_its_own_logs(again: Again) -> None:
    repository = again()
    repository.mlops("run")
    logs = [step["log"] for step in record(repository, 2)["steps"] if step["log"]]
    assert "../1/steps/Train/log.txt" in logs
    assert all((repository.path / ".mlops/runs/2" / log).resolve().is_relative_to(repository.path) for log in logs)


def test_an_edit_runs_what_depends_on_it_and_no_more(again: Again, edited: Repository) -> None:
    assert ran(edited, 2) == {"CheckData", "Train", "Evaluate", "Compare"}, "the current version is scored already"
    assert record(edited, 2)["version"] == 2
    assert record(edited, 2)["current"] == {"version": 1, "run": 1}
    repository = again(edited)
    edit(
        repository, "model/evaluate.py", "    args = parse_arguments(argv)\n", "    args = parse_arguments(argv)  # x\n"
    )
    repository.mlops("run")
    assert ran(repository, 3) == {"EvaluateCurrent", "Evaluate"}, "what it writes is the same: Compare need not run"
    changed = repository.mlops("runs", "diff", "1", "2").stdout
    assert "train.py" in changed
    assert "auc" in changed


def test_a_setting_for_one_run_reaches_training_and_the_record(again: Again, overridden: Repository) -> None:
    repository = again(overridden)
    assert record(repository, 3)["overrides"]["training.hyperparameters.max_iter"] == 20
    assert record(repository, 3)["parameters"]["max_iter"] == "20"
    assert "max_iter=20" in repository.mlops("runs").stdout
    repository.mlops("run", "--set", "evaluation.comparison.tolerance=1")
    first, without = (record(repository, number)["outputs"]["Train"] for number in (2, 4))
    assert without == first, "without --set it is the model of before again"


def test_a_run_needs_neither_the_sdk_nor_pip_nor_a_shell_once_the_definition_is_built(
    again: Again, tmp_path: Path
) -> None:
    repository = again()
    guard, tools = tmp_path / "guard", tmp_path / "bin"
    for package, complaint in (("sagemaker", "SystemExit('the SDK was imported')"), ("pip", "ImportError('no pip')")):
        (guard / package).mkdir(parents=True)
        (guard / package / "__init__.py").write_text(f"raise {complaint}\n")
    tools.mkdir()
    (tools / "git").symlink_to(str(shutil.which("git")))
    edit(repository, "model/train.py", "    model = build_model(args)\n", "    model = build_model(args)  # better\n")
    edit(repository, "mlops.yaml", "max_leaf_nodes: 7", "max_leaf_nodes: 5")
    done = repository.mlops("run", PYTHONPATH=str(guard), PATH=str(tools))
    assert "Version 2 is registered" in done.stdout
    assert "the current version has" in done.stdout
    assert "built" not in done.stdout
    edit(repository, "mlops.yaml", "retries: 2", "retries: 3")
    refused = repository.mlops("run", check=False, PYTHONPATH=str(guard), PATH=str(tools))
    assert refused.stderr.strip() == "the pipeline cannot be built: the SDK was imported", "the guard guards"


def test_a_model_below_the_threshold_or_worse_than_the_current_version_is_refused(again: Again) -> None:
    repository = again()
    done = repository.mlops("run", "--set", "evaluation.threshold=0.9999", check=False)
    assert done.returncode == 1
    line = done.stderr.strip()
    assert "\n" not in line
    assert line.startswith("auc is 0.99")
    assert "0.9999" in line
    worse = ["--set", "max_iter=1", "--set", "learning_rate=0.001", "--set", "evaluation.comparison.tolerance=0"]
    done = repository.mlops("run", *worse, "--set", "evaluation.threshold=0.5", check=False)
    assert done.returncode == 1
    assert "the current version has 0.99" in done.stderr
    assert versions(repository) == [1]
    rejected = repository.mlops("runs", "reject", "1")
    assert "There is no current version now" in rejected.stdout
    warned = ["--set", "evaluation.threshold=0.9999", "--set", "evaluation.gate=warn"]
    done = repository.mlops("run", *worse, *warned)
    assert "Version 2 is registered" in done.stdout
    assert "0.9999" in done.stdout


def test_own_data_start_anew_a_model_of_something_else_is_not_compared_with(again: Again) -> None:
    repository = again()
    rows = [f"{number},{number % 7},{'yes' if number % 7 > 3 else 'no'}" for number in range(200)]
    (repository.path / "own.csv").write_text("\n".join(["size,weight,bought", *rows, ""]))
    repository.mlops("data", "use", "own.csv", "--target", "bought")
    with shared_definitions(repository.path):
        done = repository.mlops("run")
    assert "Version 2 is registered" in done.stdout
    assert "there is no current version to compare with" in done.stdout
    assert "diagnosis" not in done.stdout + done.stderr
    assert "the current version has" in repository.mlops("run", "--set", "max_iter=30").stdout


def test_a_step_that_fails_keeps_its_folder_and_says_how_to_go_on(again: Again) -> None:
    repository = again()
    sabotage = "    args.missing_model_ok or 1 / 0\n"  # the new model alone
    edit(repository, "model/evaluate.py", "(argv)\n    # As text", f"(argv)\n{sabotage}    # As text")
    done = repository.mlops("run", check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "step Evaluate failed: ZeroDivisionError: division by zero"
    assert 'File "model/evaluate.py", line' in done.stderr
    assert "mlops run --from Evaluate" in done.stderr
    assert (repository.path / ".mlops/runs/2/steps/Evaluate/opt/ml/processing/input/test/test.csv").exists()
    assert "ZeroDivisionError" in (repository.path / ".mlops/runs/2/report.html").read_text("utf-8")
    assert versions(repository) == [1]
    edit(repository, "model/evaluate.py", sabotage, "")
    repository.mlops("run", "--from", "Evaluate")
    assert ran(repository, 3) == {"Evaluate", "Compare"}


def test_what_came_before_a_step_that_failed_is_that_of_its_own_run(again: Again) -> None:
    """Train is no longer what it was in the run before; EvaluateCurrent does not wait for it."""
    repository = again()
    sabotage = "    args.missing_model_ok and 1 / 0\n"  # the current version alone
    edit(repository, "model/evaluate.py", "(argv)\n    # As text", f"(argv)\n{sabotage}    # As text")
    words = ["--env", "prod", "--set", "max_iter=30", "--set", "evaluation.comparison.gate=warn"]
    done = repository.mlops("run", *words, check=False)
    how = [line.partition(": ")[2] for line in done.stderr.splitlines() if "mlops run --from" in line]
    assert [shlex.split(line)[:4] for line in how] == [["mlops", "run", "--from", "EvaluateCurrent"]]
    edit(repository, "model/evaluate.py", sabotage, "")
    repository.mlops(*shlex.split(how[0])[1:])
    assert {"EvaluateCurrent", "Compare"} <= ran(repository, 3)
    assert "Preprocess" not in ran(repository, 3)
    first, failed, last = (record(repository, number) for number in (1, 2, 3))
    assert last["outputs"]["Train"] != first["outputs"]["Train"]
    for key in ("environment", "overrides", "settings"):
        assert last[key] == failed[key] != first[key]


def test_a_first_run_may_begin_at_a_step_that_waits_for_none(again: Again) -> None:
    repository = again()
    shutil.rmtree(repository.path / ".mlops/runs")
    repository.mlops("run", "--from", "Preprocess")
    assert "Preprocess" in ran(repository, 1)
    assert "CheckData" not in ran(repository, 1)


def test_a_team_may_change_the_steps(again: Again) -> None:
    repository = again()
    (repository.path / "model" / "count.py").write_text(
        "import csv, json, pathlib, sys\n"
        "rows = list(csv.reader(open(f'{sys.argv[2]}/train.csv')))\n"
        "pathlib.Path(sys.argv[4], 'count.json').write_text(json.dumps(len(rows) - 1))\n"
    )
    (repository.path / "model" / "steps.py").write_text(
        "from mlops.pipeline import output\n\n\n"
        "def change(steps, parts):\n"
        "    preprocess = next(step for step in steps if step.name == 'Preprocess')\n"
        "    folder = '/opt/ml/processing'\n"
        "    count = parts.script_step(\n"
        "        'CountRows', 'count.py', 'Count the training rows.',\n"
        "        inputs={'train': output(preprocess, 'train')}, outputs=['count'],\n"
        "        options={'--in': f'{folder}/input/train', '--out': f'{folder}/output/count'},\n"
        "    )\n"
        "    return [*steps, count]\n"
    )
    with shared_definitions(repository.path):
        repository.mlops("run")
    assert "CountRows" in ran(repository, 2)
    place = record(repository, 2)["outputs"]["CountRows"]["count"]
    assert json.loads((repository.path / ".mlops" / place / "count.json").read_text()) == 341
    (repository.path / "model" / "steps.py").write_text("def change(steps, parts):\n    return None\n")
    refused = repository.mlops("run", check=False)
    assert "change(steps, parts) must return the list of steps" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    (repository.path / "model" / "steps.py").write_text("def change(steps, parts):\n    return steps + parts.image\n")
    broken = repository.mlops("run", check=False).stderr.strip()
    assert broken.startswith("the pipeline cannot be built: model/steps.py, line 2: TypeError: ")
    assert len(broken.splitlines()) == 1


@pytest.mark.parametrize("step", ["CheckData", "Preprocess", "Train", "EvaluateCurrent", "Evaluate", "Compare"])
def test_ctrl_c_in_a_step_ends_it_registers_nothing_and_the_next_run_works(again: Again, step: str) -> None:
    repository = again()
    script = {
        "CheckData": "mlops/jobs/check_data.py",
        "Preprocess": "model/preprocess.py",
        "Train": "model/train.py",
        "Compare": "mlops/jobs/compare.py",
    }.get(step, "model/evaluate.py")
    file = repository.path / script
    text = file.read_text("utf-8")
    wait = f"import os, time\nopen({str(repository.path / 'waiting')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    only = "'--missing-model-ok' in __import__('sys').argv" if step == "EvaluateCurrent" else "True"
    guarded = wait.replace("\n", "\n    ").rstrip()
    file.write_text(f"if {only}:\n    {guarded}\n" + text.replace('"""', "r'''", 1).replace('"""', "'''", 1), "utf-8")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlops",
            "run",
            *(["--fresh"] if step == "Train" else []),
        ],  # there with others beside it
        cwd=repository.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (waiting := repository.path / "waiting").exists() or not waiting.read_text():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert errors.strip() == "Stopped; nothing was registered. The steps that were done are kept: go on with mlops run"
    assert not Path(f"/proc/{waiting.read_text()}").exists()
    assert record(repository, 2)["status"] == "Stopped"
    assert versions(repository) == [1]
    file.write_text(text, "utf-8")
    assert "Nothing is new: this is version 1." in repository.mlops("run").stdout


def test_a_stop_while_the_definition_is_built_ends_that_too(again: Again) -> None:
    repository = again()
    shutil.rmtree(repository.path / ".mlops/definitions")
    process = subprocess.Popen([sys.executable, "-m", "mlops", "run"], cwd=repository.path, stderr=subprocess.PIPE)
    while not (found := list((repository.path / ".mlops").glob("scratch-*/structure.json"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    time.sleep(0.5)
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert not found[0].parent.exists()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert str(found[0].parent).encode() not in file.read_bytes()


def test_a_closed_terminal_stops_a_run_but_for_one_under_nohup() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        for ignored in (False, True):
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
            with contextlib.nullcontext() if ignored else pytest.raises(KeyboardInterrupt), _ended_like_ctrl_c():
                signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_same_run_reads_as_json(again: Again) -> None:
    repository = again()
    done = repository.mlops("run", "--json")
    assert json.loads(done.stdout)["status"] == "Succeeded"
    assert "Gate" in done.stderr
    listed = json.loads(repository.mlops("runs", "--json").stdout)
    assert [run["run"] for run in listed] == [1, 2]


def test_from_a_step_behind_training_the_version_is_made_of_what_the_model_was_made_of(
    again: Again, edited: Repository
) -> None:
    repository = again(edited)
    repository.git("checkout", "--", "model/train.py")
    repository.mlops("run", "--from", "Compare")
    assert record(repository, 3)["recipe"] == record(repository, 2)["recipe"]
    assert versions(repository) == [1, 2]
    repository.mlops("run", "--set", "evaluation.comparison.tolerance=1")
    assert record(repository, 4)["recipe"] != record(repository, 2)["recipe"]
