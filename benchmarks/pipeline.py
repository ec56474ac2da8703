"""`mlops run` against the bare scripts of its longest chain, and the SageMaker SDK's own time to a definition."""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import timing
from benchmarks.timing import Contender, measure

TEMPLATE = Path(__file__).resolve().parents[1]
RUNS = 5
RATIO, OUTSIDE, NOTHING = 1.10, 0.7, 1.0

BARE = """\
import subprocess, sys
for command in COMMANDS:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
"""


def main() -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        repository = _bake(Path(folder))
        environment = {**timing.environment(), "HOME": folder, "OMP_NUM_THREADS": "1"}
        run = [sys.executable, "-m", "mlops", "run"]
        timing.call(run, repository, environment)
        chain = _chain(repository)
        edits = iter(range(10**6))

        def edit() -> None:
            script = repository / "model" / "train.py"
            script.write_text(script.read_text("utf-8") + f"# edit {next(edits)}\n", "utf-8")

        def nothing() -> None:
            pass

        def contender(name: str, command: list[str], prepare: Callable[[], None] = nothing) -> Contender:
            return Contender(name, command, repository, environment, prepare)

        bare = [sys.executable, "-c"]
        contenders = [
            contender("mlops run --fresh", [*run, "--fresh"]),
            contender("  bare: preprocess, train, evaluate, compare", [*bare, _script(chain)]),
            contender("mlops run after an edit of train.py", run, edit),
            contender("  bare: train, evaluate, compare", [*bare, _script(chain[1:])]),
            contender("mlops run again, nothing changed", run),
            contender("SageMaker SDK: to a definition", _sdk(repository), lambda: _empty_definition(repository)),
        ]
        seconds = measure(contenders, RUNS)
    medians = [statistics.median(taken) for taken in seconds]
    floors = {0: medians[1], 2: medians[3]}
    table = Table(title="the pipeline on this machine", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("", "median", "min", "max", "ratio", "outside"):
        table.add_column(heading, justify="left" if not heading else "right")
    for number, (one, taken) in enumerate(zip(contenders, seconds, strict=True)):
        figures = [f"{figure:.2f} s" for figure in (medians[number], min(taken), max(taken))]
        compared = (
            [f"{medians[number] / floors[number]:.2f}", f"{medians[number] - floors[number]:.2f} s"]
            if number in floors
            else ["", ""]
        )
        table.add_row(one.name, *figures, *compared)
    console = Console(highlight=False, width=110)
    console.print(table)
    console.print(
        f"{RUNS} runs each, in turn. Goals: a ratio of at most {RATIO}, at most {OUTSIDE} s outside the scripts, "
        f"and with nothing changed under {NOTHING} s in all. Below zero: imports of one step during the one before."
    )
    console.print()


def _bake(folder: Path) -> Path:
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "--default-config"]
    timing.call([*command, "--output-dir", str(folder)], folder, {**timing.environment(), "HOME": str(folder)})
    return folder / "tumor-diagnosis"


def _chain(repository: Path) -> list[list[str]]:
    """Return the commands of the longest chain, as somebody would type them who has no runner."""
    settings = json.loads((repository / ".mlops/runs/1/run.json").read_text("utf-8"))["settings"]
    data, work = settings["data"], repository.parent / "bare"
    (work / "input").mkdir(parents=True)
    shutil.copy(repository / data["path"], work / "input")
    model, jobs = repository / "model", repository / "mlops" / "jobs"
    evaluation = settings["evaluation"]
    chain: list[tuple[Path, dict[str, object]]] = [
        (
            model / "preprocess.py",
            {"--input-dir": work / "input", "--output-dir": work / "data", "--target": data["target"]}
            | {f"--{name}": data[name.replace("-", "_")] for name in ("validation-fraction", "test-fraction", "seed")},
        ),
        (
            model / "train.py",
            {"--train": work / "data/train", "--validation": work / "data/validation"}
            | {"--model-dir": work / "model", "--output-data-dir": work / "output"}
            | {f"--{name}": value for name, value in settings["training"]["hyperparameters"].items()},
        ),
        (
            model / "evaluate.py",
            {"--model-dir": work / "model", "--test-dir": work / "data/test", "--output-dir": work / "evaluation"},
        ),
        (
            jobs / "compare.py",
            {"--evaluation-dir": work / "evaluation", "--output-dir": work / "comparison"}
            | {f"--{name}": evaluation[name] for name in ("metric", "threshold", "gate")}
            | {"--tolerance": evaluation["comparison"]["tolerance"], "--comparison-gate": "off"},
        ),
    ]
    return [[str(script), *(str(word) for option in options.items() for word in option)] for script, options in chain]


def _script(commands: list[list[str]]) -> str:
    return f"COMMANDS = {commands!r}\n{BARE}"


def _sdk(repository: Path) -> list[str]:
    return [
        "env",
        "AWS_DEFAULT_REGION=us-east-1",
        "AWS_ACCESS_KEY_ID=none",
        "AWS_SECRET_ACCESS_KEY=none",
        "SAGEMAKER_VALIDATE_ROLE=false",
        sys.executable,
        "-m",
        "mlops.pipeline",
        str(repository.parent / "definition"),
    ]


def _empty_definition(repository: Path) -> None:
    folder = repository.parent / "definition"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    structure = next((repository / ".mlops" / "definitions").glob("*/structure.json"))
    shutil.copy(structure, folder)


if __name__ == "__main__":
    main()
