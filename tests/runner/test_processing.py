"""Processing jobs: what a script finds, what it leaves, and what it cannot do to the history."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mlops.laptop import store
from mlops.runner import job
from tests.conftest import SOURCE
from tests.runner.conftest import CODE, Laptop, get, output, succeeded

WRITE = "import pathlib; pathlib.Path('output/out/a').write_text('1')"


def reason(laptop: Laptop, *steps: dict[str, Any], **options: Any) -> str:
    """Why the last of some steps failed."""
    runs = laptop.run(*steps, **options)
    failed = [run.reason for run in runs.values() if run.status == "Failed"]
    assert len(failed) == 1
    assert failed[0]
    assert "\n" not in failed[0]
    return failed[0]


def test_paths_of_the_container_are_mapped_and_nothing_else(laptop: Laptop) -> None:
    words = ["/opt/ml/processing/x", "--dir=/opt/ml", "/opt/mlflow", "s3://bucket/opt/ml/x", "python", "a b", "ü", ""]
    script = "import json, os, sys; print(json.dumps(sys.argv[1:])); print(os.environ['PLACE'], os.environ['URI'])"
    environment = {"PLACE": "/opt/ml/processing/output/out", "URI": "s3://bucket/opt/ml"}
    assert succeeded(laptop.run(laptop.processing("P", script, arguments=words, environment=environment)))
    here = str(laptop.steps / "P")
    arguments, variables = laptop.log("P").splitlines()
    assert arguments.encode().decode("unicode_escape").replace('"', "'") == str(
        [f"{here}/opt/ml/processing/x", f"--dir={here}/opt/ml", *words[2:]]
    )
    assert variables == f"{here}/opt/ml/processing/output/out s3://bucket/opt/ml"


def test_the_python_of_a_job_is_this_one_even_behind_a_shell(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    for command in (["python", "-c"], ["/usr/bin/python3", "-c"], ["/bin/sh", "-c"]):
        step = laptop.processing("P")
        body = "import sys; print(sys.prefix)"
        app = step["Arguments"]["AppSpecification"]
        app["ContainerEntrypoint"] = command
        app["ContainerArguments"] = [body if "sh" not in command[0] else f'python3 -c "{body}"']
        assert succeeded(laptop.run(step))
        assert laptop.log("P").strip() == sys.prefix


def test_the_starter_is_left_out_and_the_script_starts_where_it_lies(laptop: Laptop) -> None:
    code = laptop.code(main__py="import os, helper; print(sorted(os.listdir()))", helper__py="")
    step = laptop.processing("P", inputs={"code": code})
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", "/opt/ml/processing/input/jobs/start.py", f"{CODE}/main.py"]  # fmt: skip
    assert succeeded(laptop.run(step))
    assert "helper.py" in laptop.log("P")


def test_a_script_may_do_what_it_likes_with_its_input_and_history_stays(laptop: Laptop, home: Path) -> None:
    data = store.uri(store.add({"a.csv": b"1", "deep/b.csv": b"2"}))
    script = """
import os, pathlib, shutil, sys
sys.dont_write_bytecode = False
data = pathlib.Path('input/data')
(data / 'a.csv').write_text('changed')
os.chmod(data / 'deep/b.csv', 0o600)
(data / 'new.csv').write_text('new')
shutil.rmtree(data / 'deep')
sys.path.insert(0, str(pathlib.Path('input/code')))
import helper
"""
    code = laptop.code(main__py=script, helper__py="x = 1")
    step = laptop.processing("P", script, inputs={"data": data, "code": code})
    before = contents(home / "store")
    assert succeeded(laptop.run(step))
    assert contents(home / "store") == before


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_an_empty_output_is_nothing_on_s3_and_who_reads_it_fails(laptop: Laptop) -> None:
    empty = laptop.processing("Empty", "import os; os.makedirs('output/out/folder')", outputs=["out"])
    gone = laptop.processing("Gone", "import shutil; shutil.rmtree('output/out')", outputs=["out"])
    assert succeeded(laptop.run(empty, gone))
    for step in ("Empty", "Gone"):
        assert reason(laptop, empty, gone, laptop.processing("Reads", inputs={"data": output(step)})) == (
            "step Reads finds no input for /opt/ml/processing/input/data: "
            "the output that it reads is empty, and S3 has no empty folders"
        )


def test_an_input_that_is_nowhere_is_one_line(laptop: Laptop) -> None:
    assert reason(laptop, laptop.processing("P", inputs={"data": "s3://laptop/nothing/here"})) == (
        "step P finds no input for /opt/ml/processing/input/data: nothing lies at s3://laptop/nothing/here"
    )
    assert "nothing lies at s3://elsewhere/x" in reason(
        laptop, laptop.processing("P", inputs={"data": "s3://elsewhere/x"})
    )


def test_a_single_file_is_laid_in_under_its_name(laptop: Laptop) -> None:
    first = laptop.processing("First", WRITE, outputs=["out"])
    one = {"Std:Join": {"On": "/", "Values": [output("First"), "a"]}}
    second = laptop.processing("Second", "import os; print(os.listdir('input/data'))", inputs={"data": one})
    assert succeeded(laptop.run(first, second))
    assert laptop.log("Second") == "['a']\n"


def test_links_to_files_are_kept_as_files_and_other_links_are_refused(laptop: Laptop) -> None:
    link = "import os, pathlib\npathlib.Path('x').write_text('1')\nos.symlink(os.path.abspath('x'), 'output/out/link')"
    first = laptop.processing("First", link, outputs=["out"])
    second = laptop.processing("Second", "print(open('input/data/link').read())", inputs={"data": output("First")})
    assert succeeded(laptop.run(first, second))
    assert laptop.log("Second") == "1\n"
    for script, what in (
        ("import os; os.symlink('nowhere', 'output/out/link')", "a link to no file"),
        ("import os; os.symlink(os.path.abspath('input'), 'output/out/link')", "a link to no file"),
        ("import os; os.mkfifo('output/out/link')", "no file"),
    ):
        assert reason(laptop, laptop.processing("P", script, outputs=["out"])).startswith(
            f"step P leaves in /opt/ml/processing/output/out link, which is {what}: write"
        )


def test_names_that_are_no_text_are_refused(laptop: Laptop) -> None:
    script = "open(b'output/out/\\xff', 'w').close()"
    assert "S3 knows only names in UTF-8" in reason(laptop, laptop.processing("P", script, outputs=["out"]))


def test_the_last_line_of_the_log_is_the_reason(laptop: Laptop) -> None:
    for script, expected in (
        ("raise SystemExit('preprocess.py: no column y')", "step P failed: preprocess.py: no column y"),
        ("import sys; sys.exit(3)", "step P failed: it ended with code 3 and printed nothing"),
        ("print('no newline', end=''); raise SystemExit(1)", "step P failed: no newline"),
        ("print('x' * 5000); raise SystemExit(1)", f"step P failed: {'x' * job.REASON}"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe bad\\n'); sys.exit(1)", "step P failed: \ufffd\ufffd bad"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "step P failed: it was ended by signal 9 (out of memory?)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "step P failed: it was ended by signal 11"),
        ("import nowhere", "step P failed: ModuleNotFoundError: No module named 'nowhere'; name its package in model/requirements.txt and run: make install"),
        ("open('/opt/ml/nothing/x')", "step P failed: FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/nothing/x'; on a laptop /opt/ml lies elsewhere: take the folder from an argument or an SM_ variable"),
    ):  # fmt: skip
        assert reason(laptop, laptop.processing("P", script)) == expected


def test_a_log_of_a_hundred_megabytes_is_kept_and_read_from_its_end(laptop: Laptop) -> None:
    script = "import sys\nfor _ in range(100): sys.stdout.buffer.write(b'\\xff' * 1_000_000)\nprint(); raise SystemExit('the end')"
    assert reason(laptop, laptop.processing("P", script)) == "step P failed: the end"
    log = laptop.steps / "P" / "log.txt"
    assert log.stat().st_size > 100_000_000
    assert job.last_lines(log)[-1] == "the end"


def test_what_was_printed_before_the_end_is_in_the_log(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    laptop.run(laptop.processing("P", "import os, signal; print('so far'); os.kill(os.getpid(), signal.SIGKILL)"))
    assert laptop.log("P") == "so far\n"


def test_a_job_reads_no_keyboard(laptop: Laptop) -> None:
    assert "EOFError" in reason(laptop, laptop.processing("P", "input()"))


@pytest.mark.parametrize("path", ["/tmp/x", "/opt/ml/model", "/opt/ml/processing/../../etc", "opt/ml/processing/x", ""])  # noqa: S108
def test_local_paths_begin_as_the_service_wants_them(laptop: Laptop, path: str) -> None:
    step = laptop.processing("P", outputs=["out"])
    step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["LocalPath"] = path
    assert reason(laptop, step) == f"step P has the local path {path!r}; it must begin with /opt/ml/processing/"


def test_numbers_where_the_service_takes_texts_are_refused(laptop: Laptop) -> None:
    parameters = [{"Name": "Share", "Type": "Float", "DefaultValue": 0.5}]
    step = laptop.processing("P", arguments=[get("Parameters.Share")])
    assert reason(laptop, step, parameters=parameters) == (
        "step P passes 0.5 where SageMaker takes texts; use a String or a Join"
    )
    step = laptop.processing("P", arguments=[{"Std:Join": {"On": "", "Values": [get("Parameters.Share")]}}])
    assert succeeded(laptop.run(step, parameters=parameters))


def test_a_step_without_an_entry_point_is_refused(laptop: Laptop) -> None:
    step = laptop.processing("P")
    del step["Arguments"]["AppSpecification"]["ContainerEntrypoint"]
    assert reason(laptop, step) == "step P starts what its image holds; name a ContainerEntrypoint to run it here"


def test_big_outputs_and_many_files_are_moved_not_copied(laptop: Laptop) -> None:
    script = """
import os, pathlib
out = pathlib.Path('output/out')
for number in range(500):
    (out / f'{number // 100}').mkdir(exist_ok=True)
    (out / f'{number // 100}/{number}').write_text(str(number))
with open(out / 'big', 'wb') as file:
    file.truncate(50_000_000)
print(os.stat(out / 'big').st_ino)
"""
    step = laptop.processing("P", script, outputs=["out"])
    runs = laptop.run(step)
    assert succeeded(runs)
    big = store.find(runs["P"].result.outputs["out"]) / "big"
    assert big.stat().st_ino == int(laptop.log("P"))
    assert len(store.files_in(big.parent)) == 501


ALONE = """
import os, sys
sys.path[:0] = [{tests!r}, {source!r}]
from pathlib import Path
from mlops.laptop import store
store.HOME = Path({home!r}); store.STORE = store.HOME / "store"
from conftest import Laptop, output
laptop = Laptop(store.HOME)
first = laptop.processing("First", {write!r}, outputs=["out"])
script = "import pathlib; p = pathlib.Path('input/data/a'); p.write_text('2'); print(p.read_text())"
runs = laptop.run(first, laptop.processing("Second", script, inputs={{"data": output("First")}}))
print({{name: run.status for name, run in runs.items()}}, laptop.log("Second").strip(), os.geteuid(), os.access("/opt", os.W_OK))
"""
# It may read all, as the interpreter of this machine can lie in a closed folder, but write only what is its own.
NOBODY = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv; else the others prove it"
)
def test_a_plain_user_needs_no_more_than_the_folder() -> None:
    """No root, nothing at /opt/ml: jobs know only their own folder."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        os.chown(place, 65534, 65534)
        code = ALONE.format(source=str(SOURCE), tests=str(Path(__file__).parent), home=place, write=WRITE)
        done = subprocess.run([*NOBODY, sys.executable, "-c", code], capture_output=True, text=True, cwd=place)
    assert done.stdout.strip() == "{'First': 'Succeeded', 'Second': 'Succeeded'} 2 65534 False", done.stderr
