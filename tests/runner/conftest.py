"""A laptop with a store of its own, and tiny steps whose jobs are a few lines of Python."""

import errno
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from mlops.laptop import store, versions
from mlops.runner import graph
from mlops.runner.cache import Cache
from mlops.runner.execution import Execution, StepRun
from mlops.runner.expressions import Values, parameter_values
from mlops.runner.machine import Machine

CODE = "/opt/ml/processing/input/code"
EXECUTION = {"PipelineExecutionId": "laptop-1", "PipelineName": "p", "StartDateTime": "s", "CurrentDateTime": "c"}
SLEEP = "import time; print('up', flush=True); time.sleep(60)"
Step = dict[str, Any]
Result = TypeVar("Result")


def of_sdk(file: str) -> ModuleType:
    """A file of the SDK, without the packages around it: they ask for a region, and take seconds."""
    name = "sdk_" + file.removesuffix(".py").replace("/", "_")
    found = importlib.util.find_spec("sagemaker")
    assert found
    spec = importlib.util.spec_from_file_location(name, Path(next(iter(found.submodule_search_locations or []))) / file)
    assert spec
    assert spec.loader
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def get(path: str) -> Step:
    """A reference."""
    return {"Get": path}


def output(step: str, name: str = "out") -> Step:
    """The URI of what a processing step leaves."""
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


@dataclass
class Listener:
    """Remembers what it is told."""

    order: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def started(self, step: StepRun) -> None:
        with self.lock:
            self.order.append(("started", step.name))

    def ended(self, step: StepRun) -> None:
        with self.lock:
            self.order.append((step.status, step.name))


@dataclass
class Registry:
    """Remembers what is registered."""

    requests: list[dict[str, Any]] = field(default_factory=list)

    def create_model_package(self, request: dict[str, Any]) -> str:
        self.requests.append(request)
        return f"arn:version/{len(self.requests)}"


@dataclass
class Laptop:
    """Builds steps and runs them."""

    folder: Path
    number: int = 0
    listener: Any = field(default_factory=Listener)
    registry: Any = field(default_factory=Registry)
    workers: int = 4
    prepare: Callable[[Execution], None] = lambda execution: None
    machine: Machine = field(init=False)

    def code(self, **files: str) -> str:
        """Add files of Python to the store; `__` stands for a dot."""
        return store.uri(store.add({name.replace("__", "."): text.encode() for name, text in files.items()}))

    def processing(
        self,
        name: str,
        script: str = "",
        *,
        inputs: dict[str, Any] | None = None,
        outputs: Sequence[str] = (),
        arguments: Sequence[Any] = (),
        environment: dict[str, Any] | None = None,
        limit: int = 60,
        **step: Any,
    ) -> Step:
        """A step that runs a script; inputs lie at /opt/ml/processing/input/NAME, outputs at …/output/NAME."""
        files = {"code": self.code(main__py=script)} | (inputs or {})
        request = {
            "AppSpecification": {
                "ImageUri": "image",
                "ContainerEntrypoint": ["python3", "-S", f"{CODE}/main.py"],
                "ContainerArguments": [*arguments],
            },
            "ProcessingInputs": [
                {
                    "InputName": key,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{key}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for key, uri in files.items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": key,
                        "S3Output": {
                            "S3Uri": f"s3://laptop/artifacts/{key}",
                            "LocalPath": f"/opt/ml/processing/output/{key}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for key in outputs
                ]
            },
            "Environment": environment or {},
            "StoppingCondition": {"MaxRuntimeInSeconds": limit},
        }
        return {"Name": name, "Type": "Processing", "Arguments": request, **step}

    def condition(
        self, name: str, conditions: list[Step], then: Sequence[Step] = (), otherwise: Sequence[Step] = (), **step: Any
    ) -> Step:
        """A condition step."""
        arguments = {"Conditions": conditions, "IfSteps": [*then], "ElseSteps": [*otherwise]}
        return {"Name": name, "Type": "Condition", "Arguments": arguments, **step}

    def execution(self, *steps: Step, parameters: list[Step] | None = None, **options: Any) -> Execution:
        """Read a definition and prepare to execute it."""
        self.number += 1
        given = options.pop("given", {})
        read = graph.read({"Parameters": parameters or [], "Steps": [*steps]})
        values = Values(parameter_values(parameters or [], given), EXECUTION)
        self.machine = Machine(
            values,
            folder=self.folder / "runs" / str(self.number) / "steps",
            place=store.Laptop(),
            registry=self.registry,
            cache=options.pop("cache", Cache(self.folder / "cache")),
            find_output=store.find,
            workers=self.workers,
        )
        execution = Execution(read, values, executor=self.machine, listener=self.listener, **options)
        self.prepare(execution)
        return execution

    def run(self, *steps: Step, **options: Any) -> dict[str, StepRun]:
        """Execute steps."""
        return self.execution(*steps, **options).run()

    def log(self, step: str) -> str:
        """What a step of the last run printed."""
        return (self.steps / step / "log.txt").read_text("utf-8", "replace")

    @property
    def steps(self) -> Path:
        """The folder of the last run's steps."""
        return self.folder / "runs" / str(self.number) / "steps"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of its own."""
    folder = tmp_path / "repository" / ".mlops"
    folder.mkdir(parents=True)
    monkeypatch.setattr(store, "HOME", folder)
    monkeypatch.setattr(store, "STORE", folder / "store")
    monkeypatch.setattr(versions, "FOLDER", folder / "versions")
    return folder


class Disk:
    """A disk that is full after some more files and folders below a folder; CPython's audit events tell of them."""

    CREATES = ("os.mkdir", "os.link", "os.symlink")

    def __init__(self, folder: Path) -> None:
        self.folder, self.room, self.refuses = str(folder), 0, False
        self.lock = threading.Lock()
        sys.addaudithook(self._look)

    def with_room_for(self, files: int, work: Callable[[], Result]) -> Result:
        """Do something on a disk with room for so many more files and folders."""
        self.room, self.refuses = files, True
        try:
            return work()
        finally:
            self.refuses = False

    def _look(self, event: str, details: tuple[Any, ...]) -> None:
        if not self.refuses or event not in {"open", *self.CREATES}:
            return
        path = str(details[1] if event in {"os.link", "os.symlink"} else details[0])
        creates = event in self.CREATES or bool(details[2] & os.O_CREAT)
        if not creates or not path.startswith(self.folder) or os.path.exists(path):
            return
        with self.lock:
            self.room -= 1
            if self.room < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


@pytest.fixture
def disk(home: Path) -> Disk:
    """The disk of the history."""
    return Disk(home)


@pytest.fixture
def laptop(home: Path) -> Laptop:
    """A laptop with an empty history."""
    return Laptop(home)


def succeeded(runs: dict[str, StepRun]) -> bool:
    """Whether all steps went through; a failure shows why not."""
    reasons = {name: run.reason for name, run in runs.items() if run.status not in {"Succeeded", "Skipped"}}
    assert not reasons, json.dumps(reasons, indent=1)
    return True


def model(name: str, **step: Any) -> dict[str, Any]:
    """A step that takes no time."""
    container = {"Image": "i", "ModelDataUrl": "s3://x"}
    return {"Name": name, "Type": "Model", "Arguments": {"PrimaryContainer": container}, **step}


def statuses(runs: dict[str, StepRun]) -> dict[str, str]:
    """How each step ended."""
    return {name: run.status for name, run in runs.items()}


def is_up(process: int) -> bool:
    """Whether a process still runs."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
