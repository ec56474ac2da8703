"""Cookiecutter's command line on this template, against an empty template whose hook does the same git work."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import timing
from benchmarks.timing import Contender, measure, report

TEMPLATE = Path(__file__).resolve().parents[1]
RUNS = 15
GOAL = 1.3
PEERS = (
    "Others, measured earlier on another 2-core machine (median of 10): empty template 256 ms, "
    "scientific-python/cookie 327, cookiecutter-data-science 662, cookiecutter-django 814, copier 889-1179, "
    "cruft create (empty) 490."
)
EMPTY_HOOK = """\
import os
import subprocess

environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
subprocess.run(["git", "config", "--get-regexp", r"^user"], env=environment, capture_output=True)
environment |= {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
for command in (
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all", "--force"],
    ["commit", "--quiet", "--message", "Generate"],
    ["switch", "--quiet", "--create", "dev"],
):
    subprocess.run(["git", *command], env=environment, check=True, capture_output=True)
"""


def main() -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory(dir=timing.memory()) as folder:
        empty, output = Path(folder, "empty"), Path(folder, "output")
        _empty_template(empty)

        def prepare() -> None:
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir()

        environment = {**timing.environment(), "HOME": folder}
        options = ["--no-input", "--default-config", "--output-dir", str(output)]
        command = [sys.executable, "-m", "cookiecutter"]
        contenders = [
            Contender(name, [*command, str(template), *options], Path(folder), environment, prepare)
            for name, template in (("this template", TEMPLATE), ("empty template, same git work", empty))
        ]
        report("cookiecutter --no-input", contenders, measure(contenders, RUNS), GOAL, [PEERS])


def _empty_template(folder: Path) -> None:
    project = folder / "{{cookiecutter.slug}}"
    project.mkdir(parents=True)
    (project / "README.md").write_text("# {{cookiecutter.slug}}\n")
    (folder / "cookiecutter.json").write_text(json.dumps({"slug": "empty"}))
    (folder / "hooks").mkdir()
    (folder / "hooks" / "post_gen_project.py").write_text(EMPTY_HOOK)
