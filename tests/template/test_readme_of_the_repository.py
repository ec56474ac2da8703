"""The README of a generated repository: each command that it names exists, with the options that it shows."""

import re
import sys

import pytest

from tests.conftest import Bake

COMMAND = re.compile(r"(?<![\w/.-])(?:\.venv/bin/)?mlops ([a-z][^`|\n]*)")


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_every_command_of_the_readme_exists(bake: Bake, framework: str) -> None:
    repository = bake(framework=framework)
    readme = (repository.path / "README.md").read_text("utf-8")
    named = {match.strip() for match in COMMAND.findall(readme)}
    assert {"run", "runs", "runs diff 1 2", "serve", "predict FILE", "doctor --fix", "approve 3"} <= named
    for line in sorted(named):
        words = line.split()
        command = [word for word in words[:2] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
        shown = repository.run(sys.executable, "-m", "mlops", *command, "--help").stdout
        for option in (word for word in words if word.startswith("--")):
            assert option in shown, line
    makefile = repository.run("make", "help").stdout
    for target in re.findall(r"`?make ([a-z]+)`?", readme):
        assert f"make {target} " in makefile, target
