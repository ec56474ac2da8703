"""Start a script in a SageMaker processing job.

    python3 start.py SCRIPT ARGUMENTS…

First installs what requirements.txt beside the script names, from the index that pip is configured for. Then the script
runs in this very process, in its own folder, as if it had been started itself. If it fails, the reason becomes the exit
message of the job.
"""

import importlib
import os
import runpy
import subprocess
import sys
import traceback
from pathlib import Path

# DescribeProcessingJob shows what a container leaves here as ExitMessage: at most 1 KB.
MESSAGE = Path("/opt/ml/output/message")
LONGEST = 1024  # bytes


def main(argv: list[str]) -> None:
    """Install what the script needs, and run it; it never returns to anything of ours.

    Raises:
        SystemExit: what the script says, or pip's reason.
    """
    if not argv:
        raise SystemExit("start.py: name the script to run")
    script = Path(argv[0]).resolve()
    if not script.is_file():
        raise SystemExit(f"start.py: there is no {script}")
    install(script.with_name("requirements.txt"))
    os.chdir(script.parent)
    sys.argv = [str(script), *argv[1:]]
    sys.path[0] = str(script.parent)  # where its siblings are, as python3 itself would put it
    runpy.run_path(str(script), run_name="__main__")


def install(requirements: Path) -> None:
    """Install the packages of a requirements file, if it names any.

    Raises:
        SystemExit: pip could not.
    """
    lines = requirements.read_text("utf-8").splitlines() if requirements.exists() else []
    if not any(line.split("#")[0].strip() for line in lines):
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    process = subprocess.run([*command, "--requirement", requirements], stderr=subprocess.PIPE, text=True)
    sys.stderr.write(process.stderr)
    if process.returncode:
        said = process.stderr.strip().splitlines() or [f"pip ended with {process.returncode}"]
        raise SystemExit(f"start.py: {requirements.name} cannot be installed: {said[-1]}")
    importlib.invalidate_caches()


def leave_message(reason: BaseException) -> None:
    """Write the last line of a reason where SageMaker looks for it; elsewhere there is no such folder."""
    text = str(reason.code) if isinstance(reason, SystemExit) else traceback.format_exception_only(reason)[-1]
    lines = text.strip().splitlines() or ["it ended without a reason"]
    if MESSAGE.parent.is_dir():
        MESSAGE.write_bytes(lines[-1].encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore").encode())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SystemExit as error:
        if error.code not in {None, 0}:
            leave_message(error)
        raise
    except BaseException as error:
        leave_message(error)
        raise
