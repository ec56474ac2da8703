"""Training jobs: the script sees what the SDK's own driver would have shown it."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.laptop import store
from mlops.model_archive import extract, pack
from mlops.problem import Problem
from mlops.runner import training_driver
from tests.runner.conftest import Laptop, get, of_sdk, output, succeeded

DRIVER = "sagemaker/train/container_drivers"
START = "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh && /opt/ml/input/data/sm_drivers/sm_train.sh"
TRAIN = """
import json, os, sys
seen = {name: value for name, value in os.environ.items() if name.startswith('SM_')}
with open(os.path.join(os.environ['SM_MODEL_DIR'], 'seen.json'), 'w') as file:
    json.dump({'arguments': sys.argv[1:], 'variables': seen, 'folder': os.getcwd()}, file)
"""
HYPERPARAMETERS = {
    "depth": "5",
    "rate": "0.001",
    "small": "1e-05",
    "negative": "-3",
    "flag": "true",
    "python-flag": "True",
    "nothing": "null",
    "empty": "",
    "text": "a b",
    "spaces": "  5 ",
    "unicode": "größe 東京 🚀",
    "list": "[1,2, 3]",
    "mapping": '{"a":{"b":"c d"},"ü":1}',
    "quoted": '"5"',
    "twice": '"[1,2]"',
    "nan": "NaN",
    "backslash": "a\\nb",
    "dollar": "$HOME `id` $(id) \\$x",
    "double": 'say "hi"',
    "lines": "one\ntwo",
    "big": "123456789012345678901234567890",
    "date": "2024-01-01",
    "option": "--other",
}
RESOURCES = {"current_host": "algo-1", "current_instance_type": "ml.m5.large", "hosts": ["algo-1"], "network_interface_name": "eth0"}  # fmt: skip
CHANNEL = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}


def step(laptop: Laptop, script: str = TRAIN, **changes: Any) -> dict[str, Any]:
    """A training step as the SDK writes it."""
    source = json.dumps({"entry_script": changes.pop("entry", "train.py"), "command": changes.pop("command", None)})
    drivers = {"sourcecode.json": source, "distributed.json": changes.pop("distributed", "{}"), "sm_train.sh": ""}
    channels = {
        "train": laptop.code(a__csv="1"),
        "code": laptop.code(train__py=script, train__sh=script),
        "sm_drivers": store.uri(store.add({name: text.encode() for name, text in drivers.items()})),
    } | changes.pop("channels", {})
    request = {
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": ["-c", START],
        },
        "HyperParameters": {},
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for name, uri in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://laptop/artifacts", "CompressionType": "GZIP"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    options = {name: changes.pop(name) for name in list(changes) if name in {"CacheConfig", "DependsOn"}}
    return {"Name": "Train", "Type": "Training", "Arguments": request | changes, **options}


def seen(laptop: Laptop, **changes: Any) -> dict[str, Any]:
    """What the script saw, with the paths of the container."""
    runs = laptop.run(step(laptop, **changes))
    assert succeeded(runs)
    archive = store.find(runs["Train"].result.properties["ModelArtifacts"]["S3ModelArtifacts"])
    with tarfile.open(archive) as tar:
        file = tar.extractfile("seen.json")
        assert file
        text = file.read().decode()
    content: dict[str, Any] = json.loads(text.replace(str(laptop.steps / "Train/opt/ml"), "/opt/ml"))
    return content


def by_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hyperparameters: dict[str, str], inputs: list[str]
) -> tuple[dict[str, str], list[str]]:
    """The variables that the SDK's driver sets, read through bash, and the arguments that it makes of them."""
    monkeypatch.syspath_prepend(str(Path(next(iter(__import__("sagemaker").__path__))) / "train/container_drivers"))
    environment = of_sdk("train/container_drivers/scripts/environment.py")
    basic = of_sdk("train/container_drivers/distributed_drivers/basic_script_driver.py")
    monkeypatch.setattr(environment, "read_source_code_json", lambda: {"entry_script": "train.py"})
    monkeypatch.setattr(environment, "num_gpus", lambda: 0)
    monkeypatch.setattr(environment, "num_neurons", lambda: 0)
    monkeypatch.setattr(environment, "log_env_variables", lambda env_vars_dict: None)
    monkeypatch.setenv("TRAINING_JOB_NAME", "job")
    file = tmp_path / "sm_training.env"
    environment.set_env(RESOURCES, dict.fromkeys(inputs, CHANNEL), hyperparameters, str(file))
    show = f"{sys.executable} -S -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    shell = ["bash", "-c", f"set -e; source {file}; {show}"]
    done = subprocess.run(shell, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    variables = {name: value for name, value in json.loads(done.stdout).items() if name.startswith("SM_")}
    for name in ("SM_ENTRY_SCRIPT", "SM_HPS"):
        monkeypatch.setenv(name, variables[name])
    return variables, basic.create_commands()


def ours(
    hyperparameters: dict[str, str], inputs: list[str], entry: str = "train.py"
) -> tuple[dict[str, str], list[str]]:
    variables = training_driver.variables(
        "/opt/ml",
        "job",
        entry_script=entry,
        resources=RESOURCES,
        inputs=dict.fromkeys(inputs, CHANNEL),
        hyperparameters=hyperparameters,
        environment={},
    )
    return variables, training_driver.command(sys.executable, variables)


def test_variables_and_arguments_are_those_of_the_sdk_s_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = ["train", "validation_2", "code", "sm_drivers"]
    variables, command = by_sdk(tmp_path, monkeypatch, HYPERPARAMETERS, inputs)
    assert ours(HYPERPARAMETERS, inputs) == (variables, command)
    assert len(variables) > 25 + len(inputs) + len(HYPERPARAMETERS)


def passes(value: object) -> bool:
    """Whether the driver's shell takes what a value is when it is no JSON any more."""
    text = value if isinstance(value, str) else json.dumps(value)
    return not {"'", "\0"} & set(text)


values = st.text(st.characters(codec="utf-8", exclude_characters="'\0")) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
).map(json.dumps).filter(lambda text: passes(json.loads(text)))


@settings(max_examples=25)
@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True), values, max_size=8))
def test_any_hyperparameters_reach_the_script_as_on_sagemaker(
    tmp_path_factory: pytest.TempPathFactory, hyperparameters: dict[str, str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        variables, command = by_sdk(tmp_path_factory.mktemp("env"), patch, hyperparameters, ["train"])
    mine, my_command = ours(hyperparameters, ["train"])
    carriage = {name for name, value in mine.items() if "\r" in value}  # text files lose it on their way to the shell
    assert {k: v for k, v in mine.items() if k not in carriage} == {
        k: v for k, v in variables.items() if k not in carriage
    }
    assert my_command == command


def test_a_shell_script_is_started_as_by_the_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables, _ = by_sdk(tmp_path, monkeypatch, {"text": "a b"}, ["train"])
    basic = of_sdk("train/container_drivers/distributed_drivers/basic_script_driver.py")
    monkeypatch.setenv("SM_ENTRY_SCRIPT", "train.sh")
    assert (
        training_driver.command(sys.executable, variables | {"SM_ENTRY_SCRIPT": "train.sh"}) == basic.create_commands()
    )
    with pytest.raises(Problem, match=r"the entry script is train\.R"):
        training_driver.command(sys.executable, variables | {"SM_ENTRY_SCRIPT": "train.R"})


@pytest.mark.parametrize(
    ("hyperparameters", "inputs", "message"),
    [
        ({"text": "it's"}, [], "the hyperparameter text is it's; the SDK's driver cannot pass an apostrophe"),
        ({"text": r'"\u0027"'}, [], "; the SDK's driver cannot pass an apostrophe"),
        ({"text": r'"\u0000"'}, [], "the SDK's driver cannot pass a NUL"),
        ({"a.b": "1"}, [], "the hyperparameter 'a.b' does not pass the SDK's driver"),
        ({"a b": "1"}, [], "the hyperparameter 'a b' does not pass"),
        ({}, ["my-data"], "the channel 'my-data' does not pass the SDK's driver"),
    ],
)
def test_what_fails_in_the_sdk_s_driver_is_refused_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hyperparameters: dict[str, str], inputs: list[str], message: str
) -> None:
    with pytest.raises(Problem, match="SDK's driver") as caught:
        ours(hyperparameters, inputs)
    assert message in str(caught.value)
    try:
        variables, _ = by_sdk(tmp_path, monkeypatch, hyperparameters, inputs)
    except AssertionError:  # the shell's own words: unexpected EOF, not a valid identifier
        return
    assert not any(name.startswith("SM_HP_A") for name in variables)  # the shell took `a b` for two names


def test_the_script_sees_all_that_in_its_own_folder(laptop: Laptop) -> None:
    found = seen(laptop, HyperParameters=HYPERPARAMETERS, Environment={"SM_LOG_LEVEL": "10", "SM_MODEL_DIR": "/mine"})
    variables, command = ours(HYPERPARAMETERS, ["train", "code", "sm_drivers"])
    assert found["arguments"] == command[2:]
    assert found["folder"] == "/opt/ml/input/data/code"
    name = "pipelines-laptop-1-Train"
    expected = variables | {"SM_LOG_LEVEL": "10"}
    environment = json.loads(found["variables"].pop("SM_TRAINING_ENV"))
    assert environment == json.loads(expected.pop("SM_TRAINING_ENV")) | {"job_name": name, "log_level": "10"}
    assert found["variables"] == expected


def test_the_configuration_lies_where_sagemaker_lays_it(laptop: Laptop) -> None:
    show = """
import json, os, pathlib
folder = pathlib.Path(os.environ['SM_INPUT_CONFIG_DIR'])
print({file.name: json.loads(file.read_text()) for file in sorted(folder.iterdir())})
pathlib.Path(os.environ['SM_MODEL_DIR'], 'm').touch()
"""
    assert succeeded(laptop.run(step(laptop, show, HyperParameters={"a": "1", "b": "x y"})))
    assert ast.literal_eval(laptop.log("Train")) == {
        "hyperparameters.json": {"a": "1", "b": "x y"},
        "inputdataconfig.json": dict.fromkeys(["train", "code", "sm_drivers"], CHANNEL),
        "resourceconfig.json": RESOURCES,
    }


def test_a_model_is_packed_so_that_the_same_files_are_the_same_bytes(laptop: Laptop, tmp_path: Path) -> None:
    script = "import os, pathlib; m = pathlib.Path(os.environ['SM_MODEL_DIR']); (m / 'code').mkdir(); (m / 'code/i.py').write_text('x'); (m / 'model').write_text('1'); os.symlink(m / 'model', m / 'link'); (m / 'code/i.py').chmod(0o700)"
    uris = {laptop.run(step(laptop, script))["Train"].result.outputs["model"] for _ in range(2)}
    assert len(uris) == 1
    with tarfile.open(store.find(uris.pop()) / "model.tar.gz") as archive:
        members = {member.name: (member.isfile(), member.mode, member.mtime, member.uid) for member in archive}
        extract(archive, tmp_path)
    assert members == {
        "code": (False, 0o755, 0, 0),
        "code/i.py": (True, 0o644, 0, 0),
        "link": (True, 0o644, 0, 0),
        "model": (True, 0o644, 0, 0),
    }
    assert (tmp_path / "link").read_text() == "1"


def test_what_lies_in_output_data_is_packed_as_sagemaker_does(laptop: Laptop, tmp_path: Path) -> None:
    script = TRAIN + "open(os.path.join(os.environ['SM_OUTPUT_DATA_DIR'], 'curve.csv'), 'w').write('1')"
    runs = laptop.run(step(laptop, script))
    with tarfile.open(store.find(runs["Train"].result.outputs["data"]) / "output.tar.gz") as archive:
        extract(archive, tmp_path)
    assert (tmp_path / "curve.csv").read_text() == "1"


@pytest.mark.parametrize(
    ("script", "changes", "message"),
    [
        ("pass", {}, "step Train left no model: it must write one into $SM_MODEL_DIR (/opt/ml/model)"),
        ("raise SystemExit('train.py: no')", {}, "step Train failed: train.py: no"),
        (
            "import os; open(os.environ['SM_OUTPUT_FAILURE'], 'w').write('the\\nreason'); raise SystemExit('not this')",
            {},
            "step Train failed: the reason",
        ),
        ("pass", {"entry": None}, "step Train is started by a command of its own; only an entry script can run here"),
        ("pass", {"command": "make"}, "step Train is started by a command of its own"),
        ("pass", {"distributed": '{"Torchrun": {}}'}, "step Train is started on several processes (Torchrun)"),
        ("pass", {"entry": "train.R"}, "the entry script is train.R; the SDK's driver starts only .py and .sh"),
        ("pass", {"HyperParameters": {"a": 5}}, "step Train passes 5 where SageMaker takes texts"),
        ("pass", {"AlgorithmSpecification": {"TrainingImage": "i"}}, "step Train starts what its image holds"),
        ("pass", {"channels": {"train": "s3://laptop/none"}}, "step Train finds no input for /opt/ml/input/data/train"),
    ],
)
def test_what_goes_wrong_is_one_line(laptop: Laptop, script: str, changes: dict[str, Any], message: str) -> None:
    reason = laptop.run(step(laptop, script, **changes))["Train"].reason
    assert reason
    assert reason.startswith(message)
    assert "\n" not in reason


def test_without_the_driver_a_command_runs_and_gets_no_variables_of_the_driver(laptop: Laptop) -> None:
    script = "import os, pathlib; pathlib.Path('model/m').touch(); print([n for n in os.environ if n.startswith('SM_')], os.environ['PLACE'], os.environ['TRAINING_JOB_NAME'])"
    algorithm = {
        "TrainingImage": "i",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
    }
    assert succeeded(
        laptop.run(step(laptop, script, AlgorithmSpecification=algorithm, Environment={"PLACE": "/opt/ml/model"}))
    )
    assert laptop.log("Train") == f"[] {laptop.steps / 'Train/opt/ml/model'} pipelines-laptop-1-Train\n"


def test_a_model_reaches_the_next_step_under_its_name(laptop: Laptop) -> None:
    listing = "import os; print(os.listdir('input/model'))"
    last = laptop.processing("Last", listing, inputs={"model": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")})
    data = laptop.processing("Data", "open('output/out/x', 'w').write('1')", outputs=["out"])
    assert succeeded(laptop.run(last, data, step(laptop, channels={"train": output("Data")})))
    assert laptop.log("Last") == "['model.tar.gz']\n"


def test_a_pack_of_nothing_special_survives(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / ("ü" * 60)).write_text("x")
    pack(tmp_path / "model", tmp_path / "m.tar.gz")
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        assert archive.getnames() == ["ü" * 60]


@pytest.mark.slow
def test_the_real_driver_shows_a_script_the_same(laptop: Laptop, tmp_path: Path) -> None:
    """sm_train.sh, as the SDK emits it, at the real /opt/ml, in this Python, which has pip."""
    root = Path("/opt/ml")
    if root.exists():
        pytest.skip("/opt/ml exists on this machine: it may be somebody's")
    try:
        root.mkdir()
    except OSError as error:
        pytest.skip(f"/opt/ml cannot be created: {error.strerror}")
    try:
        hyperparameters = {name: value for name, value in HYPERPARAMETERS.items() if name != "lines"}
        mine = seen(laptop, HyperParameters=hyperparameters)
        lay_out_the_driver(root, hyperparameters)
        done = subprocess.run(
            ["/bin/bash", "-c", START],
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PIP_NO_INDEX": "1",  # the driver installs what is required: here nothing
                "TRAINING_JOB_NAME": "pipelines-laptop-1-Train",
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        theirs = json.loads((root / "model/seen.json").read_text())
    finally:
        shutil.rmtree(root)
    assert mine["arguments"] == theirs["arguments"]
    assert mine["folder"] == theirs["folder"]
    assert mine["variables"] == theirs["variables"]


def lay_out_the_driver(root: Path, hyperparameters: dict[str, str]) -> None:
    """What SageMaker lays into a container, with the driver as `sagemaker.train` writes it."""
    package = Path(next(iter(__import__("sagemaker").__path__))) / "train"
    drivers = root / "input/data/sm_drivers"
    shutil.copytree(package / "container_drivers", drivers)
    install = next(package.parent.glob("core/utils/install_requirements.py"))
    shutil.copy(install, drivers / "scripts/install_requirements.py")
    (drivers / "sourcecode.json").write_text(
        json.dumps({"entry_script": "train.py", "requirements": "requirements.txt"})
    )
    (drivers / "distributed.json").write_text("{}")
    templates: dict[str, str] = {}
    exec((package / "templates.py").read_text(), templates)  # noqa: S102
    (drivers / "sm_train.sh").write_text(
        templates["TRAIN_SCRIPT_TEMPLATE"].format(
            working_dir="cd /opt/ml/input/data/code",
            install_requirements=templates["INSTALL_REQUIREMENTS"].format(requirements_file="requirements.txt"),
            execute_driver=templates["EXECUTE_BASIC_SCRIPT_DRIVER"],
        )
    )
    for folder in ("input/config", "input/data/code", "input/data/train", "model", "output/data"):
        (root / folder).mkdir(parents=True)
    (root / "input/data/code/train.py").write_text(TRAIN)
    (root / "input/data/code/requirements.txt").write_text("")
    inputs = dict.fromkeys(["train", "code", "sm_drivers"], CHANNEL)
    files = {"hyperparameters": hyperparameters, "inputdataconfig": inputs, "resourceconfig": RESOURCES}
    for name, content in files.items():
        (root / f"input/config/{name}.json").write_text(json.dumps(content))
