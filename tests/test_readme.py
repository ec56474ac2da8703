"""Every command of the README runs, in its order, against the sandbox."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.conftest import TEMPLATE

QUESTIONS = sum(not name.startswith("_") for name in json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8")))
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """Return the shell blocks of a page."""
    return BLOCK.findall(page.read_text("utf-8"))


def run(block: str, **environment: str) -> str:
    """Run a block as somebody would who pastes it: every line must succeed."""
    typed = "\n" * QUESTIONS
    done = subprocess.run(
        ["sh", "-eu", "-c", block], cwd=TEMPLATE, env=environment, input=typed, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_first_screen_is_one_command_and_what_appears() -> None:
    first_screen = (TEMPLATE / "README.md").read_text("utf-8").splitlines()[:30]
    assert commands(TEMPLATE / "README.md")[0] == "make demo\n"
    assert "make demo" in first_screen
    assert any(line.startswith("tumor-diagnosis/") for line in first_screen)


@pytest.mark.slow
def test_the_demo_shows_repository_branches_groups_tags_and_metrics(aws: Sandbox) -> None:
    shown = run(commands(TEMPLATE / "README.md")[0], **aws.environment())
    for line in (
        "BRANCHES\tdev",
        "BRANCHES\tmain",
        "tumor-diagnosis\tmain\thttp://127.0.0.1:",
        "tumor-diagnosis-champion",
        "mlops:owner",
        "Version 1 is registered: auc is 0.99",
        "run  started",
    ):
        assert line in shown, line


@pytest.mark.slow
def test_the_other_commands_of_the_readme_do_what_it_says(aws: Sandbox) -> None:
    for project in ("tumor-diagnosis", "house-prices"):
        shutil.rmtree(TEMPLATE / "build" / project, ignore_errors=True)
    install, script, _ = commands(TEMPLATE / "README.md")[1:]
    assert f"[{QUESTIONS}/{QUESTIONS}]" in run(install, **aws.environment())
    run(script, **aws.environment())
    made = {call["operation"] for call in aws.calls}
    assert {"CreateRepository", "GitPush", "CreateModelPackageGroup"} <= made


@pytest.mark.parametrize("folder", [TEMPLATE, TEMPLATE / "<<cookiecutter.project_slug>>"], ids=["here", "there"])
def test_the_list_of_make_fits_a_terminal_of_80_columns(folder: Path) -> None:
    listed = subprocess.run(["make", "-C", str(folder), "--no-print-directory", "help"], capture_output=True, text=True)
    lines = listed.stdout.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if len(line) > 80] == []


def test_every_make_target_that_the_readme_names_exists() -> None:
    page = (TEMPLATE / "README.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (TEMPLATE / "Makefile").read_text("utf-8"), re.MULTILINE))
    in_repository = re.findall(
        r"^([a-z-]+):",
        (TEMPLATE / "<<cookiecutter.project_slug>>" / "Makefile").read_text("utf-8"),
        re.MULTILINE,
    )
    named = set(re.findall(r"make ([a-z-]+)", page))
    assert named <= targets | set(in_repository), named
