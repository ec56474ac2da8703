"""`mlops setup` against the sandbox, beside a script that makes the same calls and the same push and nothing else."""

import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

from benchmarks import timing
from benchmarks.timing import Contender, measure, report
from sandbox.server import Sandbox

TEMPLATE = Path(__file__).resolve().parents[1]
RUNS = 9
GOAL = 1.5
CALLS = 14
BARE = """\
import subprocess
import boto3

slug = "tumor-diagnosis"
tags = {"mlops:project": slug}
codecommit, sagemaker = boto3.client("codecommit"), boto3.client("sagemaker")
boto3.client("sts").get_caller_identity()
boto3.client("iam").list_account_aliases()
try:
    codecommit.get_repository(repositoryName=slug)
except codecommit.exceptions.RepositoryDoesNotExistException:
    pass
sagemaker.list_model_package_groups(NameContains=slug)
url = codecommit.create_repository(repositoryName=slug, tags=tags)["repositoryMetadata"]["cloneUrlHttp"]
subprocess.run(["git", "push", "-q", url, "main", "dev"], check=True)
codecommit.update_default_branch(repositoryName=slug, defaultBranchName="main")
for group in ("feature", "dev", "prod", "champion", "challenger"):
    sagemaker.create_model_package_group(
        ModelPackageGroupName=f"{slug}-{group}", Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )
"""


def main() -> None:
    """Print the comparison, and how many AWS calls setup makes."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        project = Path(
            cookiecutter(
                str(TEMPLATE),
                no_input=True,
                default_config=True,
                extra_context={"scenario": "champion-challenger"},
                output_dir=folder,
            )
        )
        environment = sandbox.environment(timing.environment())
        config = (project / ".git" / "config").read_bytes()

        def prepare() -> None:
            sandbox.reset()
            (project / ".git" / "config").write_bytes(config)

        commands = {"mlops setup": ["-m", "mlops", "setup", "--yes"], "bare calls and push": ["-c", BARE]}
        contenders = [
            Contender(name, [sys.executable, *arguments], project, environment, prepare)
            for name, arguments in commands.items()
        ]
        seconds = measure(contenders, RUNS)
        prepare()
        subprocess.run(contenders[0].command, cwd=project, env=environment, check=True, capture_output=True)
        calls = (
            f"AWS calls of mlops setup, champion-challenger, the push included: {len(sandbox.calls)} (at most {CALLS})."
        )
        report("mlops setup, against the sandbox", contenders, seconds, GOAL, [calls])
