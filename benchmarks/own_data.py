"""336,776 real flights, brought with `mlops data use` and trained on by `mlops run`, without editing any code."""

import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import timing
from benchmarks.flights import write_tables

TEMPLATE = Path(__file__).resolve().parents[1]
STEPS = ("CheckData", "Preprocess", "Train", "Evaluate")
CASES = {
    "more than 15 minutes late?": ("classification", "flights_late.csv", "late"),
    "late by how many minutes?": ("regression", "flights_delay.csv", "arr_delay"),
}


def main() -> None:
    """Print what each table took, step by step, and how good the model is."""
    table = Table(title="336,776 flights", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("", "data use", *STEPS, "mlops run", "result"):
        table.add_column(heading, justify="left" if heading in {"", "result"} else "right")
    with tempfile.TemporaryDirectory() as folder:
        write_tables(Path(folder))
        environment = {**timing.environment(), "HOME": folder}
        for name, (task, file, target) in CASES.items():
            bake = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "--default-config"]
            answers = ["--output-dir", folder, f"project_name={task}", f"task={task}"]
            timing.call([*bake, *answers], Path(folder), environment)
            repository, mlops = Path(folder, task), [sys.executable, "-m", "mlops"]
            use = ["data", "use", str(Path(folder, file)), "--target", target, "--ignore", "time_hour"]
            brought = timing.call([*mlops, *use, "--drop-rows-without-target"], repository, environment)
            ran = timing.call([*mlops, "run"], repository, environment)
            record = json.loads((repository / ".mlops/runs/1/run.json").read_text("utf-8"))
            took = {step["name"]: step["seconds"] for step in record["steps"]}
            folder_of_result = repository / ".mlops" / record["outputs"]["Compare"]["comparison"]
            message = json.loads((folder_of_result / "comparison.json").read_text("utf-8"))["message"].split(",")[0]
            table.add_row(name, f"{brought:.1f} s", *(f"{took[step]:.1f} s" for step in STEPS), f"{ran:.1f} s", message)
    console = Console(highlight=False, width=130)
    console.print(table)
    console.print("`mlops run` includes building the definition, which happens once.")
    console.print()


if __name__ == "__main__":
    main()
