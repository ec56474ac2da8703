"""The README of a generated repository: each command that it names exists, with the options that it shows."""

import functools
import re
import sys

import pytest

from tests.conftest import Bake

COMMAND = re.compile(r"(?<![\w/.-])(?:\.venv/bin/)?mlops ([a-z][^`|\n]*)")


@pytest.mark.slow
def test_every_command_of_the_readme_exists(bake: Bake) -> None:
    """In every README: they differ by framework, the code that answers does not."""
    repositories = [bake(framework=framework) for framework in ("scikit-learn", "xgboost")]
    readmes = [(repository.path / "README.md").read_text("utf-8") for repository in repositories]
    named = {match.strip() for readme in readmes for match in COMMAND.findall(readme)}
    assert {"run", "runs", "runs diff 1 2", "serve", "predict FILE", "doctor --fix", "approve 3"} <= named

    @functools.cache
    def shown(*command: str) -> str:
        return repositories[0].run(sys.executable, "-m", "mlops", *command, "--help").stdout

    for line in sorted(named):
        words = line.split()
        command = [word for word in words[:2] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
        for option in (word for word in words if word.startswith("--")):
            assert option in shown(*command), line
        assert shown(*command), line
    makefile = repositories[0].run("make", "help").stdout
    for target in {target for readme in readmes for target in re.findall(r"`?make ([a-z]+)`?", readme)}:
        assert f"make {target} " in makefile, target
