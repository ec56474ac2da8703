"""The loop, command by command: from nothing to an approved version."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from account.problem import Problem
from verify_aws.commands import Commands
from verify_aws.trial import BRANCH, ROOT, Trial


def loop(trial: Trial, commands: Commands) -> None:
    """Run it. What is about to be made is noted in `trial` first, so that a removal knows of it.

    Raises:
        Problem: a command failed.
    """
    trial.folder = Path(tempfile.mkdtemp(prefix="verify-aws-"))
    answers = ["project_name=Verify AWS", f"project_slug={trial.slug}", f"aws_region={trial.region}"]
    options = ["--no-input", "--default-config", "--output-dir", str(trial.folder)]
    commands.python(ROOT, "cookiecutter", ".", *options, *answers)
    if not trial.use_stack:
        trial.deployed = True
        commands.python(ROOT, "account", "deploy", "--yes")
    here = trial.repository
    commands.python(here, "mlops", "setup", "--yes")
    commands.python(here, "mlops", "doctor")
    commands.run(here, "git", "switch", "--quiet", "--create", BRANCH)
    commands.python(here, "mlops", "submit", "--plan")
    _submit(trial, commands)
    commands.python(here, "mlops", "logs", "Train")
    commands.python(here, "mlops", "status")
    _submit(trial, commands)
    commands.python(here, "mlops", "approve", "1", "--env", "feature", "--yes", "--reason", "make verify-aws")
    commands.python(here, "mlops", "status", "1", "--env", "feature")


def _submit(trial: Trial, commands: Commands) -> None:
    ended = json.loads(commands.answer(trial.repository, "mlops", "submit", "--wait", "--json"))
    trial.executions.append(ended["execution"])
    if ended["status"] != "Succeeded":
        raise Problem(f"the execution {ended['execution']} is {ended['status']}")
