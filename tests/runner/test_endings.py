"""However a job or a run ends, its processes end too, and what it leaves is whole."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlops.laptop import store
from mlops.runner import processes
from mlops.runner.execution import Execution, StepRun
from tests.conftest import SOURCE
from tests.runner.conftest import Disk, Laptop, is_up, model, output, statuses, succeeded

pytestmark = pytest.mark.slow


def wait_until(holds: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


CHILDREN = """
import os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
kind = sys.argv[2]
if "deaf" in kind:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
for number, session in enumerate([False, True]):
    child = subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE, start_new_session=session)
    child.stdout.readline()
    (folder / f"{number}.part").write_text(str(child.pid))
    os.replace(folder / f"{number}.part", folder / str(number))
(folder / "own.part").write_text(str(os.getpid()))
os.replace(folder / "own.part", folder / "own")
if "exits" not in kind:
    time.sleep(60)
"""


@pytest.fixture
def children(laptop: Laptop) -> Path:
    folder = laptop.folder / "children"
    folder.mkdir()
    return folder


def of(children: Path) -> list[int]:
    return [int((children / name).read_text()) for name in ("own", "0", "1")]


def none_is_left(children: Path) -> None:
    """A process that was killed is there for a moment longer, without memory: then no job can be told from it."""
    wait_until(lambda: not any(is_up(process) for process in of(children)))


def test_a_job_that_leaves_processes_behind_leaves_none(laptop: Laptop, children: Path) -> None:
    runs = laptop.run(laptop.processing("Leaves", CHILDREN, arguments=[str(children), "exits"]))
    assert succeeded(runs)
    none_is_left(children)
    assert runs["Leaves"].seconds < 20


@pytest.mark.slow
def test_a_job_that_takes_too_long_is_ended_with_its_children(
    laptop: Laptop, children: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    runs = laptop.run(laptop.processing("Slow", CHILDREN, arguments=[str(children), "deaf"], limit=1))
    assert runs["Slow"].reason is not None
    assert runs["Slow"].reason.startswith("step Slow ran longer than 0.0166667 minutes; raise max_minutes in `jobs`")
    none_is_left(children)


@pytest.mark.parametrize("kind", ["obeys", "deaf"])
def test_a_stop_ends_every_process_and_marks_the_steps(
    laptop: Laptop, children: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.3)
    execution = laptop.execution(
        laptop.processing("Long", CHILDREN, arguments=[str(children), kind]),
        {"Name": "Register", "Type": "RegisterModel", "Arguments": {}, "DependsOn": ["Long"]},
    )
    interrupted(execution, lambda: (children / "own").exists())
    assert statuses(execution.runs) == {"Long": "Stopped"}
    none_is_left(children)
    assert laptop.registry.requests == []


def interrupted(execution: Execution, moment: Any) -> None:
    """Press Ctrl-C once something is so."""
    main = threading.main_thread().ident
    assert main
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press() -> None:
        wait_until(moment)
        signal.pthread_kill(main, signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            execution.run()
    finally:
        presser.join()
        signal.signal(signal.SIGINT, before)


def test_what_a_job_saved_on_its_way_out_is_no_result(laptop: Laptop) -> None:
    """A script that hears SIGTERM and ends with 0 has not done its work."""
    script = """
import pathlib, signal, sys, time
def leave(*_):
    pathlib.Path('output/out/half').write_text('x')
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
    up = laptop.folder / "up"
    step = laptop.processing("Polite", script, outputs=["out"], arguments=[str(up)])
    execution = laptop.execution(step)
    interrupted(execution, up.exists)
    assert statuses(execution.runs) == {"Polite": "Stopped"}
    assert not (laptop.folder / "cache").exists()


def test_pressing_twice_ends_at_once(laptop: Laptop, children: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 60)
    execution = laptop.execution(laptop.processing("Deaf", CHILDREN, arguments=[str(children), "deaf"]))

    def press_again() -> None:
        wait_until(laptop.machine.processes._stopping.is_set)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    again = threading.Thread(target=press_again)
    again.start()
    start = time.monotonic()
    interrupted(execution, (children / "own").exists)
    again.join()
    none_is_left(children)
    assert time.monotonic() - start < 30


def test_after_a_stop_nothing_is_started_or_registered(laptop: Laptop) -> None:
    for step in (laptop.processing("One"), {"Name": "One", "Type": "RegisterModel", "Arguments": {}}, model("One")):
        execution = laptop.execution(step)
        laptop.machine.processes.stop()
        assert statuses(execution.run()) == {"One": "Stopped"}
    assert laptop.registry.requests == []


RUN_ALONE = """
import os, signal, sys
sys.path[:0] = [{tests!r}, {source!r}]
from pathlib import Path
from mlops.laptop import store
store.HOME = Path({home!r}); store.STORE = store.HOME / "store"
from conftest import Laptop
def interrupt(*_): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, interrupt)
signal.signal(signal.SIGINT, signal.default_int_handler)
laptop = Laptop(store.HOME)
children = Path({children!r}).read_text()
execution = laptop.execution(laptop.processing("Long", children, arguments=[sys.argv[1], "obeys"]))
try:
    execution.run()
except KeyboardInterrupt:
    print({{name: run.status for name, run in execution.runs.items()}})
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_program_ends_all_that_it_started(
    home: Path, tmp_path: Path, children: Path, number: signal.Signals
) -> None:
    (tmp_path / "children.py").write_text(CHILDREN)
    code = RUN_ALONE.format(
        source=str(SOURCE), tests=str(Path(__file__).parent), home=str(home), children=str(tmp_path / "children.py")
    )
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(children)], stdout=subprocess.PIPE, text=True
    )
    wait_until((children / "own").exists)
    program.send_signal(number)
    printed, _ = program.communicate(timeout=20)
    assert printed.strip() == "{'Long': 'Stopped'}"
    none_is_left(children)


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(laptop: Laptop, home: Path, disk: Disk) -> None:
    """Whichever file or folder it is that finds no place."""
    write = "import pathlib; pathlib.Path('output/out/a').write_text('1')"
    first = laptop.processing("One", write, outputs=["out"])
    second = laptop.processing("Two", inputs={"data": output("One")})
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {}, "DependsOn": ["Two"]}
    failures, room = 0, 0
    while True:
        runs = disk.with_room_for(room, lambda: laptop.run(first, second, register))
        for name, run in runs.items():
            if run.status == "Failed":
                assert run.reason is not None
                assert run.reason.startswith(f"step {name}: No space left on device (")
                assert "\n" not in run.reason
        assert not [path.name for pattern in ("scratch-*", "cache/*.part", "*.part") for path in home.glob(pattern)]
        for tree in (home / "store").iterdir():
            assert tree.name == store._tree_hash(dict(store.digests(tree)))
        if succeeded_all(runs):
            break
        failures, room = failures + 1, room + 1
    assert failures > 8
    assert len(laptop.registry.requests) == 1
    assert succeeded(laptop.run(first, second, register))


def succeeded_all(runs: dict[str, StepRun]) -> bool:
    return {run.status for run in runs.values()} == {"Succeeded"}
