"""A script that an interpreter waited for finds and leaves all as if it had been started itself."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.runner.execution import StepRun
from mlops.runner.first_imports import first_imports
from tests.runner.conftest import CODE, Laptop, Step, get, succeeded

pytestmark = pytest.mark.slow

USED = "spare_worker.py"
WAIT = """\
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists(): time.sleep(.01)
"""


def look(**files: str) -> dict[str, str]:
    """A script that says how it was started, with files beside it."""
    return {"main__py": "import yaml\nimport sys\nprint(*sys.orig_argv)\n", **files}


def step(laptop: Laptop, name: str, files: dict[str, str], **options: Any) -> Step:
    """A step that starts its script as the pipeline's do."""
    made = laptop.processing(name, inputs={"code": laptop.code(**files)}, **options)
    made["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", f"{CODE}/main.py"]
    return made


def run(
    laptop: Laptop, files: dict[str, str], *, spare: bool, meanwhile: Callable[[], None] = lambda: None, **options: Any
) -> StepRun:
    """Run a script after another; it is prepared while that one runs, or not."""
    laptop.workers = 2 if spare else 1
    gate = laptop.folder / f"gate-{laptop.number}"
    first = laptop.processing("First", WAIT, arguments=[str(gate)])
    execution = laptop.execution(first, step(laptop, "Second", files, DependsOn=["First"], **options))

    def open_gate() -> None:
        deadline = time.monotonic() + 20
        while spare and not laptop.machine.processes.spares and time.monotonic() < deadline:
            time.sleep(0.01)
        meanwhile()
        gate.touch()

    opener = threading.Thread(target=open_gate)
    opener.start()
    runs = execution.run()
    opener.join()
    assert not laptop.machine.processes.spares
    return runs["Second"]


def both(laptop: Laptop, files: dict[str, str], **options: Any) -> list[tuple[str | None, str]]:
    """The reason and the log of a step that was prepared and of one that was not, which must be the same."""
    found = []
    for spare in (True, False):
        reason = run(laptop, files, spare=spare, **options).reason
        number = f"/runs/{laptop.number}/"
        log = laptop.log("Second").replace(number, "/runs/N/")
        found.append((reason and reason.replace(number, "/runs/N/"), log))
    assert found[0] == found[1]
    return found


def test_two_threads_never_prepare_at_once(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 fails with SystemError when two threads parse scripts at once: both read what the next step imports."""
    inside, most = [0], [0]

    def slow(script: Path) -> list[str]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        inside[0] -= 1
        return []

    monkeypatch.setattr("mlops.runner.spares.first_imports", slow)
    laptop.workers = 4
    waits = {"DependsOn": ["One", "Two", "Three"]}
    first = [laptop.processing(name, "import time; time.sleep(.05)") for name in waits["DependsOn"]]
    succeeded(laptop.run(*first, *(step(laptop, f"Next{number}", look(), **waits) for number in range(3))))
    assert most == [1]


def test_an_interpreter_waits_where_a_core_has_nothing_to_do(laptop: Laptop) -> None:
    succeeded({"Second": run(laptop, look(), spare=True)})
    assert USED in laptop.log("Second")
    succeeded({"Second": run(laptop, look(), spare=False)})
    assert USED not in laptop.log("Second")


def test_a_script_that_imports_no_package_gets_none(laptop: Laptop) -> None:
    gate = laptop.folder / "gate"
    gate.touch()
    laptop.workers = 2
    script = {"main__py": "import json\nimport sys\nprint(*sys.orig_argv)\n"}
    first = laptop.processing("First", WAIT, arguments=[str(gate)])
    assert succeeded(laptop.run(first, step(laptop, "Second", script, DependsOn=["First"])))
    assert USED not in laptop.log("Second")


UNPREPARED = {
    "words of its own": ({"ContainerEntrypoint": ["echo"], "ContainerArguments": [get("Parameters.Number")]}, "7", {}),
    "a variable": ({}, None, {"NUMBER": get("Parameters.Number")}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("command", "given", "environment"), UNPREPARED.values(), ids=UNPREPARED)
def test_what_cannot_be_prepared_meets_its_own_trouble_when_it_is_its_turn(
    laptop: Laptop, command: Step, given: str | None, environment: dict[str, Any]
) -> None:
    laptop.workers = 3
    second = step(laptop, "Second", look(), environment=environment, DependsOn=["First"])
    second["Arguments"]["AppSpecification"] |= command
    kind, number = ("String", given) if given else ("Integer", 7)
    parameters = [{"Name": "Number", "Type": kind, "DefaultValue": number}]
    first = laptop.processing("First", "import time; time.sleep(.5)")
    runs = laptop.run(laptop.processing("Quick"), first, second, parameters=parameters)
    if given:
        assert succeeded(runs)
        assert laptop.log("Second") == "7\n"
    else:
        assert runs["Second"].reason == "step Second passes 7 where SageMaker takes texts; use a String or a Join"


def test_the_script_finds_all_as_if_it_had_been_started_itself(laptop: Laptop) -> None:
    script = """\
    '''What it is for.'''
    import yaml
    import os, pickle, sys
    import beside

    class Thing:
        pass

    if __name__ == "__main__":
        print(__doc__, __file__, __name__, __package__, __spec__)
        print(sorted(set(globals()) - {"__annotations__", "__cached__"}))
        print(sys.argv, sys.path, os.getcwd(), repr(sys.stdin.read()), beside.__file__)
        print(sorted((name, value) for name, value in os.environ.items() if name != "MLOPS_JOB"))
        print(len(os.environ["MLOPS_JOB"]), sys.flags.dont_write_bytecode, sys.dont_write_bytecode)
        print(type(pickle.loads(pickle.dumps(Thing()))) is Thing, sys.modules["__main__"].Thing is Thing)
        print("yaml" in sys.modules, "dateutil" in sys.modules)
        os.write(1, b"to the descriptor\\n")
        os.write(2, b"and to the other\\n")
        os.system("echo from a child")
    """
    files = {"main__py": textwrap.dedent(script), "beside__py": "import json\n"}
    options: dict[str, Any] = {"arguments": ["--name", "it's ö"], "environment": {"LEVEL": "5"}}
    (_, log), _ = both(laptop, files, **options)
    for part in ("What it is for. ", "'--name', \"it's ö\"", "('LEVEL', '5')", "True True\n"):
        assert part in log
    assert log.endswith("True False\nto the descriptor\nand to the other\nfrom a child\n")


def test_processes_of_the_script_find_its_classes(laptop: Laptop) -> None:
    script = """\
import yaml
import multiprocessing

def double(number):
    return 2 * number

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(double, [1, 2]))
"""
    (reason, log), _ = both(laptop, {"main__py": script})
    assert (reason, log) == (None, "[2, 4]\n")


ENDS = {
    "an error": "def work():\n    raise ValueError('no good')\nwork()\n",
    "no Python": "print('up')\nimport nonsense\n",
    "a code": "import sys\nsys.exit(3)\n",
    "a sentence": "raise SystemExit('that is all')\n",
    "a signal": "import os, signal\nprint('up', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "a missing package": "import no_such_package\n",
    "a bug in a module beside it": "import beside\nbeside.work()\n",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_ends_as_it_would_have(laptop: Laptop, end: str) -> None:
    (reason, log), _ = both(
        laptop,
        {
            "main__py": f"import yaml\n{end}",
            "beside__py": "def work():\n    return {}[1]\n",
            "nonsense__py": "no Python",
        },
    )
    assert reason
    assert USED not in log


def test_what_an_import_prints_stands_in_the_log(laptop: Laptop) -> None:
    """DeprecationWarning of an old module, shown as Python shows it where the variable asks for it."""
    files = look(main__py="import crypt_of_old\nprint('then this')\n")
    package = laptop.folder / "site" / "crypt_of_old.py"
    package.parent.mkdir()
    package.write_text("import os, sys\nprint('hello')\nprint('careful', file=sys.stderr)\nos.write(1, b'raw\\n')\n")
    options: dict[str, Any] = {"environment": {"PYTHONPATH": str(package.parent)}}
    (_, log), _ = both(laptop, files, **options)
    assert log == "hello\ncareful\nraw\nthen this\n"


def test_a_module_of_its_own_that_a_package_takes_for_anothers_is_the_one_beside_it(laptop: Laptop) -> None:
    """`dateutil` imports `six`; a team may have called a module so. What happens then, happens here too."""
    own = "integer_types = string_types = text_type = binary_type = int\nprint('six beside', __file__)\n"
    own += "def with_metaclass(*_): return object\ndef add_metaclass(_): return lambda kind: kind\nPY2 = False\n"
    (_, log), _ = both(laptop, {"main__py": "import dateutil.tz\nprint('done')\n", "six__py": own})
    assert "six beside" in log
    assert f"/Second/{CODE.lstrip('/')}/six.py" in log


def test_a_package_that_is_broken_is_the_scripts_own_failure(laptop: Laptop) -> None:
    package = laptop.folder / "site" / "broken_package.py"
    package.parent.mkdir()
    package.write_text("raise RuntimeError('broken package')\n")
    options: dict[str, Any] = {"environment": {"PYTHONPATH": str(package.parent)}}
    (reason, _), _ = both(laptop, {"main__py": "import broken_package\n"}, **options)
    assert reason == "step Second failed: RuntimeError: broken package"


def test_without_its_interpreter_it_starts_all_the_same(laptop: Laptop) -> None:
    def kill() -> None:
        for process in _workers():
            os.kill(process, signal.SIGKILL)
        while any(_state(process) != "Z" for process in _workers()):
            time.sleep(0.01)

    succeeded({"Second": run(laptop, look(), spare=True, meanwhile=kill)})
    assert USED not in laptop.log("Second")


@pytest.mark.parametrize("way", ["a failure", "a stop"])
def test_an_interpreter_that_is_not_needed_is_ended(laptop: Laptop, way: str) -> None:
    laptop.workers = 2
    gate = laptop.folder / "gate"
    first = laptop.processing("First", WAIT + "sys.exit(1)\n", arguments=[str(gate)])
    execution = laptop.execution(first, step(laptop, "Second", look(), DependsOn=["First"]))
    runner = threading.Thread(target=execution.run)
    runner.start()
    while not laptop.machine.processes.spares:
        time.sleep(0.01)
    assert len(_workers()) == 1
    if way == "a failure":
        gate.touch()
    else:
        laptop.machine.processes.stop()
    runner.join(20)
    assert not runner.is_alive()
    assert not _workers()
    assert "Second" not in execution.runs


def _workers() -> list[int]:
    """The processes of this test that wait for their turn."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = Path("/proc", name, "cmdline").read_bytes()
            if _parent(name) == os.getpid() and (USED.encode() in words or _state(int(name)) == "Z"):
                found.append(int(name))
    return found


def _parent(process: str) -> int:
    return int(Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[1])


def _state(process: int) -> str:
    return Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[0]


IMPORTS = {
    "packages in order": (
        "import pandas as pd\nfrom sklearn.metrics import auc\nimport json\n",
        "pandas sklearn.metrics",
    ),
    "after a docstring and the future": ('"""Doc."""\nfrom __future__ import annotations\nimport pandas\n', "pandas"),
    "after definitions": ("ROWS = 5\ndef f():\n    import torch\nimport pandas\n", "pandas"),
    "each once": ("import pandas\nimport pandas\n", "pandas"),
    "through modules beside it": ("import beside\nimport pandas\n", "numpy.linalg pandas"),
    "no further than a variable": ("import pandas\nimport os\nos.environ['X'] = '1'\nimport numpy\n", "pandas"),
    "no further than a variable in a module beside it": ("import sets\nimport numpy\n", ""),
    "no further than a filter of warnings": ("import warnings\nwarnings.simplefilter('ignore')\nimport numpy\n", ""),
    "no further than a path": ("import sys\nsys.path.append('x')\nimport numpy\n", ""),
    "no further than a package of its own": ("import pandas\nfrom package import it\nimport numpy\n", "pandas"),
    "no relative ones": ("from . import it\nimport numpy\n", "numpy"),
    "nothing of what is no Python": ("import pandas\nthis is no Python\n", ""),
    "nothing under a condition": ("try:\n    import torch\nexcept ImportError:\n    pass\nimport pandas\n", "pandas"),
}


@pytest.mark.parametrize(("source", "modules"), IMPORTS.values(), ids=IMPORTS)
def test_first_imports_are(tmp_path: Path, source: str, modules: str) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "beside.py").write_text("import numpy.linalg\nimport main\n")
    (tmp_path / "sets.py").write_text("import os\nos.environ.setdefault('OMP_NUM_THREADS', '1')\n")
    (tmp_path / "main.py").write_text(source)
    assert first_imports(tmp_path / "main.py") == modules.split()


def test_a_script_that_is_not_there_imports_nothing(tmp_path: Path) -> None:
    assert first_imports(tmp_path / "gone.py") == []


def test_the_worker_ends_where_nobody_needs_it(tmp_path: Path) -> None:
    worker = Path(sys.modules["mlops.runner.processes"].__file__ or "").with_name(USED)
    done = subprocess.run([sys.executable, "-P", str(worker), str(tmp_path)], input=b"", timeout=20)
    assert done.returncode == 0
